"""The description of the API, and that it says what is so: paths, methods, numbers, errors and examples."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import URLPattern, URLResolver
from openapi_spec_validator import validate

from console import error_status
from console.api import urls
from console.api.endpoint import EXPOSED_HEADERS
from console.error_status import STATUS
from console.openapi import answers, document
from storage import errors, limits
from storage.base.query import OPERATORS
from tests.described import check_answer, check_value, find_operation, resolve
from tests.factories import BaseClient, RawConnection, raw_head, shared_http
from tests.test_docs import TOLD

METHODS = {"get", "put", "post", "patch", "delete"}
# Errors of pages, of the command and of Micros: whoever adds one to the table describes it, or says here that the API never
# answers it.
OF_OTHERS = {
    error_status.SignedOut,
    error_status.SecondFactorOwed,
    error_status.TooManyTries,
    error_status.HashingBusy,
    errors.SignInRefused,
    errors.AccessTokenNotFound,
    errors.ArchiveNotFound,
    errors.BaseNotFound,
    errors.ChangeNotFound,
    errors.CollectionNotFound,
    errors.DataKeyNotFound,
    errors.DeletionNotFound,
    errors.DeploymentNotFound,
    errors.DriveNotFound,
    errors.DuplicationNotFound,
    errors.EventNotFound,
    errors.GitFetchNotFound,
    errors.MicroKeyNotFound,
    errors.RunNotFound,
    errors.MicroNotFound,
    errors.PersonNotFound,
    errors.ShareLinkNotFound,
    errors.SignInNotFound,
    errors.ViewNotFound,
    errors.AlreadyTaken,
    errors.NamesTaken,
    errors.OutOfPlace,
    errors.SaveReused,
    errors.InvitationSpent,
    errors.SignInOver,
    errors.UndoOver,
    errors.UploadMismatch,
    errors.SecretsUnreadable,
    errors.HostUnreachable,
    errors.TooManySignIns,
}
# The contract says these numbers of what is not in the description: dialects, and what a page of an earlier moment looks at.
UNSAID = {"ITEMS_PER_SUCCESSOR_PUT", "SCAN_MAX_ROWS", "HISTORY_SCAN_MAX_ROWS", "WRONG_KEYS_PER_MINUTE"}


def served() -> Any:
    return document.document()


def test_it_describes_the_routes_and_their_methods_and_no_others() -> None:
    routes = set()
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.callback is urls.unknown_path:
            continue
        path = "/" + re.sub(r"<[^>]+>", "{}", str(pattern.pattern))
        routes |= {(path, method.lower()) for method in pattern.callback.methods - {"HEAD"}}  # type: ignore[attr-defined]
    described = {
        (re.sub(r"\{\w+\}", "{}", path), method)
        for path, item in served()["paths"].items()
        for method in item.keys() - {"parameters"}
    }
    assert described == routes
    assert not any(isinstance(pattern, URLResolver) for pattern in urls.urlpatterns)


def test_every_error_of_the_table_is_described_or_known_to_be_of_others() -> None:
    described = answers.described_errors()
    assert described & OF_OTHERS == set()
    assert {kind for kind in STATUS if kind not in described | OF_OTHERS} == set()
    assert OF_OTHERS - STATUS.keys() == set()


def test_every_number_of_the_contract_is_in_it() -> None:
    text = json.dumps(served(), ensure_ascii=False)
    contract = {name: getattr(limits, name) for name in TOLD["http-api.md"] if name not in UNSAID}
    assert len(contract) > 15
    said = {name for name, number in contract.items() if re.search(rf"(?<!\d)({number}|{number:,})(?!\d)", text)}
    said |= {name for name, number in contract.items() if f"{{{number}}}" in text or f"{{0,{number - 1}}}" in text}
    assert contract.keys() - said == set()


def test_every_header_that_a_page_may_read_is_told() -> None:
    about = served()["info"]["description"]
    assert [name for name in EXPOSED_HEADERS.split(", ") if f"`{name}`" not in about] == []


def test_every_operator_of_a_query_is_in_it() -> None:
    schema = served()["components"]["schemas"]["Conditions"]
    for operator in OPERATORS:
        value: Any = [1, 2] if operator == "r" else "a"
        check_value(schema, {f"a.b?{operator}": value, "c": None}, operator)
    for wrong in (
        {"a?": 1},
        {"a?random": 1},
        {"a?pfx": 1},
        {"a?r": [1]},
        {"a?r": [1, "a"]},
        {"a?gt": None},
        {"key": 1},
    ):
        with pytest.raises(AssertionError):
            check_value(schema, wrong, "")
    of_keys: tuple[dict[str, Any], ...] = ({"key?ne": "a"}, {"key?contains": "a"}, {"key?r": [1, 2]}, {"key?!=": "a"})
    for wrong in of_keys:
        with pytest.raises(AssertionError):
            check_value(schema, wrong, "")


def test_it_is_an_openapi_document_whose_operations_say_all_that_a_reader_needs() -> None:
    validate(served())
    operations = [item[method] for item in served()["paths"].values() for method in METHODS & item.keys()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    tags = [tag["name"] for tag in served()["tags"]]
    for operation in operations:
        assert operation["tags"][0] in tags
        assert operation["summary"]
        assert operation["description"]
        statuses = operation["responses"].keys()
        assert {"400", "408", "414", "431", "500", "503"} <= statuses
        if operation.get("security") != []:
            assert {"401", "403", "404", "429"} <= statuses
        if "requestBody" in operation:
            assert {"415", "507"} <= statuses
    used = set(re.findall(r'"#/components/(\w+/[\w-]+)"', json.dumps(served())))
    there = {f"{kind}/{name}" for kind, found in served()["components"].items() for name in found}
    assert there - used == {"securitySchemes/dataKey", "responses/MethodNotAllowed"}


def examples(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example of the document, with the schema beside it."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from examples(each, f"{where}/{number}")
    elif isinstance(part, dict):
        if isinstance(schema := part.get("schema"), dict):
            if "example" in part:
                yield where, schema, part["example"]
            for name, example in part.get("examples", {}).items():
                yield f"{where}/{name}", schema, example["value"]
        for name, each in part.items():
            if name not in ("example", "examples"):
                yield from examples(each, f"{where}/{name}")


def test_examples_are_as_their_schemas_say() -> None:
    found = list(examples(served()))
    assert len(found) > 60
    for where, schema, example in found:
        check_value(schema, example, where)
    bodies = [
        each["content"]["application/json"]
        for item in served()["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
        for each in (operation.get("requestBody", {}), *map(resolve, operation.get("responses", {}).values()))
        if "application/json" in each.get("content", {})
    ]
    assert [body for body in bodies if not {"example", "examples"} & body.keys()] == [
        {"schema": {"type": "object"}}  # of the document itself
    ]


def test_errors_are_shown_word_for_word(client: BaseClient) -> None:
    """The examples are made of the errors; that the API sends those so, test_error_status.py shows. These two are a text here."""
    shown = served()["components"]["responses"]
    too_large = client.send("POST", "/files?name=a", content=bytes(limits.FILE_BODY_MAX_BYTES + 1))
    assert (too_large.status_code, too_large.text) == (
        413,
        shown["TooLarge"]["content"]["text/html"]["schema"]["const"],
    )
    missing = client.get("ada")
    assert (missing.status_code, missing.json()) == (
        404,
        shown["NoSuchItem"]["content"]["application/json"]["examples"]["1"]["value"],
    )


def test_anybody_gets_it_and_asks_again_only_for_another(client: BaseClient) -> None:
    url = f"{client.server.url}/v1/openapi.json"
    answer = shared_http().get(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == served()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    again = shared_http().get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    head = shared_http().head(url)
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
    assert shared_http().options(url).headers["Allow"] == "GET, HEAD, OPTIONS"
    wrong = shared_http().post(url)
    assert (wrong.status_code, wrong.json()) == (405, {"errors": ["Method not allowed"]})
    for each in (answer, again, head, wrong):
        method, body = each.request.method, each.content
        check_answer(method, "/openapi.json", status=each.status_code, headers=each.headers, body=body)


@override_settings(URL_PREFIX="/homeport")
def test_below_a_prefix_its_server_is_there() -> None:
    assert served()["servers"][0]["url"] == "/homeport/v1"


def test_what_the_web_server_refuses_is_described(client: BaseClient) -> None:
    headers = (f"X-Number-{number}: a" for number in range(101))
    for head in (raw_head(client, "GET", f"/items/{'a' * 70_000}"), raw_head(client, "GET", "/items/a", *headers)):
        with RawConnection(client.server) as connection:
            connection.send(head)
            refused = connection.answer()
        assert refused is not None
        assert refused.status in (414, 431)
        operation = find_operation("GET", "/a/b/items/a")
        assert operation
        shown = resolve(operation["responses"][str(refused.status)])
        assert refused.json == shown["content"]["application/json"]["example"]


def test_an_answer_that_is_not_described_is_noticed() -> None:
    path, said = "/a0b1c2d3e4/things/items/a", {"Content-Type": "application/json"}
    check_answer("GET", path, status=200, headers=said, body=b'{"key":"a"}')
    for status, headers, body in [
        (418, said, b'{"errors":["Not this"]}'),
        (200, said, b'{"name":"a"}'),
        (200, said, b'{"key":1}'),
        (404, said, b'{"error":"Key not found"}'),
        (400, said, b'{"error":"Bad"}'),
        (200, {"Content-Type": "text/html"}, b"<h1>Hello</h1>"),
        (503, said, b'{"errors":["Please try again"]}'),  # without Retry-After
    ]:
        with pytest.raises(AssertionError, match=f"answered {status}"):
            check_answer("GET", path, status=status, headers=headers, body=body)
    stored, path = b'{"processed":{"items":[]}}', "/a0b1c2d3e4/things/items"
    with pytest.raises(AssertionError, match="what it was asked"):
        check_answer("PUT", path, status=207, headers=said, body=stored, sent=b'{"items":{}}')
