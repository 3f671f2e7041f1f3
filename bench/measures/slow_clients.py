"""What clients that send slowly cost the others: gets alone and beside a crowd, in turns.

Each of the crowd has a good key and sends one byte of its body a second. `bench.studies.slow_clients` has more kinds of them.
"""

from collections.abc import Callable
from pathlib import Path

from bench.load import wrk
from bench.load.crowds import crowd, head
from bench.load.workload import Workload
from bench.measures.contest import Contest
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.systems.homeport import Homeport
from bench.tables import Table, rate_text
from bench.verdicts import Figure

CLIENTS = 600
BODY_BYTES = 1_000
ALONE, BESIDE = "alone", f"beside {CLIENTS}"


def measure_slow_clients(
    homeport: Homeport, folder: Path, *, items: int, duration_s: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Table], dict[str, Figure]]:
    """Asks a running Homeport with so many items."""
    say(f"gets beside {CLIENTS} slow clients")
    requests = folder / "slow-requests"
    requests.mkdir()
    contest = Contest(requests, Workload(items), say)
    contest.prepare("get", [homeport])
    slow = head("PUT", f"/v1/{homeport.collection_id}/slow/items", homeport.data_key, f"Content-Length: {BODY_BYTES}")
    p99_ms: dict[str, float] = {ALONE: 0.0, BESIDE: 0.0}

    def run(name: str) -> Ran:
        path = contest.path(homeport, "get")
        rate = wrk.run_round(
            origin=homeport.origin, headers=homeport.headers, requests_path=path, duration_s=duration_s
        )
        p99_ms[name] = max(p99_ms[name], rate.p99_ms)
        return Ran(rate.requests, rate.seconds)

    def run_beside() -> Ran:
        with crowd(homeport.origin, CLIENTS, slow, drip=b" "):
            return run(BESIDE)

    found = Rounds()
    turns = [Turn(ALONE, lambda: run(ALONE), homeport.tree), Turn(BESIDE, run_beside, homeport.tree)]
    for number in range(rounds):
        measure_round(turns, found, number=number)
    ratio = found.ratio(BESIDE, ALONE)
    lines = [
        (name, rate_text(found.rate(name)), f"{found.cpu(name):.2f}", f"{p99_ms[name]:.0f}") for name in (ALONE, BESIDE)
    ]
    table = Table("Gets beside slow clients", ("", "per second", "ms", "worst p99, ms"), lines)
    return [table], {"get beside slow clients": Figure(ratio, found.cpu(BESIDE))}
