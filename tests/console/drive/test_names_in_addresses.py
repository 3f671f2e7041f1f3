"""Names that mean something in an address: every place that puts one there says the same name to the server that reads it."""

import html
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from storage.drive import drives
from tests.console.conftest import Browser
from tests.people import Cast
from tests.storage.rows import fill_drive

NAMES = [
    "C++ notes.txt",
    "1+1=2.txt",
    "50% off & more.txt",
    "%2B is plus.txt",
    "a b+c d/e+f g.txt",
    "what?x=1&y=2#z;q.txt",
    "+",
    "folder + 100%/&/#.txt",
]


@pytest.fixture
def client(people: Cast, browser: Browser) -> Client:
    drives.ensure_drive(collection_id=people.collection.id, name="files")
    fill_drive(people.collection.id, "files", NAMES)
    return browser(people.member)


def hrefs(page: str, pattern: str) -> list[str]:
    found = [html.unescape(url) for url in re.findall(r'href="([^"]*)"', page)]
    return [url for url in found if re.search(pattern, url)]


def page_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return str(answer.content.decode())


def labels(page: str) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'<tr [^>]*data-name="([^"]*)"', page)]


def test_links_lead_to_the_file_and_the_folder_that_they_name(people: Cast, client: Client) -> None:
    base = f"/collections/{people.collection.id}/drive/files/"
    seen, waiting = set(), [base]
    while waiting:
        page = page_of(client, waiting.pop())
        for url in hrefs(page, "[?&]file="):
            opened = page_of(client, url)
            (name,) = _query(url)["file"]
            assert f'data-name="{html.escape(name)}"' in opened, name
            downloads = [each for each in hrefs(opened, "/file/[?]name=") if _query(each)["name"] == [name]]
            assert downloads
            assert client.head(downloads[0]).status_code == 200
            seen.add(name)
        waiting += [url for url in hrefs(page, "[?&]folder=") if set(_asked(url)) & set(labels(page))]
    assert seen == set(NAMES)


def test_search_finds_each_by_any_part_of_its_own_name(people: Cast, client: Client) -> None:
    for name in NAMES:
        label = name.rsplit("/", 1)[-1]
        for part in {label, label[:3].strip(), label[-6:].strip()}:
            page = client.get(f"/collections/{people.collection.id}/drive/files/", {"q": part}).content.decode()
            assert name in labels(page), part
            # The field says what was asked for, and the links in the list keep it.
            assert f'value="{html.escape(part)}"' in page
            assert {tuple(_query(url)["q"]) for url in hrefs(page, "[?&]file=")} == {(part,)}


def test_scripts_ask_about_the_file_that_they_name(people: Cast, client: Client) -> None:
    base = f"/collections/{people.collection.id}/drive/files/"
    for name in NAMES:
        assert client.get(f"{base}preview/", {"name": name}).status_code == 200
        lines = json.loads(client.get(f"{base}copy/", {"name": name}).content)
        (address,) = re.findall(r"https?://[^' ]*", lines["curl"])
        assert _query(address)["name"] == [name]
        renamed = f"{name} + again"
        answer = client.post(f"{base}rename/", {"from": name, "to": renamed}, content_type="application/json")
        assert answer.status_code == 200
        assert client.get(f"{base}preview/", {"name": renamed}).status_code == 200


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def _asked(url: str) -> list[str]:
    return _query(url).get("folder", [])
