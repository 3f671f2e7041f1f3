"""What the server logs during a request is shown with that request: on one line each, and nobody else's."""

import json
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection as django_connection

from console.api.errors import defect_reply, error_reply
from console.recording.recorder import SENT_BY_HAND, Answer, ByHand, Recorder
from storage import limits
from storage.errors import EngineUnreachable
from storage.events.blocks import Event
from storage.postgres.gathering import answer_together, run_with_others
from storage.postgres.statements import Statement
from tests.waiting import MOMENT_SECONDS

logger = logging.getLogger("storage.tried_here")


def record(work: Callable[[], Any]) -> Event:
    """The event of a request that is answered by `work`."""

    def application(environ: dict[str, Any]) -> Answer:
        answer = work()
        body = [getattr(answer, "content", b"{}")]
        return f"{getattr(answer, 'status_code', 200)} x", [("Content-Type", "application/json")], body

    by_hand = ByHand(origin="client", sent_by="Ada")
    environ = {
        "PATH_INFO": "/v1/abcdefghij/notes/items/a",
        "REQUEST_METHOD": "GET",
        "HTTP_X_API_KEY": "abcdefghij_" + "Q" * 32,
        SENT_BY_HAND: by_hand,
    }
    Recorder(application)(environ)
    assert by_hand.event is not None
    return by_hand.event


def test_entries_are_on_one_line_each_and_without_secrets() -> None:
    def work() -> None:
        logger.warning("first\r\nforged: %s\x00", "Q" * 32)
        logger.info("second %(a)s", {"a": 1})
        logger.debug("not logged at all")

    log = record(work).content.log

    assert log == (
        ("WARNING", "storage.tried_here", "first\\r\\nforged: [redacted]\\0"),
        ("INFO", "storage.tried_here", "second 1"),
    )


def test_defect_is_named_by_the_trace_that_the_client_is_given_and_keeps_its_text_to_itself() -> None:
    event = record(lambda: defect_reply(ValueError("a text that names an address")))

    ((level, _, message),) = event.content.log
    trace = json.loads(str(event.content.response.text))["errors"][1].split()[-1]
    assert (level, message) == ("ERROR", f"trace {trace} (ValueError)")


def test_engine_that_is_away_is_told_without_its_address() -> None:
    def work() -> Any:
        try:
            raise EngineUnreachable from OSError("connection to 10.1.2.3 failed")
        except EngineUnreachable as error:
            return error_reply(error)

    ((_, _, message),) = record(work).content.log

    assert message == "Storage is not reachable at the moment, please try again: 'OSError'"


def test_requests_at_once_keep_their_entries_apart() -> None:
    barrier = threading.Barrier(4)
    found: dict[int, Event] = {}

    def request(number: int) -> None:
        def work() -> None:
            for _ in range(20):
                barrier.wait(MOMENT_SECONDS)
                logger.warning("of %s", number)

        found[number] = record(work)

    threads = [threading.Thread(target=request, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    logger.warning("of nobody")
    for thread in threads:
        thread.join()

    for number, event in found.items():
        assert [message for _, _, message in event.content.log] == [f"of {number}"] * 20


@pytest.mark.parametrize("count, length", [(1_000, 10), (1, 100_000)])
def test_entries_are_bounded(count: int, length: int) -> None:
    log = record(lambda: [logger.warning("x" * length) for _ in range(count)] and None).content.log

    assert len(log) <= limits.EVENT_LOG_LINES_MAX
    assert all(len(message) <= limits.EVENT_LOG_LINE_MAX_CHARACTERS for _, _, message in log)


def test_requests_that_one_thread_answers_in_turns_have_their_own(database: None) -> None:
    django_connection.close()

    def ask(number: int) -> Event:
        def work() -> None:
            logger.warning("before %s", number)
            run_with_others(Statement("SELECT 1", [], tuple))
            logger.warning("after %s", number)

        return record(work)

    events = answer_together([partial(ask, number) for number in range(3)])

    assert [[message for _, _, message in event.content.log] for event in events] == [
        [f"before {number}", f"after {number}"] for number in range(3)
    ]
