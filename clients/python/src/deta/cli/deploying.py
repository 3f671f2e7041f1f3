"""Deploys a project's folder: finds out whether anything changed, sends it, and tells how it is made there."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any, Callable, Optional

import httpx

from deta.cli.errors import CliError, ServerError
from deta.cli.micro import Micro
from deta.cli.patience import Patience
from deta.cli.project_files import ProjectFile, digest_of, find_files, pack
from deta.cli.says import progress, say, warn
from deta.cli.stranger_text import harmless

UP_TO_DATE = "Everything up to date"
# The server looks through all of a bundle before it answers.
_SENDING = httpx.Timeout(900.0, connect=10.0)
_CHUNK_BYTES = 262_144
_PAUSE_SECONDS = 0.3
_AWAY_SECONDS = 120.0


def deploy_changes(micro: Micro) -> bool:
    """Deploy what changed, and say so as the original did; False when nothing did, of which nothing is said.

    Raises CliError, with the traceback when the new version does not start.
    """
    files = find_changed(micro)
    if files is None:
        return False
    say("Deploying...")
    made = send(micro, files)
    if not made["is_new"]:
        say(UP_TO_DATE)
    elif asks_for_others(made):
        # As the original: what was sent is there, and now comes what it needs.
        say("Successfully deployed changes")
        say("Updating dependencies...")
        follow(micro, made, tell=say)
    else:
        follow(micro, made)
        say("Successfully deployed changes")
    return True


def find_changed(micro: Micro) -> Optional[list[ProjectFile]]:
    """The files of the folder; None when they are those that serve. Raises CliError."""
    files = find_files(micro.folder, warn=warn)
    if not files:
        raise CliError(f"There is nothing to deploy in '{micro.folder}'")
    serving = micro.server.get(micro.path("deployments"))["serving"]
    is_same = serving is not None and serving["digest"] and serving["digest"] == digest_of(files)
    return None if is_same else files


def send(micro: Micro, files: list[ProjectFile]) -> dict[str, Any]:
    """Have the server make a version of these files; what it says of it. Raises CliError."""
    with tempfile.TemporaryFile() as bundle:
        pack(files, bundle)
        size = bundle.seek(0, os.SEEK_END)
        bundle.seek(0)
        with progress("Sending", size) as tell:
            try:
                made = micro.server.put(
                    micro.path("bundle"),
                    content=_read(bundle, tell),
                    headers={"Content-Length": str(size), "Content-Type": "application/zip"},
                    timeout=_SENDING,
                )
            except ServerError as error:
                raise _explain(error, size) from None
    micro.state.deployment_id = made["id"]
    micro.save()
    return made


def follow(micro: Micro, made: dict[str, Any], *, tell: Optional[Callable[[str], None]] = None) -> None:
    """Wait until the version serves; `tell` gets each line of how it is made.

    Raises CliError with the reason when it does not serve: what the installer said, or the app's traceback.
    """
    last, patience = 0, Patience(seconds=_AWAY_SECONDS)
    while True:
        now = patience.ask(lambda: micro.server.get(micro.path("deployments", made["id"]), after=last))  # noqa: B023
        for line in now["lines"]:
            last = line["id"]
            if tell is not None:
                tell(harmless(line["text"]))
        if now["is_over"] and not now["lines"]:
            break
        if not now["lines"]:
            time.sleep(_PAUSE_SECONDS)
    if now["state"] == "failed":
        raise CliError(f"The new version does not serve. {harmless(now['reason'])}")


def asks_for_others(made: dict[str, Any]) -> bool:
    """Whether a version that was sent asks for other packages than the one that serves."""
    return bool(made["dependencies"]["added"] or made["dependencies"]["removed"])


def _explain(error: ServerError, size: int) -> CliError:
    if error.status == 400 and error.errors:
        # All that is wrong with the files, and not the last of it alone.
        return CliError(". ".join(error.errors))
    if error.status == 413 and not error.errors:
        return CliError(
            f"What stands in front of the server takes no request of {size / 1_048_576:.0f} MB: raise its limit for bodies"
        )
    return error


def _read(bundle: IO[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    while chunk := bundle.read(_CHUNK_BYTES):
        yield chunk
        tell(len(chunk))
