"""Domains: names of somebody's own that a Micro is served under, beside its sub-domain. Each is one Micro's alone."""

from django.db import IntegrityError, transaction

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import AlreadyTaken, InvalidInput
from storage.micros.micros import hold_micro
from storage.micros.subdomains import check_domain
from storage.models import Micro, MicroDomain


def list_domains(micro_id: str) -> list[str]:
    """A Micro's domains, in the order they were added."""
    return list(MicroDomain.objects.filter(micro_id=micro_id).order_by("id").values_list("name", flat=True))


def add_domain(*, collection_id: str, micro_id: str, name: str) -> str:
    """Serve a Micro under another name, too; one that it has is no error. The name as a Host header has it.

    Raises MicroNotFound, AlreadyTaken (by another Micro), InvalidInput (the name, or there are too many), DiskFull.
    """
    disk_space.check_space_for_items()
    chosen = check_domain(name)
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        mine = MicroDomain.objects.filter(micro=micro)
        if mine.filter(name=chosen).exists():
            return chosen
        if mine.count() >= limits.MICRO_DOMAINS_MAX:
            raise InvalidInput(f"A Micro has at most {limits.MICRO_DOMAINS_MAX} domains of its own")
        try:
            with transaction.atomic():
                MicroDomain.objects.create(micro=micro, name=chosen)
        except IntegrityError:
            raise AlreadyTaken(f"The domain “{chosen}” belongs to another Micro") from None
        _record(Verb.MICRO_DOMAIN_ADDED, micro, chosen)
    return chosen


def remove_domain(*, collection_id: str, micro_id: str, name: str) -> None:
    """Serve a Micro under this name no longer; removing it again changes nothing. Raises MicroNotFound."""
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        chosen = name.strip().lower()
        if "\x00" not in chosen and MicroDomain.objects.filter(micro=micro, name=chosen).delete()[0]:
            _record(Verb.MICRO_DOMAIN_REMOVED, micro, chosen)


def is_domain_known(name: str) -> bool:
    """Whether some Micro is served under this domain: what a reverse proxy asks before it gets a certificate."""
    return "\x00" not in name and MicroDomain.objects.filter(name=name.strip().lower().removesuffix(".")).exists()


def _record(verb: Verb, micro: Micro, name: str) -> None:
    details: dict[str, object] = {"micro": micro.id, "domain": name}
    audit.record(verb, collection_id=micro.collection_id, about=micro.name, details=details)
