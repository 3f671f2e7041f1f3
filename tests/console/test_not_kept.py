"""Who may keep an answer: nobody a page or JSON, a browser a file for as long as it asks, everybody what is static."""

from typing import Any

import httpx
import pytest

from tests.drives import make_drive
from tests.factories import make_client
from tests.people import make_cast, make_session

PRIVATE = "private, no-store"


@pytest.fixture
def browser(server: Any, database: None) -> httpx.Client:
    return httpx.Client(base_url=server.url, cookies={"sessionid": make_session(make_cast().server_owner)})


def test_pages_are_kept_by_nobody(server: Any, browser: httpx.Client) -> None:
    with browser:
        for path in ("/", "/account/", "/people/", "/jump/?q=a", "/not-there", "/?q=%00", "/collections/new/"):
            assert browser.get(path).headers["Cache-Control"] == PRIVATE, path
    for path in ("/", "/sign-in/", "/welcome/x/", "/join/x/", "/healthz", "/readyz"):
        assert httpx.get(server.url + path).headers["Cache-Control"] == PRIVATE, path
    assert httpx.get(f"{server.url}/", headers={"Host": "foreign.example"}).headers["Cache-Control"] == PRIVATE


def test_what_the_api_answers_is_kept_by_nobody(server: Any, database: None) -> None:
    client = make_client(server)
    answers = [client.put({"key": "a"}), client.get("a"), client.query(), client.get("none"), client.insert(1)]
    answers.append(client.get("a", headers={"If-None-Match": client.get("a").headers["ETag"]}))
    assert [answer.status_code for answer in answers] == [207, 200, 200, 404, 400, 304]
    assert {answer.headers["Cache-Control"] for answer in answers} == {PRIVATE}
    assert httpx.get(f"{server.url}/v1/nothing").headers["Cache-Control"] == PRIVATE


def test_a_file_may_be_kept_by_who_asks_each_time(server: Any, database: None) -> None:
    drive = make_drive(server)
    drive.put("a.txt", b"x")
    answer = drive.get("a.txt")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = drive.get("a.txt", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "private, no-cache")


def test_static_files_are_kept(server: Any, browser: httpx.Client) -> None:
    with browser:
        page = browser.get("/").text
        name = page.split('rel="stylesheet" href="')[1].split('"')[0]
        assert "max-age" in browser.get(name).headers["Cache-Control"]
