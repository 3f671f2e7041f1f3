"""`manage.py import COLLECTION FILE`: a zip of ours or of another, or a file of items, into a collection."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage import names
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import WAYS, Choice, Plan, Portion, PortionReport, Reading
from storage.archive.reading.columns import TYPES, Type
from storage.errors import InvalidInput
from storage.models import Import
from storage.postgres.database import one_connection
from storage.postgres.leases import Superseded


class Command(RecordedCommand):
    help = (
        "Import a zip of Homeport or of the original service, a PocketBase backup, or items from JSON, NDJSON or CSV. All of it "
        "is checked first; --check stops there. Running it again stores nothing twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("collection_id")
        parser.add_argument("file")
        parser.add_argument(
            "--check", action="store_true", help="only report the contents and the problems; store nothing"
        )
        how = (
            "NAME=WAY, where WAY is update (the attributes that the file has; the default for a CSV), merge (whole items; the "
            "default for all else), add (new items only), replace (all data), skip or rename:OTHER; can be repeated"
        )
        parser.add_argument("--base", action="append", default=[], metavar="NAME=WAY", help=how)
        files = "merge, replace, skip or rename:OTHER, for a Drive"
        parser.add_argument("--drive", action="append", default=[], metavar="NAME=WAY", help=files)
        parser.add_argument(
            "--micro", action="append", default=[], metavar="NAME=WAY", help="merge (create it), skip or rename:OTHER"
        )
        parser.add_argument(
            "--into", default="", metavar="BASE", help="the Base for a file of items, else named as the file"
        )
        parser.add_argument("--key", default="key", metavar="COLUMN", help="the column (or attribute) that is the key")
        types = f"the type of a CSV's column, {', '.join(TYPES)}; can be repeated"
        parser.add_argument("--type", action="append", default=[], metavar="COLUMN=TYPE", help=types)
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
        reading = Reading(options["key"], dict(map(_parse_type, options["type"])), options["text"])
        asked = imports.plan_to_check(
            into=options["into"] and names.check_name(options["into"]), readings={"*": reading}
        )
        checked = self._work(started, path, state=Import.State.CHECKING, plan=asked)
        plan = plans.read_plan(checked.plan)
        self._tell_plan(plan)
        self._tell_problems(checked)
        if options["check"]:
            imports.delete_import(**where)
            if checked.problems_total:
                raise CommandError(f"{checked.problems_total:,} problems. Nothing was stored.")
            return
        _refuse_unreadable(plan)
        imports.request_run(choices=_choices(plan, options), **where)
        self._tell_report(self._work(imports.find_import(**where), path))
        if broken := [portion for portion in plan.portions if portion.broken]:
            raise CommandError(f"{broken[0].entry} cannot be read to its end: what stands before that was imported.")

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
            f"{counts['micros']} Micros, {counts['bytes']:,} bytes, from a {plan.made_by}"
        )
        if plan.ignored or plan.junk:
            self.stdout.write(
                f"  {plan.ignored:,} other entries, and {plan.junk:,} that systems leave in zips, are passed over"
            )
        for portion in plan.portions:
            what = "items" if portion.kind == "base" else "files"
            broken = f"; cannot be read to its end ({portion.broken})" if portion.broken else ""
            self.stdout.write(
                f"  {portion.kind} {portion.name}: {portion.count:,} {what}, {portion.faults:,} faulty{broken}"
            )
            if portion.kind == "base" and portion.good:
                self.stdout.write(f"    {portion.told}; {portion.known:,} are there already, {portion.new:,} are new")
            for column in portion.columns:
                samples = ", ".join(column.samples)
                self.stdout.write(f"    {column.name}: {column.type}{f' ({samples})' if samples else ''}")
            if portion.is_table and portion.keyless:
                self.stdout.write(
                    f"    {portion.keyless:,} rows have no key and are added: --key COLUMN says which column it is"
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
                f"{portion.stored:,} stored ({portion.new:,} new, {portion.replaced:,} {_done_to(portion)}, "
                f"{portion.unchanged:,} unchanged), {portion.removed:,} removed, "
                f"{portion.skipped_total:,} left out{f' ({reasons})' if reasons else ''}"
            )


def _done_to(report: PortionReport) -> str:
    return "updated" if report.do == "update" else "replaced"


def _refuse_unreadable(plan: Plan) -> None:
    """Raises CommandError when nothing at all of the file can be read: nothing is stored then."""
    if not plan.portions:
        raise CommandError("Nothing in it can be read. Nothing was stored.")
    if all(not portion.good and (portion.broken or portion.faults) for portion in plan.portions):
        first = plan.portions[0]
        what = f"{first.entry} cannot be read: {first.broken}" if first.broken else f"All of {first.entry} is faulty"
        raise CommandError(f"{what}. Nothing was stored.")


def _parse_type(text: str) -> tuple[str, Type]:
    name, _, kind = text.rpartition("=")
    if not name or kind not in TYPES:
        raise InvalidInput(f"“{text}” is not COLUMN=TYPE, where TYPE is one of {', '.join(TYPES)}")
    return name, kind


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
    if not portion.is_legal:
        return plans.suggest_choice(portion)
    return Choice("update" if portion.is_table else "merge")


def _parse(text: str) -> tuple[str, Choice]:
    name, _, way = text.rpartition("=")
    do, _, other = way.partition(":")
    if not name or do not in WAYS or (do == "rename") != bool(other):
        raise InvalidInput(f"“{text}” is not NAME=WAY, where WAY is update, merge, add, replace, skip or rename:OTHER")
    return name, Choice(do, other)
