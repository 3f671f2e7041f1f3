"""A query as the lines that run it: for each client, with every digit where the language keeps it. Pure."""

import json
import shlex
from decimal import Decimal
from typing import Any

from storage.exact_json import dump, is_number


def write_snippets(value: Any, *, base: str, address: str) -> dict[str, str]:
    """For `python`, `javascript`, `go` and `curl`. `address` is the Base's, without `/query` at its end."""
    query = value if isinstance(value, list) else [value]
    return {
        "python": f"base = deta.Base({json.dumps(base)})\nresult = base.fetch({_python(query)})",
        "javascript": _javascript(query, base),
        "go": _go(query, base),
        "curl": f'curl {shlex.quote(address + "/query")} -H "X-API-Key: $DETA_PROJECT_KEY" '
        f"-H 'Content-Type: application/json' -d {shlex.quote(dump({'query': query}).decode())}",
    }


def _javascript(query: list[Any], base: str) -> str:
    lines = f"const base = deta.Base({json.dumps(base)})\nconst result = await base.fetch({_spaced(query)})"
    if _loses_digits(query):
        return "// A number here has more digits than JavaScript keeps.\n" + lines
    return lines


def _spaced(value: Any) -> str:
    """JSON with a space after commas and colons, and unchanged numbers."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(name)}: {_spaced(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spaced, value)) + "]"
    return dump(value).decode()


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _python(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(name)}: {_python(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    return {True: "True", False: "False", None: "None"}[value] if _is_word(value) else _scalar(value)


def _go(query: list[Any], base: str) -> str:
    objects = ", ".join(
        "{" + ", ".join(f"{_string(name)}: {_go_value(each)}" for name, each in entry.items()) + "}" for entry in query
    )
    return (
        f"b, err := base.New(d, {json.dumps(base)})\nvar items []map[string]any\n"
        f"_, err = b.Fetch(&base.FetchInput{{Q: base.Query{{{objects}}}, Dest: &items}})"
    )


def _go_value(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "map[string]any{" + ", ".join(f"{_string(name)}: {_go_value(each)}" for name, each in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[]any{" + ", ".join(map(_go_value, value)) + "}"
    if _loses_digits(value):
        return f'json.Number("{_scalar(value)}")'
    return {True: "true", False: "false", None: "nil"}[value] if _is_word(value) else _scalar(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _scalar(value: Any) -> str:
    return _string(value) if isinstance(value, str) else dump(value).decode()


def _loses_digits(value: Any) -> bool:
    """Whether a number in it is not the same after a trip through a binary float."""
    if isinstance(value, dict):
        return any(map(_loses_digits, value.values()))
    if isinstance(value, list):
        return any(map(_loses_digits, value))
    return is_number(value) and Decimal(repr(float(value))) != Decimal(value)
