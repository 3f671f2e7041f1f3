"""The head of a request: its line and its headers, read by llhttp, and what they say as the variables of WSGI.

Requests that two servers might read in two ways are refused: lines that end in a bare LF, lengths that contradict each other,
spaces where none belong (llhttp's strict rules). Headers whose names have an underscore are left out, as WSGI could not tell
`X_Forwarded_For` from `X-Forwarded-For`.
"""

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools

from console.server import limits

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")
# Clients write other characters than ASCII unencoded into an address (contract: Drive).
_UNENCODED = re.compile(rb"[\x80-\xff]")
_METHOD = re.compile(rb"[A-Z]{1,32}")
_VERSIONS = (b" HTTP/1.1", b" HTTP/1.0")
_KNOWN_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
# What is kept of headers that came before, and of how long ones.
_READ_MOST, _READ_MAX_BYTES = 256, 2_048
_KNOWN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class BadRequest(Exception):
    """The request can't be read. `status` and `message` are the answer."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


# By the method, the last digit of the version and the headers: length, keeps_alive, expects_continue and variables of a `Head`.
# For an event loop's thread alone.
_read: dict[tuple[str, bool, bytes], tuple[int | None, bool, bool, dict[str, str]]] = {}


class Head:
    """One head. `length` is that of the body, None when it comes in chunks, 0 without one; `size_bytes` is its own.

    `variables` are those of WSGI that its headers make.
    """

    __slots__ = (
        "expects_continue",
        "headers",
        "keeps_alive",
        "length",
        "method",
        "size_bytes",
        "target",
        "variables",
        "version",
    )

    def __init__(self, data: bytes) -> None:
        """Reads one that is complete. Raises BadRequest."""
        self.headers: list[tuple[str, str]] = []
        self.target = b""
        self.expects_continue = self.keeps_alive = False
        self.length: int | None = 0
        self.size_bytes = len(data)
        line_end = data.index(b"\r\n")
        is_http = data.endswith(_VERSIONS, 0, line_end)
        if not data.isascii():
            data = _UNENCODED.sub(_encode, data[:line_end]) + data[line_end:]
            line_end = data.index(b"\r\n")
        method, _, rest = data.partition(b" ")
        self.method = method.decode("latin-1")
        # A client sends the same headers again and again: they are read once, and then the line alone.
        kind = (self.method, is_http, data[line_end - 1 :]) if len(data) <= _READ_MAX_BYTES else None
        read = _read.get(kind) if kind is not None else None
        if read is not None:
            data = data[:line_end] + _END
        # llhttp knows a list of methods; which of any may be used is for the application to say.
        data = data if method in _KNOWN_METHODS or not _METHOD.fullmatch(method) else b"GET " + rest
        parser = httptools.HttpRequestParser(self)
        try:
            # Of an offer to change the protocol llhttp tells when it has read the whole head. It is never taken up.
            with suppress(httptools.HttpParserUpgrade):
                parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BadRequest("400 Bad Request", f"The request can't be read: {error}") from None
        if not is_http:
            # llhttp reads other protocols as well, RTSP among them.
            raise BadRequest("505 HTTP Version Not Supported", "This server speaks HTTP/1.1")
        self.version = parser.get_http_version()
        if read is None:
            self._conclude()
            read = (self.length, self.keeps_alive, self.expects_continue, _variables(self.headers))
            if kind is not None:
                if len(_read) >= _READ_MOST:
                    _read.clear()
                _read[kind] = read
        self.length, self.keeps_alive, self.expects_continue, self.variables = read

    def on_url(self, part: bytes) -> None:
        """llhttp found the address, or a part of it."""
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp found a header."""
        # The spaces behind a value are none of it; those before it llhttp has taken away.
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1").rstrip(" \t")))

    def _conclude(self) -> None:
        if len(self.headers) > limits.HEADERS_MAX:
            raise BadRequest(
                "431 Request Header Fields Too Large", f"A request has at most {limits.HEADERS_MAX} headers"
            )
        connection, hosts = "", 0
        for name, value in self.headers:
            if name == "connection":
                connection += f",{value.lower()}"
            elif name == "content-length":
                self.length = int(value)
            elif name == "transfer-encoding":
                self.length = None
                if self.version == "1.0":
                    raise BadRequest("400 Bad Request", "HTTP/1.0 has no transfer codings")
                if value.lower() != "chunked":
                    raise BadRequest("501 Not Implemented", "The only transfer coding understood is `chunked`")
            elif name == "host":
                hosts += 1
            elif name == "expect":
                self.expects_continue = self.version == "1.1" and value.lower() == "100-continue"
        if hosts != 1 and (hosts or self.version == "1.1"):
            raise BadRequest("400 Bad Request", "A request has one Host header")
        tokens = [token.strip() for token in connection.split(",")]
        self.keeps_alive = "close" not in tokens if self.version == "1.1" else "keep-alive" in tokens


