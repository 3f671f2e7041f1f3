"""What is run inside a sandbox to serve a Micro, and where a sandbox has the files that this takes."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from storage.embedded.micros.runtimes import NODE


@dataclass(frozen=True, slots=True)
class Paths:
    """As seen from inside: code, installed packages, shims, the interpreter, and for installing uv and npm's script."""

    app: PurePosixPath
    packages: PurePosixPath
    shims: PurePosixPath
    python: PurePosixPath
    node: PurePosixPath
    npm: PurePosixPath
    uv: PurePosixPath
    scratch: PurePosixPath


INSIDE = Paths(
    app=PurePosixPath("/app"),
    packages=PurePosixPath("/deps"),
    shims=PurePosixPath("/homeport"),
    python=PurePosixPath("/python/bin/python3"),
    node=PurePosixPath("/node/bin/node"),
    npm=PurePosixPath("/node/lib/node_modules/npm/bin/npm-cli.js"),
    uv=PurePosixPath("/uv"),
    scratch=PurePosixPath("/tmp"),  # noqa: S108 (a sandbox has its own)
)


def serve(kind: str, paths: Paths) -> list[str]:
    """The program that serves the app, on the descriptors that it inherits."""
    folders = [str(paths.app), str(paths.packages)]
    if kind == NODE:
        return [str(paths.node), str(paths.shims / "node" / "start.cjs"), *folders]
    return [str(paths.python), "-I", "-S", "-B", str(paths.shims / "python" / "start.py"), *folders]
