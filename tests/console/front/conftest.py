"""One Micro that can be asked for anything that an app may do."""

from pathlib import Path

import pytest

from tests.people import Cast, make_cast
from tests.running_micros import MicroClient, run_micro
from tests.serving import Server

APP = (Path(__file__).parent / "every_answer.py").read_text()


@pytest.fixture(scope="module")
def module_cast(server: Server) -> Cast:
    return make_cast("With a Micro")


@pytest.fixture(scope="module")
def app(server: Server, module_cast: Cast) -> MicroClient:
    """It asks nobody to sign in."""
    return run_micro(server.url, module_cast.collection.id, {"main.py": APP}, name="open")


@pytest.fixture(scope="module")
def closed(server: Server, module_cast: Cast) -> MicroClient:
    """It asks for sign-in."""
    return run_micro(server.url, module_cast.collection.id, {"main.py": APP}, name="closed", has_sign_in=True)
