"""The types of a Base as code: right for every item it was learned from, and with nothing that a stranger wrote but as a name.

Each language is tried by what reads it: `jsonschema`, pydantic and, in the long run, TypeScript's compiler.
"""

import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import pytest
from django.test import Client

from console.connect.types import json_schema, pydantic_models, rows, typescript
from console.connect.types.type_names import TypeNames
from storage.base import bases
from storage.exact_json import parse
from storage.item_types.shapes import ATTRIBUTES_MAX, Learner, Shape
from tests.console.conftest import Browser
from tests.people import Cast
from tests.serving import ROOT
from tests.storage.rows import fill_base

ABOUT = "An item of the Base notes, learned from all 3 items."
TSC = ROOT / ".venv/node-tools/node_modules/.bin/tsc"
# Names that mean something where code is written, or end what they stand in.
HOSTILE = [
    *(
        "class",
        "def",
        "None",
        "self",
        "__init__",
        "__class__",
        "_private",
        "model_config",
        "model_dump",
        "copy",
        "json",
    ),
    *(
        "str",
        "int",
        "list",
        "Any",
        "Literal",
        "Field",
        "BaseModel",
        "NotesItem",
        "NotesItemA",
        "validate",
        "constructor",
    ),
    *(
        "*/ alert(1) /*",
        '"""',
        "'''",
        "\\",
        "\\'",
        '"',
        "'",
        "`${x}`",
        "\n",
        "\r\n# x",
        "\u2028",
        "\u2029",
        "</script>",
    ),
    *(
        "a b",
        "a-b",
        "a_b",
        "a.b",
        "1st",
        "-",
        "é",
        "größe",
        "名前",
        "\U0001f600",
        "# x",
        "// x",
        "; import os",
        "\x7f\x1b",
    ),
    *(
        "[key: string]",
        "readonly",
        "?",
        "a?: string",
        "{",
        "}",
        "type",
        "interface",
        "toString",
        "x" * 300,
        "A",
        "a",
        "a_",
    ),
]


def shape_of(items: list[dict[str, Any]]) -> Shape:
    learner = Learner()
    for item in items:
        learner.add(parse(json.dumps(item).encode()))
    return learner.items


def some_value(chance: random.Random, level: int) -> Any:
    kind = chance.randrange(10 if level else 8)
    match kind:
        case 0:
            return None
        case 1:
            return chance.choice([True, False])
        case 2:
            return chance.choice([0, -1, 2**63, 10**30, chance.randrange(1_000)])
        case 3:
            return chance.choice([0.5, -1e-9, 1e22, 3.0])
        case 4 | 5:
            return chance.choice(["", "a", "1", "true", "null", "2026-11-29", "é\u2028\n", *HOSTILE])
        case 6 | 8:
            return [some_value(chance, level - 1) for _ in range(chance.randrange(4))] if level else []
        case _:
            names = chance.sample(HOSTILE, chance.randrange(5))
            return {name: some_value(chance, level - 1) for name in names} if level else {}


