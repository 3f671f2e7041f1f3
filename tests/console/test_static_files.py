"""The one stylesheet is gathered with those in it that it imports, each in its layer."""

import re
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from console.static_files import MAIN_STYLESHEET, StaticFiles
from tests.serving import ROOT

STYLES = ROOT / "static" / "css"
IMPORTS = re.findall(r'@import url\("(.+)"\) layer\((.+)\);', (ROOT / "static" / MAIN_STYLESHEET).read_text())


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The stylesheet that pages link to."""
    folder = tmp_path_factory.mktemp("gathered")
    storage, source = StaticFiles(location=str(folder)), FileSystemStorage(str(ROOT / "static"))
    names = [str(path.relative_to(ROOT / "static")) for path in STYLES.rglob("*.css")]
    shutil.copytree(STYLES, folder / "css")
    for _, _, outcome in storage.post_process({name: (source, name) for name in names}):
        assert not isinstance(outcome, Exception)
    return Path(folder, storage.hashed_files[MAIN_STYLESHEET]).read_text()


def test_nothing_is_left_to_ask_for(gathered: str) -> None:
    assert "@import" not in gathered
    assert "url(" not in gathered


def test_each_stands_in_its_layer_and_in_order(gathered: str) -> None:
    assert len(IMPORTS) == len(re.findall("@import", (ROOT / "static" / MAIN_STYLESHEET).read_text())) > 20
    assert gathered.startswith("/*")
    places = [gathered.index(f"@layer {layer} {{\n{(STYLES / name).read_text()}}}") for name, layer in IMPORTS]
    assert places == sorted(places)
    assert gathered.index("@layer tokens, reset, layout, components, pages;") < places[0]


@pytest.mark.parametrize("name", [name for name, _ in IMPORTS])
def test_what_is_imported_names_no_other_file(name: str) -> None:
    """From within another file an address would lead elsewhere, and these rules stand at a file's top alone."""
    assert not re.search(r"url\(|@import|@charset|@namespace", (STYLES / name).read_text())
