"""Imports: upload in parts, check, choose, run. The reports stay with the collection.

The archive is kept for a week after its import, so that it can be imported again. The check is in `checking.py`, the
import in `importer.py`.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.archive.importing import checking, plans
from storage.archive.importing.importer import Importer, keep_problems
from storage.archive.importing.plans import Choice, Reading
from storage.archive.importing.sources import open_source
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import files, parts
from storage.drive.files import Content, take
from storage.drive.sql import uploads as uploads_sql
from storage.errors import (
    ArchiveNotFound,
    BlobMissing,
    CollectionNotFound,
    DiskFull,
    EngineUnreachable,
    InvalidInput,
    OutOfPlace,
    StorageError,
)
from storage.models import Collection, Import, ImportProblem
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run
from storage.postgres.leases import Lease, is_orphaned
from storage.zip_reader import Problem

_State = Import.State
_NAME_MAX_CHARACTERS = 255


def start_import(
    *,
    collection_id: str,
    file_name: str,
    size_bytes: int,
    asked_by: User | None,
    is_direct: bool = False,
    plan: dict[str, Any] | None = None,
) -> Import:
    """Create an import whose archive is not uploaded yet. `plan` is what `plan_to_check` makes.

    Raises CollectionNotFound, DiskFull, InvalidInput (its size, or too many are not done).
    """
    if not is_direct:
        disk_space.check_space_for_files()
    disk_space.check_space_for_items()
    if not 1 <= size_bytes <= limits.ARCHIVE_MAX_BYTES:
        raise InvalidInput(f"An archive has 1 to {limits.ARCHIVE_MAX_BYTES:,} bytes, this one has {size_bytes:,}")
    with transaction.atomic():
        if not Collection.objects.select_for_update().filter(id=collection_id).exists():
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        busy = [_State.UPLOADING, _State.CHECKING, _State.RUNNING]
        under_way = Import.objects.filter(collection_id=collection_id, state__in=busy).count()
        if not is_direct and under_way >= limits.ARCHIVES_WAITING_MAX:
            raise InvalidInput(f"{limits.ARCHIVES_WAITING_MAX} imports are under way already: delete one first")
        import_ = Import.objects.create(
            collection_id=collection_id,
            file_name="".join(each for each in file_name if each.isprintable())[-_NAME_MAX_CHARACTERS:] or "archive",
            size_expected=size_bytes,
            asked_by=asked_by,
            is_direct=is_direct,
            is_kept=not is_direct,
            plan=plan or {},
        )
        _record(Verb.IMPORT_STARTED, import_, {"size_bytes": size_bytes})
        return import_


def append_part(*, access: Access, import_id: UUID, start: int, content: Content) -> Import:
    """Add bytes to an archive; the last bytes request its check.

    `start` is where they belong, in bytes. Raises OutOfPlace when that is not where the last ones ended (they came already,
    or some are missing), ArchiveNotFound, InvalidInput (they are too many), what `content` raises, Unauthorized or Forbidden
    when the person may not write here (any more), EngineUnreachable, DiskFull.
    """
    collection_id = access.collection_id
    import_ = find_import(collection_id=collection_id, import_id=import_id)
    disk_space.check_space_for_files()
    if import_.state != _State.UPLOADING:
        raise ArchiveNotFound()
    if start != import_.size_bytes:
        raise OutOfPlace(import_.size_bytes)
    blob_id = parts.reserve()
    with files.discarded_on_error(blob_id):
        number = start // limits.PART_MIN_BYTES + 1
        stored = files.store(blob_id, content, parts.archive_owner(collection_id, import_id, number))
        end = start + stored.size_bytes
        if end > import_.size_expected or (end < import_.size_expected and stored.size_bytes < limits.PART_MIN_BYTES):
            raise InvalidInput(
                f"The part has {stored.size_bytes:,} bytes; {import_.size_expected - start:,} are missing in all, "
                f"and every part but the last has at least {limits.PART_MIN_BYTES:,}"
            )
        is_whole = end == import_.size_expected
        now = {"size_bytes": end, "touched_at": Now(), "state": _State.CHECKING if is_whole else _State.UPLOADING}
        with engine_errors(), transaction.atomic():
            mine = Import.objects.filter(id=import_id, state=_State.UPLOADING, size_bytes=start)
            if not mine.update(**now):
                raise OutOfPlace(find_import(collection_id=collection_id, import_id=import_id).size_bytes)
            rights.ask_again(access)
            take(stored)
            run(uploads_sql.put_part(import_id.hex, number, stored.id))
    import_.refresh_from_db()
    return import_


def list_imports(collection_id: str) -> list[Import]:
    """A collection's imports, newest first, each with who asked for it."""
    found = Import.objects.filter(collection_id=collection_id).select_related("asked_by")
    return list(found.order_by("-asked_at", "-id"))


