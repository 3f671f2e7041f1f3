"""A real Chromium against the real server."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from re import Pattern
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, FloatRect, Locator, Page, Playwright, Route, expect, sync_playwright

from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, Found, eventually

Pages = Callable[..., Page]

WHOLE = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=MOMENT_SECONDS * 1000)
    # Playwright runs an event loop in this thread, whose presence alone makes Django refuse to ask the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The engine without the windows around it where there is one: it takes a fifth of the processor time."""
    with _launch(playwright, "chromium-headless-shell", *WHOLE) as browser:
        yield browser


@pytest.fixture(scope="session")
def whole_chromium(playwright: Playwright) -> Iterator[Browser]:
    """With all that people have, such as the viewer of PDFs."""
    with _launch(playwright, *WHOLE, channel="chromium") as browser:
        yield browser


def _launch(playwright: Playwright, *names: str, channel: str | None = None) -> Browser:
    """The first of these that the system has, else playwright's own."""
    found = next(filter(None, map(shutil.which, names)), None)
    # Containers run the tests as root, whom Chromium's sandbox refuses.
    return playwright.chromium.launch(executable_path=found, channel=None if found else channel, args=["--no-sandbox"])


@pytest.fixture
def cast(server: Server, database: None) -> Cast:
    """A collection with somebody in every role, committed so that the server sees them."""
    return make_cast("Seen in a browser")


@pytest.fixture
def pages(server: Server, chromium: Browser) -> Iterator[Pages]:
    """Opens a page in a browser of its own, signed in as a person; a script's error fails the test."""
    with _opening(server, chromium) as open_page:
        yield open_page


@pytest.fixture
def whole_pages(server: Server, whole_chromium: Browser) -> Iterator[Pages]:
    """The same, in a browser that shows PDFs."""
    with _opening(server, whole_chromium) as open_page:
        yield open_page


@contextmanager
def _opening(server: Server, browser: Browser) -> Iterator[Pages]:
    contexts, faults = [], []

    def open_page(person: User | None, path: str = "/", *, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(base_url=server.url, viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(MOMENT_SECONDS * 1000)
        context.add_init_script(_MESSAGES_STAY)
        contexts.append(context)
        if person is not None:
            context.add_cookies([{"name": "sessionid", "value": make_session(person), "url": server.url}])
        page = context.new_page()
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


def intercept(
    page: Page, url: str | Pattern[str], handler: Callable[[Route], object], *, times: int | None = None
) -> None:
    """`page.route`, and wait until the page has heard of it: a busy one sends its next request past the handler."""
    page.route(url, handler, times=times)
    page.evaluate("0")


def box_of(shown: Locator) -> FloatRect:
    """Where a control is on the page, and how large."""
    # A table that is drawn anew takes it away for a moment.
    box = eventually(shown.bounding_box, what="it is not on the page")
    assert box
    return box


def eventually_on(page: Page, find: Callable[[], Found], what: object = "it did not come") -> Found:
    """What `find` finds, as soon as that is something; the page's events and requests go on meanwhile."""

    def look() -> Found:
        page.wait_for_timeout(50)
        return find()

    return eventually(look, what=what)


# A message that a page takes away after some seconds is there for minutes: a busy machine looks later.
_MESSAGES_STAY = """
const wait = window.setTimeout;
window.setTimeout = (run, ms, ...more) => wait(run, ms >= 8000 && ms < 1e8 ? 10 * ms : ms, ...more);
"""

# What a page says of its requests that were broken off, as they are when one goes on to the next page or types on.
_BROKEN_OFF = ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError")


def _is_fault(text: str, kind: str) -> bool:
    """A refusal is an error to the console, and meant."""
    return kind == "error" and not text.startswith(("Failed to load resource", *_BROKEN_OFF))
