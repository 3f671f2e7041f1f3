"""Requests that a person sends by hand, in the audit log. What they held and were answered is an event (`blocks.py`)."""

from django.db import transaction

from storage import names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.models import Base, Drive
from storage.postgres.database import engine_errors


def note_sent(*, collection_id: str, method: str, name: str, is_micro: bool = False) -> None:
    """Record it before it is sent; `name` is told where it is a Base's, a Drive's or a Micro's. Raises EngineUnreachable."""
    with engine_errors(), transaction.atomic():
        is_known = is_micro or (
            names.is_text(name)
            and any(
                model._default_manager.filter(collection_id=collection_id, name=name).exists()
                for model in (Base, Drive)
            )
        )
        about = f"{method} {name}" if is_known else method
        audit.record(Verb.REQUEST_SENT, collection_id=collection_id, about=about)
