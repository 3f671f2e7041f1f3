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


# What Node asks for and leaves unused: room for code, 512 MB for its main thread and for each worker, of which it has seven.
NODE_RESERVED_MB = 8 * 512


def serve(kind: str, paths: Paths, *, memory_mb: int | None = None) -> list[str]:
    """The program that serves the app, on the descriptors that it inherits.

    `memory_mb` is what the app may have. Node is told a part of it: without knowing it would collect no garbage before that is
    used up.
    """
    folders = [str(paths.app), str(paths.packages)]
    if kind == NODE:
        heap = [f"--max-old-space-size={memory_mb * 3 // 4}"] if memory_mb else []
        return [str(paths.node), *heap, str(paths.shims / "node" / "start.cjs"), *folders]
    return [str(paths.python), "-I", "-S", "-B", str(paths.shims / "python" / "start.py"), *folders]
