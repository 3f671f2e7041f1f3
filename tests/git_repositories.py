"""Repositories for tests, and networks of their own in which a git server has a public address."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serving import ROOT
from tests.waiting import eventually

PUBLIC, PRIVATE = "11.22.33.2", "10.99.88.2"
_OURS = "11.22.33.1"
_AUTHOR = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]

needs_networks = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("git") is None,
    reason="only root can make a network, with `ip`; and there is no git server without git",
)


def git(folder: Path, *arguments: str) -> str:
    """What git says to that, in a repository."""
    return subprocess.run(
        ["git", *_AUTHOR, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def make_repository(folder: Path, name: str, files: Mapping[str, str | bytes]) -> Path:
    """A bare repository `name`.git in the folder, with one commit of these files; where its files can be changed."""
    work = folder / f"{name}-work"
    work.mkdir(parents=True)
    git(work, "init", "--quiet")
    for path, content in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(content.encode() if isinstance(content, str) else content)
    publish(work, folder / f"{name}.git")
    return work


def publish(work: Path, bare: Path, *, branch: str = "main") -> str:
    """Commit what lies there on a branch, and have it served. The commit."""
    git(work, "checkout", "--quiet", "-B", branch)
    git(work, "add", "--all", "--force")
    git(work, "commit", "--quiet", "--allow-empty", "--message", "Made by a test")
    if not bare.exists():
        git(work, "clone", "--quiet", "--bare", str(work), str(bare))
    git(work, "push", "--quiet", "--force", str(bare), branch)
    return git(work, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Networks:
    """Two networks of a test's own, joined by a wire: `here` begins a command that is to run in the first.

    In the second a git server serves `folder` at PUBLIC, which is an address of the internet as far as anybody there can tell,
    and at PRIVATE.
    """

    here: list[str]
    folder: Path


@contextlib.contextmanager
def making_networks(folder: Path) -> Iterator[Networks]:
    """As long as the block lasts. Nothing of it is seen from this machine's own network."""
    names = [f"homeport-{os.getpid()}-{side}" for side in ("a", "b")]
    with contextlib.ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "wire-a", "netns", names[0], "type", "veth", "peer", "name", "wire-b", "netns", names[1])
        for name, wire, addresses in (
            (names[0], "wire-a", [_OURS, "10.99.88.1"]),
            (names[1], "wire-b", [PUBLIC, PRIVATE]),
        ):
            for address in addresses:
                _ip("-n", name, "address", "add", f"{address}/24", "dev", wire)
            _ip("-n", name, "link", "set", wire, "up")
        here, there = (["nsenter", f"--net=/run/netns/{name}"] for name in names)
        serving = [*there, sys.executable, "-m", "tests.git_server", str(folder), "0.0.0.0", "80"]
        server = subprocess.Popen(serving, cwd=ROOT, stdout=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.kill)
        asking = [*here, sys.executable, "-c", f"import socket; socket.create_connection(({PUBLIC!r}, 80), 5)"]
        eventually(lambda: subprocess.run(asking, stderr=subprocess.DEVNULL, check=False).returncode == 0)
        yield Networks(here, folder)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