def random_items(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    names = chance.sample(HOSTILE, 12)
    return [
        {"key": f"k{number}"} | {name: some_value(chance, 3) for name in names if chance.random() < 0.8}
        for number in range(40)
    ]


TIDY = [
    {
        "key": f"{number}",
        "state": ["open", "closed"][number % 2],
        "mixed": [number, "text", None][number % 3],
        "at": f"2026-11-{number % 28 + 1:02}T10:00:00Z",
        "tags": ["a", "b"][: number % 3],
        "address": {"city": "Rome", "zip": number} if number % 4 else None,
        "price": number / 2 if number % 2 else number,
    }
    | ({"note": "x"} if number % 5 else {})
    for number in range(120)
]
CASES: dict[str, list[dict[str, Any]]] = {
    "tidy": TIDY,
    "hostile": [{"key": "a"} | {name: {name: 1, "x": [name]} for name in HOSTILE}, {"key": "b"}],
    "many": [{"key": "a", "by": {f"n{n}": n for n in range(300)}} | {f"a{n}": n for n in range(ATTRIBUTES_MAX + 50)}],
    "choices": [{"key": f"{n}", "c": ["a'b", 'a"b', "\\", "\n", "é", 5][n % 6]} for n in range(600)],
    **{f"random {seed}": random_items(seed) for seed in range(12)},
}
every_case = pytest.mark.parametrize("items", CASES.values(), ids=CASES.keys())


@every_case
def test_every_item_is_valid_by_the_schema(items: list[dict[str, Any]]) -> None:
    schema = json.loads(json_schema.write("notes", shape_of(items), ABOUT))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for item in items:
        assert validator.is_valid(item), list(validator.iter_errors(item))


@every_case
def test_every_item_goes_through_the_models_and_comes_back(items: list[dict[str, Any]]) -> None:
    model = load_models(pydantic_models.write("notes", shape_of(items), ABOUT))
    for item in items:
        back = model.model_validate_json(json.dumps(item)).model_dump_json(by_alias=True, exclude_unset=True)
        assert json.loads(back) == item
        assert json.dumps(json.loads(back), sort_keys=True) == json.dumps(item, sort_keys=True)


def load_models(code: str) -> type[pydantic.BaseModel]:
    assert code.isascii()
    names: dict[str, Any] = {"__name__": "notes_item"}
    exec(compile(code, "<types>", "exec"), names)
    model = names["NotesItem"]
    assert issubclass(model, pydantic.BaseModel)
    return model


def test_the_names_of_models_are_known() -> None:
    """Those that a field must not have: public ones of the class, and of what stands in annotations."""
    ours = {name for name in dir(pydantic.BaseModel) if not name.startswith(("_", "model_"))}
    assert ours <= pydantic_models.TAKEN


def test_typescript_says_what_there_is() -> None:
    assert typescript.write("notes", shape_of(TIDY), ABOUT) == (
        f"/** {ABOUT} */\n"
        "export interface NotesItem {\n"
        "  key: string;\n"
        '  state: "closed" | "open";\n'
        "  /** string 40, integer 40, null 40 */\n"
        "  mixed: string | number | null;\n"
        "  /** a moment, ISO 8601 with its time zone */\n"
        "  at: string;\n"
        '  tags: ("a" | "b")[];\n'
        "  /** object 90, null 30 */\n"
        "  address: NotesItemAddress | null;\n"
        "  /** integer 60, number 60 */\n"
        "  price: number;\n"
        "  /** in 96 of 120 */\n"
        "  note?: string;\n"
        "}\n"
        "\n"
        "export interface NotesItemAddress {\n"
        "  city: string;\n"
        "  zip: number;\n"
        "}\n"
    )


@pytest.mark.parametrize("write", [typescript.write, pydantic_models.write, json_schema.write])
def test_what_a_stranger_wrote_stands_in_literals_alone(write: Callable[[str, Shape, str], str]) -> None:
    """Nothing of it is left once texts in quotes are taken out, and none ends on another line than it began."""
    name = "*/ '''\"\"\" \n\r\u2028 INJECTED # //"
    items = [{"key": f"{n}", name: {name: [name, f"{name}{n % 2}"][n % 2]}} for n in range(400)]
    code = write("notes", shape_of(items), ABOUT)
    assert code.isascii()
    without = re.sub(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", "", code.replace(f'"""{ABOUT}"""', ""))
    assert "INJECTED" in code
    assert not re.search(r"['\"`]", without)
    # A name made of its letters, at most.
    assert set(re.findall(r"\w*injected\w*", without, re.I)) <= {"NotesItemINJECTED", "INJECTED"}


@pytest.mark.parametrize(
    "base, name", [("notes", "NotesItem"), ("my-notes.2", "MyNotes2Item"), ("2024", "Base2024Item"), ("_", "BaseItem")]
)
def test_types_are_called_after_the_base(base: str, name: str) -> None:
    names = TypeNames(base)
    assert names.root == name
    made = [names.below(names.root, attribute) for attribute in ("a-b", "a_b", "A B", "é", "名前")]
    assert len(set(made)) == len(made)
    assert all(each.isidentifier() and each.isascii() for each in made)


@pytest.mark.slow
def test_every_item_is_one_for_the_compiler_of_typescript(tmp_path: Path) -> None:
    """All cases in one run. It knows no number as large as ours can be."""
    for number, items in enumerate(CASES.values()):
        code = typescript.write("notes", shape_of(items), ABOUT)
        literals = json.dumps(items, indent=0)
        (tmp_path / f"case_{number}.ts").write_text(f"{code}\nexport const items: NotesItem[] = {literals};\n")
    (tmp_path / "wrong.ts").write_text(
        f"{typescript.write('notes', shape_of(TIDY), ABOUT)}\nexport const item: NotesItem = {{ key: 1 }};\n"
    )
    done = subprocess.run(
        [TSC, "--strict", "--noEmit", "--target", "es2022", "--module", "es2022", *map(str, tmp_path.glob("*.ts"))],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert {line.partition("(")[0] for line in done.stdout.splitlines() if "error" in line} == {"wrong.ts"}, done.stdout


def test_the_page_shows_types_and_who_has_what(people: Cast, browser: Browser) -> None:
    client = browser(people.reader)
    path = f"/collections/{people.collection.id}/connect/types/"
    assert "no Base yet" in client.get(path).content.decode()
    make_base(people, "empty")
    assert "no items yet" in client.get(path).content.decode()
    make_base(people, "notes", *TIDY, {"key": "<b>", "<b>odd": 1})
    page = client.get(path, {"base": "notes"}).content.decode()
    assert "Learned from all 121 items." in page
    assert "export interface NotesItem" in page
    assert "Homeport keeps 38 digits of a number" in page
    assert "96 of 121" in page
    assert "&lt;b&gt;odd" in page
    assert "<b>odd" not in page
    assert "class NotesItem(BaseModel)" in client.get(path, {"base": "notes", "as": "pydantic"}).content.decode()
    assert client.get(path, {"base": "none"}).status_code == 404


def test_a_bases_menu_leads_to_its_types(people: Cast, browser: Browser) -> None:
    make_base(people, "first", *TIDY)
    make_base(people, "of.mine", {"key": "a"})
    client = browser(people.reader)
    page = client.get(f"/collections/{people.collection.id}/base/of.mine/").content.decode()
    (link,) = re.findall(r'href="(/collections/\w+/connect/types/\?base=[^"]*)"', page)
    assert "<title>Types of of.mine" in client.get(link).content.decode()


@pytest.mark.parametrize(
    "language, name",
    [("typescript", "notes_item.ts"), ("pydantic", "notes_item.py"), ("json-schema", "notes_item.schema.json")],
)
def test_a_file_is_what_the_page_shows(people: Cast, browser: Browser, language: str, name: str) -> None:
    make_base(people, "notes", *TIDY)
    client: Client = browser(people.reader)
    asked = {"base": "notes", "as": language}
    file = client.get(f"/collections/{people.collection.id}/connect/types/file", asked)
    assert file["Content-Disposition"] == f'attachment; filename="{name}"'
    page = client.get(f"/collections/{people.collection.id}/connect/types/", asked)
    assert page.context["code"] == file.content.decode()
    assert client.get(f"/collections/{people.collection.id}/connect/types/file", {"base": "none"}).status_code == 404


def test_rows_of_the_table_are_bounded_and_lead_into_lists() -> None:
    listed = rows.list_rows(shape_of([{"key": "a", "in": {"list": [{"x": 1}, 2]}}]))
    assert [(row.steps, row.present, row.of) for row in listed] == [
        (("key",), 1, 1),
        (("in",), 1, 1),
        (("in", "list"), 1, 1),
        (("in", "list", "[]"), 2, None),
        (("in", "list", "[]", "x"), 1, 1),
    ]
    many = [{"key": f"{n}", f"a{n}": {f"b{m}": 1 for m in range(20)}} for n in range(60)]
    assert len(rows.list_rows(shape_of(many))) == rows.ROWS_MAX


def make_base(people: Cast, name: str, *items: dict[str, Any]) -> None:
    bases.ensure_base(collection_id=people.collection.id, name=name)
    fill_base(bases.find_base(collection_id=people.collection.id, name=name).id, items)
