"""Takes secrets out of what Micros print and answer to runs, before anybody reads or keeps it (`storage/redaction.py`).

A Micro's own are its data key and the values of its variables: each as a whole, and each line of one, as lines are what is
printed. What looks like a secret of somebody's counts as well: data keys, API keys, what a name says is a password.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from storage import limits
from storage.micro_host import Line, Wanted
from storage.redaction import Redactor, Secrets


class Masking:
    """Of one Micro as it runs: `secret_texts` are its own. Any thread may use it."""

    def __init__(self, secret_texts: Iterable[str]) -> None:
        self._texts = tuple(secret_texts)

    def text(self, text: str) -> str:
        """The text without secrets; it takes a few milliseconds for 4 KB at worst."""
        if self._secrets.are_missing_in(text.encode(errors="replace")):
            return text
        return Redactor(self._secrets).text(text)

    def answer(self, answer: bytes, *, most_bytes: int) -> tuple[str, bool]:
        """The beginning of what a run answered, without secrets, and whether it was longer.

        What a name says is a password stays: functions are run to answer with such. JSON stays JSON where it was, unless a number
        is a secret.
        """
        redactor = Redactor(self._secrets, by_name=False)
        # At the end of what is looked at, half a secret may stand.
        margin = redactor.longest
        text = answer[: most_bytes + margin].decode(errors="replace")
        is_longer = len(answer) > most_bytes + margin
        if not self._secrets.are_missing_in(text.encode()):
            text = redactor.text(text)
        kept = (text[:-margin] if is_longer else text).encode(errors="replace")
        return kept[:most_bytes].decode(errors="ignore"), is_longer or len(kept) > most_bytes

    def line(self, line: Line) -> Line:
        """The line without secrets, as long as one may be: of a longer one the end goes, where half a secret may stand."""
        text = self.text(line.text)
        if len(line.text) > limits.MICRO_LINE_MAX_CHARACTERS:
            text = text[: min(limits.MICRO_LINE_MAX_CHARACTERS, max(len(text) - self._longest, 0))]
        return line if text is line.text else replace(line, text=text)

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._texts), default=0)

    @cached_property
    def _secrets(self) -> Secrets:
        return Secrets((), {part for text in self._texts for part in (text, *map(str.strip, text.splitlines()))})


def masking_of(wanted: Wanted) -> Masking:
    """Of a Micro that runs as this says."""
    return Masking((wanted.data_key, wanted.data_key.rpartition("_")[2], *wanted.variables.values()))
