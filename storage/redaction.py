"""Masks the secrets of what is recorded: of requests, and of what Micros print. Pure: texts in, texts out.

Three kinds of text are secrets: the value of a header that gives access, also where the same text appears elsewhere in the
request or the answer, in base64 or hexadecimal too; anything that looks like one (a data key, an access token or an API key, what
follows `Bearer`, a JSON Web Token, a private key, a password in an address); and what a header, field or parameter holds whose
name says that it is one. Each is also found behind percent-encoding and JSON's escapes, several times over.
"""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote, unquote_plus

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from storage import limits

_FEW_SECRETS = 16
REDACTED = "[redacted]"

# A shorter text is no secret worth the name, and would be found in half of all words.
_SHORTEST_SECRET = 6
# An access token or a data key. It begins with what it looks for first, which is found fast; what is before it, a key's
# collection, is public and stays.
_OURS = re.compile(r"_(?:(?<=hp_)[A-Za-z0-9]{40}|(?<=[a-z0-9]{10}_)[A-Za-z0-9]{32})")
_OURS_BYTES = re.compile(_OURS.pattern.encode())
# An API key of a Micro's, whose beginning its list shows.
_API_KEY = re.compile(r"\.(?<=(?<![A-Za-z0-9])[A-Za-z0-9]{8}\.)[A-Za-z0-9]{32}")
_API_KEY_BYTES = re.compile(_API_KEY.pattern.encode())
# A name that ends in one of these words is one of a secret: `client_secret`, `X-Auth-Token`, `csrftoken`, `apiKey`. What stands
# behind the first two may hold spaces, as in a line of headers; behind the others it ends at the next one.
_LINES = r"authorization|cookie"
_WORDS = (
    r"password|passwd|passphrase|secret|token|sessionid|session[-_]?key|api[-_]?key|credentials?"
    r"|(?:secret|private|access)[-_]?(?:access[-_]?)?key"
)
# Before the sign there may be the brackets of a form's field, as in `user[password]=`, or the word of a list of names and values,
# as in `"name": "Authorization", "value": "..."`; behind it what a language writes before a text, as Python does.
_NAME_ENDS = r"""(?:\\*+["'])?+(?:\](?:\[\])?+)?+\s*+"""
_THEN_VALUE = r"""(?:,?+\s*+(?:\\*+["'])?+value(?:\\*+["'])?+\s*+)?+"""
_PREFIX = r"""(?:[bfru]{1,2}+(?=["']))?+"""
_IS = rf"""{_NAME_ENDS}{_THEN_VALUE}[:=]>?+\s*+{_PREFIX}"""
# Of a header and its value in a list of two.
_PAIRED = rf"""\\*+["'],\s*+{_PREFIX}(?=\\*+["'])"""
_QUOTED = r"""\"(?P<double>(?:[^"\\]++|\\.)++)|'(?P<single>(?:[^'\\]++|\\.)++)|\\++["'](?P<escaped>[^"'\\]++)"""
_NO_VALUE = r"(?!(?:null|true|false)\b)"
_NAMED_LINES = re.compile(
    rf"""(?:{_LINES})(?:{_IS}|{_PAIRED})(?:{_QUOTED}|(?P<bare>[^"'\\&\r\n]++))""", re.IGNORECASE | re.DOTALL
)
_NAMED_WORDS = re.compile(
    rf"""(?:{_WORDS}){_IS}(?:{_QUOTED}|{_NO_VALUE}(?P<bare>[^\s"'\\&,;{{}}\[\]()<>]++))""", re.IGNORECASE | re.DOTALL
)
# A part of a form that is sent in parts, and an element of XML.
_NAMED_PARTS = re.compile(
    rf"""(?:{_WORDS}|{_LINES})(?:\](?:\[\])?+)?+"[^\r\n]{{0,200}}+(?:\r?\n[^\r\n]{{1,200}}+){{0,3}}+\r?\n\r?\n(?P<bare>[^\r\n]++)""",
    re.IGNORECASE,
)
_NAMED_ELEMENTS = re.compile(
    rf"""(?:{_WORDS}|{_LINES})(?:\s[^<>]{{0,200}}+)?+>\s*+(?P<bare>[^<>\s][^<>]*+)(?=</)""", re.IGNORECASE
)
# What tells by its shape that it opens something: what follows `Bearer`, a JSON Web Token, a private key in PEM and the
# password in an address. The words before them are looked for first, but for an address, which half of all texts have.
_BEARERS = re.compile(
    r"(?<![A-Za-z0-9])bearer\s{1,9}+(?=[A-Za-z._~+/=-]*+[0-9])(?P<bare>[A-Za-z0-9._~+/=-]{16,}+)", re.IGNORECASE
)
_WEB_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}+(?P<bare>\.eyJ[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]*+)?+)"
)
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?P<bare>(?:[A-Za-z0-9+/=\s\\:,.]|-(?!----))++)"
)
_IN_ADDRESS = re.compile(r"""://[^\s/?#@:"'<>\\]*+:(?P<bare>[^\s/?#@"'<>\\]++)@""")
_IN_ADDRESS_BYTES = re.compile(_IN_ADDRESS.pattern.encode())
# Of headers any key is taken for one that opens something, but for those that are known to be names of requests or copies.
_SECRET_HEADER = re.compile(
    rf"(?!(?:x-)?(?:idempotency|surrogate|cache|sort|partition|message|sec-websocket)-key\Z)"
    rf"(?:.*-)?(?:x-?)?(?:\w*(?:{_WORDS})|{_LINES}|auth|api-auth|signature|session|key)",
    re.IGNORECASE,
)
# What every text has in it that one of these matches, in lower case.
_BY_NAME = (_NAMED_LINES, _NAMED_WORDS, _NAMED_PARTS, _NAMED_ELEMENTS, _BEARERS, _WEB_TOKENS, _PEM)
_NAMES = (
    *(b"authorization", b"cookie", b"sessionid", b"session_key", b"session-key", b"sessionkey"),
    *(b"password", b"passwd", b"passphrase", b"secret", b"token", b"credential"),
    *(b"api_key", b"api-key", b"apikey", b"private_key", b"private-key", b"privatekey"),
    *(b"access_key", b"access-key", b"accesskey", b"private_access", b"private-access", b"privateaccess"),
    *(b"bearer", b".eyj", b"private key"),
)
# Of backslashes JSON may write any number before a character's number, one for each time that it was written as a text. A search
# that began again behind each of them would take time by the square of their number.
_JSON_ESCAPE = re.compile(r"(?<!\\)\\++(?:u([0-9A-Fa-f]{4})|(/))")
_MOST_DECODINGS = 4
# What JSON does not write as it is, and is no character's number.
_IN_JSON = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
# Written by its numbers in JSON that is itself a text in JSON, a character becomes seven.
_LONGEST_WRITTEN = 7


