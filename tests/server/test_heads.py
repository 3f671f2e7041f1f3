"""What a head is read as, and what is refused because two servers might read it in two ways."""

from typing import Any

import pytest

from console.server import heads, limits
from console.server.heads import BadRequest, Head, find_end, variables


def read(*lines: str | bytes) -> dict[str, object]:
    parts = [line.encode() if isinstance(line, str) else line for line in lines]
    data = b"\r\n".join(parts) + b"\r\n\r\n"
    assert find_end(data) == len(data)
    return variables(Head(data), scheme="http", client="192.0.2.1", server=("127.0.0.1", "8000"))


def refused(data: bytes) -> str:
    try:
        end = find_end(data)
        assert end > 0, "more is waited for"
        variables(Head(data[:end]), scheme="http", client="192.0.2.1", server=("127.0.0.1", "8000"))
    except BadRequest as error:
        return error.status
    return "it was read"


def test_a_head_becomes_the_variables_of_wsgi() -> None:
    line = "GET /v1/a%20b?x=1&y=%41 HTTP/1.1"
    found = read(line, "Host: home", "X-API-Key: k", "Content-Type: a/b", "Cookie: a=1", "Cookie: b=2")

    assert found["PATH_INFO"] == "/v1/a b"
    assert found["QUERY_STRING"] == "x=1&y=%41"
    assert (found["HTTP_HOST"], found["HTTP_X_API_KEY"], found["CONTENT_TYPE"]) == ("home", "k", "a/b")
    assert found["HTTP_COOKIE"] == "a=1; b=2"
    assert (found["REMOTE_ADDR"], found["SERVER_PORT"]) == ("192.0.2.1", "8000")


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_For", "X_API_Key", "_", "Content_Length", "Host_"])
def test_headers_with_underscores_are_dropped(name: str) -> None:
    found = read("GET / HTTP/1.1", "Host: home", f"{name}: 10.0.0.1")

    assert "10.0.0.1" not in found.values()


def test_two_keys_are_one_that_is_wrong() -> None:
    assert read("GET / HTTP/1.1", "Host: home", "X-API-Key: a", "x-api-key: b")["HTTP_X_API_KEY"] == "a,b"


@pytest.mark.parametrize(
    "target, path, query",
    [
        ("/é?prefix=ü+x", "/é", "prefix=ü+x"),
        ("http://elsewhere/a?b", "/a", "b"),
        ("//elsewhere/a", "//elsewhere/a", ""),
        ("*", "/", ""),
        ("/a#b", "/a#b", ""),
        ("/a?b#c", "/a", "b"),
        ('/{"a":1}<>|^`\\', '/{"a":1}<>|^`\\', ""),
    ],
)
def test_addresses_as_clients_write_them(target: str, path: str, query: str) -> None:
    found = read(f"OPTIONS {target} HTTP/1.1", "Host: home")

    assert str(found["PATH_INFO"]).encode("latin-1").decode() == path
    assert found["QUERY_STRING"] in (query, "prefix=%C3%BC+x")


@pytest.mark.parametrize(
    "target, host",
    [
        ("http://elsewhere/a", "elsewhere"),
        ("http://elsewhere:81?b", "elsewhere:81"),
        ("http://somebody:secret@elsewhere/", "elsewhere"),
        ("http://[::1]:81/", "[::1]:81"),
        ("/a", "home"),
        ("*", "home"),
    ],
)
def test_the_host_in_an_address_counts_for_more_than_the_header(target: str, host: str) -> None:
    assert read(f"OPTIONS {target} HTTP/1.1", "Host: home")["HTTP_HOST"] == host


@pytest.mark.parametrize("name", ["Upgrade", "upgrade", "UPGRADE"])
def test_an_offer_to_change_the_protocol_is_passed_over(name: str) -> None:
    head = Head(
        f"POST / HTTP/1.1\r\nHost: a\r\nConnection: {name}\r\n{name}: h2c\r\nContent-Length: 3\r\n\r\n".encode()
    )

    assert (head.length, head.keeps_alive) == (3, True)


@pytest.mark.parametrize("version, expects", [("1.1", True), ("1.0", False)])
def test_only_http_1_1_can_wait_to_be_told_to_go_on(version: str, expects: bool) -> None:
    head = Head(f"PUT / HTTP/{version}\r\nHost: a\r\nExpect: 100-Continue \r\nContent-Length: 3\r\n\r\n".encode())

    assert head.expects_continue is expects


def test_spaces_around_a_value_are_none_of_it() -> None:
    found = read("GET / HTTP/1.1", "Host: \t home", "X-API-Key:k \t", "X-Empty: \t")

    assert (found["HTTP_HOST"], found["HTTP_X_API_KEY"], found["HTTP_X_EMPTY"]) == ("home", "k", "")


