"""Share links as people meet them: made by members, opened by anybody, with a password or without, and what goes out then."""

import re
from collections.abc import Iterator

import httpx
import pytest
from django.db.models import QuerySet
from django.test import Client

from console.share_links import passwords
from console.share_links.tokens import make_token
from console.thread_kinds import kind_of_console
from storage import limits
from storage.drive import files
from storage.models import ShareLink
from storage.postgres.caller import Access
from tests.console.conftest import Browser
from tests.console.drive.visitor import Visitor, visiting
from tests.console.test_routes import make_drive
from tests.html import squeezed
from tests.matching import search
from tests.people import Cast
from tests.serving import Server

HTML = b"<!doctype html><script>document.title='run'</script>"


@pytest.fixture
def path(people: Cast) -> str:
    return f"/collections/{people.collection.id}/drive/{make_drive(people)}/links/"


def links_of(people: Cast) -> "QuerySet[ShareLink]":
    return ShareLink.objects.filter(drive_id__in=people.collection.drives.values("id"))


def make(client: Client, path: str, **form: str) -> str:
    """The path of a new link to `a.txt`."""
    answer = client.post(f"{path}new/?name=a.txt", {"hours": "24", "password": "", **form})
    assert answer.status_code == 200
    return search(r"https?://[^/]+(/s/[^/]+/)<", answer.content.decode()).group(1)


def test_a_link_is_shown_once_and_listed_by_its_beginning(people: Cast, browser: Browser, path: str) -> None:
    member = browser(people.member)
    link = make(member, path)
    token = link.split("/")[2]

    assert browser(None).get(link).content.decode().count("a.txt") == 2

    page = member.get(path).content.decode()
    assert token[:6] in page
    assert token not in page
    assert "active until" in page
    assert people.member.username in page
    stored = links_of(people).values_list().get()
    assert token not in str(stored)
    assert stored.count(token[:6]) == 1


def test_readers_neither_make_nor_see_links(people: Cast, browser: Browser, path: str) -> None:
    reader = browser(people.reader)
    assert reader.get(path).status_code == 403
    assert reader.post(f"{path}new/?name=a.txt", {"hours": "1"}).status_code == 403
    page = reader.get(path.removesuffix("links/")).content.decode()
    assert "Share" not in page
    assert 'data-command="share"' in browser(people.member).get(path.removesuffix("links/")).content.decode()


def test_a_link_is_bounded_in_time_and_belongs_to_a_file_that_is_there(
    people: Cast, browser: Browser, path: str
) -> None:
    member = browser(people.member)
    for hours in ("0", "-1", "999999", "x", ""):
        assert member.post(f"{path}new/?name=a.txt", {"hours": hours}).status_code == 422
    long = "x" * (limits.SHARE_PASSWORD_MAX_CHARACTERS + 1)
    assert member.post(f"{path}new/?name=a.txt", {"hours": "1", "password": long}).status_code == 422
    for name in ("none.txt", "", "a.txt/"):
        assert member.post(f"{path}new/?name={name}", {"hours": "1"}).status_code == 404
    assert not links_of(people).exists()


def test_what_leads_nowhere_is_answered_alike(people: Cast, browser: Browser, path: str) -> None:
    member, anybody = browser(people.member), browser(None)
    good = make(member, path)
    member.post(f"{path}{links_of(people).get().pk}/revoke/")
    token = good.split("/")[2]
    answers = []
    for link in (good, f"/s/{make_token()}/", f"/s/{token[:-1]}/", "/s/x/", f"/s/{token}x/", "/s/%C3%A9./"):
        for address in (link, f"{link}file/"):
            answer = anybody.get(address)
            answers.append((answer.status_code, re.sub('nonce-[^\']*|nonce="[^"]*"', "", answer.content.decode())))
            assert answer["Referrer-Policy"] == "same-origin"
            assert answer["X-Robots-Tag"] == "noindex, nofollow"
            assert answer["Cache-Control"] == "private, no-store"
    assert {status for status, _ in answers} == {404}
    assert len({re.sub(r"X-CSRFToken[^}]*", "", page) for _, page in answers}) == 1
    assert "revoked" in member.get(path).content.decode()


def test_a_password_is_asked_for_before_anything_is_told(people: Cast, browser: Browser, path: str) -> None:
    link = make(browser(people.member), path, password="open sesame +&%")
    anybody, other = browser(None), browser(None)
    page = anybody.get(link).content.decode()
    assert "a.txt" not in page
    assert "password" in page
    assert anybody.get(f"{link}file/").headers["Location"] == link
    wrong = anybody.post(link, {"password": "open sesame"})
    assert wrong.status_code == 422
    assert "a.txt" not in wrong.content.decode()
    right = anybody.post(link, {"password": "open sesame +&%"})
    assert (right.status_code, right["Location"]) == (302, link)
    cookie = right.cookies[passwords.COOKIE if passwords.COOKIE in right.cookies else f"__Host-{passwords.COOKIE}"]
    assert cookie["httponly"]
    assert cookie["max-age"] == limits.SHARE_OPEN_SECONDS
    assert "a.txt" in anybody.get(link).content.decode()
    assert "a.txt" not in other.get(link).content.decode()
    # It opens this link alone.
    another = make(browser(people.member), path, password="something else")
    assert "a.txt" not in anybody.get(another).content.decode()