def find_import(*, collection_id: str, import_id: UUID) -> Import:
    """Raises ArchiveNotFound."""
    found = Import.objects.filter(collection_id=collection_id, id=import_id).select_related("asked_by").first()
    if found is None:
        raise ArchiveNotFound()
    return found


def list_problems(import_: Import) -> list[ImportProblem]:
    """The first `ARCHIVE_PROBLEMS_KEPT` problems of the check, or of the import once it runs; `problems_total` counts all."""
    return list(ImportProblem.objects.filter(found_in=import_).order_by("id"))


def delete_import(*, collection_id: str, import_id: UUID) -> None:
    """Delete an import with its report, in any state; stored data stays."""
    with transaction.atomic():
        import_ = Import.objects.select_for_update().filter(collection_id=collection_id, id=import_id).first()
        if import_ is not None:
            _record(Verb.IMPORT_DELETED, import_)
            import_.delete()
            parts.drop_parts(import_id)


def request_check(*, collection_id: str, import_id: UUID, readings: Mapping[str, Reading] | None = None) -> None:
    """Check the archive again, its Bases read as somebody wants it. Raises ArchiveNotFound unless it is at rest and kept."""
    into = find_import(collection_id=collection_id, import_id=import_id).plan.get("into", "")
    plan = plan_to_check(into=into, readings=readings)
    _restart(collection_id, import_id, state=_State.CHECKING, plan=plan, choices={})


def plan_to_check(*, into: str = "", readings: Mapping[str, Reading] | None = None) -> dict[str, Any]:
    """What is kept of an import until it is checked: the Base that a file of items is for, and how its Bases are to be read."""
    return {"into": into, "readings": {name: msgspec.to_builtins(each) for name, each in (readings or {}).items()}}


def request_run(*, collection_id: str, import_id: UUID, choices: list[Choice]) -> None:
    """Request the import as chosen, from the beginning; also a second time. One choice for each portion of its plan, in order.

    Raises ArchiveNotFound unless it is checked or done and its archive is kept, InvalidInput (the choices).
    """
    import_ = find_import(collection_id=collection_id, import_id=import_id)
    if "portions" not in import_.plan:
        raise ArchiveNotFound()
    plan = plans.read_plan(import_.plan)
    plans.check_choices(plan, choices)
    with transaction.atomic():
        _restart(
            collection_id,
            import_id,
            state=_State.RUNNING,
            choices=plans.keep(*choices),
            bytes_expected=plan.counts["bytes"],
        )
        _record(Verb.IMPORT_RUN, import_, dict(Counter(choice.do for choice in choices)))


def _record(verb: Verb, import_: Import, details: dict[str, int] | None = None) -> None:
    told: dict[str, object] = {"import": str(import_.id), **(details or {})}
    audit.record(verb, collection_id=import_.collection_id, about=import_.file_name, details=told)


def forget_old() -> None:
    """Delete archives with an abandoned upload, and those whose import ended long ago."""
    with transaction.atomic():
        given_up = Q(
            state=_State.UPLOADING, touched_at__lt=Now() - timedelta(seconds=limits.IMPORT_UPLOAD_KEPT_SECONDS)
        )
        old = list(Import.objects.select_for_update().filter(given_up).values_list("id", flat=True))
        Import.objects.filter(id__in=old).delete()
        over = Q(finished_at__lt=Now() - timedelta(seconds=limits.IMPORT_KEPT_SECONDS), is_kept=True)
        at_rest = ~Q(state__in=[_State.CHECKING, _State.RUNNING, _State.UPLOADING])
        spent = list(Import.objects.select_for_update().filter(over, at_rest).values_list("id", flat=True))
        Import.objects.filter(id__in=spent).update(is_kept=False)
        parts.drop_parts(*old, *spent)


# What workers and the command do


def claim_import() -> Import | None:
    """The next import to check or run, taken by this attempt; those that were tried too often fail."""
    busy = [_State.CHECKING, _State.RUNNING]
    _fail_direct(busy)
    with transaction.atomic():
        found = Import.objects.select_for_update(skip_locked=True).filter(
            is_orphaned(), state__in=busy, is_direct=False
        )
        import_ = found.order_by("touched_at", "id").first()
        if import_ is None:
            return None
        if import_.attempts >= limits.ARCHIVE_ATTEMPTS_MAX:
            why = f"The server stopped during this import, {import_.attempts} times."
            Import.objects.filter(id=import_.id).update(state=_State.FAILED, reason=why, finished_at=Now())
            return claim_import()
        begin_attempt(import_)
        return import_


def begin_attempt(import_: Import) -> None:
    """Take an import to work on it."""
    import_.attempts += 1
    Import.objects.filter(id=import_.id).update(attempts=import_.attempts, heartbeat_at=Now())


