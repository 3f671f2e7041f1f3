"""Parameters that no page can use are refused before any view reads them: on the real server, as bytes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.attack import FORM, plain_request, with_header, with_json, with_path, with_query
from tests.fuzz.sending import Answer, Request
from tests.fuzz.world import Target, World


@pytest.fixture(scope="module")
def world(server: Any) -> Iterator[World]:
    made = World(server.url)
    yield made
    made.line.close()


def target(world: World, name: str) -> Target:
    return next(each for each in world.targets if each.name == name)


def ask(world: World, request: Request) -> Answer:
    return world.line.ask(request)


@pytest.mark.parametrize(
    "page", ["collections", "jump", "drive", "drive-rows", "base", "base-rows", "visor", "connect"]
)
@pytest.mark.parametrize("value", [b"%00", b"a%00b", b"%FF", b"%ED%A0%80", b"\xff"])
def test_an_address_with_what_is_no_text_is_refused(world: World, page: str, value: bytes) -> None:
    assert ask(world, with_query(world, target(world, page), "q", value)).status == 400
    assert ask(world, with_query(world, target(world, page), "not-read", value)).status == 400


def test_a_percent_sign_and_other_characters_are_what_they_are(world: World) -> None:
    for value in (b"100%", b"%zz", b"%C3%A9", b"%F0%9F%98%80", b"%E2%80%AE", b"a+b", b"%01"):
        assert ask(world, with_query(world, target(world, "collections"), "q", value)).status == 200, value


def test_a_form_with_what_is_no_text_is_refused(world: World) -> None:
    for name, field in (("new-collection", b"name"), ("sign-in", b"username"), ("change-role", b"role")):
        request = plain_request(world, target(world, name), method="POST", kind=FORM, body=field + b"=a%00b")
        assert ask(world, request).status == 400, name


def test_a_form_takes_no_files(world: World) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"a" * 1000 + b"\r\n--x--\r\n"
    for name in ("sign-in", "new-collection"):
        request = plain_request(
            world, target(world, name), method="POST", kind=b"multipart/form-data; boundary=x", body=body
        )
        assert ask(world, request).status == 400, name


def test_a_path_with_the_character_nul_leads_nowhere(world: World) -> None:
    for name in ("collection", "drive", "base", "keys"):
        request = with_path(world, target(world, name), world.cast.collection.id, b"a%00b")
        assert ask(world, request).status == 404, name


@pytest.mark.parametrize(
    "kind",
    [
        b"text/plain; charset=rot13",
        b"text/plain; charset=unicode_escape",
        b"application/x; charset=zlib",
        b"a/b; c*=x''%FF",
    ],
)
def test_what_a_request_says_of_its_type_changes_no_address(world: World, kind: bytes) -> None:
    for name in ("jump", "collections"):
        request = plain_request(world, target(world, name), query=b"q=%5Cud800", headers=[("Content-Type", kind)])
        assert ask(world, request).status == 200
    for name in ("GET things/items/a", "POST things/query"):
        request = with_header(world, target(world, name), "Content-Type", kind)
        assert ask(world, request).status in (200, 400), name


def test_a_quoted_cookie_that_spells_nul_is_no_session(world: World) -> None:
    request = with_header(world, target(world, "collections"), "Cookie", b'sessionid="\\000aaaaaaaaaaaaaaaa"')
    answer = ask(world, request)
    assert (answer.status, answer.headers["location"]) == (302, "/sign-in/?next=/")


@pytest.mark.parametrize("value", [b'"\\ud800"', b'"\\u0000"', b"[]", b"{}", b"1", b'["\\u0000"]'])
def test_the_fingerprint_of_an_upload_is_a_text(world: World, value: bytes) -> None:
    body = b'{"name":"a","size":1,"if_exists":"replace","fingerprint":%s}' % value
    request = plain_request(world, target(world, "drive-uploads"), method="POST", kind=b"application/json", body=body)
    empty = value in (b"[]", b"{}")
    assert ask(world, request).status == (201 if empty else 400)


@pytest.mark.parametrize("kind", ["[]", "{}", "1", "null", '"other"', '["edit"]'])
def test_the_kind_of_a_change_is_a_text_that_is_known(world: World, kind: str) -> None:
    request = with_json(world, target(world, "base-save"), "changes", b'[{"id":"x","kind":%s}]' % kind.encode())
    answer = ask(world, request)
    assert (answer.status, json.loads(answer.body)["errors"]) == (
        400,
        ["A change's `kind` is one of edit, add, delete, at changes[0]"],
    )


@pytest.mark.parametrize("event_id", ["f" * 32, "0" * 32, "e" + "0" * 31, "ffffffffffff" + "0" * 20])
def test_an_event_whose_id_is_no_time_is_not_there(world: World, event_id: str) -> None:
    for name in ("visor-event", "visor-pin", "visor-redo"):
        at = target(world, name)
        old = next(value for value in at.values if len(value) == 32)
        path = at.path.replace(old, event_id).encode()
        request = plain_request(world, at, path=path, **({} if at.method == "GET" else {"kind": FORM, "body": b"on=1"}))
        assert ask(world, request).status == 404, name
    for name in ("from", "sent"):
        assert ask(world, with_query(world, target(world, "visor-client"), name, event_id.encode())).status == 404
    assert ask(world, with_query(world, target(world, "visor"), "before", event_id.encode())).status == 200


def test_a_list_until_the_end_of_all_times(world: World) -> None:
    for value in (b"9999-12-31T23:59", b"0001-01-01T00:00"):
        for name in ("since", "until"):
            assert ask(world, with_query(world, target(world, "visor"), name, value)).status == 200
