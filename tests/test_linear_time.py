"""What strangers send and store takes time by its length, and little of it: each case is the longest that is let in.

Regular expressions have a test of their own, and so have files that are previewed and what runs in helpers.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from console.base.explanations import explain_clause
from storage import limits
from storage.archive.entry_names import name_entries
from storage.archive.reading.json_stream import Broken, find_items
from storage.archive.reading.pasted import read_rows
from storage.archive.reading.tables import CsvItems
from storage.base import overviews
from storage.base.overviews import ClauseCount
from storage.base.query import Condition, parse_query
from storage.base.updates import apply_patch, parse_patch
from storage.errors import BadQuery, InvalidInput
from storage.exact_json import check_value, parse
from storage.redaction import Redactor, Secrets
from tests.processor_time import call_within

CHUNK = 262_144
WIDE = 40_000  # attributes of one object of the largest item


def patch_a_deep_path() -> None:
    with pytest.raises(InvalidInput, match="Bad update"):
        parse_patch({"set": {"a." * (limits.BODY_MAX_BYTES // 2 - 10) + "a": 1}})


def patch_many_deep_paths() -> None:
    parse_patch({"set": {"a." * 98 + f"a{number}": 1 for number in range(limits.BODY_MAX_BYTES // 210)}})


def patch_a_wide_object_often() -> None:
    patch = parse_patch({"set": {f"o.k{number}": 1 for number in range(WIDE)}})
    changed = apply_patch({"o": {f"k{number}": 0 for number in range(WIDE)}}, patch)
    assert set(changed["o"].values()) == {1}


def ask_for_a_deep_path() -> None:
    with pytest.raises(BadQuery, match="100 steps"):
        parse_query({"a." * (limits.BODY_MAX_BYTES // 2 - 10) + "a": 1})


def check_a_long_number() -> None:
    for digits in (b"1" * 16_000_000 + b"e0", b"1" + b"0" * 16_000_000 + b"e0", b"1." + b"1" * 16_000_000):
        with pytest.raises(InvalidInput):
            check_value(parse(b"[" + digits + b"]"))


def paste_many_columns() -> None:
    read_rows(",".join(f"c{number}" for number in range(400_000)).encode())


def paste_an_object_without_end() -> None:
    """Told by its first 64 KB, however deep or wide those are."""
    for beginning in (b'{"a":' * 20_000, b'{"items":[' + b"[" * 70_000, b'{"":1,' * 20_000, b'{"items":[{' * 10_000):
        assert read_rows(beginning).rows == []


def import_many_columns() -> None:
    head = ",".join(f"c{number}" for number in range(400_000)).encode()
    assert list(CsvItems("a", "a.csv", 1, lambda: iter([head])).read()) == []


def import_a_row_without_end() -> None:
    """A gigabyte of it: what is kept of it is bounded too."""

    def chunks() -> Any:
        yield b"a,b\n"
        yield from [b"x" * CHUNK] * 4_096

    with pytest.raises(Broken, match="a row is longer than"):
        list(CsvItems("a", "a.csv", 1, chunks).read())


def import_a_row_of_many_lines() -> None:
    def chunks() -> Any:
        yield b"a,b\n"
        yield from [b'"x\n",' * (CHUNK // 5)] * 4_096

    with pytest.raises(Broken, match="a row is longer than"):
        list(CsvItems("a", "a.csv", 1, chunks).read())


def import_spaces() -> None:
    """A gigabyte of them between two items."""

    def chunks() -> Any:
        yield b"[1,"
        yield from [b" " * CHUNK] * 4_096
        yield b"2]"

    found = list(find_items(chunks(), text_max_bytes=100))
    assert [(value.at, value.text) for value in found] == [(1, b"1"), (3 + CHUNK * 4_096, b"2")]


def name_deep_entries() -> None:
    name_entries([f"{number}/" + "a/" * 500 + "f" for number in range(2_000)])


def redact_many_secrets() -> None:
    secrets = Secrets([("Cookie", "; ".join(f"a={number:06d}" for number in range(40_000)))])
    redactor = Redactor(secrets)
    for _ in range(100):
        assert redactor.text("x" * 4_000) == "x" * 4_000
    assert redactor.text("039999 é 000007 000042") == "[redacted] é [redacted] [redacted]"


def redact_what_is_nearly_a_secret() -> None:
    redactor = Redactor(Secrets([]))
    for part in (
        "://a",
        "://a:",
        "bearer ",
        "bearer " + "a" * 900,
        "eyJ",
        "eyJabcdefgh.eyJ",
        "-----BEGIN PRIVATE KEY----",
        "-----BEGIN A A ",
    ):
        redactor.text(part * (CHUNK // len(part)))
        redactor.text(part + "A" * CHUNK)
    redactor.text("bearer " + "\t" * CHUNK)


def guess_a_long_name() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    clause = ClauseCount(Condition((letters * 200,), "eq", 1), {}, 0)
    assert "missing in every item" in explain_clause(clause, known=[letters[::-1] * 200] * 10)


def guess_among_many_names() -> None:
    """For as many conditions as are explained; each name has the letters of the one that is missing."""
    name, mixed = "abcdefghijklmnopqrstuvwxyz" * 2, random.Random(1)
    known = ["".join(mixed.sample(name, len(name))) for _ in range(16_000)]
    clause = ClauseCount(Condition((name,), "eq", 1), {}, 0)
    for _ in range(overviews._CLAUSES_EXPLAINED):
        explain_clause(clause, known=known)


@pytest.mark.parametrize(
    "do",
    [
        patch_a_deep_path,
        patch_many_deep_paths,
        patch_a_wide_object_often,
        ask_for_a_deep_path,
        check_a_long_number,
        paste_many_columns,
        paste_an_object_without_end,
        import_many_columns,
        import_a_row_without_end,
        pytest.param(import_a_row_of_many_lines, marks=pytest.mark.slow),
        pytest.param(import_spaces, marks=pytest.mark.slow),
        name_deep_entries,
        redact_many_secrets,
        redact_what_is_nearly_a_secret,
        guess_a_long_name,
        guess_among_many_names,
    ],
    ids=lambda do: do.__name__,
)
def test_the_longest_takes_little_time(do: Callable[[], None]) -> None:
    call_within(3, do)


def test_a_long_text_that_is_no_json_is_refused_with_its_byte() -> None:
    text = b"[" + b"1," * limits.BODY_MAX_BYTES + b"NaN]"
    with pytest.raises(InvalidInput, match="not JSON") as refused:
        parse(text)
    assert "byte" in refused.value.messages[1]
    with pytest.raises(InvalidInput) as refused:
        parse(b"[NaN]")
    assert refused.value.messages[1] == "NaN is not a JSON number"


def test_an_ancestor_is_found_wherever_it_stands_among_many_paths() -> None:
    paths = {f"b{number}.c": 1 for number in range(1_000)}
    for conflict in ("b7", "b7.c.d.e", "b999.c.d"):
        with pytest.raises(InvalidInput, match="Conflicting") as refused:
            parse_patch({"set": {**paths, conflict: 1}})
        assert "is an ancestor of" in refused.value.messages[1]
    parse_patch({"set": {**paths, "b": 1, "b7c": 1, "b7!": 1}})
