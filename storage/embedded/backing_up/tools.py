"""PostgreSQL's own tools for backups, run against the bundled server: base backups, its log, verifying and combining.

They run as whoever we are, as clients of the server or on copies; none of them touches the data that is in use.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from storage.embedded import paths, postgres, process, state

# What one read of a tool's output brings.
_CHUNK_BYTES = 1024 * 1024
# A tool that was told to end has so long.
_END_SECONDS = 10.0


class ToolFailed(Exception):
    """A tool of PostgreSQL's ended with an error; the message is what it said last."""


def stream_base(settings: state.Postgres, *, label: str, previous: Path | None) -> Iterator[bytes]:
    """A base backup of the running server as a tar, piece by piece, its manifest as the last file and its log within.

    With `previous`, the manifest of an earlier one, only what changed since. Raises ToolFailed, at the end at the latest: what
    came until then is nothing.
    """
    options = [
        "-D",
        "-",
        "-Ft",
        "-X",
        "fetch",
        "-c",
        "fast",
        "--no-estimate-size",
        "--manifest-checksums=SHA256",
        "-l",
        label,
    ]
    if previous:
        options += ["-i", str(previous)]
    with tempfile.TemporaryFile() as said:
        tool = subprocess.Popen(
            [_program("pg_basebackup"), "-w", "-d", _address(settings), *options],
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        try:
            while tool.stdout and (chunk := tool.stdout.read(_CHUNK_BYTES)):
                yield chunk
            if tool.wait() != 0:
                said.seek(0)
                raise ToolFailed(_last_words(said.read().decode(errors="replace")))
        finally:
            _end(tool)


def receive_log(settings: state.Postgres, folder: Path, *, first: str, until: str, seconds: float) -> None:
    """Fetch the server's log from the segment called `first` up to the position `until` into a folder, synced.

    The last segment is called `<name>.partial`, unless it is whole. Raises ToolFailed.
    """
    # It goes on behind the last segment that it finds, and begins again with one that is not whole.
    (folder / f"{first}.partial").touch(mode=0o600)
    _run(
        "pg_receivewal",
        ["-w", "-d", _address(settings), "-D", str(folder), "--no-loop", "-E", until],
        settings,
        seconds,
    )


def combine(folders: Sequence[Path], target: Path) -> None:
    """Make the folder of a server of a whole base backup and the incremental ones that follow it, which are of no use then.

    Raises ToolFailed.
    """
    _run("pg_combinebackup", ["-k", "-N", "-o", str(target), *map(str, folders)])


def check_pages(folder: Path) -> None:
    """Compare every page of a stopped server's tables and indexes with its checksum. Raises ToolFailed."""
    _run("pg_checksums", ["--check", "-D", str(folder)])


def _program(name: str) -> str:
    return str(paths.binaries(None).postgres / name)


def _address(settings: state.Postgres) -> str:
    return f"host='{settings.host}' port={settings.port} user={postgres.BACKUP_ROLE}"


def _environment(settings: state.Postgres) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LANG": "C", "TZ": "UTC", "PGPASSWORD": postgres.backup_password(settings)}


def _run(
    name: str, options: Sequence[str], settings: state.Postgres | None = None, seconds: float | None = None
) -> None:
    try:
        process.run_tool(
            [_program(name), *options],
            environment=_environment(settings) if settings else {"LANG": "C", "TZ": "UTC"},
            account=None,
            seconds=seconds,
        )
    except subprocess.CalledProcessError as error:
        raise ToolFailed(_last_words(str(error.output))) from error
    except subprocess.TimeoutExpired as error:
        raise ToolFailed(f"{name} took longer than {seconds:.0f} s") from error


def _last_words(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return " ".join(lines[-3:])[:500] if lines else "it said nothing"


def _end(tool: "subprocess.Popen[bytes]") -> None:
    if tool.stdout:
        tool.stdout.close()
    if tool.poll() is None:
        tool.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            tool.wait(_END_SECONDS)
        tool.kill()
    tool.wait()
