"""The page about the whole server. Who may open it is in `test_routes.py`."""

import shutil

from pytest_django import Settings

from tests.console.conftest import Browser
from tests.people import Cast


def test_it_says_what_is_wrong_and_what_to_do(people: Cast, browser: Browser, settings: Settings) -> None:
    client = browser(people.server_owner)
    settings.DISK_RESERVE_MB = shutil.disk_usage(settings.DATA).free // 1_048_576 * 2
    page = client.get("/server/").content.decode()
    assert "The disk is too full:" in page
    assert "Delete what is not needed" in page
    assert 'href="/server/"' in page
    assert 'href="/server/"' not in browser(people.owner).get("/").content.decode()
