"""The command `deta`, run as a person would, against the run's own server."""

from pathlib import Path

import pytest
from clients.python.tests.cli.here import TerminalHere
from clients.python.tests.cli.shell import Shell, make_shell
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from storage.models import Role
from tests.people import make_member
from tests.terminals import Terminal, make_terminal


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


@pytest.fixture
def here(terminal: Terminal) -> TerminalHere:
    """The owner's terminal, in this process."""
    return TerminalHere(terminal.home, terminal.folder, terminal.variables)


@pytest.fixture
def shell(place: Place, owner: User, tmp_path: Path) -> Shell:
    """The owner's, inside this process."""
    return make_shell(tmp_path, server_url=place.server.url, person=owner)


@pytest.fixture
def reader(place: Place, tmp_path: Path) -> Shell:
    """Of somebody who may only read."""
    return make_shell(tmp_path, server_url=place.server.url, person=make_member(place.collection_id, Role.READER))
