"""The parts of docs/scaling.md that are made of the model. Each stands between two comments, and the command writes it anew."""

import re
from collections.abc import Callable

from bench.capacity.model import DAYS, GB, GETS, INDEX, PEAK, PUTS, QUERIES, SECONDS, TB, WORLDS, Figures, Needs

_PART = re.compile(r"<!-- bench\.capacity: (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
_SIGNIFICANT = 2


def rewrite(page: str, figures: Figures) -> str:
    """The page with each of its parts as these figures make it."""
    return _PART.sub(
        lambda found: f"<!-- bench.capacity: {found[1]} -->\n{PARTS[found[1]](figures)}<!-- end -->\n", page
    )


def names_of_parts(page: str) -> list[str]:
    """Which parts a page has."""
    return [found[1] for found in _PART.finditer(page)]


def _measured(figures: Figures) -> str:
    rows = (
        ("cpu_get", figures.cpu_get, "for a get"),
        ("cpu_put", figures.cpu_put, "for a put of one item"),
        ("cpu_put25", figures.cpu_put25, "for a put of 25"),
        ("cpu_query", figures.cpu_query, "for an equality query with 10 hits"),
    )
    lines = [f"| `{name}` | {value:.2f} ms of processor time {what} | {figures.where} |" for name, value, what in rows]
    return "\n".join(["| | Figure | Where |", "| --- | --- | --- |", *lines, *_OTHERS, ""])


# What no run of the benchmark tells.
_OTHERS = (
    "| `row` | 435 bytes on the disk for an item of 270: 385 in the table, 48 in its key | the cluster below, 5,000 items put"
    " 25 at a time |",
    "| `gin` | 208 bytes an item for the equality index at 100,000 items, 340 in that cluster,"
    f" {INDEX} at a million in ten Bases | `python -m bench.studies.indexes` |",
    "| `first` | 200 bytes for the version of an item that is new | that cluster |",
    "| `version` | 550 to 570 bytes for each change of an item of 300 | [decision](decisions/history.md) |",
    "| `entry` | 125 bytes an item for each index of an attribute | [decision](decisions/attribute-indexes.md) |",
    "| `wal` | 2,500 bytes of log for a put of one item, 1,900 for each of 25 | that cluster |",
    "| `object` | 1,200 bytes in PostgreSQL for each file: 500 in Homeport's rows, 700 in the filer's | that cluster,"
    " 400 files |",
)


def _mixture(figures: Figures) -> str:
    mean = figures.request_ms
    hours, disks = mean * 1000 / 3600, 2 / 0.7
    return (
        f"A million requests ({_part(GETS)} gets, {_part(PUTS)} puts of one item, {_part(QUERIES)} queries) take {mean:.3f} ms"
        f" each in the mean: {mean * 1000:.0f} seconds of a core, or {hours:.2f} core\nhours. A TB of files takes"
        f" {disks:.1f} TB of disks on three machines. With the same mixture, `peak` {PEAK} and {DAYS} days of history:\n"
    )


def _computed(figures: Figures) -> str:
    needs = [Needs(world, figures) for world in WORLDS]
    rows: list[tuple[str, Callable[[Needs], str]]] = [
        ("*given:* items", lambda each: f"{each.world.items / 1e6:,.0f} million"),
        ("*given:* requests a month", _requests),
        ("*given:* files", lambda each: f"{_say(each.world.file_bytes)} in {_count(each.world.files)}"),
        ("cores for the nodes, C", lambda each: _rounded(each.cores)),
        (f"items, I (`gin` {INDEX})", lambda each: _say(each.item_bytes)),
        ("of it the equality index", lambda each: _say(each.index_bytes)),
        ("history, H", lambda each: _say(each.history_bytes)),
        ("PostgreSQL, P, on each machine that has one", lambda each: _say(each.postgres_bytes)),
        (
            "disks for files, F",
            lambda each: _say(each.disk_bytes) + (" (one machine)" if each.world.machines == 1 else ""),
        ),
        ("log to each standby at the peak, W", lambda each: _of_several(each, _megabytes(each.log_bytes_a_second))),
        ("a new standby, P at 100 MB a second", lambda each: _of_several(each, _duration(each.standby_seconds))),
    ]
    lines = [_row("computed", [world.name for world in WORLDS]), "| --- | --- | --- | --- |"]
    lines += [_row(title, [write(each) for each in needs]) for title, write in rows]
    of_apps = f"the equality index, with less memory than {_say(needs[1].index_bytes)}"
    breaks = ["nothing", of_apps, "the equality index; then the hours until a lost machine is replaced"]
    lines.append(_row("what breaks first", breaks))
    return "\n".join([*lines, ""])


def _prices(figures: Figures) -> str:
    need = Needs(WORLDS[1], figures)
    cores, core, ssd, disk = 4, 5, 0.10, 0.03
    postgres, files = float(_rounded(need.postgres_bytes / GB)), float(_rounded(need.disk_bytes / GB))
    month = 3 * (cores * core + postgres * ssd) + files * disk
    return (
        f"An example, with made-up prices of {core} for a core, {ssd:.2f} for a GB of SSD, {disk:.2f} for a GB of disk a month:"
        " a\n"
        f"hundred apps on three machines of {cores} cores cost 3 * ({cores}*{core} + {postgres:.0f}*{ssd:.2f}) +"
        f" {files:,.0f}*{disk:.2f} = {month:.0f} a month.\n"
    )


PARTS: dict[str, Callable[[Figures], str]] = {
    "measured": _measured,
    "mixture": _mixture,
    "computed": _computed,
    "prices": _prices,
}


def _row(title: str, cells: list[str]) -> str:
    return f"| {' | '.join([title, *cells])} |".replace("|  |", "| |")


def _part(of_all: float) -> str:
    return f"{of_all * 100:.0f} %"


def _requests(each: Needs) -> str:
    a_second = each.world.requests / SECONDS
    return f"{each.world.requests / 1e6:,.0f} million" + (f" ({a_second:,.0f} a second)" if a_second > 1_000 else "")


def _count(number: float) -> str:
    return f"{number / 1e6:,.0f} million" if number >= 1e6 else f"{number:,.0f}"


def _of_several(each: Needs, text: str) -> str:
    return text if each.world.machines > 1 else ""


def _say(size_bytes: float) -> str:
    return f"{_rounded(size_bytes / TB)} TB" if size_bytes >= TB else f"{_rounded(size_bytes / GB)} GB"


def _megabytes(bytes_a_second: float) -> str:
    return f"{_rounded(bytes_a_second / 1e6)} MB a second"


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.0f} hours" if seconds >= 5_400 else f"{seconds / 60:.0f} minutes"


def _rounded(number: float) -> str:
    """To what the figures are good for: two digits."""
    rounded = float(f"{number:.{_SIGNIFICANT}g}")
    return f"{rounded:.0f}" if rounded >= 10 else f"{rounded:.1g}" if rounded < 1 else f"{rounded:g}"
