"""The dry run of a write: shows what it would change, without changing it.

The request runs as it would, inside a transaction that is rolled back, so every rule and every answer is the real one. Bytes of
files go to another engine, which has no transactions: for those the dry run says what they would replace.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from django.db import transaction

from console.visor import replay
from console.visor.api_paths import Target, read_target, stored_keys
from console.visor.request_drafts import Draft
from storage.base import items
from storage.drive import files
from storage.errors import FileNotFound, InvalidInput, ItemNotFound, StorageError
from storage.events import blocks as event_blocks
from storage.events.blocks import Event
from storage.exact_json import parse
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors


@dataclass(frozen=True, slots=True)
class Change:
    """An item or file before and after, as text; None for one that is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The result of a dry run. `refusal` says why there was none; then there is no event."""

    event: Event | None = None
    changes: list[Change] = field(default_factory=list)
    refusal: str = ""


def run_dry(draft: Draft, *, access: Access, sent_by: str) -> DryRun:
    """Run the request and undo it. Raises EngineUnreachable."""
    if draft.micro is not None:
        return DryRun(refusal="A request to a Micro has no dry run: what an app does cannot be undone.")
    target = read_target(draft.path)
    if draft.method in ("GET", "HEAD", "OPTIONS") or target.kind == "query":
        return DryRun(refusal="This request only reads, so it needs no dry run: send it.")
    if target.kind == "uploads":
        return DryRun(
            refusal="An upload in parts has no dry run: its bytes are stored outside of the database and cannot be undone."
        )
    if target.kind == "files" and draft.method == "POST":
        return _foretell_file(draft, target, access)
    with engine_errors(), transaction.atomic():
        result = _run_and_undo(draft, target, access, sent_by)
        transaction.set_rollback(True)
    return result


def _run_and_undo(draft: Draft, target: Target, access: Access, sent_by: str) -> DryRun:
    after: dict[str, str | None] = {}
    with transaction.atomic():
        sent = replay.send(draft, access=access, origin=event_blocks.CLIENT, sent_by=sent_by)
        if sent.event.line.status < 400:
            names = _names(draft, target, sent.body)
            after = {name: _read(target, access, name) for name in names}
        transaction.set_rollback(True)
    changes = [Change(name, _read(target, access, name), text) for name, text in after.items()]
    return DryRun(sent.event, [change for change in changes if change.before != change.after])


def _names(draft: Draft, target: Target, answer: bytes) -> list[str]:
    """Of the items or files that the request is about."""
    if target.kind == "files":
        given = parse(draft.body).get("names", [])
        return [name for name in given if isinstance(name, str)]
    return [target.key] if target.key else stored_keys(answer)


def _read(target: Target, access: Access, name: str) -> str | None:
    try:
        if target.is_base:
            return items.get_item(access=access, base=target.name, key=name).json
        file = files.get_file(access=access, drive=target.name, name=name)
        return f"{file.size_bytes:,} bytes, {file.content_type}, MD5 {file.etag}"
    except (ItemNotFound, FileNotFound, InvalidInput):
        return None


def _foretell_file(draft: Draft, target: Target, access: Access) -> DryRun:
    name = parse_qs(draft.query).get("name", [""])[0]
    try:
        files.check_access(access=access, name=target.name, write=True)
        before = _read(target, access, name)
    except StorageError as error:
        return DryRun(refusal=f"It would be refused: {error.messages[0]}.")
    what = f"It would replace the file of {before}" if before else "It would create a new file"
    return DryRun(
        refusal=f"{what} with {len(draft.body):,} bytes. A dry run cannot do more: a file's bytes are stored outside of"
        " the database and cannot be undone."
    )
