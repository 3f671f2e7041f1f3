"""The command `deta` as a person types it: a process of its own, in a folder and with a home of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth.models import User

from storage.access_tokens import tokens
from tests.serving import ROOT
from tests.waiting import LONG_SECONDS

# Nothing that this run was told is for the command.
_OURS = ("DETA", "HOMEPORT", "SSL_CERT_FILE", "DATABASE", "S3_")


@dataclass
class Terminal:
    """A person's terminal: `home` has `.deta/tokens`, `folder` is where commands run, `variables` is what they find."""

    home: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        source = str(ROOT / "clients" / "python" / "src")
        return kept | {"HOME": str(self.home), "PYTHONPATH": source, "PYTHONWARNINGS": "error"} | self.variables

    def run(
        self, *arguments: str, given: str = "", folder: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """`deta ARGUMENTS`, with `given` on standard input; its exit code and what it printed."""
        return subprocess.run(
            self.command(*arguments),
            cwd=folder or self.folder,
            env=self.environment | dict(variables or {}),
            input=given,
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
            check=False,
        )

    def does(self, *arguments: str, given: str = "", folder: Path | None = None) -> str:
        """What it prints on standard output; it must exit with 0."""
        done = self.run(*arguments, given=given, folder=folder)
        assert done.returncode == 0, f"deta {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, given: str = "", folder: Path | None = None) -> str:
        """The one line of an error, without `Error: `; nothing is on standard output."""
        done = self.run(*arguments, given=given, folder=folder)
        assert done.returncode == 1, f"deta {' '.join(arguments)}\n{done.returncode}: {done.stdout}{done.stderr}"
        assert done.stderr.startswith("Error: "), done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("Error: ").rstrip("\n")

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "deta", *arguments]


def make_terminal(folder: Path, *, server_url: str, person: User | None = None) -> Terminal:
    """A terminal below this folder, signed in as the person (nobody for None) by the environment, as in CI."""
    home, work = folder / "home", folder / "work"
    home.mkdir(parents=True)
    work.mkdir()
    variables = {"HOMEPORT_URL": server_url}
    if person is not None:
        variables["DETA_ACCESS_TOKEN"] = tokens.create_token(person=person, name="Made by a test").text
    return Terminal(home, work, variables)
