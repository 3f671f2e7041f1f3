"""Every control of every page does something, and what it opens fits the window: before its polling has run, and after."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from storage.models import Base, Collection, Drive
from tests.browser.conftest import Pages
from tests.browser.test_accessibility import PAGES, fill_everything, ids_of_everything
from tests.people import Cast
from tests.serving import Server

CLICKING = Path(__file__).parent / "click_everything.js"
# The pages whose parts are fetched anew in any state that a test can make, and so hand their attributes down.
POLLING = ("collections", "bases", "drives", "exports", "imports", "import-running", "micros", "micro", "visor")

# All pages, in parts that other processes may take.
PARTS = [tuple(PAGES)[first::12] for first in range(12)]


@pytest.fixture
def everything(server: Server, cast: Cast) -> dict[str, object]:
    """What the addresses of all pages are made of."""
    fill_everything(server, cast)
    return ids_of_everything(cast)


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [pytest.param(POLLING, id="polling"), *(pytest.param(part, id=part[0]) for part in PARTS)]
)
def test_every_control_does_something(
    everything: dict[str, object], cast: Cast, pages: Pages, names: tuple[str, ...]
) -> None:
    page = pages(cast.server_owner)
    page.context.add_init_script(path=CLICKING)
    # What moves into place is there at once.
    page.emulate_media(reduced_motion="reduce")
    dead: dict[str, list[str]] = {}
    clicked = 0
    hrefs = set()
    for number, name in enumerate(names):
        leave_uncounted(cast.collection, name)
        page.set_viewport_size({"width": (1280, 390)[number % 2], "height": 800})
        page.goto(PAGES[name].format(**everything))
        for turn in ("at first", "after its polling"):
            found = page.evaluate("clickEverything()")
            clicked += found["clicked"]
            hrefs |= set(found["hrefs"])
            if found["dead"]:
                dead[f"{name}, {turn}"] = found["dead"]
            if turn == "at first" and not page.evaluate("letGo()"):
                break
    assert dead == {}
    assert clicked > 5 * len(names)
    assert broken_links(page, hrefs) == []


def leave_uncounted(collection: Collection, name: str) -> None:
    """A Base or Drive that was not counted yet, so that the list is fetched again."""
    if name in ("bases", "drives"):
        (Base if name == "bases" else Drive).objects.create(collection=collection, name="uncounted")


def broken_links(page: Page, hrefs: set[str]) -> list[str]:
    """Those of the links to this server that lead nowhere. The code of a deployment is none here: it was made without."""
    here = urlsplit(page.url).netloc
    own = sorted(href for href in hrefs if urlsplit(href).netloc == here and "/deployments/" not in href)
    return [href for href in own if page.request.get(href).status >= 400]
