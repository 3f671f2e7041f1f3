"""What the benchmark says of its figures, and how it shows them. Nothing is measured here."""

from pathlib import Path

import pytest

from bench.goals import GOALS, Goal
from bench.tables import BEGIN, END, Table, as_markdown, as_text, write_markdown
from bench.verdicts import Figure, bound_text, goals_table, judge

LEAST, MOST = Goal("a", "a share", 0.5), Goal("b", "memory", 720, is_most=True, unit="MB")


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (LEAST, 0.5, "reached"),
        (LEAST, 0.4999, "within 5 %"),
        (LEAST, 0.475, "within 5 %"),
        (LEAST, 0.4749, "below"),
        (LEAST, 0.0, "below"),
        (MOST, 720, "reached"),
        (MOST, 1, "reached"),
        (MOST, 757, "within 5 %"),
        (MOST, 759, "below"),
    ],
)
def test_a_figure_is_held_against_its_goal(goal: Goal, value: float, verdict: str) -> None:
    assert judge(goal, value) == verdict


def test_each_goal_has_a_line_even_when_it_was_not_measured() -> None:
    table = goals_table([LEAST, MOST], {"b": Figure(700.4, cpu_ms=0.123, syncs=(1.0, 0.0))})
    assert table.lines == [
        ("a share", "", "", ">= 0.50", "", "not measured"),
        ("memory", "700 MB", "0.12", "<= 720 MB", "1.0 : 0.0", "reached"),
    ]


def test_goals_have_names_and_titles_of_their_own() -> None:
    assert len({goal.name for goal in GOALS}) == len({goal.title for goal in GOALS}) == len(GOALS)
    assert bound_text(GOALS[0]) == ">= 0.40"


TABLE = Table("Rates", ("of", "rate", ""), [("get", "1,000", "ok"), ("put", "9", "below")], ["A note."])


def test_a_table_as_text() -> None:
    assert as_text(TABLE).splitlines() == [
        "Rates",
        "",
        "of    rate",
        "-----------------",
        "get  1,000  ok",
        "put      9  below",
        "A note.",
    ]


def test_a_table_as_markdown() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "### Rates",
        "",
        "| of | rate |  |",
        "| --- | --: | --- |",
        "| get | 1,000 | ok |",
        "| put | 9 | below |",
        "",
        "- A note.",
    ]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (None, f"{BEGIN}\n\nnew\n\n{END}\n"),
        ("before\n", f"before\n{BEGIN}\n\nnew\n\n{END}\n"),
        (f"before\n{BEGIN}\n\nold\n\n{END}\nafter\n", f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"),
    ],
)
def test_figures_take_the_place_of_the_last_ones(tmp_path: Path, page: str | None, expected: str) -> None:
    path = tmp_path / "page.md"
    if page is not None:
        path.write_text(page)
    write_markdown(path, "new")
    assert path.read_text() == expected
