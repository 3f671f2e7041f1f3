"""Whatever stands where a header or a query string should hold a number: it is refused or left aside, and never a defect."""

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from storage.base import bases
from storage.models import Import
from tests.api.in_process import ask
from tests.console.conftest import Browser
from tests.console.test_routes import make_drive
from tests.people import Cast

NO_NUMBERS = ["²", "\u0661", "1²", "1\u0661", " 1", "1 ", "+1", "-1", "1_0", "1e1", "0x1", "1.0", "x", "\x00"]
HUGE = ["9" * 19, "9" * 400, "0" * 300 + "9" * 100]
Ask = Callable[[str], int]


@pytest.fixture
def places(people: Cast, browser: Browser) -> dict[str, Ask]:
    """Every place that makes a number of text, and how to send one there; each gives the status."""
    collection_id, client = people.collection.id, browser(people.owner)
    bases.ensure_base(collection_id=collection_id, name="things")
    at = f"/collections/{collection_id}/"
    drive = f"{at}drive/{make_drive(people)}/"
    started = Import.objects.create(collection=people.collection, state="uploading", size_expected=1)

    def page(path: str) -> Ask:
        return lambda text: int(client.get(path + quote(text)).status_code)

    def api(method: str, path: str, **more: Any) -> Ask:
        return lambda text: ask(method, collection_id, path + quote(text), people.owner, **more).status

    def revision(text: str) -> int:
        change = {"id": "1", "kind": "delete", "key": "a", "revision": text}
        body = {"save": "0" * 32, "changes": [change]}
        return int(client.post(f"{at}base/things/save/", body, "application/json").status_code)

    def length(method: str, path: str) -> Ask:
        def send(text: str) -> int:
            # As a web server hands it over: the characters of Latin-1.
            raw = text.encode().decode("latin-1")
            if path.startswith("/"):
                environ: dict[str, Any] = {"CONTENT_LENGTH": raw, "wsgi.input": io.BytesIO(b"x")}
                return int(client.generic(method, path, b"x", "application/json", **environ).status_code)
            return ask(method, collection_id, path, people.owner, body=b"x", CONTENT_LENGTH=raw).status

        return send

    def wanted_range(text: str) -> int:
        raw = f"bytes={text}-".encode().decode("latin-1")
        return int(client.get(f"{drive}file/?name=a.txt", HTTP_RANGE=raw).status_code)

    return {
        "collections, page": page("/?page="),
        "table, limit": page(f"{at}base/things/rows/?limit="),
        "table, last": page(f"{at}base/things/rows/?sort=age&last="),
        "table, revision": revision,
        "table, length of a save": length("POST", f"{at}base/things/save/"),
        "table, length of rows": length("POST", f"{at}base/things/parse/"),
        "drive, last": page(f"{drive}rows/?sort=size&last=row:"),
        "drive, length of a part": length("PUT", f"{drive}file/?name=new.txt"),
        "drive, length of JSON": length("POST", f"{drive}clashes/"),
        "drive, range": wanted_range,
        "drive, deletion": lambda text: int(client.get(f"{drive}deletions/{quote(text)}/").status_code),
        "imports, start": lambda text: int(
            client.post(f"{at}imports/{started.id}/parts/?start={quote(text)}", b"x", "text/plain").status_code
        ),
        "imports, length of a part": length("POST", f"{at}imports/{started.id}/parts/?start=0"),
        "visor, key": page(f"{at}visor/?key="),
        "visor, slower": page(f"{at}visor/?slower="),
        "keys, revoke": lambda text: int(client.post(f"{at}keys/{quote(text)}/revoke/").status_code),
        "people, remove": lambda text: int(client.get(f"{at}settings/people/{quote(text)}/remove/").status_code),
        "api, length of JSON": length("PUT", "things/items"),
        "api, length of a file": length("POST", "files/files?name=new.txt"),
        "api, limit": api("GET", "files/files?limit="),
        "api, part": api("POST", "files/uploads/none/parts?name=a.txt&part="),
    }


# What cannot be understood here asks for nothing.
FORGIVING = {"collections, page", "table, limit", "table, last", "drive, last", "visor, key", "visor, slower"}  # fmt: skip
IN_A_PATH = {"drive, deletion", "keys, revoke", "people, remove"}
TOO_LARGE = {"imports, length of a part", "table, length of a save", "table, length of rows", "drive, length of a part"}


def test_what_is_no_number_is_told_so(places: dict[str, Ask]) -> None:
    found = {(place, text): send(text) for place, send in places.items() for text in NO_NUMBERS}

    def is_right(place: str, text: str, status: int) -> bool:
        if place == "drive, range":
            return status == (416 if text == " 1" else 200)  # a blank may stand there; the file is empty
        if place in FORGIVING:
            return status == 200 or (text == "\x00" and status in (400, 404))
        return status == (404 if place in IN_A_PATH else 400)

    assert {case: status for case, status in found.items() if not is_right(*case, status)} == {}


def test_numbers_beyond_all_measure_are_no_defect(places: dict[str, Ask]) -> None:
    found = {(place, len(text)): send(text) for place, send in places.items() for text in HUGE}
    assert {case: status for case, status in found.items() if status >= 500} == {}
    assert {status for (place, _), status in found.items() if place in TOO_LARGE} == {413}
    assert {status for (place, _), status in found.items() if place == "api, limit"} == {200}
