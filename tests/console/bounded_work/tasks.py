"""What the tests let helpers do. `python -m tests.console.bounded_work.tasks` is such a helper."""

import os
import re
import signal
import time
from pathlib import Path

from console.bounded_work.helper_process import Tasks, serve


def match_slowly(comments: int) -> None:
    """In C, where no Python runs until it is over."""
    re.match(r"(<!--.*?-->\s*)*<svg", "<!---->" * comments + "x", re.DOTALL)


def count_up() -> None:
    number = 0
    while True:
        number += 1


def die() -> None:
    """The helper first, then this piece of its work."""
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def leave_a_dying_helper() -> None:
    os.kill(os.getppid(), signal.SIGKILL)


def open_files() -> list[str]:
    """The numbers of the files that are open here; the folder that is read for it is one too."""
    return [path.name for path in Path("/dev/fd").iterdir()]


TASKS: Tasks = {
    "echo": lambda *given: given,
    "helper": os.getppid,
    "match_slowly": match_slowly,
    "count_up": count_up,
    "fill_memory": lambda size_bytes: len(b"x" * size_bytes),
    "answer_at_length": lambda size_bytes: b"x" * size_bytes,
    "abort": os.abort,
    "die": die,
    "leave_a_dying_helper": leave_a_dying_helper,
    "sleep": time.sleep,
    "open_files": open_files,
    "environment": lambda: dict(os.environ),
    "write_a_file": lambda path: Path(path).write_bytes(b"x"),
}

if __name__ == "__main__":
    serve(TASKS)
