"""Micros on their way in: each becomes a new Micro with the settings it had, whose code waits to be deployed.

Its sub-domain and domains are wishes: those that are taken, or refused here, it does without. Variables have no values in an
archive, and keys are not in one.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from storage import limits
from storage.archive.importing.sources import MicroSource
from storage.errors import AlreadyTaken, InvalidInput
from storage.micros import bundles, deployments, domains, micros, schedules, subdomains
from storage.micros.runtimes import read_runtime
from storage.models import Micro
from storage.postgres.database import engine_errors


class Refused(Exception):
    """This Micro can't be imported; the message says why."""


class Made(NamedTuple):
    """What became of a Micro, and what it has to do without, in words."""

    micro: Micro
    lacks: list[str]


def import_micro(
    source: MicroSource,
    *,
    collection_id: str,
    name: str,
    asked_by: User | None,
    progress: Callable[[], None],
    commit: Callable[[Made], None],
) -> Made:
    """Create a Micro and queue its code; `commit` is called in the transaction that does, `progress` with each chunk of code.

    Raises Refused, Damaged, EngineUnreachable, DiskFull, CollectionNotFound, and what `commit` raises.
    """
    if len(source.files) < len(source.about.listing):
        raise Refused("Some of its code is missing")
    try:
        if not source.about.listing:
            with engine_errors(), transaction.atomic():
                made = _create(source, collection_id, name, asked_by)
                commit(made)
            return made
        files = ((file.name, _watched(file.read(), progress)) for file in source.files)
        with (
            bundles.collect_bundle(files, keeps_all=True) as bundle,
            deployments.stored_bundle(bundle, collection_id=collection_id) as stored,
            engine_errors(),
            transaction.atomic(),
        ):
            made = _create(source, collection_id, name, asked_by)
            deployments.queue_deployment(made.micro, bundle, stored, asked_by=asked_by)
            commit(made)
        return made
    except (AlreadyTaken, InvalidInput) as error:
        raise Refused(". ".join(error.messages)) from error


def _watched(chunks: Iterator[bytes], progress: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        progress()
        yield chunk


def _create(source: MicroSource, collection_id: str, name: str, asked_by: User | None) -> Made:
    about, lacks = source.about, []
    subdomain = _possible(about.subdomain)
    if not subdomain:
        lacks.append(f"the sub-domain {about.subdomain}")
    micro = micros.create_micro(
        collection_id=collection_id, name=name, runtime=_runtime(about.runtime), subdomain=subdomain, made_by=asked_by
    )
    at: dict[str, str] = {"collection_id": collection_id, "micro_id": micro.id}
    micro = micros.change_micro(
        **at,
        has_sign_in=about.has_sign_in,
        is_recorded=about.is_recorded,
        is_kept_warm=about.is_kept_warm,
        idle_minutes=min(max(about.idle_minutes, 1), limits.MICRO_IDLE_MINUTES_MAX),
    )
    for domain in about.domains[: limits.MICRO_DOMAINS_MAX]:
        try:
            domains.add_domain(**at, name=domain)
        except (AlreadyTaken, InvalidInput):
            lacks.append(f"the domain {domain}")
    if about.schedule:
        try:
            schedules.set_schedule(
                **at, expression=about.schedule, limit_seconds=about.schedule_seconds, set_by=asked_by
            )
        except InvalidInput:
            lacks.append(f"the schedule {about.schedule}")
    return Made(micro, lacks)


def _possible(subdomain: str) -> str:
    """The sub-domain that is wished for, if it can be had; else none."""
    with suppress(InvalidInput):
        chosen = subdomains.check_subdomain(subdomain)
        return chosen if micros.is_free(chosen) else ""
    return ""


def _runtime(text: str) -> str:
    with suppress(InvalidInput):
        return str(read_runtime(text))
    return ""
