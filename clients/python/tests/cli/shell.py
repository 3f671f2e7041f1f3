"""The command called inside the tests' process: a process of its own takes as much time as many of these."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.contrib.auth.models import User
from storage.access_tokens import tokens

from deta.cli.errors import CliError
from deta.cli.main import deta


@dataclass
class Done:
    """How it ended, and what it printed; the line of an error is the last of `stderr`, as `main` prints it."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Shell:
    """Somebody at a server; `folder` is where paths begin."""

    server_url: str
    token: str
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: "str | bytes" = "") -> Done:
        runner = CliRunner(
            env={
                "HOMEPORT_URL": self.server_url,
                "DETA_ACCESS_TOKEN": self.token,
                "DETA_HOME": str(self.home),
                **self.variables,
            }
        )
        ended = runner.invoke(deta, arguments, input=given)
        if ended.exception is not None and not isinstance(ended.exception, (CliError, SystemExit)):
            raise ended.exception
        said = f"Error: {ended.exception}\n" if isinstance(ended.exception, CliError) else ""
        return Done(ended.exit_code, ended.stdout, ended.stderr + said)

    def does(self, *arguments: str, given: "str | bytes" = "") -> str:
        """What it prints on standard output; it must exit with 0."""
        done = self.run(*arguments, given=given)
        assert done.code == 0, f"deta {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str, given: "str | bytes" = "") -> str:
        """The line of an error, without `Error: `."""
        done = self.run(*arguments, given=given)
        assert done.code == 1, f"deta {' '.join(arguments)}\n{done.code}: {done.stdout}{done.stderr}"
        *_, line = done.stderr.splitlines()
        assert line.startswith("Error: "), done.stderr
        return line.removeprefix("Error: ")


def make_shell(folder: Path, *, server_url: str, person: User) -> Shell:
    """Signed in as the person, with a home below the folder."""
    token = tokens.create_token(person=person, name="Made by a test").text
    return Shell(server_url, token, folder / "home")


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """With this folder as the one that relative paths begin in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield
