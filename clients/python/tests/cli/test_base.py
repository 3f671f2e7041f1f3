"""`deta base`, against the real server."""

import json
from pathlib import Path

import pytest
from clients.python.tests.cli.shell import Shell, inside
from clients.python.tests.conftest import Place
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from tests.factories import BaseClient, exact_json, make_client, shared_http

from deta.cli.bases.import_calls import ImportCalls
from deta.errors import ConnectionFailed
from deta.wire import Call

EXACT = '{"key":"ada","n":123456789012345678901234567890.10,"age":36.50}'


@pytest.fixture
def people(place: Place) -> BaseClient:
    """A Base with three items, in the collection of the shell."""
    client = make_client(place.server, "people", collection_id=place.collection_id)
    client.put({"key": "ada", "age": 36, "city": "London"}, {"key": "bob", "age": 7}, {"key": "cy", "age": "old"})
    return client


def keys(output: str) -> "list[str]":
    return [json.loads(line)["key"] for line in output.splitlines()]


def test_item_comes_back_with_all_its_digits(shell: Shell) -> None:
    stored = shell.does("base", "put", "exact", EXACT)
    assert "123456789012345678901234567890.10" in stored
    assert json.loads(shell.does("base", "get", "exact", "ada")) == json.loads(EXACT)
    assert "36.50" in shell.does("base", "query", "exact")


def test_item_may_come_from_a_pipe_and_get_its_key_from_the_server(shell: Shell) -> None:
    made = json.loads(shell.does("base", "put", "piped", given='{"a": 1}'))
    assert json.loads(shell.does("base", "get", "piped", made["key"])) == made


def test_new_item_does_not_replace_another(shell: Shell, people: BaseClient) -> None:
    refused = shell.fails("base", "put", "people", '{"key": "ada"}', "--new")
    assert refused == "Base “people” has an item with the key “ada” already"
    assert people.stored("ada")["city"] == "London"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("{", "The item is not JSON: Expecting property name enclosed in double quotes, at line 1, column 2"),
        ("[1]", "The item is not a JSON object"),
        ('{"": 1}', "An attribute of the item has no name; nothing was stored"),
        ('{"key": 1}', "A key is not a string, at items[0]"),
    ],
)
def test_item_that_is_none_is_refused_in_a_line(shell: Shell, item: str, said: str) -> None:
    assert shell.fails("base", "put", "people", item) == said


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ada", "bob", "cy"]),
        ("{age?gt: 10}", ["ada"]),
        ('{"age?gt": 10}', ["ada"]),
        ("[{'age': 7}, {'city': 'London'}]", ["ada", "bob"]),
        ("london", ["ada"]),
        ("nobody", []),
    ],
)
def test_query_bars_language_is_understood(shell: Shell, people: BaseClient, query: str, found: "list[str]") -> None:
    assert keys(shell.does("base", "query", "people", *query.split())) == found
    assert keys(shell.does("base", "query", "people", "-", given=query)) == found


def test_query_has_limits_order_counts_and_a_list(shell: Shell, people: BaseClient) -> None:
    assert keys(shell.does("base", "query", "people", "--desc", "--limit", "2")) == ["cy", "bob"]
    assert shell.does("base", "query", "people", "--count") == "3\n"
    listed = json.loads(shell.does("base", "query", "people", "--json"))
    assert [item["key"] for item in listed] == ["ada", "bob", "cy"]
    assert shell.does("base", "query", "people", "{age: -1}", "--json") == "[]\n"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{age?gtt: 3}", 'Unknown operator `?gtt` on "age". Did you mean `?gt`? (line 1, column 2)'),
        ("{age: }", "“}” was not expected here (line 1, column 7)"),
        ("{age: 1", "The text ends too early: “}” is missing (line 1, column 8)"),
    ],
)
def test_bad_query_is_said_with_its_place(shell: Shell, people: BaseClient, query: str, said: str) -> None:
    assert shell.fails("base", "query", "people", query) == said


@pytest.mark.parametrize(
    "command",
    [
        ("query", "nope"),
        ("export", "nope"),
        ("edit", "nope"),
        ("get", "nope", "a"),
        ("rm", "nope", "a"),
        ("ls", "nope"),
    ],
)
def test_base_that_is_not_there_is_said_with_those_that_are(
    shell: Shell, people: BaseClient, command: "tuple[str, ...]"
) -> None:
    said = shell.fails("base", *command)
    assert said == "No Base in the collection “Made by a test” is called “nope”: it has “people”"


def test_name_that_no_base_has_is_said(shell: Shell) -> None:
    assert shell.fails("base", "put", "a/b", "{}").startswith("“a/b” is no name of a Base: it has 1 to 128 letters")


def test_key_may_be_any_text_and_a_path_is_utf_8(shell: Shell, people: BaseClient) -> None:
    key = "%@#//#!#)#$_ ü\n.."
    shell.does("base", "put", "people", "{}", "--key", key)
    assert json.loads(shell.does("base", "get", "people", key)) == {"key": key}
    path = f"{shell.server_url}/cli/v1/{people.collection_id}/people/items/%FF"
    answer = shared_http().get(path, headers={"Authorization": f"Bearer {shell.token}"})
    assert (answer.status_code, answer.json()["errors"]) == (400, ["The path is not UTF-8 behind its percent-encoding"])


def test_missing_item_is_said_and_others_are_printed(shell: Shell, people: BaseClient) -> None:
    done = shell.run("base", "get", "people", "ada", "nobody", "bob")
    assert done.code == 1
    assert keys(done.stdout) == ["ada", "bob"]
    assert done.stderr == "Error: Base “people” has no item with the key “nobody”\n"


def test_bases_and_keys_are_listed(shell: Shell, people: BaseClient) -> None:
    assert shell.does("base", "ls", "people", "--prefix", "b") == "bob\n"
    assert [base["name"] for base in json.loads(shell.does("base", "ls", "--json"))] == ["people"]
    assert shell.does("base", "ls").splitlines()[1].startswith("people ")


def test_reader_reads_and_does_not_write(reader: Shell, people: BaseClient) -> None:
    assert keys(reader.does("base", "query", "people")) == ["ada", "bob", "cy"]
    said = "Your role in this collection does not allow that: it only reads"
    assert reader.fails("base", "put", "people", '{"key": "ada"}') == said
    assert reader.fails("base", "rm", "people", "ada") == said
    assert people.all_keys() == ["ada", "bob", "cy"]


def test_deletion_asks_where_it_is_of_many_and_is_in_the_audit_log(
    shell: Shell, people: BaseClient, place: Place
) -> None:
    refused = shell.fails("base", "rm", "people", "--query", "{age?gt: 0}")
    assert refused == "Delete 2 items of “people”? Nobody is here to ask: say --yes if so"
    assert people.all_keys() == ["ada", "bob", "cy"]
    shell.does("base", "rm", "people", "--query", "{age?gt: 0}", "--yes")
    shell.does("base", "rm", "people", "cy")
    assert people.all_keys() == []
    (entry,) = (each for each in audit.list_entries(Conditions(place.collection_id)) if each.verb == Verb.ITEMS_DELETED)
    assert (entry.about, entry.amount) == ("people", 3)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_what_was_exported_can_be_imported(shell: Shell, people: BaseClient, tmp_path: Path, kind: str) -> None:
    shell.does("base", "put", "people", EXACT)
    file = tmp_path / f"people.{kind}"
    shell.does("base", "export", "people", "-o", str(file))
    shell.does("base", "import", "copy", str(file))
    copy = make_client(people.server, "copy", collection_id=people.collection_id)
    assert exact_json(copy.query())["items"] == exact_json(people.query())["items"]
    assert shell.does("base", "query", "copy") == shell.does("base", "query", "people")


def test_export_of_a_query_goes_to_standard_output_and_into_the_audit_log(
    shell: Shell, people: BaseClient, place: Place
) -> None:
    assert keys(shell.does("base", "export", "people", "{age?gt: 10}")) == ["ada"]
    (entry,) = (
        each for each in audit.list_entries(Conditions(place.collection_id)) if each.verb == Verb.ITEMS_EXPORTED
    )
    assert entry.about == "people"


def test_import_may_be_run_again_and_doubles_nothing(shell: Shell, place: Place) -> None:
    lines = "".join(f'{{"n": {number}}}\n' for number in range(60))
    for _ in range(2):
        done = shell.run("base", "import", "numbers", "-", given=lines)
        assert done.code == 0
        assert "60 items stored" in done.stderr
    numbers = make_client(place.server, "numbers", collection_id=place.collection_id)
    assert [item["n"] for item in exact_json(numbers.query())["items"]] == list(range(60))


def test_import_goes_on_where_it_was_broken_off(
    shell: Shell, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second part does not get there; what was sent stays, and the server has each item once."""
    file = tmp_path / "numbers.jsonl"
    file.write_text("".join(f'{{"key": "k{number:03}", "t": "{"x" * 100_000}"}}\n' for number in range(100)))
    send = ImportCalls.part

    def break_off(calls: ImportCalls, import_id: str, start: int, content: bytes) -> "Call[dict[str, object]]":
        if start:
            raise ConnectionFailed("no answer")
        return send(calls, import_id, start, content)

    monkeypatch.setattr(ImportCalls, "part", break_off)
    done = shell.run("base", "import", "numbers", str(file))
    assert done.code == 1
    assert "What was sent stays on the server: run it again with --resume to go on there." in done.stderr
    starts: list[int] = []

    def note(calls: ImportCalls, import_id: str, start: int, content: bytes) -> "Call[dict[str, object]]":
        starts.append(start)
        return send(calls, import_id, start, content)

    monkeypatch.setattr(ImportCalls, "part", note)
    again = shell.run("base", "import", "numbers", str(file), "--resume")
    assert again.stderr.endswith("100 items stored\n"), again.stderr
    assert starts == [8_388_608]
    # A file that was changed is another one: it begins anew.
    file.write_text('{"key": "k000"}')
    assert shell.run("base", "import", "numbers", str(file), "--resume").stderr.endswith(
        "1 item stored, 1 there before\n"
    )
    assert starts == [8_388_608, 0]
    assert shell.does("base", "query", "numbers", "--count") == "100\n"


def test_dry_run_of_an_import_stores_nothing(shell: Shell, people: BaseClient) -> None:
    done = shell.run("base", "import", "people", "-", "--dry-run", given='{"key": "new"}')
    assert (done.code, done.stderr.splitlines()[-1]) == (0, "1 item would be stored")
    assert people.all_keys() == ["ada", "bob", "cy"]


def test_csv_updates_what_it_has(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    """In Windows' own encoding, as a German spreadsheet writes it."""
    file = tmp_path / "people.csv"
    file.write_bytes("key;age;née\nada;36;Zoë\nbob;7,5;\nnew;1;x\n".encode("cp1252"))
    done = shell.run("base", "import", "people", str(file))
    assert done.code == 0, done.stderr
    assert done.stderr.splitlines() == [
        "CSV, semicolons between cells, Windows-1252: 3 items; 2 there already, 1 new",
        "  key: text (ada, bob, new)",
        "  age: number (36, 7,5, 1)",
        "  née: text (Zoë, x)",
        "3 items stored, 2 there before",
    ]
    assert people.stored("ada") == {"key": "ada", "age": 36, "city": "London", "née": "Zoë"}
    assert people.stored("bob") == {"key": "bob", "age": 7.5}
    again = shell.run("base", "import", "people", str(file))
    assert again.stderr.splitlines()[-1] == "3 items stored, 3 unchanged"
    kept = shell.run("base", "import", "people", str(file), "--way", "add")
    assert kept.stderr.splitlines()[-1] == "0 items stored, 3 left out"
    shell.does("base", "import", "people", str(file), "--way", "merge")
    assert people.stored("ada") == {"key": "ada", "age": 36, "née": "Zoë"}


def test_import_lists_what_it_leaves_out(shell: Shell, place: Place) -> None:
    lines = '{"key": "a"}\n{"key": "b", "n": NaN}\nno JSON\n{"key": "d"}\n'
    done = shell.run("base", "import", "notes", "-", given=lines)
    assert done.code == 0
    assert "line 2, key 'b': NaN is not a JSON number" in done.stderr
    assert "line 3: JSON is malformed" in done.stderr
    assert done.stderr.endswith("2 items stored, 2 left out\n")


def test_key_and_types_may_be_said(shell: Shell, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "zip.csv"
    file.write_text("email,zip\na@b.c,80331\n")
    shell.does("base", "import", "zips", str(file), "--key", "email", "--type", "zip=text")
    zips = make_client(place.server, "zips", collection_id=place.collection_id)
    assert zips.stored("a@b.c") == {"key": "a@b.c", "email": "a@b.c", "zip": "80331"}
    unkeyed = shell.run("base", "import", "zips", str(file), "--dry-run")
    assert "1 rows have no key and are added: --key COLUMN says which column it is" in unkeyed.stderr


def test_file_that_cannot_be_read_leaves_no_base(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{ not json")
    done = shell.run("base", "import", "new", str(file))
    assert done.code == 1
    assert f"Error: {file} cannot be read: byte " in done.stderr
    file.write_text("[{'key': 'python'}, 7]")
    assert shell.fails("base", "import", "new", str(file)) == f"Nothing of {file} can be stored"
    (tmp_path / "x.png").write_bytes(b"\x89PNG\x00\x00")
    assert (
        shell.fails("base", "import", "new", str(tmp_path / "x.png"))
        == "x.png is neither a zip nor JSON, NDJSON or CSV"
    )
    assert [base["name"] for base in json.loads(shell.does("base", "ls", "--json"))] == ["people"]


def editor(tmp_path: Path, code: str) -> "dict[str, str]":
    """An editor that does this to the text of the file."""
    script = tmp_path / "editor.py"
    script.write_text(f"import pathlib, sys\nfile = pathlib.Path(sys.argv[-1])\ntext = file.read_text()\n{code}\n")
    return {"EDITOR": f"python3 {script}", "VISUAL": ""}


def test_edit_shows_what_changed_and_saves_it(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    code = """
file.write_text(text.replace('"age": 36', '"age": 37.0').replace('"key": "bob"', '"key": "eve"'))"""
    shell.variables = editor(tmp_path, code)
    shown = shell.does("base", "edit", "people", "{age?gt: 0}", "--yes")
    assert shown == '~ ada\n    age: 36 -> 37.0\n- bob  {"age":7}\n+ eve  {"age":7}\n'
    assert people.all_keys() == ["ada", "cy", "eve"]
    assert '"age": 37.0' in shell.does("base", "get", "people", "ada").replace('":', '":')


def test_edit_asks_before_it_saves(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    shell.variables = editor(tmp_path, "file.write_text('[]')")
    refused = shell.fails("base", "edit", "people")
    assert refused == "Save 3 deleted? Nobody is here to ask: say --yes if so"
    assert people.all_keys() == ["ada", "bob", "cy"]


def test_edit_refuses_what_somebody_else_changed_meanwhile(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    """Another attribute too; what nobody else touched is saved."""
    code = f"""
import urllib.request
request = urllib.request.Request({people.server.url + people.path + "/items/ada"!r}, method="PATCH",
    data=b'{{"set": {{"city": "Paris"}}}}', headers={{"X-API-Key": {people.key_text!r}}})
urllib.request.urlopen(request).close()
file.write_text(text.replace('"age": 36', '"age": 37').replace('"age": 7', '"age": 8'))"""
    shell.variables = editor(tmp_path, code)
    done = shell.run("base", "edit", "people", "--yes")
    assert done.code == 1
    assert "“ada” was changed meanwhile by data key" in done.stderr
    assert done.stderr.endswith("Error: 1 of 2 changes were refused\n")
    assert people.stored("ada") == {"key": "ada", "age": 36, "city": "Paris"}
    assert people.stored("bob")["age"] == 8


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("file.write_text('[{]')", "Expecting property name enclosed in double quotes, at line 1, column 3"),
        ("sys.exit(3)", " ended with 3, so nothing is saved"),
    ],
)
def test_edit_that_went_wrong_keeps_the_text(
    shell: Shell, people: BaseClient, tmp_path: Path, code: str, said: str
) -> None:
    shell.variables = editor(tmp_path, code)
    done = shell.run("base", "edit", "people")
    assert done.code == 1
    kept = Path(done.stderr.splitlines()[0].removeprefix("What you edited is in "))
    assert kept.exists()
    assert done.stderr.splitlines()[-1].endswith(said)
    assert people.all_keys() == ["ada", "bob", "cy"]


def test_edit_without_a_change_saves_nothing(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    shell.variables = editor(tmp_path, "")
    done = shell.run("base", "edit", "people")
    assert (done.code, done.stdout, done.stderr) == (0, "", "Nothing changed\n")


def test_paths_begin_in_the_folder_one_is_in(shell: Shell, people: BaseClient, tmp_path: Path) -> None:
    with inside(tmp_path):
        shell.does("base", "export", "people", "-o", "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("key,")
