"""The command `deta`, run as a person would, against the run's own server."""

from pathlib import Path

import pytest
from clients.python.tests.cli.shell import Shell, make_shell
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from storage.models import Role
from tests.people import make_member
from tests.terminals import Terminal, make_terminal

from deta.cli.main import main


@pytest.fixture
def owner(place: Place) -> User:
    """Somebody who owns the collection of `place`."""
    return make_member(place.collection_id, Role.OWNER)


@pytest.fixture
def terminal(place: Place, owner: User, tmp_path: Path) -> Terminal:
    """The owner's terminal."""
    return make_terminal(tmp_path, server_url=place.server.url, person=owner)


@pytest.fixture
def stranger(place: Place, tmp_path: Path) -> Terminal:
    """A terminal in which nobody has signed in."""
    return make_terminal(tmp_path / "stranger", server_url=place.server.url)


class Here:
    """The command in the tests' own process, for what needs none of its own: quick, and with the terminal's environment."""

    def __init__(self, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.terminal = terminal
        self._patch = monkeypatch
        self._capsys = capsys
        for name in ("DETA_ACCESS_TOKEN", "DETA_SERVER", "DETA_HOME", "HOMEPORT_URL", "SSL_CERT_FILE", "BROWSER"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(terminal.home))
        monkeypatch.chdir(terminal.folder)
        self.set(**terminal.variables)

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)

    def unset(self, *names: str) -> None:
        for name in names:
            self._patch.delenv(name)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        self._patch.setattr("sys.argv", ["deta", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        printed = self._capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    def does(self, *arguments: str) -> str:
        """What it prints on standard output; it must exit with 0."""
        code, out, err = self.run(*arguments)
        assert code == 0, out + err
        return out

    def fails(self, *arguments: str) -> str:
        """The one line of an error, without `Error: `."""
        code, out, err = self.run(*arguments)
        assert (code, out) == (1, ""), out + err
        assert err.startswith("Error: "), err
        assert err.count("\n") == 1, err
        return err.removeprefix("Error: ").rstrip("\n")


@pytest.fixture
def here(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The owner's terminal, in this process."""
    return Here(terminal, monkeypatch, capsys)


@pytest.fixture
def shell(place: Place, owner: User, tmp_path: Path) -> Shell:
    """The owner's, inside this process."""
    return make_shell(tmp_path, server_url=place.server.url, person=owner)


@pytest.fixture
def reader(place: Place, tmp_path: Path) -> Shell:
    """Of somebody who may only read."""
    return make_shell(tmp_path, server_url=place.server.url, person=make_member(place.collection_id, Role.READER))
