"""What the dialogs about a whole Base or Drive answer, but for what is tried in a browser."""

import pytest
from pytest_django import Settings

from storage.base import bases
from storage.drive import drives
from storage.models import Base, Drive, Duplication
from tests.console.conftest import Browser
from tests.people import Cast
from tests.storage.rows import fill_drive


@pytest.mark.parametrize("kind", ["base", "drive"])
def test_a_full_disk_is_said_in_the_dialog_and_nothing_is_begun(
    kind: str, people: Cast, browser: Browser, settings: Settings
) -> None:
    collection_id = people.collection.id
    bases.ensure_base(collection_id=collection_id, name="things")
    drives.ensure_drive(collection_id=collection_id, name="things")
    fill_drive(collection_id, "things", ["a.txt"])
    client = browser(people.member)
    settings.DISK_RESERVE_MB = 10**9
    url = f"/collections/{collection_id}/manage/{kind}/things/duplicate/"
    in_dialog = client.post(url, {"name": "copy"}, headers={"HX-Request": "true", "HX-Target": "dialog"})
    as_page = client.post(url, {"name": "copy"})
    assert (in_dialog.status_code, as_page.status_code) == (507, 507)
    for answer in (in_dialog, as_page):
        assert "Storage is full: free some space, then try again." in answer.content.decode()
        assert 'name="name" value="copy"' in answer.content.decode()
    # Scripts show an answer of this status in the dialog only if it says that it belongs there.
    assert in_dialog["HX-Retarget"] == "#dialog"
    assert "HX-Retarget" not in as_page
    names = [model.objects.filter(collection=people.collection, name="copy").exists() for model in (Base, Drive)]
    assert (names, Duplication.objects.filter(collection=people.collection).exists()) == ([False, False], False)


def test_a_drive_is_copied_at_once_when_it_is_small(people: Cast, browser: Browser) -> None:
    collection_id = people.collection.id
    drives.ensure_drive(collection_id=collection_id, name="small")
    client = browser(people.member)
    answer = client.post(f"/collections/{collection_id}/manage/drive/small/duplicate/", {"name": "copy"}, follow=True)
    page = answer.content.decode()
    assert "This is a copy of “small”." in page
    assert 'id="duplication"' not in page
    copy = Duplication.objects.get(collection=people.collection)
    for name, said in (("copy", "This is a copy of"), ("small", "This Drive is copied: 0 files")):
        strip = f"/collections/{collection_id}/drive/{name}/duplications/{copy.pk}/"
        assert said in " ".join(browser(people.reader).get(strip).content.decode().split())
