"""kill -9 of an app and of the supervisor: nothing is left running, and the next request is answered."""

from collections.abc import Callable

import pytest

from tests.embedded.micros.stand import Stand, is_alive
from tests.serving import kill
from tests.waiting import eventually

SLEEPING = """
import subprocess

subprocess.Popen(["/bin/sleep", "3600"], start_new_session=True)

def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""


@pytest.mark.slow
def test_a_killed_app_is_started_again_by_the_next_request(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand()
    wanted = stand.add(SLEEPING)
    stand.get(wanted)
    below = stand.processes()
    (app,) = [process for process in below if "start.py" in " ".join(process.cmdline())]
    assert any("sleep" in process.name() for process in below)
    kill(app)
    eventually(lambda: not any(map(is_alive, below)))
    assert stand.get(wanted) == (200, "hello")


@pytest.mark.slow
def test_a_killed_supervisor_takes_all_that_ran_along(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand()
    micros = [stand.add(SLEEPING) for _ in range(2)]
    for wanted in micros:
        stand.get(wanted)
    below = stand.kill()
    assert len(below) >= 8
    eventually(lambda: not any(map(is_alive, below)))
    stand.start()
    for wanted in micros:
        eventually(lambda: _answers(stand, wanted))  # noqa: B023 (asked at once)


def _answers(stand: Stand, wanted: object) -> bool:
    try:
        return stand.get(wanted) == (200, "hello")  # type: ignore[arg-type]
    except OSError:
        return False
