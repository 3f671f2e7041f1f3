"""Two answers, or items before and after, compared in bounded time.

`difflib` takes time by the cube of the lines at worst. A few lines are compared here, more in a helper; what takes that too long
is compared roughly.
"""

from console.bounded_work.helpers import Busy, Helpers, Stopped
from console.server.answers import REQUEST_ID_HEADER
from console.visor.line_diff import DiffLine, compare, compare_roughly, is_quickly_compared, pretty
from storage.events.blocks import Event

_run = Helpers("console.visor.compare_helper").run


def compare_all(pairs: list[tuple[str, str]]) -> list[list[DiffLine]]:
    """What differs in each pair of an old and a new text."""
    if all(is_quickly_compared(old, new) for old, new in pairs):
        return [compare(old, new) for old, new in pairs]
    try:
        return [[DiffLine(*line) for line in lines] for lines in _run("compare_all", pairs)]
    except (Stopped, Busy):
        return [compare_roughly(old, new) for old, new in pairs]


def describe_answer(event: Event) -> str:
    """Status, headers and body of an answer as lines to compare. Its id is left out, as each has another."""
    content = event.content
    headers = sorted(f"{name}: {value}" for name, value in content.response_headers if name != REQUEST_ID_HEADER)
    body = pretty(content.response.text) if content.response.text is not None else content.response.digest
    return "\n".join([f"Status: {event.line.status}", *headers, "", body])
