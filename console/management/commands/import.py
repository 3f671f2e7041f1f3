"""`manage.py import COLLECTION FILE`: a zip of ours or of the original service, or a file of items, into a collection."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice, Plan, Portion
from storage.errors import InvalidInput
from storage.models import Import
from storage.postgres.database import one_connection
from storage.postgres.leases import Superseded

_WAYS = ("merge", "replace", "rename", "skip")


class Command(RecordedCommand):
    help = (
        "Import a zip of Homeport or of the original service, or items from JSON, NDJSON or CSV. The whole file is checked "
        "first; --check stops there. Running it again stores nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("collection_id")
        parser.add_argument("file")
        parser.add_argument(
            "--check", action="store_true", help="only report the contents and the problems; store nothing"
        )
        how = "NAME=WAY, where WAY is merge (the default), replace, skip or rename:OTHER; can be repeated"
        parser.add_argument("--base", action="append", default=[], metavar="NAME=WAY", help=how)
        parser.add_argument("--drive", action="append", default=[], metavar="NAME=WAY", help="the same for a Drive")
        parser.add_argument(
            "--micro", action="append", default=[], metavar="NAME=WAY", help="merge (create it), skip or rename:OTHER"
        )
        parser.add_argument("--text", action="store_true", help="treat every CSV cell as text")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"])
        try:
            with one_connection():
                self._import(path, options)
        except OSError as error:
            raise CommandError(str(error)) from error
        except Superseded as error:
            raise CommandError("It was deleted in the meantime, or the collection was.") from error

    def _import(self, path: Path, options: dict[str, Any]) -> None:
        where = {"collection_id": options["collection_id"]}
        size_bytes = path.stat().st_size
        started = imports.start_import(
            file_name=path.name, size_bytes=size_bytes, asked_by=None, is_direct=True, **where
        )
        where["import_id"] = started.id
        checked = self._work(started, path, state=Import.State.CHECKING, plan={"is_typed": not options["text"]})
        plan = plans.read_plan(checked.plan)
        self._tell_plan(plan)
        self._tell_problems(checked)
        if options["check"]:
            imports.delete_import(**where)
            if checked.problems_total:
                raise CommandError(f"{checked.problems_total:,} problems. Nothing was stored.")
            return
        imports.request_run(choices=_choices(plan, options), **where)
        self._tell_report(self._work(imports.find_import(**where), path))

    def _work(self, import_: Import, path: Path, **changes: Any) -> Import:
        """Run the import's next step. Raises InvalidInput when it failed."""
        for name, value in changes.items():
            setattr(import_, name, value)
        import_.save(update_fields=list(changes) or None)
        imports.begin_attempt(import_)
        imports.work_on_import(import_, path)
        import_.refresh_from_db()
        if import_.state == Import.State.FAILED:
            raise InvalidInput(import_.reason)
        return import_

    def _tell_plan(self, plan: Plan) -> None:
        counts = plan.counts
        self.stdout.write(
            f"{counts['bases']} Bases with {counts['items']:,} items, {counts['drives']} Drives with {counts['files']:,} files, "
            f"{counts['micros']} Micros, {counts['bytes']:,} bytes"
        )
        for portion in plan.portions:
            what = "items" if portion.kind == "base" else "files"
            broken = f"; cannot be read to its end ({portion.broken})" if portion.broken else ""
            self.stdout.write(
                f"  {portion.kind} {portion.name}: {portion.count:,} {what}, {portion.faults:,} faulty{broken}"
            )

    def _tell_problems(self, import_: Import) -> None:
        for problem in imports.list_problems(import_):
            where = ", ".join(part for part in (problem.spot, f"key {problem.key!r}" if problem.key else "") if part)
            self.stdout.write(f"  {problem.place}{f' ({where})' if where else ''}: {problem.what}")

    def _tell_report(self, import_: Import) -> None:
        for portion in plans.read_report(import_.report):
            reasons = "; ".join(f"{reason}: {count:,}" for reason, count in portion.skipped.items())
            self.stdout.write(
                f"{portion.kind} {portion.name} -> {portion.into if portion.do != 'skip' else 'skipped'}: {portion.read:,} read, "
                f"{portion.stored:,} stored ({portion.new:,} new, {portion.replaced:,} replaced), {portion.removed:,} removed, "
                f"{portion.skipped_total:,} left out{f' ({reasons})' if reasons else ''}"
            )


def _choices(plan: Plan, options: dict[str, Any]) -> list[Choice]:
    given = {
        (kind, *_parse(text)[:1]): _parse(text)[1] for kind in ("base", "drive", "micro") for text in options[kind]
    }
    known = {(portion.kind, portion.name) for portion in plan.portions}
    if unknown := given.keys() - known:
        kind, name = min(unknown)
        raise InvalidInput(f"There is no {kind.title()} “{name}” in the archive")
    return [given.get((portion.kind, portion.name)) or _usual(portion) for portion in plan.portions]


def _usual(portion: Portion) -> Choice:
    """Nobody reviews the plan here: a Base or Drive that breaks off is stored up to there."""
    return plans.suggest_choice(portion) if not portion.is_legal else Choice("merge")


def _parse(text: str) -> tuple[str, Choice]:
    name, _, way = text.rpartition("=")
    do, _, other = way.partition(":")
    if not name or do not in _WAYS or (do == "rename") != bool(other):
        raise InvalidInput(f"“{text}” is not NAME=WAY, where WAY is merge, replace, skip or rename:OTHER")
    return name, Choice(do, other)  # type: ignore[arg-type]  # one of the four ways
