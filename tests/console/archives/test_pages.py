"""Exports and imports as a browser does them: over HTTP, against the real server and its worker."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.embedded.micros.places import Places
from storage.models import Export, Import
from storage.postgres.caller import Access
from tests import archives
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.micros import HELLO, ToldHost, deploy_now, hosted_by, make_micro
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

PART = 8_388_608


class Pages:
    """A browser without a window: one person's session, and the token of its forms."""

    def __init__(self, server: Server, cast: Cast, person: str) -> None:
        self.http = httpx.Client(
            base_url=server.url, cookies={"sessionid": make_session(cast[person])}, timeout=MOMENT_SECONDS
        )
        self.http.get("/")
        self.path = f"/collections/{cast.collection.id}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(self.path + path, headers=headers)

    def post(self, path: str, data: Any = None, content: bytes | None = None) -> httpx.Response:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"]}
        if content is not None:
            headers["Content-Type"] = "application/octet-stream"
        return self.http.post(self.path + path, data=data, content=content, headers=headers)

    def send(self, content: bytes, name: str) -> str:
        """The path of an import whose archive was sent in parts."""
        begun = self.post("/imports/new/", {"name": name, "size": len(content)}).json()
        received = begun["received"]
        while received < len(content):
            path = begun["parts"].removeprefix(self.path)
            received = self.post(f"{path}?start={received}", content=content[received : received + PART]).json()[
                "received"
            ]
        return str(begun["page"]).removeprefix(self.path)


@pytest.fixture
def cast(database: None) -> Cast:
    return make_cast("Carried about")


@pytest.fixture
def pages(server: Server, cast: Cast) -> Iterator[Callable[[str], Pages]]:
    opened: list[Pages] = []

    def open_pages(person: str) -> Pages:
        opened.append(Pages(server, cast, person))
        return opened[-1]

    yield open_pages
    for each in opened:
        each.http.close()


def wait_for(row: Any, *states: str) -> Any:
    def is_there() -> bool:
        row.refresh_from_db()
        return row.state in states

    eventually(is_there, what=row)
    return row