def work_on_import(import_: Import, path: Path | None = None) -> None:
    """Check or run an import that is taken, from its parts or from a file.

    Raises Superseded; any other error becomes the reason it failed for.
    """
    lease = Lease(import_, state=import_.state)
    try:
        with engine_errors(), _opened(import_, lease, path) as stream:
            if import_.state == _State.CHECKING:
                _check(import_, lease, stream)
            else:
                _run(import_, lease, stream)
    except EngineUnreachable as error:
        # A retry may help: the row stays as it is until its lease is over.
        if import_.is_direct or import_.attempts >= limits.ARCHIVE_ATTEMPTS_MAX:
            _fail(lease, error)
    except (InvalidInput, BlobMissing, DiskFull) as error:
        _fail(lease, error)


def _check(import_: Import, lease: Lease, stream: IO[bytes]) -> None:
    into, readings = import_.plan.get("into", ""), plans.read_readings(import_.plan)
    problems: list[Problem] = []
    total = read_bytes = 0

    def note(problem: Problem) -> None:
        nonlocal total
        total += 1
        if total <= limits.ARCHIVE_PROBLEMS_KEPT:
            problems.append(problem)

    def progress(size_bytes: int) -> None:
        nonlocal read_bytes
        read_bytes += size_bytes
        lease.tick(bytes_done=read_bytes, problems_total=total)

    source = open_source(stream, size_bytes=import_.size_expected, file_name=import_.file_name, base=into)
    plan = plans.make_plan(source, into=into, readings=readings)
    everything = sum(base.size_bytes for base in source.bases) + sum(drive.size_bytes for drive in source.drives)
    lease.save(bytes_expected=everything, bytes_done=0, problems_total=0)
    here = checking.Here(import_.collection_id)
    checking.check_source(source, plan, here=here, note=note, progress=progress)
    with engine_errors(), transaction.atomic():
        # The lease first: it locks the row, so that a worker that lost it cannot write after the one that has it.
        lease.save(
            state=_State.CHECKED,
            plan=msgspec.to_builtins(plan),
            problems_total=total,
            touched_at=Now(),
            attempts=0,
            reason="",
        )
        ImportProblem.objects.filter(found_in=import_).delete()
        keep_problems(import_.id, problems)


def _run(import_: Import, lease: Lease, stream: IO[bytes]) -> None:
    plan, choices = plans.read_plan(import_.plan), plans.read_choices(import_.choices)
    source = open_source(stream, size_bytes=import_.size_expected, file_name=import_.file_name, base=plan.into)
    plans.prepare_to_read(source, plan)
    Importer(import_, lease, plan, choices).run(source)
    lease.save(
        state=_State.DONE, finished_at=Now(), touched_at=Now(), bytes_done=F("bytes_expected"), attempts=0, reason=""
    )


@contextmanager
def _opened(import_: Import, lease: Lease, path: Path | None) -> Iterator[IO[bytes]]:
    raw: io.RawIOBase
    raw = _File(path, lease.tick) if path else parts.PartReader(parts.get_parts(import_.id), on_read=lease.tick)
    with raw, io.BufferedReader(raw, 262_144) as stream:
        yield stream


class _File(io.FileIO):
    """A file on this machine; reading it gives signs of life."""

    def __init__(self, path: Path, on_read: Callable[[], None]) -> None:
        super().__init__(path)
        self._on_read = on_read

    def readinto(self, target: Any) -> int:
        self._on_read()
        return super().readinto(target)


def _restart(collection_id: str, import_id: UUID, **changes: Any) -> None:
    """Start again with these changes. Raises ArchiveNotFound while a worker has it, or when the archive is deleted."""
    with transaction.atomic():
        at_rest = [_State.CHECKED, _State.DONE, _State.FAILED]
        mine = Import.objects.filter(collection_id=collection_id, id=import_id, state__in=at_rest)
        if not mine.filter(Q(is_kept=True) | Q(is_direct=True)).update(
            **changes,
            position={},
            report={},
            problems_total=0,
            bytes_done=0,
            attempts=0,
            heartbeat_at=None,
            finished_at=None,
            touched_at=Now(),
            reason="",
        ):
            raise ArchiveNotFound()
        ImportProblem.objects.filter(found_in_id=import_id).delete()


def _fail(lease: Lease, error: StorageError) -> None:
    lease.save(state=_State.FAILED, reason=". ".join(error.messages), finished_at=Now(), touched_at=Now())


def _fail_direct(busy: list[Any]) -> None:
    why = "The command stopped before it was done. Run it again: nothing is stored twice."
    a_while_ago = Now() - timedelta(seconds=limits.ARCHIVE_LEASE_SECONDS)
    gone = Import.objects.filter(is_orphaned(), state__in=busy, is_direct=True, touched_at__lt=a_while_ago)
    gone.update(state=_State.FAILED, reason=why, finished_at=Now())
