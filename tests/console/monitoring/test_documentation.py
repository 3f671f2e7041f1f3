"""`docs/monitoring.md` lists what there is: every figure with its labels, and every kind of problem."""

import ast
import re
from collections.abc import Iterator

from storage.monitoring.figures import DESCRIBED
from tests.serving import ROOT

PAGE = (ROOT / "docs/monitoring.md").read_text()
_NONE = "\N{EN DASH}"
QUOTED = re.compile(r"`([^`]++)`")


def test_every_figure_is_listed_with_its_labels_and_meaning() -> None:
    expected = [
        f"| `{name}{'_total' if kind == 'counter' else ''}` | {', '.join(f'`{label}`' for label in labels) or _NONE} | {text} |"
        for name, (kind, labels, text) in DESCRIBED.items()
    ]
    assert [line for line in PAGE.splitlines() if line.startswith("| `homeport_")] == expected


def test_every_kind_of_problem_is_listed() -> None:
    table = PAGE.partition("## What is looked at")[2].partition("## Prometheus")[0]
    listed = {key for line in table.splitlines() if line.startswith("|") for key in QUOTED.findall(line.split("|")[1])}
    patterns = set(kinds())
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, key) for key in listed)] == []
    assert [key for key in listed if not any(re.fullmatch(pattern, key) for pattern in patterns)] == []


def kinds() -> Iterator[str]:
    """The keys of all findings that code makes, as patterns: some are put together of a few words."""
    for room in ("storage", "console"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text()
            if "Finding(" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                    key = node.args[0] if node.args else next(each.value for each in node.keywords if each.arg == "key")
                    parts = key.values if isinstance(key, ast.JoinedStr) else [key]
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "[a-z0-9]+" for part in parts)
