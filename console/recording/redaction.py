"""Masks the secrets of a request before it is recorded. Pure: texts in, texts out.

Three kinds of text are secrets: the value of a header that gives access, also where the same text appears elsewhere in the
request or the answer; anything that looks like a data key; and the value of such a header or of a session's cookie
where a body or a query string spells it out by name.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote_plus, unquote, unquote_plus

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from storage import limits

_FEW_SECRETS = 16
REDACTED = "[redacted]"
SECRET_HEADERS = frozenset({"X-API-Key", "Cookie", "Set-Cookie", "Authorization", "Proxy-Authorization"})

# A shorter text is no secret worth the name, and would be found in half of all words.
_SHORTEST_SECRET = 6
# It begins with what it looks for first, which is found fast; the id before it is public and stays.
_DATA_KEY = re.compile(r"_(?<=[a-z0-9]{10}_)[A-Za-z0-9]{32}")
_DATA_KEY_BYTES = re.compile(_DATA_KEY.pattern.encode())
_NAMED = re.compile(
    r"""((?:x-api-key|authorization|set-cookie|cookie)["']?\s*[:=]\s*["']?)((?:\\.|[^"'\\&\r\n])+)""", re.IGNORECASE
)
_SESSION = re.compile(r"((?:sessionid|csrftoken)(?:=|%3[Dd]|[\"']\s*:\s*[\"']))([^\s;,&\"'\\]+)")
# What every text that the two above match has in it, in lower case.
_NAMES = (b"authorization", b"x-api-key", b"cookie", b"sessionid", b"csrftoken")


# As numbers: looking for one byte as `bytes`, CPython first makes an exception for itself.
_PERCENT, _UNDERSCORE = b"%_"

# Of longer secrets no automaton is kept: many senders are remembered, and anybody can be one.
_WORDS_MAX_BYTES = 1024


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
    """The secret texts in headers that give access."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        found: set[str] = set()
        for name, value in headers:
            if name in ("Cookie", "Set-Cookie"):
                found.update(part.partition("=")[2].strip().strip('"') for part in value.split(";"))
            else:
                found.update((value, *value.split("_")[1:], *value.split()[1:]))
                # A key with something behind it is refused, and is as good as the key itself to who reads it.
                found.update(part[: limits.SECRET_CHARACTERS] for part in value.split("_")[1:])
        # The longest first: one may be a part of another.
        self.texts = sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
        words = [*_NAMES, *(text.encode(errors="replace").lower() for text in self.texts)]
        self._find = _finder(words) if sum(map(len, words)) <= _WORDS_MAX_BYTES else _find_everything

    def are_missing_in(self, text: bytes) -> bool:
        """Whether bytes contain no secret, these or others. That is nearly always so, and one quick scan tells."""
        # Behind percent-encoding anything may stand.
        if _PERCENT in text or self._find(memoryview(text.lower())):
            return False
        return not (_UNDERSCORE in text and _DATA_KEY_BYTES.search(text))


class Redactor:
    """Masks the secrets of one request; `has_found` says whether there were any."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets.texts
        self._many: BytesAhoCorasick | None = None
        self.has_found = False

    @property
    def longest(self) -> int:
        """How many characters half a secret may have."""
        return max(64, len(self._secrets[0]) if self._secrets else 0)

    def text(self, text: str) -> str:
        """The text without secrets. Where one stands behind percent-encoding, it is the decoded text."""
        clean = self._plain(text)
        if "%" in clean and (decoded := unquote(clean)) != clean and (cleaned := self._plain(decoded)) != decoded:
            clean = cleaned
        if clean != text:
            self.has_found = True
        return clean

    def _plain(self, text: str) -> str:
        clean = self._without_secrets(text)
        if "_" in clean:
            clean = _DATA_KEY.sub(f"_{REDACTED}", clean)
        if _find_names(memoryview(clean.encode(errors="replace").lower())):
            clean = _SESSION.sub(rf"\1{REDACTED}", _NAMED.sub(rf"\1{REDACTED}", clean))
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
