"""What is asked of a server while its engines fail, and what must be true of it afterwards."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from storage.base import bases
from storage.drive import drives
from storage.models import Collection, Throttle
from tests.drives import DriveClient
from tests.factories import BaseClient, exact_json, make_client, shared_http
from tests.people import PASSWORD, make_cast, make_session
from tests.waiting import MOMENT_SECONDS

BEFORE, AFTER = b"before" * 500, b"after" * 700


@dataclass
class Attempt:
    """One request: how to send it, and what is there before it and once it is acknowledged."""

    send: Callable[[], httpx.Response]
    look: Callable[[], Any]
    before: Any
    after: Any
    statuses: tuple[int, ...] = (200,)
    body: bytes | None = None

    def check(self, answer: httpx.Response) -> None:
        """Right or 503; what was acknowledged is there, anything else whole or not at all."""
        about = (answer.status_code, answer.text[:300])
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            said = answer.json()["errors"][0] if answer.headers["Content-Type"] == "application/json" else answer.text
            assert "again" in said, about
            assert self.look() in (self.before, self.after)
        else:
            assert answer.status_code in self.statuses, about
            assert self.body in (None, answer.content)
            assert self.look() == self.after


@dataclass
class Asked:
    """Makes attempts, each with a name of its own, through one server; it looks at them through another."""

    through: Any
    beside: Any
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.cast = make_cast()
        collection_id = self.cast.collection.id
        self.base = make_client(self.through, collection_id=collection_id)
        self.drive = DriveClient(make_client(self.through, "files", collection_id=collection_id))
        self.base_beside = BaseClient(self.beside, collection_id, "things", self.base.key_id, self.base.key_text)
        self.drive_beside = DriveClient(
            BaseClient(self.beside, collection_id, "files", self.drive.caller.key_id, self.drive.caller.key_text)
        )
        bases.ensure_base(collection_id=collection_id, name="things")
        drives.ensure_drive(collection_id=collection_id, name="files")
        assert self.base_beside.put({"key": "there", "n": 1}).status_code == 207
        assert self.drive_beside.put("there", BEFORE).status_code == 201
        self.page = f"/collections/{collection_id}/"
        token = "t" * 32
        self.http = httpx.Client(base_url=self.through.url, timeout=MOMENT_SECONDS, trust_env=False)
        self.http.headers["X-CSRFToken"] = token
        self.http.cookies.update({"csrftoken": token, "sessionid": make_session(self.cast.server_owner)})

    def name(self) -> str:
        return f"n{next(self.numbers)}"

    # Reads

    def _read(self, send: Callable[[], httpx.Response]) -> Attempt:
        return Attempt(send, lambda: None, None, None)

    def get_item(self) -> Attempt:
        return self._read(lambda: self.base.get("there"))

    def query(self) -> Attempt:
        return self._read(lambda: self.base.query({"n": 1}))

    def list_files(self) -> Attempt:
        return self._read(lambda: self.drive.list(limit=1))

    def download(self) -> Attempt:
        return Attempt(lambda: self.drive.get("there"), lambda: None, None, None, body=BEFORE)

    def collections_page(self) -> Attempt:
        return self._read(lambda: self.http.get("/"))

    def base_page(self) -> Attempt:
        return self._read(lambda: self.http.get(f"{self.page}base/things/"))

    def drive_page(self) -> Attempt:
        return self._read(lambda: self.http.get(f"{self.page}drive/files/"))

    def visor_page(self) -> Attempt:
        return self._read(lambda: self.http.get(f"{self.page}visor/"))

    # Writes of items

    def put_items(self) -> Attempt:
        both = f"{self.name()}-"
        one, two = f"{both}1", f"{both}2"

        def look() -> dict[str, int]:
            """Both at one moment: a put whose answer was lost may be committed in between."""
            found = exact_json(self.base_beside.query({"key?pfx": both}))
            return {item["key"]: item["n"] for item in found["items"]}

        return Attempt(
            lambda: self.base.put({"key": one, "n": 1}, {"key": two, "n": 2}), look, {}, {one: 1, two: 2}, (207,)
        )

    def put_in_new_base(self) -> Attempt:
        base = self.name()
        through, beside = (
            BaseClient(each.server, each.collection_id, base, each.key_id, each.key_text)
            for each in (self.base, self.base_beside)
        )
        item = {"key": "a", "n": 1}
        return Attempt(lambda: through.put(item), lambda: beside.stored("a"), None, item, (207,))

    def insert_item(self) -> Attempt:
        key = self.name()
        item = {"key": key, "n": 1}
        return Attempt(lambda: self.base.insert(item), lambda: self.base_beside.stored(key), None, item, (201,))

    def update_item(self) -> Attempt:
        key = self.name()
        self.base_beside.put({"key": key, "n": 1})
        return Attempt(
            lambda: self.base.update(key, {"increment": {"n": 1}, "set": {"a": 1}}),
            lambda: self.base_beside.stored(key),
            {"key": key, "n": 1},
            {"key": key, "n": 2, "a": 1},
        )

    def delete_item(self) -> Attempt:
        key = self.name()
        self.base_beside.put({"key": key})
        return Attempt(lambda: self.base.delete(key), lambda: self.base_beside.stored(key), {"key": key}, None)

    def save_in_table(self) -> Attempt:
        key = self.name()
        saved = {"save": str(uuid.uuid4()), "changes": [{"id": "1", "kind": "add", "key": key, "item": {"n": "1"}}]}
        return Attempt(
            lambda: self.http.post(f"{self.page}base/things/save/", json=saved),
            lambda: self.base_beside.stored(key),
            None,
            {"key": key, "n": 1},
        )

    # Writes of files

    def put_file(self) -> Attempt:
        name = self.name()
        self.drive_beside.put(name, BEFORE)
        return Attempt(
            lambda: self.drive.put(name, AFTER), lambda: self.drive_beside.content(name), BEFORE, AFTER, (201,)
        )

    def delete_file(self) -> Attempt:
        name = self.name()
        self.drive_beside.put(name, BEFORE)
        return Attempt(lambda: self.drive.delete(name), lambda: self.drive_beside.content(name), BEFORE, None)

    def start_upload(self) -> Attempt:
        return Attempt(lambda: self.drive.start(self.name()), lambda: None, None, None, (202,))

    def send_part(self) -> Attempt:
        name = self.name()
        upload_id = self.drive_beside.begin(name)
        return Attempt(lambda: self.drive.part(upload_id, name, 1, AFTER), lambda: None, None, None)

    def end_upload(self) -> Attempt:
        name = self.name()
        upload_id = self.drive_beside.begin(name, AFTER)
        return Attempt(lambda: self.drive.end(upload_id, name), lambda: self.drive_beside.content(name), None, AFTER)

    def abort_upload(self) -> Attempt:
        name = self.name()
        upload_id = self.drive_beside.begin(name, AFTER)
        return Attempt(lambda: self.drive.abort(upload_id, name), lambda: None, None, None)

    # People

    def new_collection(self) -> Attempt:
        name = self.name() + self.cast.collection.id
        return Attempt(
            lambda: self.http.post("/collections/new/", data={"name": name}),
            lambda: Collection.objects.filter(name=name).count(),
            0,
            1,
            (302,),
        )

    def sign_in(self) -> Attempt:
        # However often others have tried, and failed.
        Throttle.objects.all().delete()
        token = "t" * 32
        headers = {"X-CSRFToken": token, "Cookie": f"csrftoken={token}"}
        form = {"username": self.cast.member.username, "password": PASSWORD}
        address = f"{self.through.url}/sign-in/"
        return Attempt(
            lambda: shared_http().post(address, data=form, headers=headers), lambda: None, None, None, (302,)
        )
