"""A page of a Homeport in Chromium, signed in: the headless shell where there is one, else the whole browser."""

import shutil

from playwright.sync_api import Browser, Page, Playwright

from bench.pages import Visitor
from bench.systems.homeport import Homeport

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def launch(playwright: Playwright) -> Browser:
    """A browser that closes with playwright."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])


def open_page(playwright: Playwright, homeport: Homeport, visitor: Visitor, path: str) -> Page:
    """The page at this path, as the visitor sees it, in a browser that closes with playwright."""
    context = launch(playwright).new_context(base_url=homeport.origin, viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": visitor.session, "url": homeport.origin}])
    page = context.new_page()
    page.goto(path)
    return page
