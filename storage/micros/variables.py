"""A Micro's variables: what its app finds in its environment beside what we set. Kept sealed; nobody reads values back.

Whoever may deploy could print them, of course: that they are not listed keeps them from the eyes of who looks at a page.
"""

from collections.abc import Collection, Mapping

import msgspec
from django.db import transaction

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import InvalidInput
from storage.micros import sealing
from storage.micros.micros import find_micro, hold_micro, touch_micro
from storage.micros.variable_names import check_form, is_ours
from storage.models import Micro


def list_variable_names(*, collection_id: str, micro_id: str) -> list[str]:
    """The names of a Micro's variables, sorted. Raises MicroNotFound, SecretsUnreadable."""
    return sorted(read_variables(find_micro(collection_id=collection_id, micro_id=micro_id)))


def read_variables(micro: Micro) -> dict[str, str]:
    """All variables with their values, for what runs the Micro. Raises SecretsUnreadable."""
    sealed = bytes(micro.sealed_variables)
    if not sealed:
        return {}
    return msgspec.json.decode(sealing.unseal(sealed, micro_id=micro.id), type=dict[str, str])


def set_variables(*, collection_id: str, micro_id: str, values: Mapping[str, str]) -> list[str]:
    """Add variables, or give them other values; the others stay. The names that there are then, sorted.

    Raises MicroNotFound, InvalidInput (a name, a value, or there are too many), SecretsUnreadable, DiskFull.
    """
    return _change(collection_id, micro_id, put=values)


def replace_variables(*, collection_id: str, micro_id: str, values: Mapping[str, str]) -> list[str]:
    """Have these variables and no others. Works also when those there are can't be read. Raises as `set_variables`."""
    return _change(collection_id, micro_id, put=values, keeps_others=False)


def remove_variables(*, collection_id: str, micro_id: str, variable_names: Collection[str]) -> list[str]:
    """Remove variables; a name that is none of them is no error. The names that are left. Raises as `set_variables`."""
    return _change(collection_id, micro_id, put={}, removed=variable_names)


def _change(
    collection_id: str,
    micro_id: str,
    *,
    put: Mapping[str, str],
    removed: Collection[str] = (),
    keeps_others: bool = True,
) -> list[str]:
    disk_space.check_space_for_items()
    for name, value in put.items():
        _check_name(name)
        _check_value(name, value)
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        before = read_variables(micro) if keeps_others else {}
        after = {name: value for name, value in before.items() if name not in removed} | dict(put)
        check_all(after)
        if after != before or not keeps_others:
            sealed = sealing.seal(msgspec.json.encode(after), micro_id=micro.id) if after else b""
            touch_micro(micro, sealed_variables=sealed)
            gone = sorted(before.keys() - after.keys())
            details: dict[str, object] = {"micro": micro.id, "set": sorted(put), "removed": gone}
            if not keeps_others:
                details["replaces_all"] = True
            audit.record(Verb.MICRO_VARIABLES_SET, collection_id=collection_id, about=micro.name, details=details)
    return sorted(after)


def _check_name(name: str) -> None:
    check_form(name)
    if is_ours(name):
        raise InvalidInput(f"{name} is set by the server and can't be another: leave it out")


def _check_value(name: str, value: str) -> None:
    if not names.is_text(value):
        raise InvalidInput(f"The value of {name} holds a character that no environment can")


def check_all(values: Mapping[str, str]) -> None:
    """Whether a Micro can have all of these together. Raises InvalidInput."""
    if len(values) > limits.MICRO_VARIABLES_MAX:
        raise InvalidInput(f"A Micro has at most {limits.MICRO_VARIABLES_MAX} variables")
    size_bytes = sum(len(name) + len(value.encode()) for name, value in values.items())
    if size_bytes > limits.MICRO_VARIABLES_MAX_BYTES:
        raise InvalidInput(
            f"A Micro's variables have at most {limits.MICRO_VARIABLES_MAX_BYTES:,} bytes together, these have {size_bytes:,}"
        )
