"""A role that is lost while a request is on its way: the answer of the gate, as it would be now, and nothing is changed."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from storage.base import bases, items
from storage.collections import roles
from storage.drive import files, folders, person_uploads
from storage.errors import Forbidden, StorageError, Unauthorized
from storage.models import (
    Base,
    DataKey,
    Drive,
    Export,
    File,
    FileDeletion,
    Folder,
    Import,
    Invitation,
    Item,
    Part,
    Role,
    Upload,
)
from storage.postgres.caller import Access
from tests.archives import Content
from tests.factories import RawConnection
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import NOTHING_SECONDS

TOKEN = "a" * 32


@pytest.fixture
def cast(server: Server) -> Cast:
    """A collection with a Base `notes`, an item, a Drive `files` and a file."""
    cast = make_cast()
    access = Access(cast.collection.id)
    bases.ensure_base(collection_id=cast.collection.id, name="notes")
    items.put_items(access=access, base="notes", items=[{"key": "old", "n": 1}])
    files.put_file(access=access, drive="files", name="old", content=Content(b"old"))
    return cast


def lower(cast: Cast, person_id: int) -> int:
    """Make the person a reader; what a page that needs more says then."""
    roles.set_role(collection_id=cast.collection.id, person_id=person_id, role=Role.READER)
    return 403


def remove(cast: Cast, person_id: int) -> int:
    roles.remove_member(collection_id=cast.collection.id, person_id=person_id)
    return 404


Lose = Callable[[Cast, int], int]
LOSSES: list[Lose] = [lower, remove]


def send_slowly(
    server: Server, cast: Cast, person: str, request: tuple[str, str, bytes], lose: Lose, kind: str
) -> tuple[int, int]:
    """The status of a request whose sender loses their role when half of its body has come, and the one that is right."""
    method, path, body = request
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Cookie: sessionid={make_session(cast[person])}; csrftoken={TOKEN}",
        f"X-CSRFToken: {TOKEN}",
        "X-Requested-With: fetch",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
    ]
    with RawConnection(server) as connection:
        connection.send("\r\n".join(head).encode() + b"\r\n\r\n", body[: len(body) // 2])
        # So that the gate, which is asked when a request begins, has been passed.
        time.sleep(NOTHING_SECONDS)
        right = lose(cast, cast[person].pk)
        connection.send(body[len(body) // 2 :])
        answer = connection.answer(method)
        assert answer is not None
        return answer.status, right


def drive_url(cast: Cast, name: str, **more: Any) -> str:
    return reverse(name, kwargs={"collection_id": cast.collection.id, "drive": "files", **more})


def start_upload(cast: Cast) -> str:
    access = Access(cast.collection.id, person_id=cast.member.pk)
    started = person_uploads.start_upload(
        access=access, drive="files", name="f", size_bytes=500, content_type=None, if_exists="fail", fingerprint=""
    )
    return started.id


def start_import(cast: Cast) -> str:
    made = Import.objects.create(
        collection=cast.collection, state="uploading", size_expected=500, file_name="x.json", asked_by=cast.owner
    )
    return str(made.pk)


def as_json(**body: object) -> bytes:
    return json.dumps(body).encode() + b" " * 300


BYTES = b"x" * 500
SENT: dict[str, Callable[[Cast], tuple[str, str, bytes]]] = {
    "a whole file": lambda cast: ("PUT", drive_url(cast, "drive-file") + "?name=new", BYTES),
    "a file in place of another": lambda cast: (
        "PUT",
        drive_url(cast, "drive-file") + "?name=old&if_exists=replace",
        BYTES,
    ),
    "a part": lambda cast: ("PUT", drive_url(cast, "drive-part", upload_id=start_upload(cast), number=1), BYTES),
    "an upload": lambda cast: ("POST", drive_url(cast, "drive-uploads"), as_json(name="f", size=5)),
    "a folder": lambda cast: ("POST", drive_url(cast, "drive-folders"), as_json(name="made/")),
    "a rename": lambda cast: ("POST", drive_url(cast, "drive-rename"), as_json(**{"from": "old", "to": "new"})),
    "a move": lambda cast: ("POST", drive_url(cast, "drive-move"), as_json(names=["old"], folders=[], to="in/")),
    "a deletion": lambda cast: ("POST", drive_url(cast, "drive-delete"), as_json(names=["old"], folders=[])),
    "edits": lambda cast: (
        "POST",
        reverse("base-save", kwargs={"collection_id": cast.collection.id, "name": "notes"}),
        as_json(
            save=str(uuid4()),
            changes=[{"kind": "add", "id": "1", "key": "new", "item": {"n": "1"}}],
        ),
    ),
    "an archive": lambda cast: (
        "POST",
        reverse("import-part", kwargs={"collection_id": cast.collection.id, "import_id": start_import(cast)})
        + "?start=0",
        BYTES,
    ),
}


def state_of(cast: Cast) -> dict[str, Any]:
    """Everything that these requests could change."""
    drive_ids = list(Drive.objects.filter(collection=cast.collection).values_list("id", flat=True))
    base_ids = list(Base.objects.filter(collection=cast.collection).values_list("id", flat=True))
    return {
        "files": sorted(File.objects.filter(drive_id__in=drive_ids).values_list("name", "etag")),
        "folders": Folder.objects.filter(drive_id__in=drive_ids).count(),
        "deletions": FileDeletion.objects.filter(drive_id__in=drive_ids).count(),
        "uploads": Upload.objects.filter(collection_id=cast.collection.id).count(),
        "parts": list(Part.objects.filter(upload_id__in=_ids(cast)).values_list("upload_id", "number")),
        "items": sorted(Item.objects.filter(base_id__in=base_ids).values_list("key", "revision")),
        "received": list(Import.objects.filter(collection=cast.collection).values_list("size_bytes", flat=True)),
    }


def _ids(cast: Cast) -> list[str]:
    uploads = Upload.objects.filter(collection_id=cast.collection.id).values_list("id", flat=True)
    imports = Import.objects.filter(collection=cast.collection).values_list("id", flat=True)
    return [*uploads, *(each.hex for each in imports)]


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("what", SENT)
def test_what_a_script_sends_changes_nothing(server: Server, cast: Cast, what: str, lose: Lose) -> None:
    request = SENT[what](cast)
    before = state_of(cast)
    kind = "application/octet-stream" if request[2] is BYTES else "application/json"
    status, right = send_slowly(server, cast, "member", request, lose, kind)
    assert status == right
    assert state_of(cast) == before


FORMS: dict[str, tuple[str, str]] = {
    "new-key": ("owner", "name=k&rights=write&scope=all&days=0&others="),
    "invite-member": ("owner", "note=n&role=owner"),
    "settings": ("owner", "name=Changed"),
    "new-base": ("member", "name=made"),
    "new-drive": ("member", "name=made"),
    "new-export": ("member", "x=y"),
    "visor-client": (
        "member",
        "method=PUT&target=notes%2Fitems&headers=&body=%7B%22items%22%3A%5B%7B%22key%22%3A%22n%22%7D%5D%7D",
    ),
}


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("name", FORMS)
def test_what_a_form_sends_changes_nothing(server: Server, cast: Cast, name: str, lose: Lose) -> None:
    person, form = FORMS[name]
    url = reverse(name, kwargs={"collection_id": cast.collection.id})
    body = f"{form}&padding={'x' * 300}".encode()
    kind = "application/x-www-form-urlencoded"
    status, right = send_slowly(server, cast, person, ("POST", url, body), lose, kind)
    # A reader may use the client: what it sends is refused, which its page shows.
    assert status == (302 if (name, right) == ("visor-client", 403) else right)
    collection = cast.collection
    collection.refresh_from_db()
    assert collection.name == "Made by a test"
    for kind_of in (DataKey, Invitation, Export):
        assert not kind_of._default_manager.filter(collection=collection).exists()
    ((base_id, base),) = Base.objects.filter(collection=collection).values_list("id", "name")
    assert base == "notes"
    assert set(Item.objects.filter(base_id=base_id).values_list("key", flat=True)) == {"old"}


@pytest.mark.parametrize("person, error", [("reader", Forbidden), ("outsider", Unauthorized)])
@pytest.mark.parametrize("what", ["an item", "a file", "a folder"])
def test_statements_ask_themselves_what_a_person_may(
    cast: Cast, person: str, error: type[StorageError], what: str
) -> None:
    """Without any gate before."""
    access = Access(cast.collection.id, person_id=cast[person].pk)
    drive_id = folders.find_drive(collection_id=cast.collection.id, name="files")
    calls: dict[str, Callable[[], object]] = {
        "an item": lambda: items.put_items(access=access, base="notes", items=[{"key": "x"}]),
        "a file": lambda: files.put_file(access=access, drive="files", name="x", content=Content(b"x")),
        "a folder": lambda: folders.make_folder(access=access, drive_id=drive_id, path="x/"),
    }
    before = state_of(cast)
    with pytest.raises(error):
        calls[what]()
    assert state_of(cast) == before
