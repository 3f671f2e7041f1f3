"""What is kept of a request as it is: only what redaction would leave as it is."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.visor.bodies import MOST
from console.visor.notes import Notes, sender_of
from storage import limits
from storage.events.blocks import OpenBlock, PackedEvents, open_contents, open_lines, pack

SECRET = "Q" * 32
KEY = f"abcdefghij_{SECRET}"
COOKIE = "Ada's word"
FOREIGN = "Gödels Wort"


def raw(text: str) -> str:
    """As WSGI hands its bytes over."""
    return text.encode().decode("latin-1")


HEADERS = {
    "HTTP_X_API_KEY": KEY,
    "HTTP_COOKIE": f"a={COOKIE}; b={raw(FOREIGN)}",
    "HTTP_ACCEPT": "*/*",
    "CONTENT_TYPE": "application/json",
}


def make_notes(**more: Any) -> Notes:
    """Those of a GET; `headers` are variables of the request, `etag` is a header of the answer."""
    sender = sender_of(HEADERS | more.pop("headers", {}))
    answered = [("Content-Type", more.pop("type", "application/json")), ("ETag", more.pop("etag", '"1"'))]
    fields = {"path": "notes/items/a", "query": "", "request": b"", "response": b'{"key":"a"}', "log": []} | more
    return Notes(
        collection_id="abcdefghij",
        at_ns=1_800_000_000_000_000_000,
        duration_ns=1_500_000,
        method=fields.pop("method", "GET"),
        status=fields.pop("status", "200 OK"),
        sender=sender,
        response_headers=answered,
        **fields,
    )


def stored(packed: PackedEvents) -> list[Any]:
    """What can be read of the events again, but for their ids, and what else is told of them."""
    block = OpenBlock("abcdefghij", packed.first_id)
    block.add(packed)
    closed = block.close()
    lines, (contents, _) = open_lines(closed.lines), open_contents(closed.contents)
    for line in lines:
        assert packed.first_id <= line.id <= packed.last_id
        line.id = ""
    return [lines, contents, packed.errors, packed.by_hand, packed.slowest_us]


def written_singly(*many: Notes) -> list[Any]:
    """The same of events that are looked at closely."""
    events = [notes.make_event() for notes in many]
    for event in events:
        event.line.key_id = 5
    return stored(pack(events))


def written_together(*many: Notes) -> list[Any]:
    return stored(Notes.in_columns(many).pack(collection_id="abcdefghij", key_id=5))


def is_kept(notes: Notes) -> bool:
    """Whether they are; then nothing of theirs was to be redacted or cut."""
    kept = notes.can_be_kept_as_they_are()
    if kept:
        with suppress(ValueError):  # a body is no text
            assert written_together(notes) == written_singly(notes)
    return kept


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"path": "notes/items/a b"},
        {"path": 'drive/files/"a"'},
        {"query": "limit=2&last=a"},
        {"request": b'{"items": []}', "response": '{"name": "Σ"}'.encode()},
        {"response": b""},
    ],
)
def test_ordinary_requests_are_kept(more: dict[str, Any]) -> None:
    """Looking closely at each would cost too much."""
    assert is_kept(make_notes(**more))


@pytest.mark.parametrize(
    "more",
    [
        {"path": f"notes/items/{SECRET}"},
        {"path": f"notes/items/{COOKIE}"},
        {"path": f"notes/items/{quote(COOKIE)}"},
        {"query": f"key={SECRET}"},
        {"query": COOKIE.replace(" ", "+")},
        {"query": quote(COOKIE)},
        {"path": raw(f"notes/items/{FOREIGN}")},
        {"query": raw(FOREIGN.replace(" ", "%20"))},
        {"etag": raw(FOREIGN)},
        {"response": FOREIGN.encode()},
        {"etag": KEY},
        {"etag": "x" * (limits.EVENT_TEXT_MAX_CHARACTERS + 1)},
        {"headers": {"HTTP_REFERER": f"http://a/{SECRET}"}},
        {"headers": {"CONTENT_TYPE": KEY}},
        {"headers": {"HTTP_REFERER": "x" * (limits.EVENT_TEXT_MAX_CHARACTERS + 1)}},
        {"request": SECRET.lower().encode()},
        {"request": b'{"cookie": "a=b"}'},
        {"request": b"x" * (MOST + 1)},
        {"response": f'"zyxwvutsrq_{"7" * 32}"'.encode()},
        {"response": b"x" * (MOST + 1)},
        {"path": " " * (limits.EVENT_TEXT_MAX_CHARACTERS // 3 + 1)},
        {"log": [("WARNING", "storage", SECRET)]},
    ],
)
def test_what_may_be_a_secret_or_is_too_long_is_looked_at_closely(more: dict[str, Any]) -> None:
    assert not is_kept(make_notes(**more))


@pytest.mark.parametrize(
    "more",
    [
        {"request": b"\x00\x01"},
        {"request": b"\x7f"},
        {"request": b"\xff"},
        {"response": b'{"a": "\x7f"}'},
        {"response": b"\xff"},
        {"response": b"\x00\x01", "type": "image/png"},
    ],
)
def test_what_is_no_text_is_not_written_as_such(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (one of two kinds, neither of which anybody is told)
        written_together(make_notes(), make_notes(**more))


def test_requests_that_are_written_together_are_written_as_each_by_itself() -> None:
    many = [
        make_notes(),
        make_notes(path="notes/items/a b", query="limit=2"),
        make_notes(path="notes/items/ä".encode().decode("latin-1"), query='a="b"'),
        make_notes(path='drive/files/"a"', query="a=\t"),
        make_notes(method="PUT", status="207 Multi-Status", request='{"items": ["Σ"]}'.encode()),
        make_notes(method="A-VERY-LONG-METHOD-INDEED", status="404 Not Found", response=b""),
        make_notes(status="500 x", headers={"HTTP_ACCEPT": "text/html", "CONTENT_TYPE": "text/plain"}),
    ]
    assert written_together(*many) == written_singly(*many)


PIECES = st.sampled_from(
    [
        SECRET,
        KEY,
        COOKIE,
        FOREIGN,
        "abcdefghij_",
        "sessionid=abc",
        "Q" * 31,
        "100%",
        "%51",
        "a",
        " ",
        "é",
        "+",
        "&",
        "\n",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, PIECES.map(quote), st.text(max_size=3)), max_size=4).map("".join)
RAW = TEXTS.map(raw)


@given(path=RAW, query=RAW, etag=RAW, accept=RAW, request=TEXTS.map(str.encode), response=TEXTS.map(str.encode))
@example(path="", query="", etag="", accept="", request=b"", response=b"\xff" + SECRET.encode())
def test_nothing_is_kept_that_redaction_would_change(
    path: str, query: str, etag: str, accept: str, request: bytes, response: bytes
) -> None:
    more: dict[str, Any] = {"headers": {"HTTP_ACCEPT": accept}, "type": "text/plain"}
    is_kept(make_notes(path=path, query=query, etag=etag, request=request, response=response, **more))
