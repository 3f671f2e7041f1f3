"""What a route reads: its fields in query, form and JSON body, noted while its view runs, so that a new one is found too.

And the words of the console's code: the names of headers it looks at, and the texts that its values are compared with.
"""

import ast
import inspect
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.test import Client
from django.urls import resolve
from django.utils.datastructures import MultiValueDict

from console import json_views

_CODE = Path(json_views.__file__).parent
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}")
_HEADER = re.compile(r"HTTP_([A-Z_]+)")
_READ = re.compile(r"""request\.(?:GET|POST)(?:\.get(?:list)?\("(\w+)"|\["(\w+)")|"(\w+)" in request\.(?:GET|POST)""")
# What frames a request is not for an odd value: the connection would wait for a body that never comes.
_FRAMING = {"Content-Length", "Transfer-Encoding", "Connection", "Expect"}
_ROUNDS = 3


class _NotingDict(dict[str, Any]):
    """A JSON object that says which of its members were asked for."""

    def __init__(self, value: dict[str, Any], note: Callable[[str], None]) -> None:
        super().__init__({name: _noting(member, note) for name, member in value.items()})
        self._note = note

    def get(self, name: str, default: Any = None) -> Any:
        self._note(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return super().__contains__(name)


def _noting(value: Any, note: Callable[[str], None]) -> Any:
    if isinstance(value, dict):
        return _NotingDict(value, note)
    return [_noting(member, note) for member in value] if isinstance(value, list) else value


@contextmanager
def _noted(where: set[str], in_json: set[str]) -> Iterator[None]:
    """The names of fields that are asked for meanwhile: of queries and forms, and of JSON bodies."""
    methods = ("get", "getlist", "__getitem__", "__contains__")
    kept = {name: getattr(MultiValueDict, name) for name in methods}
    parse = json_views.parse

    def noting(name: str) -> Callable[..., Any]:
        def read(fields: Any, field: Any, *more: Any) -> Any:
            if isinstance(fields, QueryDict):
                where.add(str(field))
            return kept[name](fields, field, *more)

        return read

    try:
        for name in methods:
            setattr(MultiValueDict, name, noting(name))
        json_views.parse = lambda text: _noting(parse(text), in_json.add)
        yield
    finally:
        json_views.parse = parse
        for name in methods:
            # Two of them are `dict`'s own, and are found there again.
            if kept[name] is getattr(dict, name, None):
                delattr(MultiValueDict, name)
            else:
                setattr(MultiValueDict, name, kept[name])


@dataclass
class Fields:
    """The fields that a view asks for, by where they stand. Where a POST reads one, it may stand in the query too."""

    query: set[str] = field(default_factory=set)
    form: set[str] = field(default_factory=set)
    json: set[str] = field(default_factory=set)
    # A JSON body that led the view on.
    body: dict[str, Any] = field(default_factory=dict)


def fields_of(client: Client, url: str) -> Fields:
    """What the view behind an address asks for. Each round knows the fields of the last one, and may be led on by them."""
    named, found = _fields_by_name(url), Fields()
    # A view that streams a body finds the test client's read already, and says so.
    logging.disable()
    with _noted(found.query, found.json):
        _look_into_json(client, url, found)
    for _ in range(_ROUNDS):
        before = deepcopy(found)
        with _noted(found.query, found.json):
            client.get(url, dict.fromkeys(before.query | named.query, "x"))
            client.put(f"{url}{'&' if '?' in url else '?'}name=x", b"x")
        with _noted(found.form, found.json):
            client.post(url, dict.fromkeys(before.form | named.form, "x"))
        if found == before:
            break
    logging.disable(logging.NOTSET)
    for names, more in ((found.query, named.query), (found.form, named.form), (found.json, named.json)):
        names |= more
        names -= {name for name in names if not _WORD.fullmatch(name)} | {"csrfmiddlewaretoken"}
    return found


def _look_into_json(client: Client, url: str, found: Fields) -> None:
    """Ask with JSON bodies, keeping each value that makes the view ask for more."""
    client.post(url, "{}", content_type="application/json")
    known: set[str] = set()
    while known != found.json:
        known = set(found.json)
        for name in sorted(found.json - found.body.keys()):
            for value in _values_of(found.json):
                before = set(found.json)
                client.post(url, json.dumps(found.body | {name: value}), content_type="application/json")
                if found.json != before:
                    found.body[name] = value
                    break


def _values_of(names: set[str]) -> Iterator[Any]:
    yield from ("x", 1, ["x"], {}, str(UUID(int=0)))
    texts = dict.fromkeys(names, "x")
    yield [texts]


def _fields_by_name(url: str) -> Fields:
    """Those that the view's module names where it reads something: some are asked for only after others were valid."""
    module = inspect.getmodule(inspect.unwrap(resolve(url.partition("?")[0]).func))
    source = inspect.getsource(module) if module and module.__name__.startswith("console.") else ""
    found = Fields()
    for match in _READ.finditer(source):
        (found.query if "GET" in match[0] else found.form).add(match[1] or match[2] or match[3])
    if "read_asked" in source:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        passed = [each.value for call in calls for each in call.args if isinstance(each, ast.Constant)]
        found.json |= {value for value in passed if isinstance(value, str)}
    return found


@cache
def _texts() -> frozenset[str]:
    found = set()
    for path in _CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)


@cache
def words() -> list[str]:
    """Texts of the code that a value may be compared with."""
    return sorted(text for text in _texts() if _WORD.fullmatch(text) and not _HEADER.match(text))


@cache
def headers() -> list[str]:
    """The names of headers that our code or Django's looks at."""
    ours = {match[1].replace("_", "-").title() for text in _texts() if (match := _HEADER.fullmatch(text))}
    djangos = {
        *("Host", "Cookie", "Referer", "Origin", "Accept", "Accept-Language", "Accept-Encoding", "Content-Type"),
        *("If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since", "Range", "If-Range", "User-Agent"),
        *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Requested-With"),
        *("X-CSRFToken", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Authorization", "X-API-Key", "Content-Encoding"),
        *("HX-Request", "HX-Target", "HX-Trigger", "HX-Trigger-Name", "HX-Current-URL", "HX-Prompt", "HX-Boosted"),
        *("HX-Current-URL-URI-AutoEncoded", "HX-Target-URI-AutoEncoded", "HX-History-Restore-Request"),
    }
    return sorted((ours | djangos) - _FRAMING)
