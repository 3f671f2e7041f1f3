"""What many clients are told of the same few items has an order that explains all of it, whatever dies (promises: P1 to P3)."""

from collections.abc import Callable, Iterator

import pytest

from tests.embedded.servers import making_servers
from tests.factories import make_client
from tests.kills import kill_a_web_worker, kill_postgres, kill_serve_and_start_it_again
from tests.linearizability.clients import History
from tests.rounds import ROUNDS
from tests.serving import Server
from tests.waiting import eventually

CLIENTS = 6
# Answers before and after the kill.
ENOUGH = 80


@pytest.fixture(scope="module")
def breakable() -> Iterator[Server]:
    """One for all that kill a part of it, with a web server of two processes."""
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS="2").start()
        server.wait_ready()
        yield server


def test_every_answer_has_its_place(server: Server) -> None:
    client = make_client(server)
    with History(server.url + client.path, client.key_text, ["a", "b", "c"], clients=CLIENTS, requests=40) as history:
        pass
    assert history.answered == CLIENTS * 40
    history.check()


@pytest.mark.slow
@pytest.mark.parametrize("break_it", [kill_a_web_worker, kill_postgres, kill_serve_and_start_it_again])
def test_every_answer_has_its_place_whatever_is_killed(breakable: Server, break_it: Callable[[Server], None]) -> None:
    """Keys of their own for each round: what nobody heard of may happen at any later time, so few of that are bearable."""
    collection_id, key = breakable.make_key("histories")
    url = f"{breakable.url}/v1/{collection_id}/things"
    unheard = 0
    for number in range(ROUNDS):
        keys = [f"{number}-{name}" for name in "abc"]
        with History(url, key, keys, clients=CLIENTS) as history:
            _wait_for_answers(history, ENOUGH)
            break_it(breakable)
            _wait_for_answers(history, history.answered + ENOUGH)
        unheard += history.unheard
        history.check()
    assert unheard, "nothing was under way at any kill"


def _wait_for_answers(history: History, enough: int) -> None:
    eventually(lambda: history.answered >= enough or history.failure)
    assert not history.failure, history.failure
