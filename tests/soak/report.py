"""What a soak came to: a table to read, and what is wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.soak.users import Crowd
from tests.soak.watching import GROWING, MB, Series, Watch, has_tracebacks

# The first part of the time, in which caches and pools fill.
WARM_UP = 1 / 3
_TOLD = 20


def told(crowd: Crowd, watch: Watch) -> Iterator[str]:
    """Who asked for what, and how memory, descriptors and tables went from the end of the warm-up to the end."""
    yield f"{'who':28} answers by status"
    for user, counted in crowd.answered.items():
        yield f"{user:28} {dict(sorted(counted.items()))}"
    yield ""
    yield f"{'memory, MB':28} {'mean':>10} {'climbed':>10} {'allowed':>10}   by quarters; shared on purpose at the end"
    for group, series in sorted(watch.memory.items()):
        quarters = ", ".join(f"{mean / MB:.1f}" for mean in series.quarters(WARM_UP))
        yield f"{_row(group, series, MB)}   {quarters}; {watch.shared.get(group.split(',')[0], 0) / MB:.0f}"
    yield ""
    yield f"{'descriptors':28} {'mean':>10} {'climbed':>10} {'allowed':>10}   by quarters"
    for group, series in sorted(watch.descriptors.items()):
        yield f"{_row(group, series, 1)}   {', '.join(f'{mean:.0f}' for mean in series.quarters(WARM_UP))}"
    yield ""
    yield f"{'processes':28} {'mean':>10} {'climbed':>10} {'allowed':>10}"
    yield from (_row(group, series, 1) for group, series in sorted(watch.processes.items()))
    yield ""
    yield f"{'rows':28} {'mean':>10} {'climbed':>10} {'allowed':>10}"
    for table, series in sorted(watch.rows.items()):
        if max(series.samples, default=0) > 0:
            yield f"{_row(table, series, 1)}   {GROWING.get(table, '')}"


def _row(name: str, series: Series, unit: int) -> str:
    climbed, mean = series.line(WARM_UP)
    return f"{name:28} {mean / unit:10.1f} {climbed / unit:+10.1f} {series.allowed(WARM_UP) / unit:10.1f}"


def wrong(crowd: Crowd, watch: Watch, logs: list[Path]) -> list[str]:
    """Everything that is not as promised; nothing if all is well."""
    found = [f"a 5xx, or no answer: {each}" for each in crowd.wrong[:_TOLD]]
    found += [f"a traceback in a log: {line}" for line in has_tracebacks(logs)[:_TOLD]]
    if watch.failure:
        found.append(f"the watch ended: {watch.failure!r}")
    found += _grown("memory of", watch.memory)
    found += _grown("descriptors of", watch.descriptors)
    found += _grown("processes of", watch.processes)
    found += _grown("rows of", {table: series for table, series in watch.rows.items() if table not in GROWING})
    found += [f"{user} was never answered" for user, counted in crowd.answered.items() if not counted]
    return found


def _grown(what: str, all_series: Mapping[str, Series]) -> list[str]:
    return [f"{what} {name} grew" for name, series in all_series.items() if series.has_grown(WARM_UP)]
