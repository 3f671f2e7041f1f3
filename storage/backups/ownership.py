"""Which target is whose: a target belongs to one server, and the server's own target is told from one that took its place."""

import secrets

from django.conf import settings

from storage.backups import plans
from storage.backups.faults import BackupFault
from storage.backups.plans import Plan
from storage.backups.targets import blobs
from storage.backups.targets import manifest as manifests
from storage.backups.targets.manifest import Mark
from storage.backups.targets.places import Place
from storage.models import BackupPlan


def instance_id() -> str:
    """Whose backups these are: of a database of one's own, which several machines may serve, that of its first backup."""
    local = settings.LOCAL_STATE
    if local is None:
        raise BackupFault(f"There is no server in {settings.DATA} to back up.")
    return plans.own_line(plans.read_row()) if settings.DATABASE_URL else local.instance_id


def open_own(plan: Plan, row: BackupPlan) -> Place:
    """The server's own target, as it was left. Raises BackupFault, also when something else is in its place."""
    place = plans.open_target(plan.target)
    mark = manifests.read_mark(place)
    if mark is None:
        raise BackupFault(
            f"The backups in {place} are gone: is the disk mounted? If they are to begin anew there,"
            " run `backup` once with --new."
        )
    _check_owner(place, mark)
    if mark.target_id != row.target_id:
        raise BackupFault(f"{place} has other backups than it had: run `backup` once with --new to go on with these.")
    return place


def take(target: str) -> tuple[Place, Mark]:
    """A place to write a backup to, which becomes a target when it is empty or not there. Raises BackupFault.

    A place that has files but no backups of this server is refused.
    """
    place = plans.open_target(target)
    mark = manifests.read_mark(place)
    if mark is None:
        if any(True for _ in place.entries("")):
            raise BackupFault(f"{place} has other files, and no backups of Homeport: name an empty place.")
        mark = Mark(format=manifests.FORMAT, instance_id=instance_id(), target_id=secrets.token_hex(8))
        manifests.write_mark(place, mark)
    _check_owner(place, mark)
    return place, mark


def adopt(mark: Mark, row: BackupPlan, *, target: str) -> None:
    """Make a target the server's own: blobs are marked for it from now on. Raises EngineUnreachable."""
    if (row.target_id, row.target) != (mark.target_id, target):
        blobs.forget_marks()
        # Of the log that the other target has this one has nothing. Without a log the line says whose backups they are.
        line = plans.own_line(row) if settings.DATABASE_URL else secrets.token_hex(16)
        BackupPlan.objects.filter(id=1).update(
            target=target, target_id=mark.target_id, line=line, kept_until=None, kept_position=""
        )
        row.refresh_from_db()


def _check_owner(place: Place, mark: Mark) -> None:
    if mark.format > manifests.FORMAT:
        raise BackupFault(f"{place} was written by a newer version of Homeport.")
    if mark.instance_id != instance_id():
        raise BackupFault(f"{place} has the backups of another server: name another place.")
