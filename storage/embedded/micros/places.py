"""Where Micros have their files on this machine: all below one folder, which the users they run as can pass through.

    <micros>/run/<micro>.sock           the socket that callers connect to; the supervisor keeps it open
    <micros>/run/control.sock           what the supervisor is asked by
    <micros>/run/api.sock               where the web server serves the API to Micros
    <micros>/deployments/<id>/app       a deployment's code
    <micros>/dependencies/<id>          what was installed for one or more deployments
    <micros>/sources/<id>               a git repository's files, as a tar, until they are stored
    <micros>/bin/                       programs and runtimes, copied where those users can reach them

Bundles and what was installed are kept in S3; these folders are copies, which are made again when they are missing.

The folder lies beside the engines', not in it: that one belongs to their user, who could put something else in its place.
"""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.paths import ENGINES

MICROS = "micros"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below `root`."""

    root: Path

    @property
    def control(self) -> Path:
        return self.root / "run" / "control.sock"

    @property
    def api(self) -> Path:
        return self.root / "run" / "api.sock"

    def socket(self, micro_id: str) -> Path:
        return self.root / "run" / f"{micro_id}.sock"

    def code(self, deployment_id: uuid.UUID) -> Path:
        return self.root / "deployments" / deployment_id.hex / "app"

    def dependencies(self, dependencies_id: uuid.UUID) -> Path:
        return self.root / "dependencies" / dependencies_id.hex

    def source(self, source_id: uuid.UUID) -> Path:
        return self.root / "sources" / source_id.hex

    @property
    def programs(self) -> Path:
        return self.root / "bin"

    def make(self) -> None:
        """Make the folder, and in it that of the sockets, both for us alone. Raises OSError."""
        for folder in (self.root, self.root / "run"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def open_to(self, group: int) -> None:
        """Let those of this group pass through the folder, and nobody else. Raises OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        os.chown(self.root, -1, group)
        self.root.chmod(0o710)


def places(home: Path) -> Places:
    """Those of a server whose engines' folder is `home`: `micros` in the data folder, or beside a folder outside of it."""
    return Places(home.with_name(MICROS if home.name == ENGINES else f"{home.name}-{MICROS}"))
