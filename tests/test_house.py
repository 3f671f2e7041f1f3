"""The rules of the house that a machine can hold: which way imports run, and what stands in one place only."""

import ast
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What people's apps begin with stands among them, and is no module of ours.
MODULES = sorted(
    path for room in ("console", "storage") for path in (ROOT / room).rglob("*.py") if "starter_apps" not in path.parts
)
CODE = [path for path in MODULES if "migrations" not in path.parts]
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|ALTER\s+TABLE)\b", re.S
)
NAME_OF_OURS = re.compile(r"(console|storage)(\.\w+)+")
IMPORTS_BY_NAME = ("import_module", "__import__", "import_string")


# One at a time: what is found in it is kept for all of them, and is much smaller.
@lru_cache(maxsize=1)
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imported_names(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, `from a import b` as `a.b` too.

    A string that is the name of one of our modules counts: `import_module`, `include` and Django's settings import by such.
    """
    names: list[str] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return (*names, *filter(NAME_OF_OURS.fullmatch, texts(path)))


def imports_by_unknown_name(path: Path) -> Iterator[str]:
    """Every import in a file of a module whose name does not stand there as one whole string."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IMPORTS_BY_NAME:
            name = node.args[0] if node.args else None
            if not (isinstance(name, ast.Constant) and isinstance(name.value, str)) or name.value.startswith("."):
                yield ast.unparse(node)


def room_of(module: str) -> str:
    """The folder of `console` or `storage` that a module is in, or the module itself where it is in none.

    What runs Micros on this machine is one room with what Micros mean: each asks the other.
    """
    if f"{module}.".startswith("storage.embedded.micros."):
        return "storage.micros"
    return ".".join(module.split(".")[:2])


@cache
def texts(path: Path) -> tuple[str, ...]:
    """Every string in a file but for docstrings, f-strings as their constant parts."""
    return tuple(_texts(path))


def _texts(path: Path) -> Iterator[str]:
    tree = parsed(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def offenders(paths: list[Path], is_wrong: "re.Pattern[str]") -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {name}" for path in paths for name in imported_names(path) if is_wrong.match(name)
    ]


def inside(folder: str) -> list[Path]:
    return [path for path in CODE if path.is_relative_to(ROOT / folder)]


def test_storage_never_imports_http() -> None:
    assert offenders(inside("storage"), re.compile(r"(console|django\.(http|shortcuts|template|urls|views))\b")) == []


def test_embedded_engines_import_neither_django_nor_the_rooms_above() -> None:
    """But for counting, errors, limits, the words of what runs Micros and what masks their secrets, which belong to no room."""
    above = re.compile(r"(django|console|storage\.(?!(embedded|counting|errors|limits|micro_host|micro_masking)\b))")
    assert offenders(inside("storage/embedded"), above) == []


def test_pages_stand_above_recording_and_recording_above_the_api() -> None:
    pages = "|".join(
        path.name
        for path in (ROOT / "console").iterdir()
        if path.is_dir()
        and path.name not in ("api", "recording", "server", "live", "openapi", "management", "__pycache__")
    )
    # The id of a request is for the log as well, which is everybody's.
    server = re.compile(r"(django|storage(?!\.request_ids)|console\.(?!server))\b")
    assert offenders(inside("console/server"), server) == []
    assert offenders(inside("console/api"), re.compile(rf"console\.({pages}|recording)\b")) == []
    assert offenders(inside("console/recording"), re.compile(rf"console\.({pages})\b")) == []
    # Streams are for both; what they are for pages alone is in one module, which nothing beside it imports.
    streams = [path for path in inside("console/live") if path.name != "pages.py"]
    assert offenders(streams, re.compile(rf"console\.({pages}|recording|api|live\.pages)\b")) == []
    assert offenders(inside("console/api"), re.compile(r"console\.live\.pages\b")) == []
    # The API and a page show what it is like; the description knows neither of them.
    assert offenders(inside("console/openapi"), re.compile(rf"console\.({pages}|recording|api|live)\b")) == []
    for page in pages.split("|"):
        assert offenders(inside(f"console/{page}"), re.compile(r"console\.api\b")) == []


def test_rooms_import_nothing_that_puts_them_together() -> None:
    in_rooms = [path for path in inside("console") if path.parent != ROOT / "console"]
    assert offenders(in_rooms, re.compile(r"console\.(wsgi|listener|urls|settings)\b")) == []


def test_rooms_import_each_other_in_no_circle() -> None:
    """Settings are left out: they name what Django loads later, and are read through `django.conf`."""
    arrows: dict[str, set[str]] = {}
    for path in CODE:
        room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        rooms = {room_of(name) for name in imported_names(path) if NAME_OF_OURS.fullmatch(name)}
        arrows.setdefault(room, set()).update(rooms - {room, "console.settings"})
    del arrows["console.settings"]
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_modules_are_imported_by_names_that_can_be_read() -> None:
    """But for the engine of sessions: Django asks their table for it, and settings name it."""
    unknown = {path.relative_to(ROOT): list(imports_by_unknown_name(path)) for path in CODE}
    assert {str(path): found for path, found in unknown.items() if found} == {
        "storage/models/people.py": ["import_string(f'{settings.SESSION_ENGINE}.SessionStore')"]
    }


@pytest.mark.parametrize(
    "code",
    [
        "import console.wsgi",
        "from console import wsgi",
        "from console.wsgi import api",
        "import_module('console.wsgi').api",
        "importlib.import_module(name='console.wsgi')",
        "__import__('console.wsgi')",
        "WSGI = 'console.wsgi.application'",
        "path('', include('console.wsgi'))",
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, code: str) -> None:
    (tmp_path / "tried.py").write_text(code)
    assert any(name.startswith("console.wsgi") for name in imported_names(tmp_path / "tried.py"))


@pytest.mark.parametrize(
    "code",
    ["import_module(name)", "import_module('.wsgi', 'console')", "__import__(f'console.{a}')", "from . import a"],
)
def test_imports_by_names_that_cannot_be_read_are_seen(tmp_path: Path, code: str) -> None:
    (tmp_path / "tried.py").write_text(code)
    assert list(imports_by_unknown_name(tmp_path / "tried.py")) == [code]


def test_boto3_is_imported_in_one_place() -> None:
    users = {path for path in CODE for name in imported_names(path) if re.match(r"(boto3|botocore)\b", name)}
    assert users <= {ROOT / "storage/s3/blobs.py"}


def test_sql_stands_in_rooms_of_its_own() -> None:
    """In modules called `sql` and folders called so. Migrations are exempt."""
    elsewhere = [path for path in CODE if "sql" not in path.with_suffix("").parts]
    assert [
        f"{path.relative_to(ROOT)}: {text[:60]}" for path in elsewhere for text in texts(path) if SQL.search(text)
    ] == []


def test_every_module_says_what_it_owns() -> None:
    named = [path for path in CODE if path.name != "__init__.py"]
    assert [str(path.relative_to(ROOT)) for path in named if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_colours_stand_in_the_tokens_alone() -> None:
    colour = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch|lab)a?\(")
    sheets = [path for path in (ROOT / "static/css").rglob("*.css") if path.name != "tokens.css"]
    assert sheets
    assert [
        f"{path.name}: {line}" for path in sheets for line in path.read_text().splitlines() if colour.search(line)
    ] == []
