"""The load generator: runs wrk over prepared requests and says how many a second were answered.

It knows HTTP requests and wrk's output, and nothing of the systems or of what is asked of them.
"""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
THREADS = 2
SCRIPT = Path(__file__).with_name("replay.lua")
TURNS = Path(__file__).with_name("turns.lua")


class LoadFailedError(Exception):
    """A round that must not count: answers outside 2xx, broken connections, or wrk itself failed."""


@dataclass(frozen=True)
class Request:
    """One HTTP request: method, path with its query string, and a JSON body or nothing."""

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True)
class Rate:
    """What one round showed."""

    requests: int  # answered well
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int = 0  # answered with a status from 400 on, where that may be

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds


def find_wrk() -> str | None:
    """The path of wrk, or None when it is not installed."""
    return shutil.which("wrk")


def write_requests(path: Path, requests: Iterable[Request]) -> None:
    """Writes the requests as replay.lua reads them. Raises ValueError when one cannot be written on a line."""
    lines = []
    for request in requests:
        line = f"{request.method}\t{request.path}\t{request.body}\n"
        if line.count("\t") != 2 or line.count("\n") != 1:
            raise ValueError(f"a request with a tab or a line break cannot be replayed: {line[:200]!r}")
        lines.append(line)
    path.write_text("".join(lines), encoding="utf-8")


def run_round(
    *,
    origin: str,
    headers: dict[str, str],
    requests_path: Path,
    duration_s: int,
    checked: bool = False,
    connections: int = CONNECTIONS,
    may_refuse: bool = False,
) -> Rate:
    """One round of wrk against `origin` (http://host:port). Raises LoadFailedError unless every answer was good.

    Where the system `may_refuse` what collides with another request, such answers are told and not counted.

    `checked` looks at every answer in Lua: any status but 2xx and any empty body fails. It costs rate, so it is for
    warming up; otherwise wrk itself counts the statuses from 400 on.
    """
    arguments = (str(requests_path), "checked" if checked else "fast")
    output = _run(SCRIPT, origin, headers, duration_s, *arguments, connections=connections)
    return read_output(output, may_refuse=may_refuse)


def run_turns(
    *,
    origin: str,
    content_type: str,
    asked: Sequence[tuple[Path, str]],
    duration_s: int,
    turn_s: float,
    settle_s: float,
) -> list[tuple[int, int]]:
    """One run of wrk that asks two collections in turns of `turn_s`; each is its file of requests and its data key. How often
    each was asked, for every two turns, without the first `settle_s` of a turn. Raises LoadFailedError as `run_round`."""
    arguments = [str(argument) for pair in asked for argument in pair]
    times = (round(turn_s * 1000), round(settle_s * 1000))
    output = _run(TURNS, origin, {"Content-Type": content_type}, duration_s, *arguments, *map(str, times))
    read_output(output)
    counts: Counter[int] = Counter()
    for turn, count in re.findall(r"^turn=(\d+) asked=(\d+)$", output, re.MULTILINE):
        counts[int(turn)] += int(count)
    # The first and the last turn may have been shorter.
    first, last = min(counts) + 1, max(counts)
    return [(counts[turn], counts[turn + 1]) for turn in range(first + first % 2, last - 1, 2)]


def _run(
    script: Path,
    origin: str,
    headers: dict[str, str],
    duration_s: int,
    *arguments: str,
    connections: int = CONNECTIONS,
) -> str:
    command = ["wrk", f"-c{connections}", f"-t{THREADS}", f"-d{duration_s}s", "--timeout", "30s", "-s", str(script)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    command += [origin, "--", *arguments]
    # The scripts read their common part from beside themselves.
    done = subprocess.run(
        command, cwd=script.parent, capture_output=True, text=True, timeout=duration_s + 60, check=False
    )
    return f"{done.stdout}\n{done.stderr}"


def read_output(output: str, *, may_refuse: bool = False) -> Rate:
    """What the scripts' lines in wrk's output say. Raises LoadFailedError as `run_round`."""
    total = re.search(r"^total (.*)$", output, re.MULTILINE)
    if total is None:
        raise LoadFailedError(f"wrk gave no result: {output.strip()}")
    counts = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", total[1])}
    refused = re.search(r"^refused (.*)$", output, re.MULTILINE)
    if refused is not None:
        raise LoadFailedError(f"an answer was not 2xx with a body: {refused[1]}")
    failing = (
        ("connect", "read", "write", "timeout") if may_refuse else ("status", "connect", "read", "write", "timeout")
    )
    failures = {name: counts[name] for name in failing if counts[name]}
    if failures:
        raise LoadFailedError(f"{failures} of {counts['requests']} requests failed")
    good = counts["requests"] - counts["status"]
    if not good:
        raise LoadFailedError(f"none of {counts['requests']} requests was answered well")
    return Rate(good, counts["duration_us"] / 1e6, counts["p50_us"] / 1e3, counts["p99_us"] / 1e3, counts["status"])
