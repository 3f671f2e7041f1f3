"""Deleting a collection: access ends at once, and then everything really goes."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from storage.base import items
from storage.collections import deletion
from storage.models import Base, Blob, Collection, Deletion, Drive, File, Item
from storage.postgres.caller import Access
from storage.postgres.statements import Statement
from tests.console.conftest import Browser
from tests.factories import make_client
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import eventually


def delete_page(cast: Cast) -> str:
    return f"/collections/{cast.collection.id}/settings/delete/"


@pytest.mark.parametrize("typed", ["", "made by a test", "Made by a tes", "x"])
def test_wrong_name_deletes_nothing(people: Cast, browser: Browser, typed: str) -> None:
    assert browser(people.owner).post(delete_page(people), {"typed_name": typed}).status_code == 422
    assert Collection.objects.filter(id=people.collection.id).exists()


def test_page_says_what_goes_and_the_safe_button_has_the_focus(people: Cast, browser: Browser) -> None:
    text = browser(people.owner).get(delete_page(people)).content.decode()
    assert "The collection is empty" in text
    assert "autofocus>Cancel" in text


def test_it_is_gone_for_everybody_at_once(people: Cast, browser: Browser) -> None:
    items.put_items(access=Access(people.collection.id), base="notes", items=[{"key": str(n)} for n in range(20)])
    base_id = Base.objects.get(collection=people.collection).id
    assert browser(people.owner).post(delete_page(people), {"typed_name": people.collection.name})["Location"] == "/"
    for person in (people.server_owner, people.owner, people.member):
        assert browser(person).get(f"/collections/{people.collection.id}/base/").status_code == 404
    shown = browser(people.owner).get("/collections/deletions/").content.decode()
    assert people.collection.name in shown
    assert people.collection.name not in browser(people.outsider).get("/collections/deletions/").content.decode()
    deletion.continue_deletions()
    assert not Item.objects.filter(base_id=base_id).exists()
    left = Deletion.objects.get(collection_id=people.collection.id)
    assert left.rows_deleted == 20
    assert left.emptied_at is not None
    assert left.finished_at is None  # a straggler may still come


def test_stragglers_are_found_by_the_last_look(people: Cast) -> None:
    items.put_items(access=Access(people.collection.id), base="notes", items=[{"key": "a"}])
    base_id = Base.objects.get(collection=people.collection).id
    left = deletion.delete_collection(
        collection_id=people.collection.id, typed_name=people.collection.name, asked_by=people.owner
    )
    deletion.continue_deletions()
    Item.objects.create(base_id=base_id, key="late", value={}, size_bytes=13, revision=1, changed_at=left.asked_at)
    Deletion.objects.filter(id=left.id).update(emptied_at="2020-01-01T00:00Z")
    deletion.continue_deletions()
    assert not Item.objects.filter(base_id=base_id).exists()
    left.refresh_from_db()
    assert left.finished_at is not None


def test_a_first_look_is_never_the_last_however_long_ago_it_was_asked_for(people: Cast) -> None:
    left = deletion.delete_collection(
        collection_id=people.collection.id, typed_name=people.collection.name, asked_by=people.owner
    )
    Deletion.objects.filter(id=left.id).update(asked_at="2020-01-01T00:00Z")
    deletion.continue_deletions()
    left.refresh_from_db()
    assert left.emptied_at is not None
    assert left.finished_at is None


def test_half_done_deletion_goes_on(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.limits.DELETE_BATCH_ROWS", 7)
    items.put_items(access=Access(people.collection.id), base="notes", items=[{"key": str(n)} for n in range(25)])
    left = deletion.delete_collection(
        collection_id=people.collection.id, typed_name=people.collection.name, asked_by=people.owner
    )
    killed = _killed_after(3)
    with monkeypatch.context() as patch:
        patch.setattr("storage.postgres.database.run", killed)
        with pytest.raises(KeyboardInterrupt):
            deletion.continue_deletions()
    left.refresh_from_db()
    assert 0 < left.rows_deleted < 25
    deletion.continue_deletions()
    left.refresh_from_db()
    assert left.rows_deleted == 25


def _killed_after(batches: int) -> Callable[..., object]:
    from storage.postgres.database import run

    done = 0

    def run_or_die(statement: Statement[Any]) -> object:
        nonlocal done
        if "DELETE FROM" in statement.text:
            done += 1
            if done > batches:
                raise KeyboardInterrupt
        return run(statement)

    return run_or_die


def test_key_is_refused_by_the_next_request_and_the_queue_does_the_rest(server: Server, database: None) -> None:
    cast = make_cast()
    client = make_client(server, collection_id=cast.collection.id)
    client.put({"key": "a"}, {"key": "b"})
    base_id = Base.objects.get(collection=cast.collection).id
    with httpx.Client(base_url=server.url, cookies={"sessionid": make_session(cast.owner)}) as browser:
        browser.get(delete_page(cast))
        form = {"typed_name": cast.collection.name, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post(delete_page(cast), data=form).status_code == 302
        assert client.get("a").status_code == 401
        assert client.put({"key": "c"}).status_code == 401
        eventually(lambda: not Item.objects.filter(base_id=base_id).exists())


def test_files_go_too_and_their_blobs_become_garbage(server: Server) -> None:
    client = make_client(server, "photos")
    person = User.objects.create_user(f"owner of {client.collection_id}")
    for name in ("a.txt", "b/c.txt"):
        assert client.send("POST", f"/files?name={name}", content=b"bytes").status_code == 201
    started = client.send("POST", "/uploads?name=big").json()
    assert client.send("POST", f"/uploads/{started['upload_id']}/parts?name=big&part=1", content=b"part").is_success
    assert client.send("PATCH", f"/uploads/{started['upload_id']}?name=big").is_success
    drive_id = Drive.objects.get(collection_id=client.collection_id).id
    blob_ids = [blob_id for file in File.objects.filter(drive_id=drive_id) for blob_id in file.blob_ids]
    assert len(blob_ids) == 3
    deletion.delete_collection(collection_id=client.collection_id, typed_name="Made by a test", asked_by=person)
    assert client.send("GET", "/files").status_code == 401
    deletion.continue_deletions()
    assert not File.objects.filter(drive_id=drive_id).exists()
    assert set(Blob.objects.filter(id__in=blob_ids).values_list("state", flat=True)) == {"garbage"}
