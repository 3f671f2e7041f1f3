"""Icons are drawn as Lucide's own tag draws them, but for the space between their parts, for all that templates name."""

import re

import pytest
from lucide.templatetags.lucide import lucide

from console.icons import draw
from console.templatetags.page import icon
from tests.serving import ROOT

NAMES = sorted(
    {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())
    }
)


def test_each_is_as_the_packages_own_tag_draws_it() -> None:
    assert len(NAMES) > 40
    for name in NAMES:
        whole = lucide(name, size=20, aria_hidden="true", focusable="false")
        assert icon(name, 20) == re.sub(r">\s+<", "><", whole)


def test_a_name_without_a_drawing_is_told() -> None:
    with pytest.raises(KeyError):
        draw("no-such-drawing")
