"""`manage.py upgrade`: the bundled PostgreSQL's data to the version that runs here, and the way back."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from filelock import FileLock, Timeout

from console import serving
from storage import disk_space
from storage.embedded import accounts, homes, leftovers, paths, postgres, process, state, upgrade


class Command(BaseCommand):
    """Upgrade the data folder's PostgreSQL, under the lock that a running server holds."""

    help = "Brings the bundled PostgreSQL's data to the version that this Homeport runs, while the server is stopped."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--back", action="store_true", help="use the data as it was before the upgrade again")
        instead.add_argument(
            "--remove-old", action="store_true", help="delete the data as it was before, which an upgrade keeps"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the three; what stands in the way is told in a sentence."""
        if settings.DATABASE_URL:
            raise CommandError("DATABASE_URL names a PostgreSQL of your own: it is upgraded as its own manual says.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            os.umask(process.PRIVATE)
            with FileLock(settings.DATA / "serve.lock", timeout=0, mode=0o600):
                self._do(**options)
        except Timeout:
            raise CommandError(f"Homeport is running on {settings.DATA}: stop it first.") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. The data is as it was; the upgrade can be run again.") from None
        except (accounts.AccountError, paths.PathError, state.StateError, upgrade.UpgradeError) as error:
            raise CommandError(str(error)) from error
        except subprocess.CalledProcessError as error:
            raise CommandError(
                f"{Path(error.cmd[0]).name} failed:\n{error.output}\nThe data is as it was, and in use as before."
            ) from error

    def _do(self, *, back: bool, remove_old: bool, **_: Any) -> None:
        installation = self._installation()
        if back:
            self._go_back(installation)
        elif remove_old:
            self._remove_old(installation)
        elif postgres.major_of(installation.used) == paths.POSTGRES_MAJOR:
            self.stdout.write(f"The data is of PostgreSQL {paths.POSTGRES_MAJOR} already: there is nothing to do.")
        else:
            self._upgrade(installation)

    def _installation(self) -> upgrade.Installation:
        """What there is to upgrade, with nothing of it running any more."""
        old = state.load(settings.DATA)
        if old is None:
            raise CommandError(f"There is no data in {settings.DATA}: is HOMEPORT_DATA the right folder?")
        upgrade.finish_swap((settings.DATA / old.engine_home).resolve())
        used = [homes.POSTGRES, *([homes.SEAWEEDFS] if settings.S3_IS_BUNDLED else [])]
        home = (settings.DATA / (state.find_home(settings.DATA, old, used=used) or old.engine_home)).resolve()
        leftovers.clear(old.instance_id, settings.DATA, postgres.folder(home))
        made = state.ensure(settings.DATA, engine_user=settings.ENGINE_USER, used=used)
        account = accounts.engine_account(settings.ENGINE_USER)
        home = made.home(settings.DATA).resolve()
        paths.prepare_home(settings.DATA, home, account)
        marks = leftovers.marks(made.instance_id, settings.DATA)
        return upgrade.Installation(home, made.postgres, paths.binaries(account), account, marks)

    def _upgrade(self, installation: upgrade.Installation) -> None:
        kept = upgrade.upgrade(installation, keep_free_bytes=disk_space.reserved_bytes(), tell=self._say)
        command = serving.typed_command()
        self._say(f"The data is of PostgreSQL {paths.POSTGRES_MAJOR} now. Start the server: {command} serve")
        self._say(f"The data as it was is kept in {kept}.")
        self._say(f"  When all is well, delete it: {command} upgrade --remove-old")
        self._say(f"  To go back to it, stop the server first: {command} upgrade --back")

    def _go_back(self, installation: upgrade.Installation) -> None:
        upgrade.clear_interrupted(installation.home)
        was, kept = upgrade.go_back(installation.home)
        major = postgres.major_of(installation.used)
        self._say(
            f"The data that was in {was.name} is in use again. What was stored since the upgrade is not in it, and"
        )
        self._say(f"files that were replaced or deleted since may be gone. It needs a version with PostgreSQL {major}.")
        self._say(f"The data of PostgreSQL {paths.POSTGRES_MAJOR} is kept in {kept}.")

    def _remove_old(self, installation: upgrade.Installation) -> None:
        upgrade.clear_interrupted(installation.home)
        kept = upgrade.kept_folders(installation.home)
        for folder in kept:
            shutil.rmtree(folder)
            self._say(f"{folder} is deleted.")
        if not kept:
            self._say("No data of an earlier upgrade is kept.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
