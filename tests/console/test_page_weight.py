"""No page weighs more than it may, and `docs/page-weight.md` says what each loads and why."""

import gzip
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from console.static_files import modules
from storage.models import Drive
from tests.console.test_gathered_modules import STATIC, TEMPLATES, TEXTS
from tests.factories import make_client
from tests.people import Cast, make_cast, make_session
from tests.serving import ROOT, Server
from tests.storage.rows import fill_drive

MOST_BYTES = 150_000
DOC = (ROOT / "docs" / "page-weight.md").read_text()
PAGES = {
    "collections": "/",
    "account": "/account/",
    "audit log": "/audit/",
    "server": "/server/",
    "API reference": "/api-reference/",
    "start": "/collections/{id}/start/",
    "Bases": "/collections/{id}/base/",
    "Base": "/collections/{id}/base/items/",
    "history": "/collections/{id}/base/items/history/",
    "Drive": "/collections/{id}/drive/files/",
    "share links": "/collections/{id}/drive/files/links/",
    "Visor": "/collections/{id}/visor/",
    "HTTP client": "/collections/{id}/visor/client/",
    "keys": "/collections/{id}/keys/",
    "Connect": "/collections/{id}/connect/",
    "new import": "/collections/{id}/imports/new/",
    "new Micro": "/collections/{id}/micros/new/",
    "settings": "/collections/{id}/settings/",
}


@pytest.fixture
def full(server: Server, database: None) -> Cast:
    """A Base and a Drive with as many rows as a page shows, items of ten attributes, and recorded requests."""
    cast = make_cast("To be weighed")
    items = make_client(server, "items", collection_id=cast.collection.id)
    rows = [
        {"key": f"{row:05}", **{f"attribute {n}": f"value {row * 7919 * n}" for n in range(10)}} for row in range(100)
    ]
    for start in range(0, 100, 25):
        assert items.send("PUT", "/items", {"items": rows[start : start + 25]}).status_code == 207
    Drive.objects.create(collection=cast.collection, name="files")
    fill_drive(cast.collection.id, "files", [f"a file of a usual name {row * 7919:07}.txt" for row in range(150)])
    return cast


@pytest.fixture
def browser(server: Server, full: Cast) -> Iterator[httpx.Client]:
    """Somebody who owns the server, with a browser that takes gzip, as all do over plain http."""
    cookies = {"sessionid": make_session(full.server_owner)}
    with httpx.Client(base_url=server.url, cookies=cookies, headers={"Accept-Encoding": "gzip"}) as client:
        yield client


def test_no_page_weighs_too_much(browser: httpx.Client, full: Cast) -> None:
    weights = {title: _weigh(browser, path.format(id=full.collection.id)) for title, path in PAGES.items()}
    assert {title: weight for title, weight in weights.items() if weight > MOST_BYTES} == {}
    # What is weighed is what is meant: a page of rows with its script, and a script that comes with another's.
    assert weights["Base"] > weights["Drive"] > weights["collections"] > 30_000


def _weigh(browser: httpx.Client, path: str) -> int:
    """Bytes on the wire, heads of answers included, of the page and of all it loads at once."""
    waiting, seen, total, imports = [path], set[str](), 0, {}
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        with browser.stream("GET", url) as answer:
            assert answer.status_code == 200, url
            text = answer.read().decode()
            total += answer.num_bytes_downloaded + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
        if url == path:
            waiting += re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
            if found := re.search(r'<script type="importmap"[^>]*>(.*?)</script>', text, re.S):
                imports = json.loads(found[1])["imports"]
        elif url.endswith(".js"):
            plain = [str(httpx.URL(url).join(name)) for name in re.findall(r'^import .* from "([^"]+)";$', text, re.M)]
            waiting += [imports[name] for name in plain]
        elif url.endswith(".css"):
            waiting += [str(httpx.URL(url).join(name)) for name in re.findall(r'url\("([^"]+)"\)', text)]
    return total


# "### `js/pages/base.js`, 76 kB" and the table below it.
_SECTION = re.compile(r"^### `([^`]+)`, ([\d.]+) kB$(.*?)(?=^#|\Z)", re.M | re.S)
TOLD = {
    name: (float(size), set(re.findall(r"^\| `([^`]+)` \| \S", rest, re.M)))
    for name, size, rest in _SECTION.findall(DOC)
}


def _loaded() -> dict[str, tuple[int, set[str]]]:
    """Each script that a page names or another script brings: its size with gzip, and the modules in it."""
    files, held = modules.gather(TEXTS), modules.find_held(TEXTS)
    named = {name for text in TEMPLATES.values() for name in re.findall(r"'(js/pages/[^']+)'", text)}
    brought = {name for name in files if "/" in name.removeprefix("js/pages/")}
    return {name: (len(gzip.compress(files[name].encode(), 9)), set(held[name])) for name in named | brought}


def test_every_script_and_every_module_in_it_is_told() -> None:
    assert {name: parts for name, (_, parts) in TOLD.items() if name.endswith(".js")} == {
        name: {part.removeprefix("js/").removesuffix(".js") for part in parts} for name, (_, parts) in _loaded().items()
    }


@pytest.mark.parametrize("name", sorted(_loaded()))
def test_the_size_of_a_script_is_told(name: str) -> None:
    assert TOLD[name][0] == pytest.approx(_loaded()[name][0] / 1000, rel=0.1, abs=0.3)


def test_every_stylesheet_that_pages_name_is_told() -> None:
    named = {name for text in TEMPLATES.values() for name in re.findall(r"'(css/[^']+)'", text)}
    assert named == set(re.findall(r"`(css/[^`]+)`", DOC))
    assert all((STATIC / name).is_file() for name in named)