def test_an_export_is_made_by_the_worker_and_its_download_goes_on_where_it_broke_off(
    pages: Callable[[str], Pages], cast: Cast
) -> None:
    access = Access(cast.collection.id)
    archives.fill(access, "notes", [{"key": "a", "n": 1}])
    archives.put(access, "files", "large.bin", bytes(range(256)) * 40_000)
    member = pages("member")
    assert member.post("/exports/new/").status_code == 302
    export = wait_for(Export.objects.get(collection=cast.collection), "done", "failed")
    assert (export.state, export.asked_by) == ("done", cast.member)
    path = f"/exports/{export.id}/download/"

    whole = member.get(path)
    assert whole.status_code == 200
    assert (whole.headers["Content-Length"], whole.headers["Accept-Ranges"]) == (str(export.size_bytes), "bytes")
    assert re.fullmatch(r'attachment; filename="carried-about-[0-9-]+\.zip"', whole.headers["Content-Disposition"])
    assert json.loads(zipfile.ZipFile(io.BytesIO(whole.content)).read("bases/notes.json")) == [{"key": "a", "n": 1}]

    rest = member.get(path, Range="bytes=9000000-", **{"If-Range": whole.headers["ETag"]})
    assert rest.status_code == 206
    assert whole.content[9_000_000:] == rest.content
    assert member.get(path, Range=f"bytes={export.size_bytes}-").status_code == 416
    assert member.get(path, **{"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert pages("reader").get(path).status_code == 403
    assert pages("outsider").get(path).status_code == 404


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_half_an_export_cannot_be_downloaded(state: str, people: Cast, browser: Browser) -> None:
    export = Export.objects.create(collection=people.collection, state=state)
    path = f"/collections/{people.collection.id}/exports/{export.id}"
    member = browser(people.member)
    assert member.get(f"{path}/download/").status_code == 404
    assert member.post(f"{path}/check/").status_code == 404
    assert "Download" not in member.get(f"/collections/{people.collection.id}/exports/").content.decode()


def test_an_archive_is_sent_in_parts_looked_through_chosen_and_imported(
    pages: Callable[[str], Pages], cast: Cast
) -> None:
    source = archives.make_full()
    zipped = archives.bytes_of(archives.export_now(source))
    assert len(zipped) > PART
    member = pages("member")
    path = member.send(zipped, "full.zip")
    import_ = Import.objects.get(collection=cast.collection)
    wait_for(import_, "checked", "failed")
    shown = squeezed(member.get(path).text)
    assert "54 items in 3 Bases" in shown
    assert "No problems" in shown
    names = [portion["name"] for portion in import_.plan["portions"]]
    choices = {f"do-{names.index('odd')}": "rename", f"name-{names.index('odd')}": "another"}
    choices[f"do-{names.index('CON')}"] = "skip"

    assert member.post(f"{path}run/", choices).status_code == 302

    wait_for(import_, "done", "failed")
    assert import_.state == "done", import_.reason
    access = Access(cast.collection.id)
    assert archives.stored_items(access, "another") == archives.stored_items(source, "odd")
    assert archives.stored_items(access, "odd") == {}
    report = member.get(path).text
    assert "skipped" in report
    assert "Import again" in report


def test_a_choice_that_cannot_be_is_told_and_nothing_runs(pages: Callable[[str], Pages], cast: Cast) -> None:
    member = pages("member")
    path = member.send(archives.make_zip({"bases/notes.json": "[]"}), "x.zip")
    import_ = wait_for(Import.objects.get(collection=cast.collection), "checked")
    answer = member.post(f"{path}run/", {"do-0": "rename", "name-0": "not legal/"})
    assert answer.status_code == 422
    assert "“not legal/” is not a valid name for a Base" in answer.text
    import_.refresh_from_db()
    assert import_.state == "checked"


def test_parts_that_do_not_fit_are_told(pages: Callable[[str], Pages], cast: Cast) -> None:
    member = pages("member")
    for form in ({"name": "x.zip", "size": 0}, {"name": "x.zip", "size": "many"}, {"name": "", "size": 1}, {}):
        assert member.post("/imports/new/", form).status_code == 400
    begun = member.post("/imports/new/", {"name": "x.zip", "size": 20_000_000}).json()
    path = begun["parts"].removeprefix(member.path)
    assert member.post(path, content=b"x").status_code == 400
    assert member.post(f"{path}?start=-1", content=b"x").status_code == 400
    assert member.post(f"{path}?start=5", content=b"x").json()["received"] == 0
    assert "every part but the last" in member.post(f"{path}?start=0", content=b"x" * 1000).json()["errors"][0]
    assert member.post(f"{path}?start=0", content=b"x" * 11_000_000).status_code == 413
    assert pages("reader").post(f"{path}?start=0", content=b"x" * 6_000_000).status_code == 403
    assert pages("outsider").post(f"{path}?start=0", content=b"x" * 6_000_000).status_code == 404
    without_token = member.http.post(member.path + f"{path}?start=0", content=b"x" * 6_000_000)
    assert without_token.status_code == 403
    assert Import.objects.get(collection=cast.collection).size_bytes == 0


def test_names_and_keys_of_an_archive_are_shown_as_text(pages: Callable[[str], Pages], cast: Cast) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    member = pages("member")
    content = {f"bases/{nasty}.json": json.dumps([{"key": nasty, "": 1}]), f"drives/d/{nasty}/../x": b"x"}
    path = member.send(archives.make_zip(content), f"{nasty}.zip")
    wait_for(Import.objects.get(collection=cast.collection), "checked")
    for page in (path, "/imports/"):
        text = member.get(page).text
        assert nasty not in text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_only_owners_set_the_schedule(pages: Callable[[str], Pages], cast: Cast) -> None:
    form = {"every": "day", "keep": "3", "is_checked": "on"}
    member, owner = pages("member"), pages("owner")
    assert member.post("/snapshots/", form).status_code == 403
    assert owner.post("/snapshots/", form | {"keep": "0"}).status_code == 422
    assert owner.post("/snapshots/", form | {"is_copied": "on"}).status_code == 302
    snapshots = Export.objects.filter(collection=cast.collection, is_snapshot=True)
    export = eventually(snapshots.first, what="no snapshot is made")
    assert export
    assert export.asked_by == cast.owner
    eventually(snapshots.filter(check_state="good").exists, what="it is not checked")
    assert "restored and compared" in member.get("/exports/").text
    assert "Every day, the newest 3 kept" in member.get("/snapshots/").text
    eventually(lambda: "Copied and compared" in member.get("/snapshots/").text, what="it is not copied")
    assert owner.post("/snapshots/", {"every": "", "keep": "3"}).status_code == 302
    assert "Next:" not in member.get("/snapshots/").text


def test_a_micro_is_offered_and_left_out_where_its_name_is_taken(
    pages: Callable[[str], Pages], cast: Cast, tmp_path: Path
) -> None:
    source = archives.new_collection()
    places = Places(tmp_path / "micros")
    places.make()
    with hosted_by(ToldHost(), places):
        for name in ("taken", "free"):
            deploy_now(make_micro(name, collection_id=source.collection_id), HELLO)
        zipped = archives.bytes_of(archives.export_now(source))
        make_micro("taken", collection_id=cast.collection.id)
    owner = pages("owner")
    path = owner.send(zipped, "export.zip")
    eventually(lambda: Import.objects.filter(state=Import.State.CHECKED, id=path.strip("/").split("/")[-1]).first())
    page = squeezed(owner.get(path).text)
    assert "2 Micros" in page
    chosen = re.findall(r'<option value="(\w+)" selected', page)
    assert chosen == ["merge", "skip"]
    assert page.count('<option value="merge"') == 1
    assert "Merge with existing data" not in page


def test_a_table_is_shown_by_columns_and_checked_again_when_one_is_read_otherwise(
    pages: Callable[[str], Pages], cast: Cast
) -> None:
    access = Access(cast.collection.id)
    archives.fill(access, "people", [{"key": "ada", "age": 36, "city": "London"}])
    member = pages("member")
    path = member.send(b"id;zip;age\nada;80331;36,5\nbob;01067;7\n", "people.csv")
    import_ = wait_for(Import.objects.get(collection=cast.collection), "checked", "failed")
    shown = squeezed(member.get(path).text)
    assert "CSV, semicolons between cells, UTF-8" in shown
    assert "2 rows have no key: they are added as new" in shown
    assert re.findall(r'<option value="(\w+)" selected', shown) == ["update", "text", "text", "number"]
    assert "80331 · 01067" in shown
    assert "Update attributes in the file: 0 updated, 2 new" in shown

    # Another key, and another type: nothing is stored before it is checked again, with its counts.
    choices = {"do-0": "update", "key-0": "id", "type-0-0": "text", "type-0-1": "text", "type-0-2": "text"}
    assert member.post(f"{path}run/", choices).status_code == 302
    wait_for(import_, "checked")
    shown = squeezed(member.get(path).text)
    assert "Update attributes in the file: 1 updated, 1 new" in shown
    assert "no key" not in shown
    assert archives.stored_items(access, "people") == {"ada": {"age": 36, "city": "London"}}

    choices["type-0-2"] = "number"
    assert member.post(f"{path}check/", choices).status_code == 302
    wait_for(import_, "checked")
    assert member.post(f"{path}run/", choices).status_code == 302
    wait_for(import_, "done", "failed")
    found = archives.stored_items(access, "people")
    assert {key: str(item.pop("age")) for key, item in found.items()} == {"ada": "36.5", "bob": "7"}
    assert found == {"ada": {"id": "ada", "zip": "80331", "city": "London"}, "bob": {"id": "bob", "zip": "01067"}}
    assert "1 new, 1 updated" in squeezed(member.get(path).text)


def test_the_key_of_json_is_chosen_and_the_file_checked_again(pages: Callable[[str], Pages], cast: Cast) -> None:
    access = Access(cast.collection.id)
    archives.fill(access, "people", [{"key": "7", "age": 36, "city": "London"}])
    member = pages("member")
    content = (
        b'{"count": 3, "items": [{"no": 7, "mail": "a@b.c", "in": {}}, {"no": 8, "age": 2}, {"mail": "", "on": true}]}'
    )
    path = member.send(content, "people.json")
    import_ = wait_for(Import.objects.get(collection=cast.collection), "checked", "failed")
    shown = squeezed(member.get(path).text)
    assert '3 items of <span class="data">people</span> have no key' in shown
    offered = re.search(r'<select[^>]* name="key-0">(.*?)</select>', shown)
    assert offered is not None
    assert re.findall(r'<option value="(\w+)"(?: (selected))?> ?(.*?) ?</option>', offered[1]) == [
        ("key", "selected", "key · made for each"),
        ("no", "", "no · 2 items · 7, 8"),
        ("mail", "", "mail · 1 item · a@b.c"),
        ("age", "", "age · 1 item · 2"),
    ]

    # Nothing is stored before it is checked with that key; one that is not offered changes nothing.
    for key, told in (("on", "0 updated, 3 new"), ("no", "1 updated, 1 new")):
        assert (
            member.post(f"{path}run/" if key == "no" else f"{path}check/", {"do-0": "update", "key-0": key}).status_code
            == 302
        )
        wait_for(import_, "checked")
        shown = squeezed(member.get(path).text)
        assert f"Update attributes in the file: {told}" in shown
    assert "“no” is missing or empty, so it cannot be the key" in shown
    # What could be chosen before still can be.
    assert [kept for kept in ("key", "no", "mail", "age") if f'<option value="{kept}"' in shown] == [
        "key",
        "no",
        "mail",
        "age",
    ]
    assert archives.stored_items(access, "people") == {"7": {"age": 36, "city": "London"}}

    assert member.post(f"{path}run/", {"do-0": "update", "key-0": "no"}).status_code == 302
    wait_for(import_, "done", "failed")
    assert archives.stored_items(access, "people") == {
        "7": {"age": 36, "city": "London", "no": 7, "mail": "a@b.c", "in": {}},
        "8": {"no": 8, "age": 2},
    }


def test_an_export_of_homeport_has_its_keys(pages: Callable[[str], Pages], cast: Cast) -> None:
    source = archives.new_collection()
    archives.fill(source, "people", [{"key": "ada", "id": "1"}])
    owner = pages("owner")
    path = owner.send(archives.bytes_of(archives.export_now(source)), "export.zip")
    wait_for(Import.objects.get(collection=cast.collection), "checked", "failed")
    assert 'name="key-0"' not in owner.get(path).text
