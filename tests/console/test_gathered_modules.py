"""The scripts of pages are gathered with all modules in them that they import."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from console.static_files import modules
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS

STATIC = ROOT / "static"
TEXTS = {path.relative_to(STATIC).as_posix(): path.read_text() for path in sorted((STATIC / "js").rglob("*.js"))}
TEMPLATES = {path: path.read_text() for path in sorted((ROOT / "templates").rglob("*.html"))}

WORLD = {
    "js/pages/layout.js": 'import { note } from "../lib/notes.js";\nimport "./state.js";\nnote("layout");\n',
    "js/pages/state.js": 'import { note } from "../lib/notes.js";\nnote("state");\nexport const state = { count: 0 };\n',
    "js/lib/notes.js": "/** Kept. */\nexport function note(text) {\n  console.log(text);\n}\n",
    "js/lib/forms.js": """
export class One {}
export async function two() {}
export function* three() {}
export const four = 4;
export const { five, six: seven } = { five: 5, six: 7 };
const own = "not given away";
// A line of words.
export const text = `a
b ${own.length}`;
""",
    "js/pages/page.js": """/** What it does,
 * in two lines. */

import { state } from "./state.js";
import { four as renamed, One, two } from "../lib/forms.js";
import * as forms from "../lib/forms.js";
import { note } from "../lib/notes.js";
import {
  middle,
} from "./parts/middle.js";

export { middle as passedOn } from "./parts/middle.js";

state.count += 1;
note(JSON.stringify([renamed, typeof One, typeof two, Object.keys(forms), forms.text, middle]));
import("./parts/later.js").then(({ later }) => note(later()));
""",
    "js/pages/parts/middle.js": 'export const middle = "middle";\n',
    "js/pages/parts/later.js": """import { state } from "../state.js";
import { middle } from "./middle.js";

/* It is loaded when needed. */
export const later = () => `${middle} ${state.count}`;
""",
}


def test_they_do_what_the_modules_do(tmp_path: Path) -> None:
    told = [
        "state",
        "layout",
        '[4,"function","function",["One","five","four","seven","text","three","two"],"a\\nb 14","middle"]',
    ]
    assert _run(WORLD, tmp_path / "as-written") == [*told, "middle 1"]
    gathered = modules.gather(WORLD)
    assert gathered.keys() == {"js/pages/layout.js", "js/pages/page.js", "js/pages/parts/later.js"}
    assert _sorted_names(_run(gathered, tmp_path / "gathered")) == [*told, "middle 1"]


def _sorted_names(lines: list[str]) -> list[str]:
    """A module lists its names in their order, an object as they were given."""
    return [
        json.dumps(
            [sorted(each) if isinstance(each, list) else each for each in json.loads(line)], separators=(",", ":")
        )
        if line.startswith("[")
        else line
        for line in lines
    ]


def _run(texts: Mapping[str, str], folder: Path) -> list[str]:
    """What node prints when it loads the script of all pages, and then that of one."""
    for name, text in {**texts, "package.json": '{"type": "module"}'}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return _node('import "./js/pages/layout.js";\nimport "./js/pages/page.js";\n', folder)


def _node(program: str, folder: Path, *options: str) -> list[str]:
    (folder / "main.mjs").write_text(program)
    node = shutil.which("node", path=f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}") or pytest.fail("no node")
    done = subprocess.run(
        [node, *options, "main.mjs"], cwd=folder, capture_output=True, text=True, timeout=MOMENT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_comments_stay_behind() -> None:
    gathered = "".join(modules.gather(WORLD).values())
    assert "/*" not in gathered
    assert "//" not in gathered


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"js/pages/parts/other.js": "", "js/pages/other.js": 'import("./parts/later.js");'},
            "by js/pages/other.js and js/p",
        ),
        (
            {
                "js/pages/page.js": 'import("./parts/one.js");\nimport("./parts/two.js");\n',
                "js/pages/parts/one.js": 'import "./middle.js";\n',
                "js/pages/parts/two.js": 'import "./middle.js";\n',
            },
            "js/pages/parts/middle.js would be in js/pages/parts/one.js and in js/pages/parts/two.js",
        ),
    ],
    ids=["when needed, by two pages", "a state twice"],
)
def test_what_would_run_twice_is_refused(changes: Mapping[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        modules.gather({**WORLD, **changes})


def test_the_import_map_needs_what_others_import() -> None:
    assert modules.find_imported(WORLD) == ["js/pages/layout.js", "js/pages/page.js", "js/pages/parts/later.js"]


@pytest.mark.parametrize("name", sorted(modules.find_modules(TEXTS)))
def test_modules_are_written_to_be_gathered(name: str) -> None:
    """Each import and export is in a form that is known, no comment stands in a text, and nothing exported changes."""
    text = modules._COMMENT.sub("", TEXTS[name])
    known = [modules._IMPORT, modules._PASSED_ON, modules._EXPORT]
    assert len(re.findall(r"^(?:import\b(?!\()|export\b)", text, re.M)) == sum(
        len(each.findall(text)) for each in known
    )
    assert len(re.findall(r"\bimport\(", text)) == len(modules._LAZY.findall(text))
    assert not re.search(r"^export (?:let|var|default)|^await ", text, re.M)
    assert "import.meta" not in text or name.rpartition("/")[0] == "js/pages"
    for comment in modules._COMMENT.finditer(TEXTS[name]):
        code = modules._COMMENT.sub("", TEXTS[name][: comment.start()]).replace('"`"', "")
        assert len(re.findall(r"(?<!\\)`", code)) % 2 == 0, comment.group()


def test_browsers_can_read_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "gathered.json").write_text(json.dumps(modules.gather(TEXTS)))
    program = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
for (const [identifier, text] of Object.entries(JSON.parse(readFileSync("gathered.json", "utf8"))))
  console.log(new SourceTextModule(text, { identifier }).identifier);
"""
    read = _node(program, tmp_path, "--experimental-vm-modules", "--no-warnings")
    assert len(read) == len(modules.gather(TEXTS)) > 20


def test_pages_name_scripts_that_are_gathered() -> None:
    named = {name for text in TEMPLATES.values() for name in re.findall(r"'(js/pages/[^']+)'", text)}
    assert len(named) > 10
    assert named <= modules.gather(TEXTS).keys()


def test_pages_for_visitors_name_scripts_that_stand_alone() -> None:
    blocks = [
        block
        for text in TEMPLATES.values()
        for block in re.findall(r"\{% block visitor_scripts %\}(.*?)\{% endblock %\}", text, re.S)
    ]
    named = {name for block in blocks for name in re.findall(r"'(js/pages/[^']+)'", block)}
    assert named == modules.ALONE
    gathered = modules.gather(TEXTS)
    assert not [name for name in named if re.search(r"^import ", gathered[name], re.M)]
