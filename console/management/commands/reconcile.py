"""`manage.py reconcile [--from-backups SOURCE] [--rebuild] [--repair]`: does the bucket hold what the database says?"""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.backups import plans
from storage.backups.faults import BackupFault
from storage.backups.restoring import bringing_back
from storage.drive import rebuild, reconcile
from storage.drive.reconcile import Report


class Command(RecordedCommand):
    help = "Compare the bucket with the database and report what differs; ends with an error if anything does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rebuild", action="store_true", help="first add files that are in the bucket but not in the database"
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="delete objects that belong to no file, and files whose bytes are missing",
        )
        parser.add_argument(
            "--from-backups", metavar="SOURCE", help="first bring back bytes that are missing, from these backups"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {name: True for name in ("rebuild", "repair", "from_backups") if options[name]}
        if chosen:
            audit.note_act(Verb.RECONCILED, details=chosen)
        if options["from_backups"]:
            self._bring_back(options["from_backups"])
        if options["rebuild"]:
            self._rebuild()
        report = reconcile.repair() if options["repair"] else reconcile.compare()
        self._tell(report)
        if not report.is_clean and not options["repair"]:
            raise CommandError("The bucket and the database differ. Run it with --repair to mend that.")

    def _bring_back(self, source: str) -> None:
        try:
            brought, lacking = bringing_back.bring_back(plans.open_target(source))
        except BackupFault as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{brought} blobs brought back; {lacking} are not in the backups either")

    def _rebuild(self) -> None:
        rebuilt = rebuild.rebuild()
        for owner in rebuilt.files:
            self.stdout.write(f"added  {owner.collection_id} {owner.drive} {owner.name!r}")
        self.stdout.write(f"{len(rebuilt.files)} files added; {rebuilt.left_over} objects belong to no file")

    def _tell(self, report: Report) -> None:
        for blob in report.orphaned:
            self.stdout.write(f"orphaned  {blob.id.hex} ({blob.size_bytes} bytes)")
        for blob_id in report.unreferenced:
            self.stdout.write(f"unreferenced  {blob_id.hex}")
        for blob_id in report.missing:
            self.stdout.write(f"missing  {blob_id.hex}")
        for place in report.damaged:
            self.stdout.write(f"damaged  {place.collection_id} {place.drive} {place.name!r}")
        self.stdout.write(
            f"{len(report.orphaned)} orphaned objects, {len(report.unreferenced)} unreferenced blobs, "
            f"{len(report.missing)} missing objects, {len(report.damaged)} damaged files"
        )
