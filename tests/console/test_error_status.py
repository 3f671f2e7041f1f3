"""Every named error has a status in the one table, and one exact body wherever it is met."""

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from console import error_status
from console.error_status import STATUS
from storage import errors, limits
from storage.archive.importing import imports
from storage.base import bases, edits, items
from storage.drive import moves
from storage.errors import StorageError
from storage.models import Import, Role
from storage.postgres import failures
from tests.api.in_process import ask
from tests.console.conftest import Browser
from tests.console.test_routes import make_drive
from tests.people import Cast
from tests.test_house import ROOT

AGAIN = {"Retry-After": str(limits.RETRY_AFTER_SECONDS)}
# The error, its status, its messages, what is beside them, and headers.
TOLD: list[tuple[StorageError, int, list[str], dict[str, Any], dict[str, str]]] = [
    (errors.InvalidInput("Bad item", "It is empty"), 400, ["Bad item", "It is empty"], {}, {}),
    (
        errors.InvalidInput("A number is too long").within("a").within(2),
        400,
        ["A number is too long, at [2].a"],
        {},
        {},
    ),
    (errors.EmptyAttributeName(), 400, ["An attribute name is empty"], {}, {}),
    (errors.BundleRefused("`main.py` is missing"), 400, ["`main.py` is missing"], {}, {}),
    (errors.BadQuery("It is no list"), 400, ["Bad query", "It is no list"], {}, {}),
    (
        errors.UnknownOperator("gtt", attribute="age", index=1),
        400,
        ["Bad query", "query[1], `age?gtt`: unknown operator `?gtt`"],
        {},
        {},
    ),
    (errors.Unauthorized(), 401, ["Unauthorized"], {}, {}),
    (error_status.SignedOut(), 401, ["You are signed out. Sign in again in another tab."], {}, {}),
    (errors.Forbidden(), 403, ["Forbidden"], {}, {}),
    (errors.AccessTokenNotFound(), 404, ["There is no such access token"], {}, {}),
    (errors.ArchiveNotFound(), 404, [errors.ArchiveNotFound.default], {}, {}),
    (errors.BaseNotFound(), 404, ["Base not found"], {}, {}),
    (errors.DuplicationNotFound(), 404, ["Copy not found"], {}, {}),
    (errors.ChangeNotFound(), 404, ["Change not found"], {}, {}),
    (errors.ViewNotFound(), 404, ["View not found"], {}, {}),
    (errors.CollectionNotFound(), 404, ["Collection not found"], {}, {}),
    (errors.DataKeyNotFound(), 404, ["Data key not found"], {}, {}),
    (errors.DeletionNotFound(), 404, ["Deletion not found"], {}, {}),
    (errors.DeploymentNotFound(), 404, [errors.DeploymentNotFound.default], {}, {}),
    (errors.DriveNotFound(), 404, ["Drive not found"], {}, {}),
    (errors.EventNotFound(), 404, [errors.EventNotFound.default], {}, {}),
    (errors.FileNotFound(), 404, ["File not found"], {}, {}),
    (errors.GitFetchNotFound(), 404, [errors.GitFetchNotFound.default], {}, {}),
    (errors.ItemNotFound(), 404, ["Key not found"], {}, {}),
    (errors.MicroKeyNotFound(), 404, ["API key not found"], {}, {}),
    (errors.MicroNotFound(), 404, ["Micro not found"], {}, {}),
    (errors.PersonNotFound(), 404, ["Person not found"], {}, {}),
    (errors.RunNotFound(), 404, [errors.RunNotFound.default], {}, {}),
    (errors.ShareLinkNotFound(), 404, [errors.ShareLinkNotFound.default], {}, {}),
    (errors.SignInNotFound(), 404, [errors.SignInNotFound.default], {}, {}),
    (errors.SignInRefused(), 403, [errors.SignInRefused.default], {}, {}),
    (
        error_status.TooManyStreams(),
        429,
        ["Too many streams at once", f"At most {limits.STREAMS_OF_ONE:,} are open for one key or person"],
        {},
        {"Retry-After": str(limits.STREAM_RETRY_AFTER_SECONDS)},
    ),
    (
        error_status.StreamsBusy(),
        503,
        ["The server has as many open streams as it can, please try again"],
        {},
        {"Retry-After": str(limits.STREAM_RETRY_AFTER_SECONDS)},
    ),
    (
        errors.ChangesGone("The cursor is too old", "1.2"),
        410,
        [
            "Changes gone",
            "The cursor is too old: read the Base anew with /query, then go on from the `cursor` in this answer",
        ],
        {"cursor": "1.2"},
        {},
    ),
    (errors.SignInOver(), 410, [errors.SignInOver.default], {}, {}),
    (errors.TooManySignIns(), 503, [errors.TooManySignIns.default], {}, AGAIN),
    (errors.UploadNotFound(), 404, ["Upload not found"], {}, {}),
    (error_status.UnknownPath(), 404, ["Not found"], {}, {}),
    (error_status.MethodNotAllowed("GET, OPTIONS"), 405, ["Method not allowed"], {}, {"Allow": "GET, OPTIONS"}),
    (errors.AlreadyTaken(), 409, [errors.AlreadyTaken.default], {}, {}),
    (errors.RevisionDiffers(), 412, ["The item has another revision"], {}, {}),
    (errors.KeyExists(), 409, ["Key already exists"], {}, {}),
    (
        errors.NamesTaken(["a", "b"], 3),
        409,
        ["Files with these names exist already"],
        {"exists": True, "taken": ["a", "b"], "count": 3},
        {},
    ),
    (errors.OutOfPlace(5), 409, [errors.OutOfPlace.default], {"received": 5}, {}),
    (errors.SaveReused(), 409, [errors.SaveReused.default], {}, {}),
    (
        errors.ItemsDistributed(),
        409,
        [
            "Items are distributed",
            "They lie on several servers: there is no history of them, and no feed of their changes",
        ],
        {},
        {},
    ),
    (errors.HistoryNotKept(), 410, ["Not kept"], {}, {}),
    (errors.InvitationSpent(), 410, [errors.InvitationSpent.default], {}, {}),
    (errors.UndoOver(), 410, [errors.UndoOver.default], {}, {}),
    (errors.BodyTooLarge(), 413, [errors.BodyTooLarge.default], {}, {}),
    (error_status.EncodedBody(), 415, [error_status.EncodedBody.default], {}, {}),
    (
        error_status.RangeNotSatisfiable(7),
        416,
        ["The range is not in the file"],
        {},
        {"Content-Range": "bytes */7"},
    ),
    (errors.UploadMismatch(), 422, [errors.UploadMismatch.default], {}, {}),
    (
        error_status.TooManyRequests(5, wait_seconds=0),
        429,
        ["Too many requests with this data key", "It may make 5 a second"],
        {},
        {"Retry-After": "1"},
    ),
    (
        error_status.TooManyBytes(50_000, wait_seconds=70),
        429,
        ["This data key has used up its bytes for today", "It may move 50,000 a day; a day begins at 00:00 UTC"],
        {},
        {"Retry-After": "70"},
    ),
    (error_status.SecondFactorOwed(), 403, [error_status.SecondFactorOwed.default], {}, {}),
    (error_status.TooManyTries(9), 429, [error_status.TooManyTries.default], {}, {"Retry-After": "9"}),
    (error_status.TooManyWrongKeys(9), 429, [error_status.TooManyWrongKeys.default], {}, {"Retry-After": "9"}),
    (errors.BlobMissing(), 500, [errors.BlobMissing.default], {}, {}),
    (errors.SecretsUnreadable(), 500, [errors.SecretsUnreadable.default], {}, {}),
    (errors.HostUnreachable(), 503, [errors.HostUnreachable.default], {}, AGAIN),
    (error_status.HashingBusy(), 503, [error_status.HashingBusy.default], {}, AGAIN),
    (errors.EngineUnreachable(), 503, [errors.EngineUnreachable.default], {}, AGAIN),
    (errors.DiskFull(), 507, [errors.DiskFull.default], {}, {}),
    (failures.OrmEngineUnreachable(), 503, [errors.EngineUnreachable.default], {}, AGAIN),
    (failures.OrmDiskFull(), 507, [errors.DiskFull.default], {}, {}),
    (failures.OrmCollectionNotFound("The collection is gone"), 404, ["The collection is gone"], {}, {}),
]
HEADERS = ("Retry-After", "Content-Range", "Allow")
Asked = Callable[[StorageError], tuple[int, Any, dict[str, str]]]


