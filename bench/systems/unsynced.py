"""`manage.py serve` whose engines sync nothing to the disk. A power cut may take everything: for comparison alone."""

import sys
from pathlib import Path
from unittest import mock

from homeport.cli import main as serve
from storage.embedded import postgres, seaweedfs
from storage.embedded.accounts import Account
from storage.embedded.paths import Binaries
from storage.embedded.state import SeaweedFS

# What `make_durable` says, without the sync that it asks for.
UNSYNCED = "fs.configure -locationPrefix=/buckets/ -volumeGrowthCount=1 -apply\n"


def main() -> None:
    """Serves until it is told to end."""
    sys.argv = ["manage.py", "serve"]
    with (
        mock.patch.object(postgres, "SETTINGS", postgres.SETTINGS | {"fsync": "off"}),
        mock.patch.object(seaweedfs, "make_durable", _configure),
    ):
        serve()


def _configure(home: Path, settings: SeaweedFS, *, binaries: Binaries, account: Account | None) -> None:
    seaweedfs.run_shell(home, settings, UNSYNCED, binaries=binaries, account=account, seconds=10)


if __name__ == "__main__":
    main()
