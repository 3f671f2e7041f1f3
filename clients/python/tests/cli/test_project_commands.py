"""The commands of a project's folder where no app has to run: what they refuse, which folder they mean, what they write."""

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from clients.python.tests.cli.here import TerminalHere
from clients.python.tests.conftest import Place
from django.contrib.auth.models import User
from storage.embedded.micros.places import Places
from storage.micros import micros, variables
from storage.models import Deployment, Micro, MicroKey, Role
from tests.micros import ToldHost, deploy_now, hosted_by
from tests.people import make_member
from tests.terminals import Terminal, make_terminal

CODE = {"main.py": b"app = 1\n", "lib/words.txt": "Grüße\n".encode()}


@pytest.fixture
def terminal(terminal: Terminal) -> TerminalHere:
    """The owner's, in this process."""
    return TerminalHere(terminal.home, terminal.folder, terminal.variables)


@pytest.fixture
def micro(place: Place, tmp_path: Path) -> Iterator[Micro]:
    """A Micro whose code is there, made by a host on which nothing runs."""
    places = Places(tmp_path / "micros")
    places.make()
    made = micros.create_micro(collection_id=place.collection_id, name="first micro")
    with hosted_by(ToldHost(), places):
        deploy_now(made, CODE)
        yield again(made)


@pytest.fixture
def project(terminal: Terminal, micro: Micro) -> Path:
    """Its folder, as cloned."""
    folder = terminal.folder / "project"
    said = terminal.does("clone", "--name", "first micro", "project")
    assert said == f"Successfully cloned deta micro to '{folder}'\n"
    return folder


def here(folder: Path, place: Place, person: User) -> TerminalHere:
    made = make_terminal(folder, server_url=place.server.url, person=person)
    return TerminalHere(made.home, made.folder, made.variables)


def again(micro: Micro) -> Micro:
    return micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)


