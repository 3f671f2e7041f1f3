"""Somebody with a collection of their own, at a shell that finds the command `deta`."""

from pathlib import Path

import pytest

from storage.collections import collections
from storage.models import Collection, Membership, Role
from tests.people import make_person
from tests.serving import Server
from tests.terminal.shell import Shell, link_command
from tests.terminals import make_terminal


@pytest.fixture
def collection(database: None) -> Collection:
    return collections.create_collection("Guides")


@pytest.fixture
def shell(server: Server, collection: Collection, tmp_path: Path) -> Shell:
    """Signed in as the collection's owner, whose only one it is."""
    person = make_person("ada")
    Membership.objects.create(collection=collection, person=person, role=Role.OWNER)
    return link_command(tmp_path / "programs", make_terminal(tmp_path, server_url=server.url, person=person))
