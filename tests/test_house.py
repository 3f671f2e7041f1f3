"""The rules of the house that a machine can hold: which way imports run, and what stands in one place only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for room in ("console", "storage") for path in (ROOT / room).rglob("*.py"))
CODE = [path for path in MODULES if "migrations" not in path.parts]
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|ALTER\s+TABLE)\b", re.S
)


def imported_names(path: Path) -> Iterator[str]:
    """Every module that a file imports, `from a import b` as `a.b` too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def texts(path: Path) -> Iterator[str]:
    """Every string in a file but for docstrings, f-strings as their constant parts."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "?" for part in node.values)
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
    above = re.compile(r"(django|console|storage\.(?!embedded))\b")
    assert offenders(inside("storage/embedded"), above) == []


def test_api_and_pages_never_import_each_other() -> None:
    pages = [
        p.name
        for p in (ROOT / "console").iterdir()
        if p.is_dir() and p.name not in ("api", "management", "__pycache__")
    ]
    assert offenders(inside("console/api"), re.compile(rf"console\.({'|'.join(pages)})\b")) == []
    for page in pages:
        assert offenders(inside(f"console/{page}"), re.compile(r"console\.api\b")) == []


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
