"""A Drive as a page: folders and files, sorted, searched and paged; and what each role sees of it."""

import html
import re
import uuid

import pytest
from django.test import Client

from storage import limits
from storage.collections import collections
from storage.drive import drives, folders
from storage.models import Blob, DamagedBlob, Drive, File, Folder
from storage.postgres import clock
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.html import squeezed
from tests.matching import search
from tests.people import Cast
from tests.storage.rows import fill_drive

HOSTILE_NAMES = [
    'it\'s "quoted".txt',
    "<img src=x onerror=alert(1)>.png",
    "<script>alert(1)</script>",
    "100% &amp; #1?x=1&y=2+3.txt",
    "/lead.txt",
    "a//b.txt",
    "../up.txt",
    "x" * 1020 + ".txt",
    "\u202egnp.exe",
    "e\u0301\u0644\u064e.txt",
    "{{ 7|add:7 }}.txt",
]


@pytest.fixture
def drive(people: Cast) -> Drive:
    return Drive.objects.get(
        id=drives.ensure_drive(collection_id=people.collection.id, name="files"),
    )


def url_of(people: Cast, path: str = "", drive: str = "files") -> str:
    return f"/collections/{people.collection.id}/drive/{drive}/{path}"


def names_on(page: str) -> list[str]:
    return [html.unescape(name) for name in re.findall(r'<tr [^>]*data-name="([^"]*)"', page)]


def cursor_on(page: str) -> str:
    return html.unescape(search(r'data-last="([^"]*)"', page).group(1))


def get(client: Client, url: str, **query: str) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_folders_first_then_files(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["b.txt", "a.txt", "z/deep/x", "m/y"])
    folders.make_folder(access=Access(people.collection.id), drive_id=drive.pk, path="empty/")
    page = get(browser(people.reader), url_of(people))
    assert names_on(page) == ["empty/", "m/", "z/", "a.txt", "b.txt"]
    inside = get(browser(people.reader), url_of(people), folder="z/")
    assert names_on(inside) == ["z/deep/"]


