"""A real Chromium against the real server."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.people import Cast, make_cast, make_session
from tests.serving import Server

Pages = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium where there is one, else playwright's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    expect.set_options(timeout=10_000)
    # Playwright runs an event loop in this thread, whose presence alone makes Django refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        # Containers run the tests as root, whom Chromium's sandbox refuses.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def cast(server: Server, database: None) -> Cast:
    """A collection with somebody in every role, committed so that the server sees them."""
    return make_cast("Seen in a browser")


@pytest.fixture
def pages(server: Server, chromium: Browser) -> Iterator[Pages]:
    """Opens a page in a browser of its own, signed in as a person; a script's error fails the test."""
    contexts, faults = [], []

    def open_page(
        person: User | None, path: str = "/", *, width: int = 1280, scheme: str = "light", **options: object
    ) -> Page:
        context = chromium.new_context(
            base_url=server.url, viewport={"width": width, "height": 800}, color_scheme=scheme, **options
        )
        contexts.append(context)
        if person is not None:
            context.add_cookies([{"name": "sessionid", "value": make_session(person), "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console", lambda message: faults.append(message.text) if _is_fault(message.text, message.type) else None
        )
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _is_fault(text: str, kind: str) -> bool:
    """A refusal is an error to the console, and meant."""
    return kind == "error" and not text.startswith("Failed to load resource")