def test_headers_that_came_before_are_those_of_their_own_request() -> None:
    """They are read once for requests of one kind; the line, and whatever else is different, is read anew."""

    def both(data: bytes) -> list[tuple[Any, ...]]:
        found = list[tuple[Any, ...]]()
        for _ in range(2):
            head = Head(data)
            told = variables(head, scheme="http", client="192.0.2.1", server=("127.0.0.1", "8000"))
            found.append((told, head.method, head.length, head.keeps_alive, head.expects_continue, head.version))
        assert found[0] == found[1]
        return found[:1]

    headers = "Host: a\r\nExpect: 100-continue\r\nX-Same: 1\r\nX-Same: 2\r\nContent-Length: 3"
    lines = (
        "PUT /one?a=b HTTP/1.1",
        "PUT /two HTTP/1.1",
        "PUT /one HTTP/1.0",
        "POST /\u00e4 HTTP/1.1",
        "ODD / HTTP/1.1",
    )
    found = [both(f"{line}\r\n{headers}\r\n\r\n".encode()) for line in lines]

    assert [each[0][1:] for each in found] == [
        ("PUT", 3, True, True, "1.1"),
        ("PUT", 3, True, True, "1.1"),
        ("PUT", 3, False, False, "1.0"),
        ("POST", 3, True, True, "1.1"),
        ("ODD", 3, True, True, "1.1"),
    ]
    assert [each[0][0]["PATH_INFO"] for each in found] == ["/one", "/two", "/one", "/\u00c3\u00a4", "/"]
    assert {each[0][0]["HTTP_X_SAME"] for each in found} == {"1,2"}


def test_line_is_read_as_strictly_behind_headers_that_are_known() -> None:
    good = b"GET / HTTP/1.1\r\nHost: a\r\nX-Known: before\r\n\r\n"
    Head(good)

    for line in (b"GET / HTTP/1.2", b"GET /a b HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET  HTTP/1.1", b"GET / RTSP/1.1"):
        with pytest.raises(BadRequest):
            Head(good.replace(b"GET / HTTP/1.1", line))


def test_no_more_than_a_number_of_headers_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_read", {})
    for number in range(600):
        Head(f"GET / HTTP/1.1\r\nHost: a\r\nX-Number: {number}\r\n\r\n".encode())
    Head(f"GET / HTTP/1.1\r\nHost: a\r\nX-Long: {'x' * 3000}\r\n\r\n".encode())

    assert len(heads._read) <= 256
    assert max(len(key[2]) for key in heads._read) < 2_048


BAD: list[tuple[str, bytes, str]] = [
    ("bare LF at the end of the line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", "400"),
    ("bare LF behind a header", b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400"),
    ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n", "400"),
    ("bare CR in a header", b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", "400"),
    ("two lengths", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
    ("the same length twice", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "400"),
    (
        "a length and chunks",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400",
    ),
    (
        "chunks and a length",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "400",
    ),
    ("a length that is none", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400"),
    ("a length below zero", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400"),
    ("a length with a sign", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "400"),
    ("a length beyond counting", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"),
    ("another transfer coding", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"),
    ("chunked twice", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "400"),
    (
        "chunked in two headers",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400",
    ),
    ("a coding and no length", b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", "400"),
    ("chunks before there were any", b"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    (
        "a coding behind a control character",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        "400",
    ),
    ("a list of lengths", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", "400"),
    ("a length with an underscore", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n", "400"),
    ("a header behind the line's end", b"GET / HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n", "400"),
    ("a head within a head", b"GET / HTTP/1.1\r\nHost: a\n\nGET /b HTTP/1.1\r\n\r\n", "400"),
    ("an address with a scheme and no host", b"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("an address that is no path", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("a tunnel", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("another protocol", b"GET / RTSP/1.0\r\nHost: a\r\n\r\n", "505"),
    ("a version with more digits", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400"),
    ("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
    ("a folded header", b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "400"),
    ("NUL in a header", b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n", "400"),
    ("NUL in the address", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("a space in the address", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("no host", b"GET / HTTP/1.1\r\nX: a\r\n\r\n", "400"),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
    ("a method that is no word", b"G<b>T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ("another version", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
    ("no version", b"GET /\r\n\r\n", "505"),
    ("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00", "400"),
    ("a long address", b"GET /" + b"a" * limits.TARGET_MAX_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n" * 2000, "414"),
    ("a long address without an end", b"GET /" + b"a" * limits.TARGET_MAX_BYTES, "414"),
    ("large headers", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * limits.HEAD_MAX_BYTES + b"\r\n\r\n", "431"),
    ("headers without an end", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * limits.HEAD_MAX_BYTES, "431"),
    ("many headers", b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + b"Host: a\r\n\r\n", "431"),
]


@pytest.mark.parametrize("data, status", [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_could_be_read_in_two_ways_is_refused(data: bytes, status: str) -> None:
    assert refused(data).startswith(status)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_head_in_pieces_is_read_as_one(step: int) -> None:
    whole = b"GET /a HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n"
    seen, ends = 0, []
    for end in range(step, len(whole) + step, step):
        ends.append(find_end(whole[:end], seen))
        seen = min(end, len(whole))
    assert ends == [-1] * (len(ends) - 1) + [len(whole)]


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_bare_line_feed_is_seen_wherever_the_pieces_end(step: int) -> None:
    whole = b"GET /a HTTP/1.1\r\nHost: a\nX: b"
    seen = 0
    found: list[int | str] = []
    for end in range(step, len(whole) + step, step):
        try:
            found.append(find_end(whole[:end], seen))
        except BadRequest as error:
            found.append(error.status)
            break
        seen = end
    assert found[-1] == "400 Bad Request"


@pytest.mark.parametrize(
    "version, header, keeps",
    [("1.1", "", True), ("1.1", "Close", False), ("1.0", "", False), ("1.0", "Keep-Alive", True)],
)
def test_whether_the_connection_goes_on(version: str, header: str, keeps: bool) -> None:
    lines = [f"GET / HTTP/{version}", "Host: a", *([f"Connection: {header}"] if header else [])]

    assert Head(("\r\n".join(lines) + "\r\n\r\n").encode()).keeps_alive is keeps