def test_damaged_files_are_named_to_whoever_sees_the_drive(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", [HOSTILE_NAMES[1], "whole"])
    blob_id = uuid.uuid4()
    Blob.objects.create(id=blob_id, state="live", size_bytes=1, changed_at=clock.now())
    about = {"collection_id": people.collection.id, "drive_name": "files", "name": HOSTILE_NAMES[1]}
    DamagedBlob.objects.create(blob_id=blob_id, kind="missing", **about)
    page = get(browser(people.reader), url_of(people))
    assert "The stored bytes of 1 file in this Drive are damaged." in squeezed(page)
    assert f"{html.escape(HOSTILE_NAMES[1])}</bdi>is gone, found" in squeezed(page)
    DamagedBlob.objects.filter(blob_id=blob_id).update(healed_at=clock.now())
    assert "are damaged" not in get(browser(people.reader), url_of(people))
    Blob.objects.filter(id=blob_id).delete()


def test_the_breadcrumb_leads_back(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["photos/2024/a.jpg"])
    page = get(browser(people.reader), url_of(people), folder="photos/2024/")
    crumbs = search(r'<nav class="drive-crumbs".*?</nav>', page, re.S).group()
    assert re.findall(r"<bdi>([^<]*)</bdi>", crumbs) == ["files", "photos", "2024"]
    assert 'aria-current="location"><bdi>2024' in crumbs


def test_pages_follow_each_other(people: Cast, browser: Browser, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROWS_PER_PAGE", 3)
    names = [f"{number}" for number in range(7)] + ["d/x", "e/x"]
    fill_drive(people.collection.id, "files", names)
    client = browser(people.reader)
    seen, last = [], ""
    for _ in range(9):
        page = get(client, url_of(people, "rows/"), last=last)
        seen += names_on(page)
        last = cursor_on(page)
        if not last:
            break
    assert seen == ["d/", "e/", *(f"{number}" for number in range(7))]
    assert "<html" not in page


def test_sort_is_in_the_address(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["a", "b", "c"])
    for name, size in (("a", 2), ("b", 3), ("c", 1)):
        File.objects.filter(drive_id=drive.pk, name=name).update(size_bytes=size)
    client = browser(people.reader)
    page = get(client, url_of(people), sort="-size")
    assert names_on(page) == ["b", "a", "c"]
    assert 'aria-sort="descending"' in page
    assert names_on(get(client, url_of(people), sort="size")) == ["c", "a", "b"]


def test_a_folder_too_large_to_sort_says_why(
    people: Cast, browser: Browser, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SORTED_FILES_MAX", 2)
    fill_drive(people.collection.id, "files", ["a", "b", "c"])
    assert "more than 2 files" in get(browser(people.reader), url_of(people), sort="-size")
    assert "more than 2 files" not in get(browser(people.reader), url_of(people), sort="-name")


def test_search_says_what_it_found(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["in/Cat.jpg", "dog.jpg"])
    assert names_on(get(browser(people.reader), url_of(people), q="cat")) == ["in/Cat.jpg"]
    assert "<b>" not in get(browser(people.reader), url_of(people), q="<b>none</b>")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_shows_as_text(people: Cast, browser: Browser, drive: Drive, name: str) -> None:
    fill_drive(people.collection.id, "files", [name])
    folder = folders.folder_of(name)
    page = get(browser(people.member), url_of(people), folder=folder)
    assert names_on(page) == [name]
    for markup in ("<img src=x", "<script>alert", " 14.txt"):
        assert markup not in page
    found = get(browser(people.member), url_of(people), q=folders.label_of(name)[:20].strip())
    assert name in names_on(found)


@pytest.mark.parametrize(
    "query, status",
    [
        ({"folder": "not-there/"}, 200),
        ({"folder": "no-slash"}, 404),
        ({"folder": "a\x00/"}, 400),
        ({"last": "nonsense"}, 404),
        ({"sort": "'; DROP TABLE"}, 200),
        ({"file": "not-there.txt"}, 404),
        ({"file": "a\x00"}, 400),
    ],
)
def test_odd_addresses(people: Cast, browser: Browser, drive: Drive, query: dict[str, str], status: int) -> None:
    assert browser(people.reader).get(url_of(people), query).status_code == status


def test_a_drive_that_is_not_there(people: Cast, browser: Browser, drive: Drive) -> None:
    other = collections.create_collection("Other")
    drives.ensure_drive(collection_id=other.id, name="theirs")
    for name in ("none", "theirs", "..", "a%2Fb"):
        for path in ("", "rows/", "file/?name=a", "zip/?name=a", "uploads/", "move/"):
            client = browser(people.owner)
            url = url_of(people, path, drive=name)
            answer = client.post(url, {}, "application/json") if path in ("uploads/", "move/") else client.get(url)
            assert answer.status_code == 404, (name, path)


def test_readers_see_nothing_to_write_with(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["a"])
    assert "data-writable" in get(browser(people.member), url_of(people))
    assert "data-writable" not in get(browser(people.reader), url_of(people))


def test_drives_are_listed_with_links_and_made(people: Cast, browser: Browser, drive: Drive) -> None:
    client = browser(people.member)
    page = get(client, f"/collections/{people.collection.id}/drive/")
    assert f'href="{url_of(people)}"' in page
    made = client.post(f"/collections/{people.collection.id}/new-drive/", {"name": "new"})
    assert made["Location"] == url_of(people, drive="new")
    assert client.get(made["Location"]).status_code == 200
    refused = client.post(f"/collections/{people.collection.id}/new-drive/", {"name": "a b"})
    assert refused.status_code == 422
    assert sorted(Drive.objects.filter(collection=people.collection).values_list("name", flat=True)) == ["files", "new"]


def test_the_palette_leads_to_the_drive(people: Cast, browser: Browser, drive: Drive) -> None:
    page = get(browser(people.owner), "/jump/", q="files drive")
    assert f'href="{url_of(people)}"' in page


def test_the_page_may_show_media_and_frames_of_its_own_alone(people: Cast, browser: Browser, drive: Drive) -> None:
    policy = browser(people.reader).get(url_of(people))["Content-Security-Policy"]
    for directive in ("media-src 'self'", "frame-src 'self'", "default-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    elsewhere = browser(people.reader).get("/")["Content-Security-Policy"]
    assert "media-src" not in elsewhere
    assert "frame-src" not in elsewhere


def test_the_list_of_folders_to_move_to(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["a/x", "a/b/y", "c"])
    Folder.objects.create(drive_id=drive.pk, path="a/kept/")
    client = browser(people.reader)
    assert client.get(url_of(people, "folders/")).json() == {"folders": ["a/"], "more": False}
    inside = client.get(url_of(people, "folders/"), {"folder": "a/"}).json()
    assert inside == {"folders": ["a/b/", "a/kept/"], "more": False}


def test_the_folder_shows_even_when_a_files_bytes_cannot_be_had(people: Cast, browser: Browser, drive: Drive) -> None:
    fill_drive(people.collection.id, "files", ["lost.txt", "other.txt"])
    File.objects.filter(drive_id=drive.pk, name="lost.txt").update(
        size_bytes=3, blob_ids=[uuid.uuid4()], blob_sizes=[3]
    )
    page = get(browser(people.reader), url_of(people), file="lost.txt")
    assert "“lost.txt” cannot be shown" in page
    assert names_on(page) == ["lost.txt", "other.txt"]
