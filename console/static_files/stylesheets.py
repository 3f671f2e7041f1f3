"""Stylesheets made whole: each with those in it that it imports, without their comments."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

_IMPORT = re.compile(r'^@import url\("([^"\n]+)"\)(?: layer\((\w+)\))?;$', re.M)


def make_whole(name: str, texts: Mapping[str, str]) -> str:
    """The stylesheet `name` of those in `texts`. What it imports may import and name no files itself: an address in it would mean
    another place here."""
    folder = PurePosixPath(name).parent

    def put_in(found: re.Match[str]) -> str:
        text = _without_comments(texts[str(folder / found[1])])
        return f"@layer {found[2]} {{\n{text}}}" if found[2] else text

    return _IMPORT.sub(put_in, _without_comments(texts[name]))


def _without_comments(text: str) -> str:
    """No string of ours holds the beginning of a comment: `tests/console/test_static_files.py`."""
    first, *others = text.split("/*")
    kept = [first]
    for each in others:
        kept[-1] = kept[-1].rstrip(" \t")
        kept.append(each.partition("*/")[2].removeprefix("\n"))
    return "".join(kept)
