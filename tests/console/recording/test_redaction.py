"""What is made unreadable, and what is left as it is."""

import pytest

from console.visor.redaction import Redactor, Secrets

KEY = "abcdefghij_" + "Q" * 32
ENCODED = "".join(f"%{ord(each):02x}" for each in KEY)
OTHER = "zyxwvutsrq_" + "7" * 32


def secrets(**headers: str) -> Secrets:
    names = {"key": "X-API-Key", "cookie": "Cookie", "authorization": "Authorization"}
    return Secrets([(names[name], value) for name, value in headers.items()])


@pytest.mark.parametrize(
    "headers, text, expected",
    [
        ({"key": KEY}, f"my key is {KEY}!", "my key is [redacted]!"),
        ({"key": KEY}, "Q" * 32, "[redacted]"),
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
        ("name=a%20b&last=", "name=a%20b&last="),
        ("", ""),
    ],
)
def test_query(query: str, expected: str) -> None:
    assert Redactor(secrets(key=KEY)).query(query) == expected
