"""The model of what a server takes: computed by hand, fed by what the benchmark prints, and as the documentation shows it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.capacity.model import WORLDS, Figures, Needs, UnreadableRun, figures_of_run, read_figures
from bench.capacity.tables import PARTS, names_of_parts, rewrite
from bench.load.workload import OPERATIONS
from bench.tables import Table, as_markdown, as_text

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
FIGURES = Figures(cpu_get=0.5, cpu_put=1.1, cpu_put25=5, cpu_query=0.4, where="here")


def test_the_page_is_what_the_figures_make_of_it() -> None:
    page = PAGE.read_text()
    assert sorted(names_of_parts(page)) == sorted(PARTS)
    assert rewrite(page, read_figures()) == page, "run `python -m bench.capacity`"


def test_what_a_world_takes_is_as_computed_by_hand() -> None:
    """A million puts take 1,100 s of a core; half of it is left free, and the busiest hour is five times the mean."""
    assert FIGURES.request_ms == pytest.approx(0.8 * 0.5 + 0.15 * 1.1 + 0.05 * 0.4)
    small, apps, tenants = (Needs(world, FIGURES) for world in WORLDS)
    assert small.cores == pytest.approx(10e6 * 0.000585 / 2.6e6 * 5 / 0.5)
    assert small.disk_bytes == pytest.approx(50e9 / 0.7)
    assert apps.disk_bytes == pytest.approx(1e12 * 2 / 0.7)
    assert apps.postgres_bytes == pytest.approx((50e6 * 835 + 45e6 * 560 + 2e6 * 1_200) * 1.3 + 1e9)
    assert tenants.changes_a_second == pytest.approx(300)
    assert tenants.log_bytes_a_second == pytest.approx(3.75e6)
    busy = Needs(WORLDS[0]._replace(requests=1e9), FIGURES)
    assert busy.history_bytes == 1e9, "no more than is kept"


@pytest.mark.parametrize("written", [as_text, as_markdown])
def test_a_runs_figures_are_read_from_what_it_prints(written: Callable[[Table], str]) -> None:
    lines = [
        (OPERATIONS["get"], "0.31", "5", "0.05"),
        (OPERATIONS["put"], "0.72", "5", "0.2"),
        (OPERATIONS["put25"], "4.50", "5", "2"),
        (OPERATIONS["equality"], "0.52", "5", "0.1"),
    ]
    table = Table("What an answer takes", ("processor ms per answer", "Homeport", "PocketBase", "pgbench"), lines)
    printed = f"### Rates\n\nget  7\n\n{written(table)}\n\npeak memory, MB  Homeport\nget  7\n"
    assert figures_of_run(printed, where="there") == Figures(0.31, 0.72, 4.5, 0.52, "there")


@pytest.mark.parametrize(
    "printed, says",
    [
        ("", "no table"),
        ("processor ms per answer  PocketBase\nget  1\n", "no column"),
        ("processor ms per answer  Homeport\nget  1\nput  1\n", "lacks: put 25, equality, 10 hits"),
    ],
)
def test_what_is_no_run_changes_nothing(printed: str, says: str) -> None:
    with pytest.raises(UnreadableRun, match=says):
        figures_of_run(printed, where="")


def test_other_figures_make_other_tables() -> None:
    page = rewrite(PAGE.read_text(), Figures(5, 11, 50, 4, "a slower machine"))
    assert "| `cpu_get` | 5.00 ms of processor time for a get | a slower machine |" in page
    assert "take 5.850 ms each" in page
    assert "| cores for the nodes, C | 0.2 | 6.8 | 120 |" in page
