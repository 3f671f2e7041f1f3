"""Renaming, moving, deleting and undoing as the page's scripts ask for it."""

from collections.abc import Iterator

import pytest

from storage import limits
from storage.models import DeletedFile, FileDeletion
from tests.console.drive.visitor import Visitor, visiting
from tests.serving import Server
from tests.storage.rows import fill_drive
from tests.waiting import LONG_SECONDS, eventually


@pytest.fixture
def team(server: Server) -> Iterator[list[Visitor]]:
    with visiting(server, "member", "reader", "outsider") as visitors:
        for name in ("a.txt", "in/b.txt", "in/deep/c.txt"):
            visitors[0].put(name, name.encode())
        yield visitors


@pytest.fixture
def visitor(team: list[Visitor]) -> Visitor:
    return team[0]


def content(visitor: Visitor, name: str) -> bytes | None:
    answer = visitor.file(name)
    return answer.content if answer.status_code == 200 else None


def test_a_new_folder(visitor: Visitor) -> None:
    assert visitor.ask("folders/", name="new/").json() == {"name": "new/"}
    assert visitor.ask("folders/", name="new/").status_code == 409
    assert visitor.ask("folders/", name="in/").status_code == 409
    assert visitor.ask("folders/", name="no-slash").status_code == 422
    assert visitor.get("folders/").json()["folders"] == ["in/", "new/"]


def test_rename_and_move(visitor: Visitor) -> None:
    assert visitor.ask("rename/", **{"from": "a.txt", "to": "z.txt"}).json() == {"name": "z.txt", "files": 1}
    assert visitor.ask("rename/", **{"from": "in/", "to": "out/"}).json() == {"name": "out/", "files": 2}
    assert visitor.ask("move/", names=["z.txt"], folders=["out/deep/"], to="to/").json() == {"files": 2}
    assert content(visitor, "to/z.txt") == b"a.txt"
    assert content(visitor, "to/deep/c.txt") == b"in/deep/c.txt"
    assert visitor.ask("move/", names=["none"], to="to/").status_code == 404
    assert visitor.ask("move/", folders=["to/"], to="to/deep/").status_code == 422


def test_taken_names_are_told(visitor: Visitor) -> None:
    visitor.put("b.txt", b"other")
    refused = visitor.ask("move/", names=["in/b.txt"], to="")
    assert refused.status_code == 409
    assert (refused.json()["taken"], refused.json()["count"]) == (["b.txt"], 1)
    assert visitor.ask("move/", names=["in/b.txt"], to="", if_exists="keep-both").json() == {"files": 1}
    assert content(visitor, "b (2).txt") == b"in/b.txt"
    assert visitor.ask("rename/", **{"from": "b (2).txt", "to": "b.txt", "if_exists": "replace"}).status_code == 200
    assert content(visitor, "b.txt") == b"in/b.txt"


def test_counts_before_anything_is_deleted(team: list[Visitor]) -> None:
    for visitor in team[:2]:
        counted = visitor.ask("counts/", names=["a.txt"], folders=["in/"]).json()
        assert counted == {"files": 3, "folders": 1, "size_bytes": len("a.txtin/b.txtin/deep/c.txt")}


def test_delete_and_undo(visitor: Visitor) -> None:
    gone = visitor.ask("delete/", names=["a.txt"], folders=["in/"])
    assert gone.status_code == 200
    told = gone.json()
    assert (told["files"], told["done"], told["ended"], told["undone"]) == (3, 3, True, False)
    assert 0 < told["undo_seconds"] <= limits.UNDO_SECONDS
    assert content(visitor, "in/b.txt") is None
    assert visitor.get(f"deletions/{told['id']}/").json()["ended"]
    visitor.put("a.txt", b"meanwhile")
    undone = visitor.send("POST", f"deletions/{told['id']}/undo/").json()
    assert (undone["undone"], undone["restored"], undone["kept_both"]) == (True, 3, ["a (2).txt"])
    assert content(visitor, "in/deep/c.txt") == b"in/deep/c.txt"
    assert (content(visitor, "a.txt"), content(visitor, "a (2).txt")) == (b"meanwhile", b"a.txt")


