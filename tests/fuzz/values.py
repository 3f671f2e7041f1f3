"""Odd values: as the bytes of an address or form, as the text of JSON, as the bytes of a header."""

from urllib.parse import quote

from hypothesis import strategies as st

_TEXTS = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "²",
        "\u0661",
        "1e400",
        "NaN",
        "Infinity",
        "null",
        "true",
        "[]",
        "{}",
        "on",
        "\u202e",
        "\ufeff",
    ),
    *(
        "\r\nX: y",
        "\t",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufffe",
        "\U0010ffff",
        "%",
        "%s%n",
        "{0}",
        "${x}",
        "{{x}}",
    ),
    *("a'b\"c", "<script>", "../../x", "//host/x", "javascript:x", "a/b/", "/", ".", "\\", "--", "'; DROP TABLE x"),
    *("9" * 20, "9" * 400, "-" + "9" * 30, "0" * 32, "f" * 32, "00000000-0000-0000-0000-000000000000"),
    *("0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30", "10000-01-01", "2026-01-01T00:00+99:99"),
    *('{"a":1e400}', '{"a?":1}', '[{"a?r":[1,2]}]', '{"a":"\\ud800"}', '{"a":"\\u0000"}', "[" * 2000, '{"a":' * 500),
    *("A" * 5000, "é" * 2000, "😀" * 500, "a," * 3000, "-name", "-", "name", "size", "key"),
]
# Behind percent-encoding, and without any: the bytes that stand in the address or the form.
_BYTES = [
    *(b"%00", b"a%00b", b"%ED%A0%80", b"%FF", b"%C0%80", b"%F4%90%80%80", b"%", b"%zz", b"%u0000", b"%2", b"+", b"%2B"),
    *(b"%252500", b"\x80\xff", b"\xed\xa0\x80", b"%EF%BF%BE", b"a=b=c", b";", b"%26", b"%FF%FE0%00"),
]
PLAIN = [quote(text, safe="").encode() for text in _TEXTS] + _BYTES