@lru_cache(maxsize=512)
def is_secret_header(name: str) -> bool:
    """Whether a header's name says that its value gives access."""
    return _SECRET_HEADER.fullmatch(name) is not None


# As numbers: looking for one byte as `bytes`, CPython first makes an exception for itself.
_PERCENT, _UNDERSCORE, _DOT, _BACKSLASH = b"%_.\\"

# Of longer secrets no automaton is kept: many senders are remembered, and anybody can be one.
_WORDS_MAX_BYTES = 2048


def _finder(words: Iterable[bytes]) -> Callable[[memoryview], list[Any]]:
    """What finds some words in a text, all looked for at once. Both are in ASCII's lower case.

    For `bytes` instead of a view of them it would let other threads run meanwhile, which costs far more than the look.
    """
    # Only matches of this kind are looked for with the processor's vectors, and this automaton is made fastest.
    made = BytesAhoCorasick(words, matchkind=MatchKind.LeftmostFirst, implementation=Implementation.NoncontiguousNFA)
    return made.find_matches_as_indexes


def _find_everything(text: memoryview) -> list[Any]:
    """What says that something is in any text: it has to be looked at closely."""
    return [text]


_find_names = _finder(_NAMES)


class Secrets:
    """The secret texts in headers that give access, and others that are known to be secret."""

    def __init__(self, headers: Iterable[tuple[str, str]], others: Iterable[str] = ()) -> None:
        found = set(others)
        for name, value in headers:
            found.update(_texts_in_cookies(value) if name in ("Cookie", "Set-Cookie") else _texts_in(value))
        # The longest first: one may be a part of another.
        texts = sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
        # What contains another in base64 contains that one's.
        if len(texts) <= _FEW_SECRETS:
            smallest = [text for text in texts if not any(other != text and other in text for other in texts)]
        else:
            # Somebody sends thousands, and comparing each with each would take seconds.
            smallest = texts
        in_json = [each for text in texts for each in _in_json(text)]
        in_base64 = [each for text in smallest for each in _in_base64(text)]
        in_hexadecimal = [each for text in smallest for each in _in_hexadecimal(text)]
        self.texts = sorted(dict.fromkeys([*texts, *in_json, *in_base64, *in_hexadecimal]), key=len, reverse=True)
        words = [*_NAMES, *(text.encode(errors="replace").lower() for text in self.texts)]
        self._find = _finder(words) if sum(map(len, words)) <= _WORDS_MAX_BYTES else _find_everything

    def are_missing_in(self, text: bytes) -> bool:
        """Whether bytes contain no secret, these or others. That is nearly always so, and one quick scan tells."""
        # Behind percent-encoding anything may stand.
        if _PERCENT in text or self._find(memoryview(text.lower())):
            return False
        # So it may behind a character's number, or a slash that needed no backslash.
        if _BACKSLASH in text and (b"\\u" in text or b"\\/" in text):
            return False
        if b"://" in text and _IN_ADDRESS_BYTES.search(text):
            return False
        has_ours = _UNDERSCORE in text and _OURS_BYTES.search(text)
        return not (has_ours or (_DOT in text and _API_KEY_BYTES.search(text)))


def _texts_in_cookies(value: str) -> set[str]:
    values = [part.partition("=")[2].strip().strip('"') for part in value.split(";")]
    return {*values, *map(unquote, values)}


