"""`python -m console.visor.compare_helper`: the process that compares long texts, in bounded time."""

from console.bounded_work.helper_process import Tasks, serve
from console.visor.line_diff import DiffLine, compare


def compare_all(pairs: list[tuple[str, str]]) -> list[list[DiffLine]]:
    """What differs in each pair of an old and a new text."""
    return [compare(old, new) for old, new in pairs]


TASKS: Tasks = {"compare_all": compare_all}

if __name__ == "__main__":
    serve(TASKS)
