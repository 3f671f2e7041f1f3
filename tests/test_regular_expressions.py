"""Every regular expression that meets a stranger's bytes takes linear time: found by walking the code, and attacked.

A pattern is found where it stands in a call of `re`, in a form's field or validator, or in a route. Each gets texts made from
itself (`regex_attacks.py`). One that is added tomorrow is found and attacked likewise; it stands in `LONGEST` when what it meets
may be longer than most, or is known to be short.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from storage import limits
from tests.processor_time import ROOT, call_ended_after
from tests.regex_attacks import attack, ended_early

ROOMS = ("console", "storage", "homeport", "clients/python/src")
FUNCTIONS = ("compile", "match", "search", "fullmatch", "split", "sub", "subn", "findall", "finditer")
FIELDS = ("RegexField", "RegexValidator", "re_path")
# A module without any of these has no pattern, and is not taken apart: there are several hundred, for each process of the run.
_MAY_HOLD_ONE = re.compile(rf"\bre\b|\bregex\b|{'|'.join(FIELDS)}")
# The expressions of a person's own `.detaignore`, tried in a process that is ended when one takes too long.
BOUNDED_BY_TIME = {"clients/python/src/deta/cli/ignoring_process.py"}
# Of processor time, for all attacks on one pattern: they have bounds of their own.
_FOR_ALL_SECONDS = 60
# In characters. A request's line and headers, and what a page keeps of a body, are no longer.
USUALLY = 65_536
# By file and pattern's name, where it is another length.
LONGEST = {
    # An object's number stands right before it: no more is looked at.
    "console/drive/pdfs.py _NUMBERED": 64,
    "console/drive/pdfs.py _NAME": limits.PREVIEW_PDF_BYTES,
    "console/drive/pdfs.py _ESCAPED": limits.PREVIEW_PDF_BYTES,
    "console/drive/pdfs.py _ESCAPE": limits.PREVIEW_PDF_BYTES,
    "console/drive/pdfs.py _OBJECT": limits.PREVIEW_PDF_BYTES,
    # A longer cell is a text before any of these looks at it.
    "storage/archive/reading/columns.py _WHOLE": 200,
    "storage/archive/reading/columns.py _WITH_POINT": 200,
    "storage/archive/reading/columns.py _WITH_COMMA": 200,
    "storage/archive/reading/columns.py _WITH_EXPONENT": 200,
    "storage/archive/reading/columns.py _JSON_NUMBER": 200,
    "storage/archive/reading/foreign.py _NUMBER": 200,
    "storage/archive/reading/rewriting.py _LIKE_A_NUMBER": 200,
    "storage/archive/reading/rewriting.py _WRITTEN_NUMBER": 200,
    "storage/archive/reading/rewriting.py _DATE": 200,
    "storage/archive/reading/rewriting.py _WRITTEN_DATE": 200,
    "storage/archive/reading/encodings.py BROKEN_CHARACTER": limits.ARCHIVE_ITEM_TEXT_MAX_BYTES,
    "console/drive/content_sniffing.py _CONTROL": limits.PREVIEW_TEXT_BYTES,
    "storage/exact_json.py _LONE_SURROGATE": limits.BODY_MAX_BYTES,
    "storage/archive/reading/json_stream.py _SPACE": limits.ARCHIVE_ITEM_TEXT_MAX_BYTES,
    "storage/archive/reading/json_stream.py _MARK": limits.ARCHIVE_ITEM_TEXT_MAX_BYTES,
    "storage/archive/reading/json_stream.py _IN_STRING": limits.ARCHIVE_ITEM_TEXT_MAX_BYTES,
    "storage/archive/reading/json_stream.py _END_OF_WORD": limits.ARCHIVE_ITEM_TEXT_MAX_BYTES,
}


class Found(NamedTuple):
    """A pattern, where it stands, and the methods that it is used with: all of them where that cannot be read."""

    where: str
    pattern: str | bytes
    flags: int
    methods: tuple[str, ...]

    @property
    def longest(self) -> int:
        return LONGEST.get(self.where, USUALLY)


def modules() -> Iterator[Path]:
    for room in ROOMS:
        found = (path for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts)
        yield from (path for path in found if str(path.relative_to(ROOT)) not in BOUNDED_BY_TIME)


def find_in(path: Path, names: dict[str, Any] | None = None) -> Iterator[Found]:
    """The patterns that stand in a module. Fails at one that cannot be read: those are made at the top of a module."""
    if not _MAY_HOLD_ONE.search(text := path.read_text()):
        return
    tree = ast.parse(text)
    file = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    held: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            held |= {id(each): node.targets[0].id for each in ast.walk(node.value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "regex":
                    yield Found(f"{file} {node.name}", ast.literal_eval(part.value), 0, ("fullmatch",))
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).split(".")
        if called[0] == "re" and called[-1] in FUNCTIONS:
            argument = node.args[0] if node.args else named(node, "pattern")
            flags = named(node, "flags") or (node.args[1] if called[-1] == "compile" and len(node.args) > 1 else None)
        elif called[-1] in FIELDS:
            argument, flags = named(node, "regex") or node.args[0], None
        else:
            continue
        where = f"{file} {held.get(id(node)) or f'line {node.lineno}'}"
        try:
            if names is None and not isinstance(argument, ast.Constant):
                names = vars(importlib.import_module(module_name(path)))
            pattern = evaluate(argument, names or {})
        except NameError:
            pytest.fail(
                f"{where}: a regular expression is made of what a walk cannot know; make it at the module's top"
            )
        methods = (called[-1],) if called[-1] not in ("compile", *FIELDS) else used_methods(tree, held.get(id(node)))
        made = re.compile(pattern, evaluate(flags, names or {}) if flags else 0)
        yield Found(where, made.pattern, made.flags, methods)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[3:] if parts[0] == "clients" else parts).removesuffix(".__init__")


def named(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def evaluate(node: ast.expr | None, names: dict[str, Any]) -> Any:
    assert node is not None
    return eval(compile(ast.Expression(node), "pattern", "eval"), {**names, "re": re})


def used_methods(tree: ast.Module, name: str | None) -> tuple[str, ...]:
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
    } & set(FUNCTIONS)
    return tuple(sorted(used)) or ("search", "match", "fullmatch")


def in_routes(resolver: URLResolver | None = None, above: str = "") -> Iterator[Found]:
    for each in (resolver or get_resolver()).url_patterns:
        made = each.pattern.regex if hasattr(each.pattern, "regex") else None
        where = f"{above}{each.pattern}"
        if made is not None:
            yield Found(f"route {where}", made.pattern, made.flags, ("search",))
        if isinstance(each, URLResolver):
            yield from in_routes(each, where)
        else:
            assert isinstance(each, URLPattern)


@lru_cache
def in_modules() -> list[Found]:
    return [each for path in modules() for each in find_in(path)]


def everything() -> list[Found]:
    distinct = {(each.pattern, each.flags, each.methods, each.longest): each for each in [*in_modules(), *in_routes()]}
    return list(distinct.values())


def slow_text(found: Found, longest: int) -> str:
    """The attack that took more processor time than `ended_early` allows, or than its length explains; empty when none did."""
    return str(call_ended_after(_FOR_ALL_SECONDS, ended_early, found.pattern, found.flags, found.methods, longest))


# A pattern that is not linear takes too long for the usual length as well: the longer one is for the long run.
@pytest.mark.parametrize(
    "found, longest",
    [
        *(pytest.param(each, min(each.longest, USUALLY), id=each.where) for each in everything()),
        *(
            pytest.param(each, each.longest, id=f"{each.where} at its longest", marks=pytest.mark.slow)
            for each in everything()
            if each.longest > USUALLY
        ),
    ],
)
def test_hostile_texts_take_linear_time(found: Found, longest: int) -> None:
    assert slow_text(found, longest) == ""


def test_each_length_is_that_of_a_pattern() -> None:
    assert LONGEST.keys() <= {each.where for each in in_modules()}


# Each is ended by the system, after as much processor time as all others may take.
@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>\[]*>\s*)*<svg[\s>]", marks=pytest.mark.slow),
        rb"(a+)+b",
        r"\\++(?:u([0-9A-Fa-f]{4})|(/))",
        pytest.param(r"(a|a)*b", marks=pytest.mark.slow),
        pytest.param(rb"^(\w+\s?)*$", marks=pytest.mark.slow),
        pytest.param(r"\s+$", marks=pytest.mark.slow),
        pytest.param(rb"(x+x+)+y", marks=pytest.mark.slow),
        pytest.param(r".*,.*,.*;", marks=pytest.mark.slow),
        pytest.param(rb"(?:[^,]*,?)*!", marks=pytest.mark.slow),
        pytest.param(r"(.*?,){12}P", marks=pytest.mark.slow),
    ],
)
def test_slow_patterns_are_told(pattern: str | bytes) -> None:
    assert slow_text(Found("here", pattern, re.DOTALL, ("search",)), USUALLY) != ""


@pytest.mark.parametrize(
    "code, pattern, methods",
    [
        ("import re\n_X = re.compile('a+')\n_X.match('')", "a+", ("match",)),
        ("import re\nX = [(re.compile(r'a+', re.I), 1)]", "a+", ("search", "match", "fullmatch")),
        ("import re\ndef f(x):\n    return re.sub(r'a+', '', x)", "a+", ("sub",)),
        ("import re\ndef f(x):\n    return re.split(pattern='a+', string=x)", "a+", ("split",)),
        ("import re\nP = 'a'\nX = re.compile(rf'{P}+')", "a+", ("search", "match", "fullmatch")),
        ("from django import forms\nx = forms.RegexField(regex='a+')", "a+", ("search", "match", "fullmatch")),
        ("class Id:\n    regex = 'a+'", "a+", ("fullmatch",)),
    ],
)
def test_each_way_to_write_one_is_found(tmp_path: Path, code: str, pattern: str, methods: tuple[str, ...]) -> None:
    (tmp_path / "tried.py").write_text(code)
    (found,) = find_in(tmp_path / "tried.py", {"P": "a"})
    assert (found.pattern, found.methods) == (pattern, methods)


def test_one_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tried.py").write_text("import re\ndef f(x):\n    return re.match(x, '')")
    with pytest.raises(pytest.fail.Exception):
        list(find_in(tmp_path / "tried.py", {}))


def test_re_is_imported_in_one_way() -> None:
    """`from re import ...` and other engines would not be seen."""
    others = re.compile(r"^\s*(from (re|regex|re2|fnmatch|glob)\b|import (re as|regex|re2))", re.M)
    assert [str(path) for path in modules() if others.search(path.read_text())] == []


def test_attacks_are_as_long_as_allowed() -> None:
    assert inspect.isgeneratorfunction(attack)
    assert {len(each) for each in attack("a+b", 0, 1_000)} >= {1_000}
    assert max(len(each) for each in attack(r"(<!--.*?-->\s*)*<svg", 0, 5_000)) <= 5_000
