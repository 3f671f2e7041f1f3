"""What is made unreadable, and what is left as it is."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial, reduce

import pytest

from storage.redaction import Redactor, Secrets, is_secret_header

KEY = "abcdefghij_" + "Q" * 32
ENCODED = "".join(f"%{ord(each):02x}" for each in KEY)
TOKEN = "hp_" + "7" * 40
OTHER = "zyxwvutsrq_" + "7" * 32


def secrets(**headers: str) -> Secrets:
    names = {"key": "X-API-Key", "cookie": "Cookie", "authorization": "Authorization"}
    return Secrets([(names[name], value) for name, value in headers.items()])


@pytest.mark.parametrize(
    "headers, text, expected",
    [
        ({"key": KEY}, f"my key is {KEY}!", "my key is [redacted]!"),
        ({"key": KEY}, "Q" * 32, "[redacted]"),
        ({}, f"this one: {TOKEN}.", "this one: hp_[redacted]."),
        ({"authorization": f"Bearer {TOKEN}"}, f"say {TOKEN}", "say [redacted]"),
        ({"authorization": f"Bearer {TOKEN}"}, TOKEN[3:], "[redacted]"),
        ({}, f"hp_{'7' * 39}", f"hp_{'7' * 39}"),
        ({"key": KEY}, f"another one: {OTHER}.", "another one: zyxwvutsrq_[redacted]."),
        ({"key": "my password"}, '{"a": "my password"}', '{"a": "[redacted]"}'),
        (
            {"cookie": "sessionid=CANARYcookie; theme=dark-mode-on"},
            "CANARYcookie dark-mode-on",
            "[redacted] [redacted]",
        ),
        ({"authorization": "Bearer abcdef123456"}, "say abcdef123456", "say [redacted]"),
        ({}, '{"X-API-Key": "what\\"ever", "b": 1}', '{"X-API-Key": "[redacted]", "b": 1}'),
        ({}, '{"cookie":"sessionid=abc; a=b"}', '{"cookie":"[redacted]"}'),
        ({}, "sessionid=abcdef&a=1", "sessionid=[redacted]&a=1"),
        ({}, '{"csrftoken": "abc"}', '{"csrftoken": "[redacted]"}'),
        ({"key": KEY}, '{"name": "Ada_Lovelace", "n": 1}', '{"name": "Ada_Lovelace", "n": 1}'),
        ({"cookie": "a=b"}, "a b a b", "a b a b"),
        ({"key": KEY}, f"http://a/?b={ENCODED}&c=100%", "http://a/?b=[redacted]&c=100%"),
        ({"key": KEY}, "100% of a%20b", "100% of a%20b"),
        ({"key": KEY + "x"}, "Q" * 32, "[redacted]"),
        # How a capital sigma is written small depends on what follows it.
        ({"cookie": "a=ξδωψθΣ"}, "ξδωψθΣξ", "[redacted]ξ"),
        ({"cookie": "a=" + "long" * 1000}, "long" * 1000, "[redacted]"),
        ({}, '{"COOKIE": "a=b"}', '{"COOKIE": "[redacted]"}'),
        ({}, f"abcdefghij_{'Q' * 31}", f"abcdefghij_{'Q' * 31}"),
        ({}, f"an API key: aB3dEfGh.{'Q' * 32}!", "an API key: aB3dEfGh.[redacted]!"),
        ({}, f"aB3dEfGh%2e{'Q' * 32}", "aB3dEfGh.[redacted]"),
        ({}, f"aB3dEfGh.{'Q' * 31}, longer-aB3dEfGhi.{'Q' * 32}", f"aB3dEfGh.{'Q' * 31}, longer-aB3dEfGhi.{'Q' * 32}"),
    ],
)
def test_text(headers: dict[str, str], text: str, expected: str) -> None:
    made = Redactor(secrets(**headers))

    assert made.text(text) == expected
    assert made.has_found is (text != expected)
    # The quick look may be wrong in one direction only.
    assert text == expected or not secrets(**headers).are_missing_in(text.encode())


def test_quick_look_lets_plain_texts_pass() -> None:
    """It would be of no use otherwise."""
    assert secrets(key=KEY, cookie="a=some secret").are_missing_in(
        '{"key": "a_b", "name": "Ada Lovelace Σ", "age": 36}'.encode()
    )


@pytest.mark.parametrize(
    "query, expected",
    [
        (f"a=1&key={KEY}", "a=1&key=[redacted]"),
        (f"key={KEY.replace('_', '%5F')}", "key=[redacted]"),
        (f"key={ENCODED}&b=%20", "key=[redacted]&b=%20"),
        ("key=some+secret+word&b=+", "key=[redacted]&b=+"),
        ("name=a%20b&last=", "name=a%20b&last="),
        ("", ""),
    ],
)
def test_query(query: str, expected: str) -> None:
    assert Redactor(secrets(key=KEY, cookie="a=some secret word")).query(query) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"password": "a&b c\\"d", "n": 1}', '{"password": "[redacted]", "n": 1}'),
        ('{"user":{"old_password":"x y"},"n":1}', '{"user":{"old_password":"[redacted]"},"n":1}'),
        ('{"token": 12345, "secret": null, "n": 1}', '{"token": [redacted], "secret": null, "n": 1}'),
        ('{\\"client_secret\\":\\"abc\\",\\"n\\":1}', '{\\"client_secret\\":\\"[redacted]\\",\\"n\\":1}'),
        ("access_token=xyz&b=2", "access_token=[redacted]&b=2"),
        ("api_key=xyz; apikey: abc, b=2", "api_key=[redacted]; apikey: [redacted], b=2"),
        ("X-Auth-Token: abc\r\nHost: a", "X-Auth-Token: [redacted]\r\nHost: a"),
        ("Authorization: Token abc def\nHost: a", "Authorization: [redacted]\nHost: a"),
        ("Proxy-Authorization: Basic abc", "Proxy-Authorization: [redacted]"),
        ("curl -H 'Cookie: a=b; c=d' http://a/", "curl -H 'Cookie: [redacted]' http://a/"),
        (
            '{"csrfmiddlewaretoken":"a","sessionid":"b"}',
            '{"csrfmiddlewaretoken":"[redacted]","sessionid":"[redacted]"}',
        ),
        (
            '{"aws_secret_access_key":"a","privateKey":"b"}',
            '{"aws_secret_access_key":"[redacted]","privateKey":"[redacted]"}',
        ),
        ('{"\\u0070assword":"x"}', '{"password":"[redacted]"}'),
        # It is still JSON, and says the same.
        (
            '{"a":"say \\u0022hi\\u0022 \\u005c","\\u0070assword":"x"}',
            '{"a":"say \\"hi\\" \\\\","password":"[redacted]"}',
        ),
        ("password%3Dx%26b%3D1", "password=[redacted]&b=1"),
        ('{"secret":"it was c', '{"secret":"[redacted]'),
        ("user[password]=x&user[keys][token][]=y&b=1", "user[password]=[redacted]&user[keys][token][]=[redacted]&b=1"),
        ("user%5Bpassword%5D=x&b=1", "user[password]=[redacted]&b=1"),
        (
            '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\na b\r\n--x--',
            '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n[redacted]\r\n--x--',
        ),
        (
            'name="user[api_key]"; filename="a"\nContent-Type: a/b\nX: y\n\na b\nc',
            'name="user[api_key]"; filename="a"\nContent-Type: a/b\nX: y\n\n[redacted]\nc',
        ),
        ("<a><password>x y</password><n>1</n></a>", "<a><password>[redacted]</password><n>1</n></a>"),
        ('<s:Token a="b"> x </s:Token>', '<s:Token a="b"> [redacted]</s:Token>'),
        ('<input name="csrf_token" value="x"> Password', '<input name="csrf_token" value="[redacted]"> Password'),
        ('[{"name": "Cookie", "value": "a=b; c=d"}]', '[{"name": "Cookie", "value": "[redacted]"}]'),
        ('{\\"key\\":\\"api_key\\",\\"value\\":\\"x\\"}', '{\\"key\\":\\"api_key\\",\\"value\\":\\"[redacted]\\"}'),
        ('[["Authorization", "Bearer x"], ["A", "b"]]', '[["Authorization", "[redacted]"], ["A", "b"]]'),
        ("[(b'cookie', b'a=b'), (b'a', b'b')]", "[(b'cookie', b'[redacted]'), (b'a', b'b')]"),
        ("{'token': b'x', :secret => \"y\"}", "{'token': b'[redacted]', :secret => \"[redacted]\"}"),
        ("postgres://ada:p4ss:w0rd@db:5432/x?a=b@c", "postgres://ada:[redacted]@db:5432/x?a=b@c"),
        ('{"url": "redis://:geheim@[::1]:6379", "n": 1}', '{"url": "redis://:[redacted]@[::1]:6379", "n": 1}'),
        ("to=https%3A%2F%2Fada%3Ageheim%40a.b%2F", "to=https://ada:[redacted]@a.b/"),
        ("sent Bearer abcdefghijklmnop1 to it", "sent Bearer [redacted] to it"),
        ('{"a": "bearer  0123456789abcdef=="}', '{"a": "bearer  [redacted]"}'),
        ("a eyJhbGciOiJI.eyJzdWIiOiIx.c2ln b", "a eyJhbGciOiJI[redacted] b"),
        ("a eyJhbGciOiJI.eyJzdWIiOiIx.", "a eyJhbGciOiJI[redacted]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIE/+=\n-----END RSA PRIVATE KEY-----\nrest",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nrest",
        ),
        (
            '{"k": "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n", "n": 1}',
            '{"k": "-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\\n", "n": 1}',
        ),
        (
            '{"k": "-----BEGIN EC PRIVATE KEY-----\\nMI", "n": 1}',
            '{"k": "-----BEGIN EC PRIVATE KEY-----[redacted]", "n": 1}',
        ),
        # These are none: the words stand in the middle of a name, or hold no text.
        ("https://a.b:8000/c:d@e http://ada@a.b:80/ 10:30 a@b ://", None),
        ("bearer responsibilities, the bearer 12, forbearers0123456789abcdef", None),
        ("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----, a private key", None),
        ("keyJhbGciOiJI.eyJzdWIiOiIx.c2ln a.eyJ", None),
        ('{"tokenizer": "bpe", "tokens": ["a"], "secretary": "b"}', None),
        ('{"password": {"min_length": 10}, "token": true}', None),
        ('{"required": ["password", "token", "name"], "password": ["It is too short."]}', None),
        ("<label>Password</label><p>The token, and its value</p>", None),
        ('"password"\r\n\r\n', None),
        ('{"path": "C:\\\\users", "text": "line\\nbreak \\u00e4"}', None),
    ],
)
def test_what_is_known_by_its_name(text: str, expected: str | None) -> None:
    made = Redactor(Secrets([]))
    assert made.text(text) == (text if expected is None else expected)
    assert made.has_found is (expected is not None)
    assert expected is None or not Secrets([]).are_missing_in(text.encode())


@pytest.mark.parametrize(
    "name, is_secret",
    [
        (name, True)
        for name in ("X-API-Key", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Auth-Token")
    ]
    + [
        (name, True)
        for name in ("X-Csrftoken", "X-Csrf-Token", "X-Xsrf-Token", "Api-Key", "Apikey", "X-Amz-Security-Token")
    ]
    + [(name, True) for name in ("X-Secret", "X-Access-Token", "X-Auth", "X-Hub-Signature", "X-Session")]
    + [(name, True) for name in ("Ocp-Apim-Subscription-Key", "X-Functions-Key", "X-Auth-Key", "Key", "X-Key")]
    + [(name, False) for name in ("Idempotency-Key", "X-Idempotency-Key", "Surrogate-Key", "Sec-Websocket-Key")]
    + [(name, False) for name in ("Accept", "Content-Type", "Host", "Www-Authenticate", "Access-Control-Allow-Headers")]
    + [(name, False) for name in ("Authority", "X-Token-Count", "Etag", "X-Request-Id", "X-Author")],
)
def test_headers_are_known_by_their_name(name: str, is_secret: bool) -> None:
    assert is_secret_header(name) is is_secret


@pytest.mark.parametrize(
    "name, value, secret",
    [
        ("Authorization", "Token abcdef123456", "abcdef123456"),
        ("Authorization", 'Token token="abcdef123456", realm="x"', "abcdef123456"),
        ("Authorization", "Basic " + b64encode(b"ada:a very long word").decode(), "a very long word"),
        ("Authorization", "Basic !!!", "Basic !!!"),
        ("X-Auth-Token", "abcdef123456", "abcdef123456"),
        ("Cookie", "a=b; session=abc%2Fdef%2F123", "abc/def/123"),
        ("Set-Cookie", "session=abcdef123456; Path=/", "abcdef123456"),
    ],
)
def test_secrets_of_a_header_are_found_elsewhere(name: str, value: str, secret: str) -> None:
    assert Redactor(Secrets([(name, value)])).text(f"say {secret}!") == "say [redacted]!"
    assert not Secrets([(name, value)]).are_missing_in(f"say {secret}!".encode())


def by_percent(text: str, form: str) -> str:
    return "".join(f"%{ord(each):{form}}" for each in text)


def by_number(text: str, form: str = "04x", backslashes: int = 1) -> str:
    return "".join("\\" * backslashes + f"u{ord(each):{form}}" for each in text)


def in_base64(text: str, before: int, encode: Callable[[bytes], bytes] = b64encode) -> str:
    return encode(b"\xff\xfe\xfd"[:before] + text.encode() + b"\xff\xfe").decode()


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "percent": lambda text: by_percent(text, "02x"),
    "percent, upper case": lambda text: by_percent(text, "02X"),
    "percent twice": lambda text: by_percent(by_percent(text, "02x"), "02X"),
    "percent four times": lambda text: reduce(lambda inner, _: by_percent(inner, "02x"), range(4), text),
    "one percent code": lambda text: text[:5] + by_percent(text[5], "02X") + text[6:],
    "one number": lambda text: text[:5] + by_number(text[5]) + text[6:],
    "numbers": by_number,
    "numbers, upper case": lambda text: by_number(text, "04X"),
    "slashes behind backslashes": lambda text: text.replace("/", "\\/"),
    "numbers in a text of JSON": lambda text: by_number(text, backslashes=2),
    "numbers in a text in a text": lambda text: by_number(text, backslashes=4),
    "numbers behind percent": lambda text: by_percent(by_number(text), "02x"),
    **{f"base64 after {before}": partial(in_base64, before=before) for before in range(3)},
    **{
        f"base64 for addresses after {before}": partial(in_base64, before=before, encode=urlsafe_b64encode)
        for before in range(3)
    },
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "base64 behind percent": lambda text: by_percent(in_base64(text, 1), "02x"),
}


@pytest.mark.parametrize("way", WRITTEN)
@pytest.mark.parametrize(
    "value", [KEY, "a word with spaces", "words/with/slashes", 'with "quotes" / and \\', "Gödels Wort ~~~???"]
)
def test_secret_is_found_however_it_is_written(way: str, value: str) -> None:
    made = Secrets([("X-Auth-Token", value)])
    written = WRITTEN[way](value)
    text = f'{{"a": "{written}", "b": 1}}'
    clean = Redactor(made).text(text)
    assert "[redacted]" in clean
    assert written[3:-3] not in clean
    assert not made.are_missing_in(text.encode())
    # The key of another is told by its shape alone.
    if value == KEY and not way.startswith(("base64", "hexadecimal")):
        assert "[redacted]" in Redactor(Secrets([])).text(text)


@pytest.mark.parametrize("value", [KEY, 'it\'s "quoted" \\ and long'])
def test_secret_written_as_json_writes_it_is_found(value: str) -> None:
    made = Secrets([("X-Auth-Token", value)])
    for text in (json.dumps({"a": value}), json.dumps(json.dumps({"a": value}))):
        assert value[2:-2] not in Redactor(made).text(text)
        assert json.dumps(value)[3:-3] not in Redactor(made).text(text)
        assert not made.are_missing_in(text.encode())
