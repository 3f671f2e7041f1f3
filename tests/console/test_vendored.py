"""The JSON editor's files: those that the pages name are found, the hundreds they do not need are not collected."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from console.vendored import AceFinder


def test_named_files_are_found() -> None:
    page = (Path(__file__).resolve().parents[2] / "templates/base/page.html").read_text()
    named = re.findall(r"static '(ace/[^']+)'", page)
    assert named
    for name in named:
        assert finders.find(name), name


def test_pictures_of_the_style_sheet_are_found() -> None:
    path = finders.find("ace/css/ace.css")
    assert path
    sheet = Path(path).read_text()
    pictures = re.findall(r'url\("\./([^"]+)"\)', sheet)
    assert pictures
    for name in pictures:
        assert finders.find(f"ace/css/{name}"), name


def test_only_what_is_needed_is_collected() -> None:
    assert len(list(AceFinder().list([]))) < 50


@pytest.mark.parametrize("name", ["ace/mode-python.js", "ace/../ace.js", "ace.js", "ace/css/theme/chrome.css"])
def test_other_files_are_not_found(name: str) -> None:
    assert AceFinder().find(name) == []
