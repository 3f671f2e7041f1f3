"""Fetches a public git repository in a sandbox: git runs in there, with the proxy as its only way out, and leaves a tar behind.

Nothing of the repository is ever run or laid out: it is cloned bare, one commit deep, and its files are written as one tar by
`git archive`. So no hook, no filter and no submodule has a part in it, no link leads anywhere, and what there is is bounded by
the size of one file. Attributes of the repository, which could change what is written, are overruled.
"""

import asyncio
import os
import re
import shutil
import stat
from functools import partial
from pathlib import Path
from typing import IO
from uuid import UUID

from storage import limits
from storage.embedded.micros.launching import SYSTEM_PATH
from storage.embedded.micros.sandbox import DEPENDENCIES, RUNTIMES
from storage.embedded.micros.steps import Ended, Failed, run_step
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Cloned, GitSource

TAR = "source.tar"
COMMIT = "commit"

_SCRIPT = r"""
set -eu
git clone --quiet --bare --depth 1 --single-branch --no-tags --template= ${2:+--branch "$2"} -- "$1" /tmp/source
mkdir -p /tmp/source/info
echo '* -export-ignore -export-subst -ident -text !filter !working-tree-encoding' > /tmp/source/info/attributes
git --git-dir /tmp/source rev-parse --verify HEAD > "$4/commit"
git --git-dir /tmp/source archive --format tar --output "$4/source.tar" "HEAD${3:+:$3}"
"""
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    # A request that asks who is there gets no answer, not a prompt.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "http:https",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_SSL_CAINFO": f"{RUNTIMES}/ca.pem",
    "GIT_CONFIG_COUNT": "6",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "GIT_CONFIG_VALUE_0": "/dev/null",
    "GIT_CONFIG_KEY_1": "pack.threads",
    "GIT_CONFIG_VALUE_1": "1",
    "GIT_CONFIG_KEY_2": "transfer.fsckObjects",
    "GIT_CONFIG_VALUE_2": "true",
    "GIT_CONFIG_KEY_3": "http.lowSpeedLimit",
    "GIT_CONFIG_VALUE_3": "100",
    "GIT_CONFIG_KEY_4": "http.lowSpeedTime",
    "GIT_CONFIG_VALUE_4": "30",
    "GIT_CONFIG_KEY_5": "credential.helper",
    "GIT_CONFIG_VALUE_5": "",
}
NO_GIT = (
    "git is not installed on this server, so no repository can be fetched. Its owner can install it, "
    "for example with: apt install git"
)
_TOO_LARGE = f"The repository has more than {limits.GIT_ARCHIVE_MAX_MB} MB, which is more than is fetched."
# What programs say who have written as much as there is room for, in all or in one file.
_FULL = ("No space left on device", "File too large", "file too large")
_FATAL = re.compile(r"^(?:fatal|error|remote): (.*)$", re.MULTILINE)
_WORDS_CHARACTERS = 1_000


async def clone(source: GitSource, source_id: UUID, around: Surroundings) -> Cloned:
    """Leave the repository's files in the folder of that id, which is made; the caller takes and removes it."""
    loop = asyncio.get_running_loop()
    folder = around.places.source(source_id)
    refusals: list[str] = []
    hide = around.launcher.host_paths.hiding()
    if shutil.which("git", path=SYSTEM_PATH) is None:
        return Cloned(is_done=False, reason=NO_GIT)
    try:
        await loop.run_in_executor(None, _make_folder, folder)
        around.launcher.give(folder)
        command = ["/bin/sh", "-c", _SCRIPT, "sh", source.address, source.branch, source.folder, DEPENDENCIES]
        async with asyncio.timeout(around.bounds.git_seconds):
            ended = await run_step(
                lambda control: around.launcher.launch_clone(
                    source_id, command, environment=_ENVIRONMENT, control=control
                ),
                proxy=partial(around.egress.serve, on_refused=refusals.append),
                folder=folder,
                most_bytes=limits.GIT_ARCHIVE_MAX_MB * 1_048_576,
                too_large=_TOO_LARGE,
                hide=hide,
            )
        if ended.code != 0 or ended.ran_out_of_memory:
            raise Failed(_why(ended, source, refusals))
        with open_left(folder, COMMIT) as file:
            return Cloned(is_done=True, commit=file.read(64).decode("ascii").strip())
    except TimeoutError:
        reason = f"Fetching the repository took longer than {around.bounds.git_seconds:g} seconds."
    except (Failed, OSError, UnicodeError) as error:
        reason = hide(str(error))
    await loop.run_in_executor(None, partial(shutil.rmtree, folder, ignore_errors=True))
    return Cloned(is_done=False, reason=reason)


def open_left(folder: Path, name: str) -> IO[bytes]:
    """A file that was left in a repository's folder, and is one: what can write there could have left a link. Raises OSError."""
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{name} is no file")
    return os.fdopen(descriptor, "rb")


def _make_folder(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.parent.chmod(0o711)  # whatever the umask takes away
    folder.mkdir()


def _why(ended: Ended, source: GitSource, refusals: list[str]) -> str:
    """What git said, in words for whoever pasted the address."""
    said = ended.printed
    if refusals:
        hint = "" if "can't be reached" in refusals[0] else " Maybe this server has no way to the internet."
        return refusals[0].replace("can't be reached from a Micro", "can't be reached from here") + hint
    if ended.ran_out_of_memory or any(words in said for words in _FULL):
        return _TOO_LARGE
    if "Remote branch" in said and "not found" in said:
        hint = ""
        if source.folder:
            hint = " If its name has a / in it, write it behind a #, as in https://github.com/you/app#some/branch."
        return f"The repository has no branch or tag “{source.branch}”.{hint}"
    if "could not read Username" in said or "could not read Password" in said or "Authentication failed" in said:
        return "There is no public repository at this address: it asks for a user name. Is it spelled right?"
    if "not found" in said and "repository" in said:
        return "There is no repository at this address. Is it spelled right?"
    if "dumb http transport does not support shallow" in said:
        return "Its server gives out files alone and cannot be asked for the newest version: it needs git's own HTTP service."
    if "Needed a single revision" in said or "not a valid object name HEAD\n" in f"{said}\n":
        return "The repository is empty."
    if source.folder and ("not a valid object name" in said or "not a tree object" in said):
        return f"The repository has no folder “{source.folder}”."
    words = "\n".join(_FATAL.findall(said))[-_WORDS_CHARACTERS:]
    return f"git could not fetch it: {words}" if words else f"git could not fetch it, and ended with {ended.code}."