def test_too_late_to_undo(visitor: Visitor) -> None:
    told = visitor.ask("delete/", names=["a.txt"]).json()
    FileDeletion.objects.filter(pk=told["id"]).update(ended_at="2020-01-01T00:00Z")
    assert visitor.send("POST", f"deletions/{told['id']}/undo/").status_code == 410
    assert visitor.get(f"deletions/{told['id']}/").json()["undo_seconds"] == 0


def test_many_files_go_in_the_background_and_come_back(visitor: Visitor) -> None:
    """Through the job queue of the real server."""
    collection_id = visitor.path.split("/")[2]
    fill_drive(collection_id, "files", [f"many/{number:05}" for number in range(limits.DELETE_AT_ONCE_FILES * 5)])
    answer = visitor.ask("delete/", folders=["many/"])
    assert answer.status_code == 202
    told = answer.json()
    assert (told["files"], told["ended"]) == (5000, False)
    ended = wait_for_end(visitor, told["id"])
    assert (ended["done"], ended["files"]) == (5000, 5000)
    assert DeletedFile.objects.filter(deletion_id=told["id"]).count() == 5000
    undo = visitor.send("POST", f"deletions/{told['id']}/undo/")
    assert undo.status_code == 202
    assert wait_for_end(visitor, told["id"])["restored"] == 5000
    assert visitor.ask("counts/", folders=["many/"]).json()["files"] == 5000


def wait_for_end(visitor: Visitor, deletion_id: int) -> dict[str, int]:
    def ended() -> dict[str, int]:
        told: dict[str, int] = visitor.get(f"deletions/{deletion_id}/").json()
        return told if told["ended"] else {}

    return eventually(ended, seconds=LONG_SECONDS)


def test_readers_and_outsiders_change_nothing(team: list[Visitor]) -> None:
    member, reader, outsider = team
    gone = member.ask("delete/", names=["a.txt"]).json()
    asked = {"names": ["in/b.txt"], "to": "x/", "from": "in/b.txt", "name": "x/"}
    for path in ("move/", "rename/", "delete/", "folders/", f"deletions/{gone['id']}/undo/"):
        assert reader.ask(path, **asked).status_code == 403
        assert outsider.ask(path, **asked).status_code == 404
    assert reader.get(f"deletions/{gone['id']}/").status_code == 200
    assert outsider.get(f"deletions/{gone['id']}/").status_code == 404
    assert content(member, "in/b.txt") == b"in/b.txt"


def test_deletions_of_another_drive_are_not_there(server: Server, visitor: Visitor) -> None:
    told = visitor.ask("delete/", names=["a.txt"]).json()
    with visiting(server, "owner") as (other,):
        assert other.get(f"deletions/{told['id']}/").status_code == 404
        assert other.send("POST", f"deletions/{told['id']}/undo/").status_code == 404


@pytest.mark.parametrize(
    "path, asked",
    [
        ("move/", {"to": "x/"}),
        ("move/", {"names": ["a.txt"]}),
        ("move/", {"names": "a.txt", "to": "x/"}),
        ("move/", {"names": [1], "to": "x/"}),
        ("move/", {"names": ["a.txt"], "to": "x"}),
        ("move/", {"folders": ["in"], "to": "x/"}),
        ("rename/", {"from": "a.txt"}),
        ("rename/", {"from": "a.txt", "to": "b/"}),
        ("rename/", {"from": "a.txt", "to": "\x00"}),
        ("delete/", {}),
        ("delete/", {"names": ["a" * 1025]}),
        ("counts/", {"folders": "in/"}),
        ("clashes/", {"names": [None]}),
    ],
)
def test_bad_questions_change_nothing(visitor: Visitor, path: str, asked: dict[str, object]) -> None:
    answer = visitor.ask(path, **asked)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert content(visitor, "a.txt") == b"a.txt"
