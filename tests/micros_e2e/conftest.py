"""One collection whose Micros are the guides', and what was deployed of them for all tests."""

import pytest

from tests.people import Cast, make_cast
from tests.serving import Server


@pytest.fixture(scope="session")
def guides(server: Server) -> Cast:
    return make_cast("The guides")
