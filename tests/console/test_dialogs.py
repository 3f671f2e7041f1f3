"""Every dialog has its buttons in one order and a way out, and nothing that htmx does is inherited where it was not meant."""

import re
from pathlib import Path

from tests.console.conftest import Browser
from tests.people import Cast

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
_ACTIONS = re.compile(r'<div class="actions">(.*?)</div>', re.DOTALL)
_CONTROL = re.compile(r"<(?:button|a)\b[^>]*>.*?</(?:button|a)>", re.DOTALL)
_WAY_OUT = re.compile(r"<a\b[^>]*\bdata-close\b[^>]*>")
_IS_ACT = re.compile(r"button-(?:accent|danger|danger-quiet)\b")


def dialogs() -> dict[str, str]:
    """The templates with a dialog in them, by their path."""
    found = {path: path.read_text() for path in TEMPLATES.rglob("*.html")}
    return {
        path.relative_to(TEMPLATES).as_posix(): text
        for path, text in found.items()
        if "{% extends dialog %}" in text or "<dialog" in text or "dialog-content" in text
    }


def test_safe_button_comes_first_and_the_act_last() -> None:
    wrong = []
    for name, text in dialogs().items():
        for actions in _ACTIONS.findall(text):
            acts = [bool(_IS_ACT.search(control)) for control in _CONTROL.findall(actions)]
            if acts != sorted(acts):
                wrong.append((name, actions))
    assert wrong == []
    assert len(dialogs()) > 30


def test_way_out_that_is_a_link_is_not_followed_into_the_dialog() -> None:
    """The dialog's links are htmx's unless they say otherwise: this one would be fetched, and open it again."""
    links = [(name, link) for name, text in dialogs().items() for link in _WAY_OUT.findall(text)]
    assert len(links) > 5
    assert [(name, link) for name, link in links if 'hx-boost="false"' not in link] == []


def test_attributes_of_htmx_are_inherited_only_where_it_says_so(people: Cast, browser: Browser) -> None:
    page = browser(people.owner).get("/").content.decode()
    assert '"disableInheritance":true' in page
    says_so = [path.name for path in TEMPLATES.rglob("*.html") if "hx-inherit" in path.read_text()]
    assert says_so == ["_layout.html"]
