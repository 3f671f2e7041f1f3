"""Where Micros have their files on this machine: all below one folder, which the users they run as can pass through.

    <home>/micros/run/<micro>.sock           the socket that callers connect to; the supervisor keeps it open
    <home>/micros/run/control.sock           what the supervisor is asked by
    <home>/micros/deployments/<id>/app       a deployment's code
    <home>/micros/dependencies/<id>          what was installed for one or more deployments
    <home>/micros/bin/                       programs and runtimes, copied where those users can reach them

Bundles and what was installed are kept in S3; these folders are copies, which are made again when they are missing.
"""

import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The folders below `root`."""

    root: Path

    @property
    def control(self) -> Path:
        return self.root / "run" / "control.sock"

    def socket(self, micro_id: str) -> Path:
        return self.root / "run" / f"{micro_id}.sock"

    def code(self, deployment_id: uuid.UUID) -> Path:
        return self.root / "deployments" / deployment_id.hex / "app"

    def dependencies(self, dependencies_id: uuid.UUID) -> Path:
        return self.root / "dependencies" / dependencies_id.hex

    @property
    def programs(self) -> Path:
        return self.root / "bin"


def places(home: Path) -> Places:
    """Those of a server whose engines' folder is `home`."""
    return Places(home / "micros")
