"""What is wanted of backups: where to, how often, how long they are kept. The environment wins over what the owner chose."""

import secrets
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.backups.faults import BackupFault
from storage.backups.targets.places import Place, S3Access, open_place
from storage.errors import InvalidInput
from storage.models import BackupPlan
from storage.postgres.database import engine_errors

# What may be chosen, and what for.
BOUNDS = {
    "every_hours": (1, 24 * 31),
    "full_every_days": (1, 365),
    "keep_days": (1, 3_650),
    "drill_every_days": (0, 365),
}


class Plan(NamedTuple):
    """What is in force. `fixed` are the names of those that the environment sets. No target: no backups."""

    target: str
    every_hours: int
    full_every_days: int
    keep_days: int
    drill_every_days: int
    fixed: frozenset[str]


def read_row() -> BackupPlan:
    """The row, which is made when there is none. Raises EngineUnreachable."""
    return BackupPlan.objects.get_or_create(id=1)[0]


def read_plan(row: BackupPlan | None = None) -> Plan:
    """What is in force now. Raises EngineUnreachable."""
    row = row or read_row()
    chosen: dict[str, Any] = {name: getattr(row, name) for name in ("target", *BOUNDS)}
    fixed = {name: value for name, value in settings.BACKUP_PLAN.items() if value is not None}
    return Plan(**(chosen | fixed), fixed=frozenset(fixed))


def change_plan(**chosen: Any) -> None:
    """Set what the owner chose; what the environment sets stays. A target that is no target is refused.

    Raises InvalidInput and EngineUnreachable.
    """
    plan = read_plan()
    wanted = {name: value for name, value in chosen.items() if name not in plan.fixed}
    for name, (least, most) in BOUNDS.items():
        if name in wanted and not least <= wanted[name] <= most:
            raise InvalidInput(f"{name}: choose a number from {least} to {most}")
    if "target" in wanted:
        wanted["target"] = wanted["target"].strip()
        if wanted["target"]:
            check_target(wanted["target"])
        if wanted["target"] != plan.target:
            wanted["target_id"] = ""
    with engine_errors(), transaction.atomic():
        BackupPlan.objects.filter(id=1).update(**wanted)
        audit.record(Verb.BACKUPS_SET, details={name: wanted[name] for name in ("target", *BOUNDS) if name in wanted})


def check_target(target: str) -> None:
    """Raises InvalidInput for what can't be a target of this server's backups."""
    try:
        place = open_target(target)
    except BackupFault as error:
        raise InvalidInput(str(error)) from error
    folder = getattr(place, "folder", None)
    if folder and (folder.resolve().is_relative_to(settings.DATA) or settings.DATA.is_relative_to(folder.resolve())):
        raise InvalidInput(f"{target} and the data folder lie in each other: choose a folder on another disk.")
    if folder and not target.startswith(("/", "~")):
        raise InvalidInput("Write the folder's whole path, such as /backup/homeport.")


def open_target(target: str) -> Place:
    """A target as the environment says how to reach it. Raises BackupFault."""
    return open_place(target, access=S3Access(**settings.BACKUP_S3))


def adopted(plan: Plan, row: BackupPlan) -> str:
    """The id of the target in force; empty before its first backup, as when the environment names another one."""
    return row.target_id if plan.target and plan.target == row.target else ""


def own_line(row: BackupPlan) -> str:
    """Which life of the database this is; it begins with the first backup."""
    if not row.line:
        BackupPlan.objects.filter(id=1, line="").update(line=secrets.token_hex(16))
        row.refresh_from_db()
    return row.line


def keeps_log() -> bool:
    """Whether new files are brought to a target again and again. Raises EngineUnreachable."""
    row = read_row()
    return bool(adopted(read_plan(row), row))