def test_passwords_cannot_be_tried_for_ever(people: Cast, browser: Browser, path: str) -> None:
    link = make(browser(people.member), path, password="right")
    anybody = browser(None)
    for _ in range(limits.SHARE_PASSWORD_TRIES):
        assert anybody.post(link, {"password": "wrong"}).status_code == 422
    for password in ("wrong", "right"):
        refused = anybody.post(link, {"password": password})
        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= limits.SIGN_IN_WINDOW_SECONDS
        assert "Too many tries" in refused.content.decode()
    elsewhere = browser(None)
    assert elsewhere.post(link, {"password": "right"}, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_link_without_a_password_takes_none(people: Cast, browser: Browser, path: str) -> None:
    link = make(browser(people.member), path)
    answer = browser(None).post(link, {"password": "anything"})
    assert answer.status_code == 200
    assert not answer.cookies.get(passwords.COOKIE)


# What goes out, from the real server


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        yield one


@pytest.fixture
def anybody(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        yield client


def share(visitor: Visitor, name: str) -> str:
    """The path of a link that the member makes."""
    form = b"hours=1&password="
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = visitor.send("POST", f"links/new/?name={name}", form, **headers)
    assert answer.status_code == 200, answer.text
    return search(r"https?://[^/]+(/s/[^/]+/)<", squeezed(answer.text)).group(1)


def test_bytes_go_out_to_be_stored_and_are_counted(visitor: Visitor, anybody: httpx.Client) -> None:
    assert visitor.put("page + 1.html", HTML, content_type="text/html").status_code == 201
    link = share(visitor, "page%20%2B%201.html")
    row = ShareLink.objects.filter(file_name="page + 1.html").latest("id")

    answer = anybody.get(f"{link}file/")

    assert answer.content == HTML
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page + 1.html"'
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    # To go on with a download is none of its own, and neither is a look at the headers.
    assert anybody.get(f"{link}file/", headers={"Range": "bytes=5-8"}).content == HTML[5:9]
    assert anybody.head(f"{link}file/").headers["Content-Length"] == str(len(HTML))
    assert anybody.get(f"{link}file/", headers={"Range": f"bytes={len(HTML)}-"}).status_code == 416
    assert anybody.get(f"{link}file/", headers={"Range": "bytes=0-3"}).content == HTML[:4]
    row.refresh_from_db()
    assert row.downloads == 2
    assert row.last_used_at is not None
    assert "page + 1.html" in visitor.get("links/").text


class Large:
    """A file that is sent in more than one piece."""

    content_type: str | None = None

    def open(self) -> tuple[int, Iterator[bytes]]:
        return 2_000_000, iter([bytes(2_000_000)])


def test_a_link_takes_no_more_than_its_share_of_downloads(
    people: Cast, browser: Browser, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who have one may be anybody, and take what they asked for as slowly as they like."""
    monkeypatch.setattr(limits, "SHARE_DOWNLOADS_OF_ONE_LINK", 1)
    access = Access(people.collection.id, person_id=people.member.pk)
    files.put_file(access=access, drive="files", name="a.txt", content=Large())
    link, other = (make(browser(people.member), path) for _ in range(2))
    anybody = browser(None)
    anybody.raise_request_exception = False
    slow = anybody.get(f"{link}file/")
    assert (slow.status_code, slow.streaming) == (200, True)
    refused = anybody.get(f"{link}file/")
    assert (refused.status_code, refused["Retry-After"]) == (503, str(limits.RETRY_AFTER_SECONDS))
    assert len(b"".join(anybody.get(f"{other}file/"))) == 2_000_000
    monkeypatch.setattr(limits, "SHARE_DOWNLOADS_AT_ONCE", 1)
    assert anybody.get(f"{other}file/").status_code == 503
    # Read to its end, the client gives it back as a server would; `close` ends the test's transaction as well.
    assert len(b"".join(slow)) == 2_000_000
    assert len(b"".join(anybody.get(f"{link}file/"))) == 2_000_000


def test_a_link_follows_its_file_and_ends_with_it(visitor: Visitor, anybody: httpx.Client) -> None:
    visitor.put("old.txt", b"one")
    link = share(visitor, "old.txt")
    visitor.ask("rename/", **{"from": "old.txt", "to": "new.txt"})
    visitor.put("old.txt", b"another of that name")
    assert anybody.get(f"{link}file/").content == b"one"
    visitor.put("new.txt", b"two", if_exists="replace")
    assert anybody.get(f"{link}file/").content == b"two"
    deletion = visitor.ask("delete/", names=["new.txt"], folders=[]).json()
    visitor.put("new.txt", b"not shared")
    assert anybody.get(f"{link}file/").status_code == 404
    back = visitor.ask(f"deletions/{deletion['id']}/undo/").json()
    assert len(back["kept_both"]) == 1
    answer = anybody.get(f"{link}file/")
    assert (answer.status_code, answer.content) == (200, b"two")
    # The link's own page names it as it is called now.
    assert back["kept_both"][0] in anybody.get(link).text


def test_no_page_waits_while_somebody_tries_passwords() -> None:
    kinds = {method: kind_of_console({"PATH_INFO": "/s/x/", "REQUEST_METHOD": method}) for method in ("GET", "POST")}
    assert kinds == {"GET": "pages", "POST": "passwords"}
