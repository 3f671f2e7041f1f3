"""Homeport beside Kinto on 10,000 items each."""

from collections.abc import Callable
from copy import copy
from pathlib import Path

from bench.load.data import make_items
from bench.load.workload import OPERATIONS, Workload
from bench.measures.contest import Contest
from bench.measures.growth import SMALL_BASE, SMALL_ITEMS
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.meters import cpu
from bench.systems import rows
from bench.systems.homeport import Homeport
from bench.systems.kinto import Kinto
from bench.tables import Table, rate_text
from bench.verdicts import Figure

ASKED = ("get", "put", "put25", "equality", "key-range", "key-order")
# These take Kinto so long that a round has to last longer to see enough of them.
LONGER = {"put25": 3, "equality": 2, "key-range": 2}


def measure_kinto(
    homeport: Homeport, kinto: Kinto, folder: Path, *, duration_s: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Table], dict[str, Figure]]:
    """Loads both and measures in turns.

    `statements.attach` is attached to the running Homeport; Kinto is stopped by the caller.
    """
    say(f"starting Kinto, and loading {SMALL_ITEMS:,} items")
    kinto.start(make_items(SMALL_ITEMS))
    rows.load_rows(homeport, SMALL_BASE, SMALL_ITEMS)
    ours = copy(homeport)
    ours.base = SMALL_BASE
    requests = folder / "kinto-requests"
    requests.mkdir()
    contest = Contest(requests, Workload(SMALL_ITEMS), say)
    found = {operation: Rounds() for operation in ASKED}
    for operation in ASKED:
        contest.prepare(operation, (ours, kinto), warm_up_s=LONGER.get(operation, 1) * duration_s)
        cpu.wait_until_idle(kinto.tree)
    for number in range(rounds):
        say(f"Kinto, round {number + 1} of {rounds}")
        for operation in ASKED:
            seconds = duration_s * LONGER.get(operation, 1)
            turns = [contest.turn(ours, operation, duration_s), _and_settle(contest.turn(kinto, operation, seconds))]
            measure_round(turns, found[operation], number=number)
    names = ours.name, kinto.name
    lines = [
        (
            OPERATIONS[operation],
            *(text for name in names for text in (rate_text(each.rate(name)), f"{each.cpu(name):.2f}")),
            f"{each.ratio(*names):.1f}",
        )
        for operation, each in found.items()
    ]
    notes = [
        f"{OPERATIONS[operation]}: Kinto refused {share:.0%} of the requests, which are not counted."
        for operation in ASKED
        if (share := contest.refused_share(kinto, operation)) > 0
    ]
    head = ("answers per second", names[0], "ms", names[1], "ms", "ratio")
    figures = {f"{name} of Kinto": Figure(each.ratio(*names), each.cpu(names[0])) for name, each in found.items()}
    return [Table(f"Homeport and Kinto, {SMALL_ITEMS:,} items", head, lines, notes)], figures


def _and_settle(turn: Turn) -> Turn:
    """The turn, and then until nothing is worked on any more: Kinto goes on with requests whose client has gone."""

    def run() -> Ran:
        ran = turn.run()
        cpu.wait_until_idle(turn.tree)
        return ran

    return Turn(turn.name, run, turn.tree)
