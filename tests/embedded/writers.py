"""Every kind of writer of a server, each in a thread that goes on for as long as the test wants, and what they were told."""

import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx

from tests.drives import PART, noise
from tests.people import PASSWORD
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

# With the settings of the server, whose database is not that of the tests.
_PREPARE = """
import django
django.setup()
from storage.base import bases
from storage.collections import keys
from storage.drive import drives
from storage.events import recording
from tests.people import make_cast, make_session
cast = make_cast("full")
collection_id = cast.collection.id
bases.ensure_base(collection_id=collection_id, name="things")
drives.ensure_drive(collection_id=collection_id, name="files")
recording.start_recording(collection_id)
key = keys.create_key(collection_id=collection_id, name="full")
small = make_cast("to be exported").collection.id
print(collection_id, small, key.text, make_session(cast.server_owner), cast.member.username)
"""
_TOKEN = "t" * 32  # of forms: any will do that is in the cookie as well
_NAMES = 6
_FILE_BYTES = 300_000
_ROWS = 400
# Between two writes of a kind: nobody is to leave no room for the others.
_PAUSE_SECONDS = 0.1
_LARGE_ONES_PAUSE_SECONDS = 1.0

Write = Callable[[httpx.Client, int], httpx.Response]


class Writers:
    """Writers of all kinds, at work between `with` and its end.

    An answer that is neither success nor a refusal in words fails the test at the end of the block, and so does a request
    that gets none.
    """

    def __init__(self, server: Server) -> None:
        self.collection_id, small, self._key, self._session, self._person = server.run_code(_PREPARE).split()
        self._server = server
        self._api = f"/v1/{self.collection_id}"
        self._page = f"/collections/{self.collection_id}"
        self._small_page = f"/collections/{small}"
        # Those that ask first whether there is room.
        self.gated: dict[str, Write] = {
            "items": self._put_items,
            "files": self._put_file,
            "uploads": self._upload,
            "table": self._save,
            "uploads of a person": self._upload_as_person,
            "imports": self._import,
            "exports": self._export,
        }
        # What they write is small, and has to go on for people to sign in and delete; requests are recorded by all of them.
        self.others: dict[str, Write] = {
            "snapshots": self._schedule,
            "sign-ins": self._sign_in,
            "keys": self._make_key,
            "the log": self._ask_in_vain,
        }
        self.stored: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(kind, write))
            for kind, write in (self.gated | self.others).items()
        ]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        self.wait_until_all_store()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def wait_until_all_store(self) -> None:
        """Until each of them was told once more that something is stored."""
        self._wait_for_more(self.stored, [*self.gated, *self.others])

    def wait_until_all_are_refused(self) -> None:
        """Until each that asks for room first was told once more that there is none."""
        self._wait_for_more(self.refused, list(self.gated))

    def wait_until_all_are_answered(self, times: int) -> None:
        """Until each of them was told so many times more whatever there was to tell."""
        before = self.stored + self.refused
        for kind in (*self.gated, *self.others):
            self._wait(partial(self._has_answers, kind, before[kind] + times), kind)

    def client(self) -> httpx.Client:
        """One for API and console alike."""
        return httpx.Client(
            base_url=self._server.url,
            headers={"X-CSRFToken": _TOKEN},
            cookies={"csrftoken": _TOKEN, "sessionid": self._session},
            timeout=MOMENT_SECONDS,
            trust_env=False,
        )

    def api(self, http: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
        """A request to the API below the collection."""
        return http.request(method, self._api + path, headers={"X-API-Key": self._key}, **options)

    def _wait_for_more(self, told: Counter[str], kinds: list[str]) -> None:
        before = told.copy()
        for kind in kinds:
            self._wait(partial(_is_over, told, kind, before[kind]), kind)

    def _has_answers(self, kind: str, number: int) -> bool:
        return self.stored[kind] + self.refused[kind] >= number

    def _wait(self, is_so: Callable[[], bool], kind: str) -> None:
        eventually(lambda: self.failures or is_so(), what=kind)
        assert not self.failures, self.failures

    def _work(self, kind: str, write: Write) -> None:
        number = 0
        try:
            with self.client() as http:
                while not self._over.is_set():
                    number += 1
                    answer = write(http, number)
                    (self.stored if is_success(kind, answer) else self.refused)[kind] += 1
                    time.sleep(_LARGE_ONES_PAUSE_SECONDS if kind in ("uploads", "exports") else _PAUSE_SECONDS)
        except BaseException as failure:
            self.failures.append(failure)

    # Each returns the first answer that is no success, or else the last.

    def _put_items(self, http: httpx.Client, number: int) -> httpx.Response:
        items = [{"key": f"{number % 50}-{each}", "text": f"{number}" * 1_000} for each in range(25)]
        return self.api(http, "PUT", "/things/items", json={"items": items})

    def _put_file(self, http: httpx.Client, number: int) -> httpx.Response:
        return self.api(http, "POST", f"/files/files?name=put-{number % _NAMES}", content=noise(_FILE_BYTES, number))

    def _upload(self, http: httpx.Client, number: int) -> httpx.Response:
        query = f"name=uploaded-{number % _NAMES}"
        answer = self.api(http, "POST", f"/files/uploads?{query}")
        if not answer.is_success:
            return answer
        upload = f"/files/uploads/{answer.json()['upload_id']}"
        for part, content in enumerate((noise(PART, number), b"end"), start=1):
            answer = self.api(http, "POST", f"{upload}/parts?{query}&part={part}", content=content)
            if not answer.is_success:
                return answer
        return self.api(http, "PATCH", f"{upload}?{query}")

    def _save(self, http: httpx.Client, number: int) -> httpx.Response:
        item = {"text": f'"{str(number) * 2_000}"'}
        change = {"id": "1", "kind": "add", "key": f"saved-{number}", "item": item}
        return http.post(f"{self._page}/base/things/save/", json={"save": str(uuid.uuid4()), "changes": [change]})

    def _upload_as_person(self, http: httpx.Client, number: int) -> httpx.Response:
        uploads = f"{self._page}/drive/files/uploads/"
        asked = {"name": f"sent-{number % _NAMES}", "size": _FILE_BYTES, "if_exists": "replace"}
        answer = http.post(uploads, json=asked)
        if not answer.is_success:
            return answer
        upload = f"{uploads}{answer.json()['id']}/"
        answer = http.put(f"{upload}parts/1/", content=noise(_FILE_BYTES, number))
        return http.post(f"{upload}end/") if answer.is_success else answer

    def _import(self, http: httpx.Client, number: int) -> httpx.Response:
        """Into the Base that the file is called after, until its first item is there.

        However it went, the import is deleted then, as only so many may wait.
        """
        rows = "".join(f'{{"key": "imported-{number}-{each}", "text": "{"x" * 2_000}"}}\n' for each in range(_ROWS))
        answer = http.post(f"{self._page}/imports/new/", data={"name": "things.ndjson", "size": len(rows)})
        if not answer.is_success:
            return answer
        places = answer.json()
        answer = http.post(f"{places['parts']}?start=0", content=rows.encode())
        if answer.is_success:
            answer = self._run_import(http, places["page"], f"imported-{number}-0")
        deleted = http.post(f"{places['page']}delete/")
        return answer if deleted.status_code < 400 else deleted

    def _run_import(self, http: httpx.Client, page: str, key: str) -> httpx.Response:
        """Choose all of it once it is checked, and look until the job worker has begun, unless that says why it does not."""
        while not self._over.is_set():
            asked = http.post(f"{page}run/")
            if asked.status_code == 507:
                return asked
            answer = self.api(http, "GET", f"/things/items/{key}")
            told = http.get(page)
            if answer.status_code != 404 or told.status_code != 200:
                return answer if answer.status_code != 404 else told
            if "free some space" in told.text:
                return httpx.Response(507, text=told.text)
            time.sleep(0.1)
        return httpx.Response(200)

    def _export(self, http: httpx.Client, number: int) -> httpx.Response:
        return http.post(f"{self._small_page}/exports/new/")

    def _schedule(self, http: httpx.Client, number: int) -> httpx.Response:
        form = {"every": "day" if number % 2 else "week", "keep": "2", "is_checked": "on"}
        return http.post(f"{self._small_page}/snapshots/", data=form)

    def _sign_in(self, http: httpx.Client, number: int) -> httpx.Response:
        """A session and an entry of the audit log, and both again at the end."""
        http.cookies = httpx.Cookies({"csrftoken": _TOKEN})
        answer = http.post("/sign-in/", data={"username": self._person, "password": PASSWORD})
        if answer.status_code != 302:
            return answer
        http.cookies = httpx.Cookies({"csrftoken": _TOKEN, "sessionid": answer.cookies["sessionid"]})
        return http.post("/sign-out/")

    def _make_key(self, http: httpx.Client, number: int) -> httpx.Response:
        return http.post(
            f"{self._page}/keys/new/", data={"name": f"key {number}", "rights": "write", "scope": "all", "days": "0"}
        )

    def _ask_in_vain(self, http: httpx.Client, number: int) -> httpx.Response:
        return http.get(f"/{'no-such-page' * 20}/{number}")


def _is_over(told: Counter[str], kind: str, number: int) -> bool:
    return told[kind] > number


def is_success(kind: str, answer: httpx.Response) -> bool:
    """Whether it was done. Raises AssertionError when an answer is neither that nor a refusal in words."""
    about = (kind, answer.status_code, answer.text[:1_000])
    if answer.status_code == 404 and kind == "the log":
        return True
    if answer.status_code < 400:
        return True
    assert answer.status_code in (503, 507), about
    is_json = answer.headers.get("Content-Type") == "application/json"
    said = " ".join(answer.json()["errors"]) if is_json else answer.text
    assert re.search("free some space|disk is full" if answer.status_code == 507 else "again", said), about
    return False
