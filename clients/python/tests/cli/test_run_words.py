"""The words behind `deta run --`: what input they make, and which make none."""

from typing import Any

import pytest

from deta.cli.commands.run import read_words
from deta.cli.errors import CliError


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {}),
        (["--name", "Jimmy"], {"name": "Jimmy"}),
        (["--name=Jimmy", "-loud"], {"name": "Jimmy", "loud": True}),
        (["--tag", "a", "--tag", "b", "--tag", "c"], {"tag": ["a", "b", "c"]}),
        (["--n", "-5", "--empty", ""], {"n": "-5", "empty": ""}),
        (["--n", "--x"], {"n": "--x"}),
    ],
)
def test_words_are_texts_lists_and_what_is_only_true(words: list[str], found: dict[str, Any]) -> None:
    assert read_words(tuple(words)) == found


@pytest.mark.parametrize("words", [["Jimmy"], ["--"], ["-"], ["---x"], ["--name"], ["--a", "1", "2"]])
def test_other_words_are_refused(words: list[str]) -> None:
    with pytest.raises(CliError, match=r"is no name|has no value"):
        read_words(tuple(words))
