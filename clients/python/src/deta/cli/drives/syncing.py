"""`deta drive sync`: a folder here and one in a Drive, made the same in one direction."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import click

from deta.cli.drives import local_files, moving, transfers
from deta.cli.drives.local_files import Folder
from deta.cli.drives.moving import Outcome
from deta.cli.drives.plan import Plan, RemoteFile, Step, plan_down, plan_up
from deta.cli.drives.transfers import Sender
from deta.cli.errors import CliError
from deta.cli.place import DrivePlace, Place
from deta.cli.says import progress, say, say_json, warn
from deta.cli.shown import confirm
from deta.cli.shown import size as shown_size
from deta.errors import DetaError, NotFound
from deta.files import DELETE_MANY_MAX

_IN_DRIVE = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}):(.*)", re.DOTALL)
# `C:\photos` is a folder of Windows, and `./a:b` one anywhere.
_ON_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class InDrive:
    """A folder of a Drive: `prefix` is empty for all of it, and else ends in a slash."""

    drive: str
    prefix: str


@dataclass(frozen=True)
class Wishes:
    """What the person asked for besides."""

    delete: bool
    is_dry: bool
    is_sure: bool
    is_json: bool


def read_end(text: str) -> object:
    """An end of a sync: `InDrive` for `NAME:` and `NAME:folder`, else a path of this disk."""
    found = _IN_DRIVE.fullmatch(text)
    if found is None or _ON_WINDOWS.match(text):
        return Path(text)
    prefix = found[2]
    return InDrive(found[1], f"{prefix}/" if prefix and not prefix.endswith("/") else prefix)


def sync_folders(place: Place, source: str, target: str, wishes: Wishes) -> None:
    """Raises CliError; also when some files could not be moved, after all others were."""
    one, other = read_end(source), read_end(target)
    if isinstance(one, Path) and isinstance(other, InDrive):
        _Up(place, one, other, wishes).run()
    elif isinstance(one, InDrive) and isinstance(other, Path):
        _Down(place, other, one, wishes).run()
    else:
        raise click.UsageError("One end is a folder here, the other a Drive's, written NAME: or NAME:folder")


class _Sync:
    """What both directions have in common."""

    verb = ""

    def __init__(self, place: Place, folder: Path, end: InDrive, wishes: Wishes) -> None:
        self.place = place
        self.folder = folder
        self.end = end
        self.wishes = wishes
        self.at: DrivePlace = place.drive(end.drive)

    def run(self) -> None:
        plan = self.plan()
        for name, why in sorted({**plan.skipped, **plan.refused}.items()):
            warn(f"“{name}” is left out: {why}")
        if self.wishes.is_dry:
            self._say_plan(plan)
        else:
            if plan.deletions:
                confirm(f"Delete {_files(len(plan.deletions))} at {self.target}?", is_sure=self.wishes.is_sure)
            self._say_outcome(plan, self._carry_out(plan))
        if plan.refused:
            raise CliError(f"{_files(len(plan.refused))} left out")

    def plan(self) -> Plan:
        raise NotImplementedError

    def move(self, step: Step, moved: Callable[[int], object]) -> None:
        raise NotImplementedError

    def delete(self, names: Sequence[str]) -> None:
        raise NotImplementedError

    def begin(self) -> None:
        """Before the first file is moved."""

    @property
    def target(self) -> str:
        """Where files are deleted, as a person calls it."""
        raise NotImplementedError

    def remote_files(self) -> Optional[dict[str, RemoteFile]]:
        """Those of the Drive, their names as below its folder; None for a Drive that is not there."""
        found: dict[str, RemoteFile] = {}
        last = ""
        while True:
            try:
                page = self.at.ask(self.at.calls.list(self.end.prefix, last))
            except NotFound:
                return None
            for file in page.files:
                name = file.name[len(self.end.prefix) :]
                if name:
                    found[name] = RemoteFile(name, file.size, file.hash, file.parts)
            last = page.last
            if not last:
                return found

    def _carry_out(self, plan: Plan) -> Outcome:
        lock = threading.Lock()
        if plan.steps:
            self.begin()
        with progress(self.verb, plan.size) as bar:

            def moved(size: int) -> None:
                with lock:
                    bar(size)

            done = 0

            def told(step: Step, why: Optional[str]) -> None:
                nonlocal done
                done += why is None

            try:
                outcome = moving.carry_out(plan.steps, lambda step: self.move(step, moved), done=told)
            except (DetaError, KeyboardInterrupt):
                warn(f"{self.verb} {done:,} of {_files(len(plan.steps))}, then it stopped: run it again to go on")
                raise
        self.delete(plan.deletions)
        return outcome

    def _say_plan(self, plan: Plan) -> None:
        if self.wishes.is_json:
            say_json(
                {
                    "new": [step.name for step in plan.steps if step.is_new],
                    "changed": [step.name for step in plan.steps if not step.is_new],
                    "deleted": plan.deletions,
                    "same": plan.same,
                    "bytes": plan.size,
                }
            )
            return
        for step in plan.steps:
            say(f"{'+' if step.is_new else '~'} {step.name}")
        for name in plan.deletions:
            say(f"- {name}")
        to_move = f"{_files(len(plan.steps))} ({shown_size(plan.size)})"
        warn(f"{to_move} to move, {len(plan.deletions):,} to delete, {plan.same:,} the same")

    def _say_outcome(self, plan: Plan, outcome: Outcome) -> None:
        for name, why in sorted(outcome.failed.items()):
            warn(f"“{name}” failed: {why}")
        if self.wishes.is_json:
            say_json(
                {
                    "moved": outcome.moved,
                    "bytes": outcome.size,
                    "same": plan.same,
                    "deleted": len(plan.deletions),
                    "failed": outcome.failed,
                }
            )
        else:
            gone = f", deleted {len(plan.deletions):,}" if plan.deletions else ""
            say(f"{self.verb} {_files(outcome.moved)} ({shown_size(outcome.size)}){gone}; {plan.same:,} were the same")
        if outcome.failed:
            raise CliError(f"{_files(len(outcome.failed))} failed")


class _Up(_Sync):
    verb = "Sent"

    def plan(self) -> Plan:
        try:
            self._here: Folder = local_files.scan(self.folder)
        except OSError as error:
            raise CliError(f"{self.folder} cannot be read: {error.strerror}") from None
        self._sender = Sender(
            self.at.client, root=self.at.root, cli_root=self.at.cli_root, label=f"Drive “{self.end.drive}”"
        )
        return plan_up(self._here, self.remote_files() or {}, delete=self.wishes.delete)

    @property
    def target(self) -> str:
        return f"{self.end.drive}:{self.end.prefix}"

    def begin(self) -> None:
        self.place.server.post(self.place.path("drives"), {"name": self.end.drive})

    def move(self, step: Step, moved: Callable[[int], object]) -> None:
        self._sender.send(self._here.files[step.name].path, self.end.prefix + step.name, moved=moved)

    def delete(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), DELETE_MANY_MAX):
            self.at.drive.delete_many([self.end.prefix + name for name in names[start : start + DELETE_MANY_MAX]])


class _Down(_Sync):
    verb = "Fetched"

    def plan(self) -> Plan:
        there = self.remote_files()
        if there is None:
            raise self.place.lacks("drives", self.end.drive)
        self._there = there
        try:
            here = local_files.scan(self.folder) if self.folder.exists() else Folder()
        except OSError as error:
            raise CliError(f"{self.folder} cannot be read: {error.strerror}") from None
        return plan_down(here, there, delete=self.wishes.delete)

    @property
    def target(self) -> str:
        return str(self.folder)

    def begin(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CliError(f"{self.folder} cannot be made: {error.strerror}") from None

    def move(self, step: Step, moved: Callable[[int], object]) -> None:
        file = self._there[step.name]
        named = RemoteFile(self.end.prefix + step.name, file.size, file.hash, file.parts)
        place = local_files.make_place(self.folder, step.name)
        transfers.fetch(self.at.drive, named, place, moved=moved)

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                local_files.remove(self.folder, name)
            except OSError as error:
                raise CliError(f"{name} cannot be deleted: {error.strerror or error}") from None


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"
