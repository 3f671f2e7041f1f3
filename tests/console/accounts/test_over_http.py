"""Many passwords at once, against the running server: its processes count together, and hash a few at a time."""

import re
import secrets
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection

from console.accounts import hashing
from console.error_status import HashingBusy
from storage import limits
from tests.factories import make_client
from tests.people import PASSWORD, make_person
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

# Addresses of this file's own: what it does keeps them waiting.
GUESSER, CROWD, RIGHT = "127.0.0.31", "127.0.0.32", "127.0.0.33"


class SignInPage:
    """A browser at an address, on one of the server's listeners, each of which has processes of its own."""

    def __init__(self, server: Server, address: str, *, https: bool = False) -> None:
        base = server.tls_url.replace("localhost", "127.0.0.1") if https else server.url
        trusted = ssl.create_default_context(cafile=str(server.ca_path))
        self.http = httpx.Client(
            base_url=base,
            transport=httpx.HTTPTransport(local_address=address, verify=trusted),
            timeout=MOMENT_SECONDS,
            headers={"Referer": f"{base}/sign-in/"},
        )
        self.token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', self.http.get("/sign-in/").text)[0]

    def attempt(self, name: str, password: str) -> httpx.Response:
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self.token}
        return self.http.post("/sign-in/", data=form)


OpenPage = Callable[..., SignInPage]


@pytest.fixture
def open_page(server: Server) -> Iterator[OpenPage]:
    """Opens the page in a new browser; all are closed in the end."""
    with ExitStack() as stack:

        def open_one(address: str, *, number: int = 0) -> SignInPage:
            """Every second one on the other listener."""
            page = SignInPage(server, address, https=number % 2 == 1)
            stack.callback(page.http.close)
            return page

        yield open_one


@pytest.fixture
def person(server: Server) -> User:
    return make_person("guessed")


def test_of_24_wrong_passwords_at_once_five_are_looked_at(open_page: OpenPage, person: User) -> None:
    pages = [open_page(GUESSER, number=number) for number in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda page: page.attempt(person.username, "wrong"), pages))
    told = Counter(answer.status_code for answer in answers)
    assert set(told) <= {422, 429, 503}
    assert 1 <= told[422] <= limits.SIGN_IN_TRIES_FOR_ONE_NAME
    assert told[429] >= 24 - limits.SIGN_IN_TRIES_FOR_ONE_NAME - told[503]
    assert told[429] > 0
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code != 422)
    # Those that found no turn gave their tries back, so they may be made now; then it is over, in every process.
    for _ in range(limits.SIGN_IN_TRIES_FOR_ONE_NAME - told[422]):
        assert pages[0].attempt(person.username, "wrong").status_code == 422
    assert {page.attempt(person.username, PASSWORD).status_code for page in pages[:8]} == {429}


def test_a_crowd_that_signs_in_keeps_nobody_else_waiting(server: Server, open_page: OpenPage) -> None:
    client = make_client(server)
    client.put({"key": "a"})
    pages = [open_page(CROWD, number=number) for number in range(40)]
    with ThreadPoolExecutor(48) as pool:
        crowd = [pool.submit(page.attempt, f"nobody-{secrets.token_hex(4)}", "wrong") for page in pages]
        others = [pool.submit(client.get, "a") for _ in range(60)]
        readers = [pool.submit(pages[0].http.get, "/sign-in/") for _ in range(20)]
        assert {future.result().status_code for future in (*others, *readers)} == {200}
        answers = [future.result() for future in crowd]
    assert {answer.status_code for answer in answers} <= {422, 503}
    busy = [answer for answer in answers if answer.status_code == 503]
    assert all(answer.headers["Retry-After"] for answer in busy)
    # Who waits for a thread as long as may be is told by the server itself.
    told = ("Many people are signing in", "The server is busy")
    assert all(any(words in answer.text for words in told) for answer in busy)


def test_right_password_signs_in_and_the_browser_is_known(open_page: OpenPage, person: User) -> None:
    page = open_page(RIGHT)
    answer = page.attempt(person.username, PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "homeport_known" in page.http.cookies


def test_hashing_is_bounded_and_holds_no_connection(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HASH_WAIT_SECONDS", 0.1)
    hasher = hashing.BoundedHasher()
    User.objects.exists()
    assert connection.connection is not None
    hasher.encode("x", "salt", iterations=1)
    assert connection.connection is None
    taken = [hashing._places.acquire(blocking=False) for _ in range(limits.HASHES_AT_ONCE)]
    assert all(taken)
    try:
        with pytest.raises(HashingBusy):
            hasher.encode("x", "salt", iterations=1)
    finally:
        for _ in taken:
            hashing._places.release()
    line = [hashing._waiting.acquire(blocking=False) for _ in range(limits.HASHES_AT_ONCE + limits.HASHES_WAITING)]
    try:
        with pytest.raises(HashingBusy):
            hasher.encode("x", "salt", iterations=1)
    finally:
        for _ in line:
            hashing._waiting.release()
    assert hasher.encode("x", "salt", iterations=1)
