"""Entries of zips: safe on every system, apart from each other, and the same each time."""

from itertools import islice, product

import pytest

from storage.archive.entry_names import EntryNames, name_entries, safe_label
from tests.archives import HOSTILE_NAMES


@pytest.mark.parametrize(
    "label, safe",
    [
        ("plain.txt", "plain.txt"),
        ("", "_"),
        (".", "_"),
        ("..", "_"),
        ("...", "_"),
        (".hidden", ".hidden"),
        ("NUL", "_NUL"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("COM\u00b9", "_COM\u00b9"),
        ("console.txt", "console.txt"),
        ("a:b", "a_b"),
        ("end.", "end_"),
        ("end ", "end_"),
        ("tab\there", "tab_here"),
        ("\u202eexe", "_exe"),
        ("\u65e5\u672c", "\u65e5\u672c"),
        (" lead", "_lead"),
        ("con .txt", "_con .txt"),
        ("CONIN$", "_CONIN$"),
        ("con" + " " * 300 + "x", "_con"),
        ("\u061cx\ufeff", "_x_"),
    ],
)
def test_safe_labels(label: str, safe: str) -> None:
    assert safe_label(label) == safe
    assert safe_label(safe) == safe


def test_long_labels_keep_their_ending() -> None:
    for label in ("x" * 900 + ".txt", "\u00fc" * 500 + ".jpeg", "y" * 1024, "z." + "e" * 500):
        cut = safe_label(label)
        assert len(cut.encode()) <= 200
        assert (
            cut.rpartition(".")[2] == label.rpartition(".")[2] or "." not in cut or len(label.rpartition(".")[2]) > 20
        )


def test_entries_are_apart_on_every_system() -> None:
    entries = name_entries(["A.txt", "a.TXT", "d/x", "D/X", "f", "f/g", "a?", "a_", "a*"])
    folded = [entry.casefold() for entry in entries.values()]
    assert len(set(folded)) == len(folded)
    assert entries["a_"] == "a_", "a name that is safe is not changed for one that is not"
    assert entries["f/g"] == "f/g"
    assert entries["f"] == "f (2)"


def test_entries_are_the_same_when_they_are_asked_for_again_and_never_collide() -> None:
    def ask() -> list[str]:
        names = EntryNames()
        return [names.for_base("notes"), names.for_base("NOTES")] + [
            names.for_file(drive, name) for drive in ("d", "D") for name in HOSTILE_NAMES
        ]

    found = ask()
    assert found == ask()
    assert len({entry.casefold() for entry in found}) == len(found)
    assert all(step not in ("", ".", "..") for entry in found for step in entry.split("/"))


def test_a_name_that_is_safe_and_free_stays() -> None:
    names = EntryNames()
    assert names.for_file("photos", "2024/.hidden/a b.txt") == "drives/photos/2024/.hidden/a b.txt"
    assert names.for_base("notes") == "bases/notes.json"


def test_a_name_that_comes_later_gives_way() -> None:
    names = EntryNames(reserved=["list"])
    assert [names.give(each) for each in ("a.txt", "A.txt", "a (2).txt", "list")] == [
        "a.txt",
        "A (2).txt",
        "a (2) (2).txt",
        "list (2)",
    ]


@pytest.mark.parametrize("name", ["a.txt/inside.txt", "/".join(["d" * 50] * 20) + "/inside.txt"])
def test_what_cannot_be_reached_by_its_path_gets_a_folder_of_its_own(name: str) -> None:
    names = EntryNames()
    names.give("a.txt")
    first, second = names.give(name), names.give(name.upper())
    assert [each.partition("/")[2] for each in (first, second)] == ["inside.txt", "INSIDE.TXT"]
    assert first[0] == second[0] == "~"
    assert first.partition("/")[0] != second.partition("/")[0]


@pytest.mark.slow
def test_names_that_are_all_alike_are_numbered_on() -> None:
    """Each looks on from where the last one ended: with a search from the start this would take hours."""
    alike = ["".join(marks) for marks in islice(product('?*:"<>|\\', repeat=6), 50_000)]
    assert len(set(name_entries(alike).values())) == 50_000
