"""Which attributes of a JSON file's items could be their keys. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from storage.exact_json import is_number
from storage.names import is_text

_NAMES_KEPT = 100
_NAME_MAX_CHARACTERS = 200
_SAMPLES = 3
_SAMPLE_MAX_CHARACTERS = 40


class Candidate(msgspec.Struct):
    """An attribute whose values could be keys: some of them, and how many items have one."""

    name: str
    samples: list[str] = []
    items: int = 0


class Candidates:
    """Collects them from item after item. An attribute is one as soon as an item has a text or a number there."""

    def __init__(self) -> None:
        self._found: dict[str, Candidate] = {}

    def add(self, item: Mapping[str, Any]) -> None:
        for name, value in item.items():
            key = str(value) if is_number(value) else value
            if not isinstance(key, str) or not key:
                continue
            found = self._found.get(name)
            if found is None:
                if len(self._found) == _NAMES_KEPT or len(name) > _NAME_MAX_CHARACTERS or not is_text(name):
                    continue
                found = self._found[name] = Candidate(name)
            found.items += 1
            if len(found.samples) < _SAMPLES:
                short = key[:_SAMPLE_MAX_CHARACTERS]
                if short not in found.samples and is_text(short):
                    found.samples.append(short)

    def list(self) -> list[Candidate]:
        """`key` first if it is there, then those that most items have."""
        return sorted(self._found.values(), key=lambda each: (each.name != "key", -each.items))
