"""Tells what runs Micros that something changed, once the change is committed.

It would learn of it within two seconds by itself; so when it can't be reached, nothing is lost but that time.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete

from storage.errors import HostUnreachable
from storage.micros import hosts
from storage.micros.host import MicroHost
from storage.models import Micro


def announce_change(micro_id: str) -> None:
    """After the caller's transaction: have the Micro's new settings or deployment learned at once."""
    _tell(lambda host: host.changed(micro_id))


def listen() -> None:
    """From now on, end what runs of Micros that are deleted, by themselves or with their collection."""
    post_delete.connect(_end, sender=Micro, dispatch_uid="end the processes of a deleted Micro")


def _end(instance: Micro, **_: Any) -> None:
    micro_id = instance.id

    def end(host: MicroHost) -> None:
        host.changed(micro_id)
        host.stop(micro_id)

    _tell(end)


def _tell(what: Callable[[MicroHost], None]) -> None:
    def tell() -> None:
        with suppress(HostUnreachable):
            what(hosts.the_host())

    transaction.on_commit(tell, robust=True)