def code_in(folder: Path) -> Mapping[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and ".deta" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def lay_out(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()


# Which folder


@pytest.mark.parametrize("command", ["deploy", "details", "watch", "logs", "pull", "auth enable", "visor open"])
def test_a_folder_without_a_micro_is_told(terminal: Terminal, command: str) -> None:
    said = f"No Micro in {terminal.folder}: make one with `deta new`, or get one with `deta clone`"
    assert terminal.fails(*command.split()) == said


def test_a_damaged_state_is_told_with_its_file(terminal: Terminal) -> None:
    path = terminal.folder / ".deta" / "state.json"
    path.parent.mkdir()
    for text in ('{"server": "http', "[]", '{"server": 5}', "\udcff"):
        path.write_text(text, errors="surrogateescape")
        assert "state.json is damaged: delete it" in terminal.fails("details")


def test_a_micro_that_is_gone_or_nobody_elses_business_is_told(
    terminal: Terminal, project: Path, place: Place, micro: Micro, tmp_path: Path
) -> None:
    outsider = here(tmp_path / "outsider", place, make_member(make_collection()))
    said = f"{place.server.url} has no Micro 'first micro' ({micro.id}) any more that you may see"
    for command in (["details"], ["deploy"], ["logs"], ["pull", "-f"], ["auth", "disable"]):
        assert outsider.fails(*command, folder=project).startswith(said)
    assert f"Error: {said}" in outsider.run("update", "-n", "mine", folder=project).stderr
    assert again(micro).name == "first micro"
    assert Deployment.objects.filter(micro=micro).count() == 1
    micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name="first micro")
    assert terminal.fails("details", folder=project).startswith(said)


def make_collection() -> str:
    from storage.collections import collections

    return collections.create_collection("Somebody else's").id


# new


@pytest.mark.parametrize(
    ("files", "arguments", "error"),
    [
        ([], [], "Choose a runtime: `deta new --python` or `deta new --node`"),
        ([".git"], [], "Choose a runtime"),
        (["notes.txt"], [], "There is neither main.py nor index.js in "),
        (["main.py", "index.js"], [], "'{folder}' has main.py and index.js: choose with --runtime, --python or --node"),
        (["main.py"], ["--node"], "'{folder}' has no index.js, and main.py is not for node"),
        (["index.js"], ["--runtime", "python3.9"], "'{folder}' has no main.py, and index.js is not for python"),
        (["main.py"], ["--runtime", "cobol"], "'cobol' is no runtime"),
        (["main.py"], ["--project", "nowhere"], "You have no collection 'nowhere'"),
    ],
)
def test_new_refuses_what_it_can_make_nothing_of(
    terminal: Terminal, place: Place, files: list[str], arguments: list[str], error: str
) -> None:
    folder = terminal.folder / "app"
    lay_out(folder, *files)
    said = terminal.fails("new", "app", *arguments)
    assert said.startswith(error.format(folder=folder))
    assert not (folder / ".deta").exists()
    assert micros.list_micros(place.collection_id) == []


@pytest.mark.parametrize("arguments", [["--node", "--python"], ["--node", "--runtime", "nodejs20"]])
def test_new_is_told_which_flags_go_together(terminal: Terminal, arguments: list[str]) -> None:
    assert terminal.run("new", *arguments).returncode == 2


def test_new_leaves_nothing_of_a_folder_that_it_made_for_nothing(terminal: Terminal, micro: Micro) -> None:
    said = terminal.fails("new", "--python", "--name", "first micro", "deep/er")
    assert said == "The collection has a Micro “first micro” already"
    assert list(terminal.folder.iterdir()) == []


def test_new_refuses_a_folder_that_is_a_micro_already(terminal: Terminal, project: Path) -> None:
    assert terminal.fails("new", "--python", "project") == f"'{project}' is a Micro already"


# clone and pull


def test_clone_has_the_code_and_is_the_micros_folder(terminal: Terminal, project: Path, micro: Micro) -> None:
    assert code_in(project) == CODE
    assert json.loads(terminal.does("details", folder=project))["id"] == micro.id
    assert terminal.does("deploy", folder=project) == "Everything up to date\n"


def test_clone_refuses_what_is_there_and_what_is_not(terminal: Terminal, micro: Micro, place: Place) -> None:
    lay_out(terminal.folder / "full", "a")
    said = terminal.fails("clone", "--name", "first micro", "full")
    assert said == f"'{terminal.folder / 'full'}' already exists and is not empty"
    assert terminal.fails("clone", "--name", "other") == (
        "There is no Micro 'other' in this collection: it has 'first micro'"
    )
    micros.create_micro(collection_id=place.collection_id, name="empty")
    done = terminal.run("clone", "--name", "empty")
    assert (done.returncode, done.stderr) == (1, "Cloning...\nError: Nothing was deployed to 'empty' yet\n")
    assert not (terminal.folder / "empty").exists()


def test_pull_asks_before_it_overwrites(terminal: Terminal, project: Path) -> None:
    asked = "Files already present may be overwritten. Continue? [y/n]\n"
    (project / "main.py").write_text("mine")
    (project / "notes").write_text("kept")
    mine = CODE | {"main.py": b"mine", "notes": b"kept"}
    assert terminal.does("pull", folder=project, given="n\n") == f"{asked}Pull aborted\n"
    nobody = terminal.run("pull", folder=project)
    assert (nobody.returncode, nobody.stdout) == (1, asked)
    assert code_in(project) == mine
    done = "Successfully pulled latest deployed code\n"
    assert terminal.does("pull", folder=project, given="y\n") == f"{asked}{done}"
    assert code_in(project) == mine | {"main.py": CODE["main.py"]}
    (project / "main.py").unlink()
    assert terminal.does("pull", "--force", folder=project) == done
    assert code_in(project) == CODE | {"notes": b"kept"}


def test_pull_never_writes_through_a_link_that_leads_out(terminal: Terminal, project: Path) -> None:
    outside = terminal.folder / "outside"
    outside.mkdir()
    (project / "lib" / "words.txt").unlink()
    (project / "lib").rmdir()
    (project / "lib").symlink_to(outside)
    (project / "main.py").write_text("mine")
    assert "is a link, and may lead out of the folder. Nothing was written" in terminal.fails(
        "pull", "-f", folder=project
    )
    assert list(outside.iterdir()) == []
    assert (project / "main.py").read_text() == "mine"


# update, auth, visor


def test_update_sets_a_name_a_runtime_and_the_variables_of_a_file(
    terminal: Terminal, project: Path, micro: Micro
) -> None:
    variables.set_variables(collection_id=micro.collection_id, micro_id=micro.id, values={"OLD": "1"})
    (project / ".env").write_text("export A='x y' # said\nB=2\n")
    said = terminal.does("update", "-n", "renamed", "-e", ".env", "-r", "python3.9", folder=project)
    assert said.splitlines() == [
        "Successfully updated micro's name",
        "Successfully updated micro's environment variables",
        "Successfully updated micro's runtime",
    ]
    now = again(micro)
    assert (now.name, now.runtime) == ("renamed", "python3.9")
    assert variables.read_variables(now) == {"A": "x y", "B": "2"}


def test_update_says_what_is_wrong(terminal: Terminal, project: Path, micro: Micro) -> None:
    assert terminal.run("update", folder=project).returncode == 2
    assert terminal.fails("update", "-e", "gone", folder=project).endswith(
        "gone' can't be read: No such file or directory"
    )
    (project / ".env").write_text("A=1\nB\n")
    done = terminal.run("update", "-e", ".env", folder=project)
    assert done.stderr.endswith("Error: Line 2 is not NAME=value\n")
    (project / ".env").write_bytes(b"A=\xff\n")
    assert terminal.fails("update", "-e", ".env", folder=project).endswith("is not in UTF-8")
    assert variables.read_variables(again(micro)) == {}


def test_an_api_keys_file_is_its_owners_alone_and_never_written_over(
    terminal: Terminal, project: Path, micro: Micro
) -> None:
    done = terminal.run("auth", "create-api-key", "-n", "agent1", "-o", "agent.json", folder=project)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Saved to file 'agent.json'")
    assert "the next deployment would take 'agent.json' along" in done.stderr
    path = project / "agent.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["api_key"] in done.stdout
    for outfile in ("agent.json", "no/such/folder"):
        refused = terminal.fails("auth", "create-api-key", "-n", "agent2", "-o", outfile, folder=project)
        assert refused.endswith("nothing was made")
    assert [key.name for key in MicroKey.objects.filter(micro=micro)] == ["agent1"]
    (listed,) = json.loads(terminal.does("auth", "list-api-keys", folder=project))
    assert (listed["name"], listed["last_used"]) == ("agent1", None)
    # As the original's guide has it.
    assert "api_key" in terminal.does("auth", "create-key", "-n", "agent2", folder=project)
    assert terminal.fails("auth", "delete-api-key", "-n", "agent3", folder=project) == "API key not found"


def test_the_visor_is_switched_and_opened(terminal: Terminal, project: Path, micro: Micro, place: Place) -> None:
    assert terminal.does("visor", "enable", folder=project) == "Successfully enabled visor mode\n"
    assert again(micro).is_recorded
    assert terminal.does("visor", "disable", folder=project) == "Successfully disabled visor mode\n"
    assert not again(micro).is_recorded
    page = f"{place.server.url}/collections/{place.collection_id}/visor/?micro={micro.id}"
    # Which browser there is, is found out once in a process.
    outside = Terminal(terminal.home, project, terminal.variables | {"BROWSER": "echo"})
    assert outside.does("visor", "open") == f"Opening visor in the browser...\n{page}\n"


def test_a_reader_looks_and_changes_nothing(
    terminal: Terminal, project: Path, micro: Micro, place: Place, tmp_path: Path
) -> None:
    reader = here(tmp_path / "reader", place, make_member(place.collection_id, Role.READER))
    assert json.loads(reader.does("details", folder=project))["name"] == "first micro"
    (project / "main.py").write_text("app = 2\n")
    refused = "Your role in this collection is “Read-only”"
    done = reader.run("deploy", folder=project)
    assert (done.returncode, done.stdout, done.stderr) == (1, "Deploying...\n", f"Error: {refused}\n")
    assert reader.fails("auth", "disable", folder=project) == refused
    assert reader.fails("pull", "-f", folder=project) == refused
    assert again(micro).has_sign_in