def kinds_of_errors() -> set[type[StorageError]]:
    """Every named error that a module of ours defines."""
    found: set[type[StorageError]] = set()
    for path in (path for room in ("console", "storage") for path in (ROOT / room).rglob("*.py")):
        names = re.findall(r"^class (\w+)\(.*(?:Error|Input|Query|NotFound)\):", path.read_text(), re.M)
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)) if names else None
        found |= {kind for name in names if issubclass(kind := getattr(module, name), StorageError)}
    return found - {StorageError, error_status.RequestError}


def test_every_error_has_a_status_and_is_tried_here() -> None:
    kinds = kinds_of_errors()
    assert len(kinds) > 30
    assert [kind.__name__ for kind in kinds if not set(kind.__mro__) & set(STATUS)] == []
    assert {kind.__name__ for kind in kinds} - {type(case[0]).__name__ for case in TOLD} == set()
    assert {type(case[0]): case[1] for case in TOLD if type(case[0]) in STATUS} == STATUS


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: object, **options: object) -> None:
        raise error

    return fail


def through_pages(response: Any) -> tuple[int, Any, dict[str, str]]:
    assert response["Content-Type"] == "application/json"
    return response.status_code, json.loads(response.content), {n: response[n] for n in HEADERS if n in response}


@pytest.fixture
def asked(people: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> dict[str, Asked]:
    """How to meet an error at each kind of endpoint that has scripts for clients."""
    client, at = browser(people.member), f"/collections/{people.collection.id}/"
    bases.ensure_base(collection_id=people.collection.id, name="things")
    drive = make_drive(people)
    started = Import.objects.create(collection=people.collection, state="uploading", size_expected=1)

    def table(error: StorageError) -> tuple[int, Any, dict[str, str]]:
        monkeypatch.setattr(edits, "get_state", raising(error))
        return through_pages(client.get(f"{at}base/things/item/?key=a"))

    def drive_script(error: StorageError) -> tuple[int, Any, dict[str, str]]:
        monkeypatch.setattr(moves, "find_taken", raising(error))
        return through_pages(client.post(f"{at}drive/{drive}/clashes/", {"names": ["a"]}, "application/json"))

    def import_script(error: StorageError) -> tuple[int, Any, dict[str, str]]:
        monkeypatch.setattr(imports, "append_part", raising(error))
        address = f"{at}imports/{started.id}/parts/?start=0"
        return through_pages(client.post(address, b"x", "application/octet-stream"))

    return {"table": table, "drive": drive_script, "imports": import_script}


@pytest.mark.parametrize("kind", ["table", "drive", "imports"])
def test_scripts_of_pages_are_told_the_same_everywhere(kind: str, asked: dict[str, Asked]) -> None:
    expected, found = {}, {}
    for error, status, messages, beside, headers in TOLD:
        name = repr(error)
        expected[name] = (status, {"errors": messages, **beside}, headers)
        if isinstance(error, errors.Unauthorized):
            expected[name] = (404, {"errors": ["Not found"]}, {})  # what was somebody's a moment ago is nobody's
        found[name] = asked[kind](error)
    assert found == expected


def test_clients_of_the_api_are_told_the_same(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    bases.ensure_base(collection_id=people.collection.id, name="things")
    expected: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for error, status, messages, beside, headers in TOLD:
        monkeypatch.setattr(items, "delete_item", raising(error))
        answer = ask("DELETE", people.collection.id, "things/items/a", people.member)
        is_page = answer.headers["Content-Type"] == "text/html"
        body = answer.body if is_page else answer.json
        found[repr(error)] = (answer.status, body, {n: answer.headers[n] for n in HEADERS if n in answer.headers})
        expected[repr(error)] = (status, {"errors": messages, **beside}, headers)
        if status == 413:
            expected[repr(error)] = (413, b"<h1> 413 - Request Entity Too Large </h1>", {})
    assert found == expected


def test_a_defect_at_the_api_tells_its_trace_alone(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "delete_item", raising(ValueError("secret")))
    answer = ask("DELETE", people.collection.id, "things/items/a", people.member)
    assert (answer.status, answer.json["errors"][0]) == (500, "Internal server error")
    assert b"secret" not in answer.body


@pytest.mark.parametrize("role", [Role.READER, None])
def test_the_gates_answer_before_anything_is_read(role: Role | None, people: Cast, browser: Browser) -> None:
    client = browser(people.reader if role else people.outsider)
    answer = client.post(f"/collections/{people.collection.id}/drive/{make_drive(people)}/move/", b"x", "text/plain")
    assert answer.status_code == (403 if role else 404)
