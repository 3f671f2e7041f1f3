"""A schedule that an app declares (`storage/micros/declared.py`) is set with its first deployment, unless the Micro has one."""

from typing import Any

from django.contrib.auth.models import User

from storage.errors import BundleRefused, InvalidInput
from storage.micro_schedules import schedules
from storage.micros.declared import cron_declared
from storage.models import Micro


def listen() -> None:
    """Called once, when Django is set up."""
    cron_declared.connect(_set, dispatch_uid="schedules")


def _set(sender: Any, *, micro: Micro, source: str, expression: str, by: User | None, **_: Any) -> None:
    """Raises BundleRefused for what is no schedule, which ends the deployment."""
    if schedules.find_schedule(micro.id) is not None:
        return
    try:
        schedules.set_schedule(collection_id=micro.collection_id, micro_id=micro.id, expression=expression, set_by=by)
    except InvalidInput as error:
        raise BundleRefused(f"{source}: `cron`: {error.messages[0]}", *error.messages[1:]) from None
