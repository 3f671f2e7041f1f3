"""What an app declares (`manifests/`) becomes its Micro's: with the first deployment, and where nobody said otherwise.

Later deployments change nothing that people may have set since; only required variables are asked for each time.
"""

import msgspec
from django.contrib.auth.models import User

from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import BundleRefused, InvalidInput
from storage.micros import schedules, sealing
from storage.micros.manifests.manifest import Manifest
from storage.micros.micros import touch_micro
from storage.micros.variables import check_all, read_variables
from storage.models import Micro


def check_required(micro: Micro, manifest: Manifest) -> None:
    """Raises BundleRefused when a variable that the app needs has no value, with the names of all of them; SecretsUnreadable."""
    if not any(each.is_required for each in manifest.variables):
        return
    missing = manifest.missing(_values(micro, manifest))
    if missing:
        raise BundleRefused(
            f"{manifest.source} says that the app needs {_listed(missing)}, and nobody has given "
            f"{'it a value' if len(missing) == 1 else 'them values'}",
            "Set what is missing on the Micro's page Environment, then deploy again",
        )


def take_up(micro: Micro, manifest: Manifest, *, by: User | None) -> None:
    """In the caller's transaction: give a held Micro what its app declares. Raises as `check_required`, and InvalidInput."""
    check_required(micro, manifest)
    if micro.deployment_id is not None:
        return
    if any(each.value for each in manifest.variables):
        _give_values(micro, manifest)
    if manifest.cron:
        _take_up_schedule(micro, manifest, by)


def _give_values(micro: Micro, manifest: Manifest) -> None:
    before, after = read_variables(micro), _values(micro, manifest)
    if after == before:
        return
    check_all(after)
    touch_micro(micro, sealed_variables=sealing.seal(msgspec.json.encode(after), micro_id=micro.id))
    details: dict[str, object] = {"micro": micro.id, "set": sorted(after.keys() - before.keys()), "removed": []}
    audit.record(Verb.MICRO_VARIABLES_SET, collection_id=micro.collection_id, about=micro.name, details=details)


def _take_up_schedule(micro: Micro, manifest: Manifest, by: User | None) -> None:
    if schedules.find_schedule(micro.id) is not None:
        return
    try:
        schedules.put_schedule(micro, expression=manifest.cron, set_by=by)
    except InvalidInput as error:
        raise BundleRefused(f"{manifest.source}: `cron`: {error.messages[0]}", *error.messages[1:]) from None


def _values(micro: Micro, manifest: Manifest) -> dict[str, str]:
    """The Micro's variables as they are, with the declared ones that it lacks when it begins."""
    values = read_variables(micro)
    if micro.deployment_id is not None:
        return values
    return {each.name: each.value for each in manifest.variables if each.value} | values


def _listed(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