def find_end(data: bytes, seen: int = 0) -> int:
    """Where the head at the start of these bytes ends; -1 when more has to come. Raises BadRequest when none can come.

    The first `seen` bytes were looked at before, so that a head that comes byte by byte costs no more than another.
    """
    end = data.find(_END, max(0, seen - len(_END) + 1))
    if end >= 0:
        if end > limits.HEAD_MAX_BYTES or data.find(b"\r\n") > limits.TARGET_MAX_BYTES:
            raise _too_large(data)
        return end + len(_END)
    if len(data) > limits.HEAD_MAX_BYTES or (data.find(b"\r\n") == -1 and len(data) > limits.TARGET_MAX_BYTES):
        raise _too_large(data)
    if data and not 0x41 <= data[0] <= 0x5A:
        raise BadRequest("400 Bad Request", "This is no HTTP request; is it meant for the https port?")
    if _BARE_LF.search(data, max(0, seen - 1)):
        raise BadRequest("400 Bad Request", "Lines of a request end in CR LF")
    return -1


def variables(head: Head, *, scheme: str, client: str, server: tuple[str, str]) -> dict[str, Any]:
    """The variables of WSGI, but for the body. Values are bytes as characters of Latin-1. Raises BadRequest."""
    target, host = head.target, None
    if not target.startswith(b"/"):
        target, host = _origin_form(target)
    path, _, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        # As it was written, for who passes it on.
        "RAW_URI": target.partition(b"#")[0].decode("latin-1"),
        "QUERY_STRING": query.partition(b"#")[0].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": f"HTTP/{head.version}",
        "REMOTE_ADDR": client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    environ.update(head.variables)
    if host is not None:
        # It counts in place of the header (RFC 9112, 3.2.2), by which another server may have let the request pass.
        environ["HTTP_HOST"] = host
    return environ


def _variables(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Those of headers."""
    found: dict[str, str] = {}
    for name, value in headers:
        variable = _variable(name)
        if not variable:
            continue
        if variable in found:
            # Of several cookies the browser's own separator, of all others the one of RFC 9110.
            value = f"{found[variable]}{'; ' if variable == 'HTTP_COOKIE' else ','}{value}"
        found[variable] = value
    return found


@lru_cache(maxsize=512)
def _variable(name: str) -> str:
    """The variable of a header; none for one that could be mistaken for another."""
    if "_" in name:
        return ""
    return _KNOWN.get(name) or "HTTP_" + name.upper().replace("-", "_")


def _origin_form(target: bytes) -> tuple[bytes, str | None]:
    """The path with the query, and the host, of an address with a scheme, as a client sends it to what it takes for a proxy."""
    if target == b"*":
        return b"/", None
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadRequest("400 Bad Request", "The address can't be read") from None
    host = url.host.decode("latin-1")
    if ":" in host:
        host = f"[{host}]"
    path = url.path or b"/"
    return path + (b"?" + url.query if url.query else b""), f"{host}:{url.port}" if url.port else host


def _encode(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


def _too_large(data: bytes) -> BadRequest:
    line = data.partition(b"\r\n")[0]
    if len(line) > limits.TARGET_MAX_BYTES:
        return BadRequest("414 URI Too Long", f"An address has at most {limits.TARGET_MAX_BYTES:,} bytes")
    return BadRequest(
        "431 Request Header Fields Too Large", f"The headers of a request have at most {limits.HEAD_MAX_BYTES:,} bytes"
    )
