"""Stylesheets are gathered with those in them that they import, each in its layer; modules within the scripts of pages."""

import re
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from console.static_files.storage import StaticFiles
from tests.serving import ROOT

STATIC = ROOT / "static"
STYLES = STATIC / "css"
WHOLE = ("main.css", "base.css", "drive.css")
IMPORTS = {
    sheet: re.findall(r'@import url\("([^"]+)"\)(?: layer\((\w+)\))?;', (STYLES / sheet).read_text()) for sheet in WHOLE
}
IMPORTED = sorted({name for imports in IMPORTS.values() for name, _ in imports})


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> StaticFiles:
    """All stylesheets and modules as pages ask for them."""
    folder = tmp_path_factory.mktemp("gathered")
    storage, source = StaticFiles(location=str(folder)), FileSystemStorage(str(STATIC))
    names = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.suffix in (".css", ".js")]
    shutil.copytree(STATIC, folder, dirs_exist_ok=True)
    for _, _, outcome in storage.post_process({name: (source, name) for name in names}):
        assert not isinstance(outcome, Exception)
    return storage


def _read(storage: StaticFiles, name: str) -> str:
    return Path(storage.path(storage.hashed_files[name])).read_text()


@pytest.mark.parametrize("sheet", WHOLE)
def test_nothing_is_left_to_ask_for(gathered: StaticFiles, sheet: str) -> None:
    text = _read(gathered, f"css/{sheet}")
    assert len(text) > 10_000
    assert "@import" not in text
    assert "url(" not in text


@pytest.mark.parametrize("sheet", WHOLE)
def test_each_stands_in_its_layer_and_in_order_without_its_comments(gathered: StaticFiles, sheet: str) -> None:
    text, imports = _read(gathered, f"css/{sheet}"), IMPORTS[sheet]
    assert len(imports) == (STYLES / sheet).read_text().count("@import") >= 5
    assert "/*" not in text
    at = 0
    for name, layer in imports:
        rules = _squeezed(re.sub(r"/\*.*?\*/", "", (STYLES / name).read_text(), flags=re.S))
        wanted = f"@layer{layer}{{{rules}}}" if layer else rules
        found = _squeezed(text).find(wanted, at)
        assert found != -1, name
        at = found + len(wanted)


def test_the_order_of_layers_comes_first(gathered: StaticFiles) -> None:
    assert _read(gathered, "css/main.css").startswith("@layer tokens, reset, layout, components, pages;")


@pytest.mark.parametrize("name", IMPORTED)
def test_what_is_imported_names_no_other_file(name: str) -> None:
    """From within another file an address would lead elsewhere, and these rules stand at a file's top alone."""
    assert not re.search(r"url\(|@import|@charset|@namespace", (STYLES / name).read_text())


@pytest.mark.parametrize("path", sorted(STYLES.rglob("*.css")), ids=lambda path: path.name)
def test_no_text_looks_like_a_comment(path: Path) -> None:
    assert not re.search(r"""["'][^"'\n]*/\*""", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S))


def test_modules_within_others_have_no_name_of_their_own(gathered: StaticFiles) -> None:
    names = {name for name in gathered.hashed_files if name.endswith(".js")}
    assert {"js/pages/layout.js", "js/pages/base.js", "js/client/homeport_changes.js"} <= names
    assert not {name for name in names if name.startswith("js/lib/")}


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