def _texts_in(value: str) -> set[str]:
    """What of a header's value is as good as the whole of it to who reads it."""
    words = value.split()
    # A key with something behind it is refused, and is as good as the key itself.
    found = {value, *value.split("_")[1:], *(part[: limits.SECRET_CHARACTERS] for part in value.split("_")[1:])}
    # Of `Token token="abc", name=def` the values; of `Bearer abc` and `Token abc` what follows the first word.
    for word in words[1:]:
        found.update((word, word.rstrip(","), word.rstrip(",").partition("=")[2].strip('"')))
    if len(words) == 2 and words[0].lower() == "basic":
        try:
            decoded = b64decode(words[1]).decode(errors="replace")
            found.update((decoded, decoded.partition(":")[2]))
        except (NoBase64, ValueError):
            pass
    return found


def _in_json(text: str) -> tuple[str, str]:
    """A text as JSON writes it, and once more where that is a text in JSON."""
    once = text.translate(_IN_JSON)
    return once, once.replace("\\", "\\\\").replace('"', '\\"')


def _in_base64(text: str) -> set[str]:
    """The characters that stand for a text in base64, whatever comes before and after it, in both alphabets."""
    data = text.encode(errors="replace")
    found = set()
    for before in range(3):
        # Of six bits each, only those are its own that lie between its first and its last bit.
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            found.add(encode(bytes(before) + data)[first:end].decode())
    return found


def _in_hexadecimal(text: str) -> tuple[str, str]:
    written = text.encode(errors="replace").hex()
    return written, written.upper()


class Redactor:
    """Masks the secrets of one request; `has_found` says whether there were any.

    Without `by_name` what stands behind the name of a secret is left as it is.
    """

    def __init__(self, secrets: Secrets, *, by_name: bool = True) -> None:
        self._secrets = secrets.texts
        self._by_name = by_name
        self._many: BytesAhoCorasick | None = None
        self.has_found = False

    @property
    def longest(self) -> int:
        """How many characters half a secret may have, however it is written."""
        return _LONGEST_WRITTEN * max(64, len(self._secrets[0]) if self._secrets else 0)

    def text(self, text: str) -> str:
        """The text without secrets. Where one stands behind percent-encoding or JSON's escapes, it is the decoded text."""
        clean = decoded = self._plain(text)
        for _ in range(_MOST_DECODINGS):
            before, decoded = decoded, _decoded(decoded)
            if decoded == before:
                break
            if (cleaned := self._plain(decoded)) != decoded:
                clean = decoded = cleaned
        if clean != text:
            self.has_found = True
        return clean

    def _plain(self, text: str) -> str:
        clean = self._without_secrets(text)
        if "_" in clean:
            clean = _OURS.sub(f"_{REDACTED}", clean)
        if "." in clean:
            clean = _API_KEY.sub(f".{REDACTED}", clean)
        if self._by_name and _find_names(memoryview(clean.encode(errors="replace").lower())):
            for named in _BY_NAME:
                clean = named.sub(_masked, clean)
        if self._by_name and "://" in clean:
            clean = _IN_ADDRESS.sub(_masked, clean)
        return clean

    def _without_secrets(self, text: str) -> str:
        """The text without this request's secrets. Many of them are looked for at once, or each would cost a pass of its own."""
        if len(self._secrets) <= _FEW_SECRETS:
            for secret in self._secrets:
                if secret in text:
                    text = text.replace(secret, REDACTED)
            return text
        if self._many is None:
            words = [secret.encode(errors="surrogatepass") for secret in self._secrets]
            self._many = BytesAhoCorasick(words, matchkind=MatchKind.LeftmostLongest)
        data, parts, reached = text.encode(errors="surrogatepass"), [], 0
        for _, start, end in self._many.find_matches_as_indexes(data):
            parts += [data[reached:start], REDACTED.encode()]
            reached = end
        return b"".join([*parts, data[reached:]]).decode(errors="surrogatepass")

    def query(self, query: str) -> str:
        """A query string without secrets, those behind percent-encoding included."""
        if not query:
            return query
        if "%" in query or "+" in query:
            query = "&".join(map(self._pair, query.split("&")))
        return self.text(query)

    def _pair(self, pair: str) -> str:
        decoded = unquote_plus(pair)
        clean = self.text(decoded)
        if clean == decoded:
            return pair
        name, equals, value = clean.partition("=")
        return quote_plus(name) + equals + quote_plus(value, safe="[]")


def _masked(named: "re.Match[str]") -> str:
    """What was found, a name for instance, without its value."""
    value = str(named.lastgroup)
    start, end = named.start(value) - named.start(), named.end(value) - named.start()
    return named[0][:start] + REDACTED + named[0][end:]


def _decoded(text: str) -> str:
    """A text with one level of percent-encoding less, and without the escapes that JSON can do without.

    What it then says is the same, and still JSON if it was.
    """
    if "%" in text:
        text = unquote(text)
    return _JSON_ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(escape: "re.Match[str]") -> str:
    character = escape[2] or chr(int(escape[1], 16))
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else escape[0]