_JSON = [
    *("null", "true", "false", "0", "-1", "1.5", "1e400", "-1e400", "1e131071", "1e-400", "9" * 20, "9" * 5000, "-0"),
    *('""', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u202e"', '"\\r\\n"', f'"{"A" * 5000}"'),
    *("[]", "{}", "[null]", "[[]]", "[{}]", '["\\u0000"]', '{"a":null}', '{"":1}', '{"\\u0000":1}', '{"a":1,"a":2}'),
    *("[" * 150 + "]" * 150, "[" * 20000 + "]" * 20000, '{"a":' * 150 + "1" + "}" * 150, '["a",1,null,{}]'),
    *("NaN", "Infinity", "01", "'a'", "[1,]", "", '"\xed"', '"9999-12-31T23:59"', '"ffffffffffffffffffffffffffffffff"'),
]
JSON = [text.encode("latin-1") if text == '"\xed"' else text.encode() for text in _JSON]

# Whole bodies that are no JSON object, and no form.
BODIES = [
    *(
        b"",
        b"null",
        b"[]",
        b'"a"',
        b"1",
        b"{",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"\x00",
        b"\xff",
        b"[" * 100_000,
    ),
    *(b"&&&=", b"=", b"%00=%00", b"a" * 3_000_000, b"&".join([b"a=1"] * 1500), b"\r\n", b"--x\r\n\r\n--x--"),
]

# For any header, and for those that have a form of their own.
_HEADERS = [
    *(b"", b"*", b'"', b"-1", b"9" * 400, b"\xff", b"\xed\xa0\x80", b"\xc3\xa9", b"%00", b"a" * 7000, b"\t", b"a,b"),
    *(b"null", b"text/plain; charset=rot13", b"application/json;q=x", b"javascript:x", b"=;=;=", b";;;"),
]
_HEADERS_BY_NAME = {
    "Content-Type": [
        *(b"text/plain; charset=rot13", b"a/b; charset=zlib", b"a/b; charset=utf-7", b"a/b; charset=unicode_escape"),
        *(b"application/x-www-form-urlencoded; charset=utf-16", b"application/x-www-form-urlencoded; charset=\xff"),
        *(
            b"multipart/form-data",
            b"multipart/form-data; boundary=\xff",
            b"multipart/form-data; boundary=" + b"x" * 300,
        ),
        *(b"a/b;c*=x''%FF", b"a/b;c*=utf-8''%FF", b"text/html"),
    ],
    "Cookie": [
        *(
            b'a="\\000aaaaaaaa"',
            b'sessionid="\\000aaaaaaaaaa"; csrftoken="\\000"',
            b'messages="\\000:x"',
            b"a=b; " * 300,
        ),
        *(b"sessionid=" + b"a" * 5000, b'sessionid="\\377aaaaaaaa"', b"__Host-sessionid=x", b"csrftoken=\xff"),
    ],
    "Range": [
        *(
            b"bytes=",
            b"bytes=-",
            b"bytes=0-0",
            b"bytes=-0",
            b"bytes=9-1",
            b"bytes=0-,1-",
            b"bytes=" + b"9" * 400 + b"-",
        ),
    ],
    "If-None-Match": [b'""', b'W/"', b'"a", W/"b"'],
    "Host": [b"evil.example", b"a b", b"[::1", b"127.0.0.1:99999999", b"127.0.0.1:x", b"localhost\xff", b"..", b"/"],
    "If-Modified-Since": [
        b"Thu, 01 Jan 0000 00:00:00 GMT",
        b"Mon, 99 Foo 99999 99:99:99 GMT",
        b"Sat, 31 Dec 9999 23:59:59 GMT",
    ],
    "Referer": [b"http://[", b"//", b"http://" + b"x" * 3000],
    "Origin": [b"http://[", b"null", b"\xff"],
    "Accept-Language": [b"en;q=1e400", b"x" * 3000, b"*;q=-1"],
    "Accept-Encoding": [b"gzip;q=x", b"\xff, gzip"],
    "Content-Encoding": [b"gzip", b"identity", b"\xff"],
    "X-Api-Key": [b"a" * 10 + b"_" + b"k" * 32, b"_", b"a" * 10 + b"_" + b"\xff" * 32],
    "Hx-Current-Url": [b"http://[", b"%00", b"%FF"],
    "Hx-Target": [b"%00", b"panel", b"dialog", b"visor-live"],
}


def of_header(name: str) -> list[bytes]:
    """The odd values of a header."""
    return _HEADERS + _HEADERS_BY_NAME.get(name.title(), [])


CONTENT_TYPES = [
    *(
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"text/plain",
        b"",
    ),
]

_any_text = st.text(st.characters(codec="utf-8"), max_size=30).map(lambda text: quote(text, safe="").encode())
_any_bytes = st.binary(max_size=20).map(lambda raw: quote(raw, safe="").encode())
plain = st.one_of(st.sampled_from(PLAIN), st.sampled_from(PLAIN), _any_text, _any_bytes)


def header(name: str) -> st.SearchStrategy[bytes]:
    """Any value of a header, without what would end the line."""
    known = st.sampled_from(of_header(name))
    return st.one_of(known, known, st.binary(max_size=30).map(lambda raw: raw.translate(None, b"\r\n\0")))


def json_text(words: list[str]) -> st.SearchStrategy[bytes]:
    """The text of some JSON, mostly valid; `words` are names and texts that the code knows."""
    word = st.sampled_from(words).map(lambda text: f'"{text}"'.encode())
    leaf = st.one_of(st.sampled_from(JSON), word, st.integers().map(lambda number: str(number).encode()))
    return st.recursive(leaf, lambda inner: st.one_of(_lists(inner), _objects(word, inner)), max_leaves=8)


def _lists(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]")


def _objects(word: st.SearchStrategy[bytes], inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    pair = st.tuples(word, inner).map(lambda pair: pair[0] + b":" + pair[1])
    return st.lists(pair, max_size=4).map(lambda pairs: b"{" + b",".join(pairs) + b"}")
