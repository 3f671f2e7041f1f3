"""A data key that is lost while a request with it is on its way: 401, and nothing is stored."""

import json
import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from storage.collections import deletion, keys
from storage.models import Base, Collection, DataKey, Drive, File, Item, Part
from tests.drives import DriveClient, make_drive
from tests.factories import BaseClient, RawConnection, make_client, raw_head
from tests.serving import Server
from tests.waiting import NOTHING_SECONDS


def revoke(client: BaseClient) -> None:
    keys.revoke_key(collection_id=client.collection_id, key_id=client.key_id)


def let_expire(client: BaseClient) -> None:
    DataKey.objects.filter(id=client.key_id).update(expires_at=timezone.now())


def delete_collection(client: BaseClient) -> None:
    collection = Collection.objects.get(id=client.collection_id)
    deletion.delete_collection(collection_id=collection.id, typed_name=collection.name, asked_by=None)


Lose = Callable[[BaseClient], None]
LOSSES: list[Lose] = [revoke, let_expire, delete_collection]


def send_slowly(client: BaseClient, method: str, path: str, body: bytes, lose: Lose) -> int:
    """The status of a request whose key is lost when half of its body has come."""
    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, method, path, f"Content-Length: {len(body)}"), body[: len(body) // 2])
        # So that whatever looks at the key when a request begins has done so.
        time.sleep(NOTHING_SECONDS)
        lose(client)
        connection.send(body[len(body) // 2 :])
        answer = connection.answer(method)
        assert answer is not None
        return answer.status


@pytest.fixture
def things(server: Server) -> BaseClient:
    client = make_client(server)
    assert client.put({"key": "old", "n": 1}).status_code == 207
    return client


@pytest.fixture
def drive(server: Server) -> DriveClient:
    made = make_drive(server)
    assert made.put("old", b"old").status_code == 201
    return made


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize(
    "method, path, body",
    [
        ("PUT", "/items", {"items": [{"key": "new"}, {"key": "old", "n": 2}]}),
        ("POST", "/items", {"item": {"key": "new"}}),
        ("PATCH", "/items/old", {"set": {"n": 2}}),
    ],
)
def test_items_are_not_written(things: BaseClient, method: str, path: str, body: object, lose: Lose) -> None:
    (base_id,) = Base.objects.filter(collection_id=things.collection_id).values_list("id", flat=True)
    assert send_slowly(things, method, path, json.dumps(body).encode() + b" " * 200, lose) == 401
    left = dict(Item.objects.filter(base_id=base_id).values_list("key", "value"))
    # What a deleted collection held is deleted soon after.
    assert left in ([{"old": {"n": 1}}, {}] if lose is delete_collection else [{"old": {"n": 1}}])


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("name", ["new", "old"])
def test_files_are_not_written(drive: DriveClient, name: str, lose: Lose) -> None:
    (drive_id,) = Drive.objects.filter(collection_id=drive.collection_id).values_list("id", flat=True)
    before = list(File.objects.filter(drive_id=drive_id).values_list("name", "etag"))
    assert send_slowly(drive.caller, "POST", f"/files?name={name}", b"x" * 5_000, lose) == 401
    after = list(File.objects.filter(drive_id=drive_id).values_list("name", "etag"))
    assert after in ([before, []] if lose is delete_collection else [before])


@pytest.mark.parametrize("lose", LOSSES)
def test_first_file_of_a_drive_is_not_written(server: Server, lose: Lose) -> None:
    drive = make_drive(server)
    assert send_slowly(drive.caller, "POST", "/files?name=f", b"x" * 5_000, lose) == 401
    assert not Drive.objects.filter(collection_id=drive.collection_id).exists()


@pytest.mark.parametrize("lose", LOSSES)
def test_part_of_an_upload_is_not_taken(drive: DriveClient, lose: Lose) -> None:
    upload_id = drive.begin("f")
    path = f"/uploads/{upload_id}/parts?name=f&part=1"
    assert send_slowly(drive.caller, "POST", path, b"x" * 5_000, lose) == 401
    assert not Part.objects.filter(upload_id=upload_id).exists()


@pytest.mark.parametrize("lose", LOSSES)
def test_upload_does_not_end_and_is_not_given_up(drive: DriveClient, lose: Lose) -> None:
    (drive_id,) = Drive.objects.filter(collection_id=drive.collection_id).values_list("id", flat=True)
    upload_id = drive.begin("f", b"all of it")
    lose(drive.caller)
    assert drive.end(upload_id, "f").status_code == 401
    assert drive.abort(upload_id, "f").status_code == 401
    assert not File.objects.filter(drive_id=drive_id, name="f").exists()


@pytest.mark.parametrize("lose", [revoke, let_expire])
def test_files_are_not_deleted(drive: DriveClient, lose: Lose) -> None:
    body = json.dumps({"names": ["old"]}).encode() + b" " * 200
    assert send_slowly(drive.caller, "DELETE", "/files", body, lose) == 401
    (drive_id,) = Drive.objects.filter(collection_id=drive.collection_id).values_list("id", flat=True)
    assert File.objects.filter(drive_id=drive_id, name="old").exists()
