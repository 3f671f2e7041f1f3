"""Finds the view of a path in a table of Django's patterns.

Django's own resolver tries one pattern after the other and notes what it tried; here a path meets only those that have the same
word in the same place, and something behind it or not. Which of them it matches, and with what, the patterns themselves say.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.urls import URLPattern

# The word that tells patterns apart is the third part of a path: `{collection_id}/{name}/items/{key}`.
_WORD = 2

View = Callable[..., Any]


class Routes:
    """A table of patterns; the last one is for what no other matches. Arguments of a path are named, none by place."""

    def __init__(self, patterns: Sequence[URLPattern]) -> None:
        *named, last = patterns
        self._other: View = last.callback
        self._by_word: dict[tuple[str, bool], list[URLPattern]] = {}
        for each in named:
            self._by_word.setdefault(_word_of(str(each.pattern)), []).append(each)

    def find(self, path: str) -> tuple[View, dict[str, Any]]:
        """The view of a path, with the arguments that stand in it."""
        for each in self._by_word.get(_word_of(path), ()):
            match = each.pattern.match(path)
            if match:
                _, _, arguments = match
                return each.callback, arguments
        return self._other, {}


def _word_of(path: str) -> tuple[str, bool]:
    """The word, and whether anything follows it."""
    parts = path.split("/", _WORD + 1)
    return parts[_WORD] if len(parts) > _WORD else "", len(parts) > _WORD + 1
