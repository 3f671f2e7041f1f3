"""What is kept of a request without a closer look: only what redaction would not change."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.recording.bodies import MOST
from console.recording.exchange import CapturedExchange, redact, sender_of
from storage import limits

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


def make_exchange(**more: Any) -> CapturedExchange:
    """That of a GET; `headers` are variables of the request, `etag` is a header of the answer."""
    sender = sender_of(HEADERS | more.pop("headers", {}))
    answered = [("Content-Type", more.pop("type", "application/json")), ("ETag", more.pop("etag", '"1"'))]
    fields = {"path": "notes/items/a", "query": "", "request": b"", "response": b'{"key":"a"}', "log": []} | more
    return CapturedExchange(
        collection_id="abcdefghij",
        at_ns=1_800_000_000_000_000_000,
        duration_ns=1_500_000,
        method=fields.pop("method", "GET"),
        status=fields.pop("status", "200 OK"),
        sender=sender,
        response_headers=answered,
        **fields,
    )


def is_clean(exchange: CapturedExchange) -> bool:
    """Whether it is; then redaction would not change its event."""
    if not exchange.is_clean():
        return False
    event, redacted = exchange.make_event(), exchange.make_event()
    redact(redacted, exchange.sender.secrets)
    redacted.line.id = event.line.id
    assert redacted == event
    return True


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
def test_ordinary_requests_are_clean(more: dict[str, Any]) -> None:
    """Looking closely at each would cost too much."""
    assert is_clean(make_exchange(**more))


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
    assert not is_clean(make_exchange(**more))


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
def test_what_is_not_text_is_kept_as_its_hash(more: dict[str, Any]) -> None:
    content = make_exchange(**more).make_event().content

    body = content.request if "request" in more else content.response
    assert (body.text, body.digest[:8]) == (None, "SHA-256 ")


@pytest.mark.parametrize(
    "more, expected",
    [
        ({"path": "notes/items/a b", "query": "limit=2"}, ("GET", "notes/items/a%20b", "limit=2", 200)),
        ({"path": raw("notes/items/ä"), "query": 'a="b"'}, ("GET", "notes/items/%C3%A4", 'a="b"', 200)),
        ({"path": 'drive/files/"a"', "query": "a=\t"}, ("GET", "drive/files/%22a%22", "a=%09", 200)),
        ({"method": "PUT", "status": "207 Multi-Status"}, ("PUT", "notes/items/a", "", 207)),
        ({"method": "A-VERY-LONG-METHOD"}, ("A-VERY-LONG-METH", "notes/items/a", "", 200)),
        ({"status": "500 x"}, ("GET", "notes/items/a", "", 500)),
    ],
)
def test_event_tells_what_came(more: dict[str, Any], expected: tuple[str, str, str, int]) -> None:
    line = make_exchange(**more).make_event().line

    assert (line.method, line.path, line.query, line.status) == expected
    assert (line.duration_us, line.bytes_out) == (1_500, len(b'{"key":"a"}'))


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
    is_clean(make_exchange(path=path, query=query, etag=etag, request=request, response=response, **more))


def as_numbers(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


@pytest.mark.parametrize(
    "written", [KEY, as_numbers(KEY), quote(quote(KEY.replace("_", "%5f"))), f'"token": "{"z" * 300}']
)
@pytest.mark.parametrize("shorter", [0, 1, 10, 100, 1_000])
def test_secret_is_not_left_in_half_where_a_body_is_cut(written: str, shorter: int) -> None:
    """What stands before it gets shorter, as it holds secrets too: so what was cut off moves into what is kept."""
    before = KEY * 20
    fill = "x" * (MOST + 8192 - len(before) - len(written) + shorter)
    body = f"{before}{fill} {written}{'y' * 20_000}".encode()
    for part in ({"request": body}, {"response": body, "type": "text/plain"}):
        content = make_exchange(**part).make_event().content
        text = (content.request if "request" in part else content.response).text
        assert text is not None
        assert content.is_redacted
        assert len(text.encode()) <= MOST
        for half in (written[5:25], SECRET[:10], as_numbers(SECRET[:5])):
            assert half not in text or half in fill
