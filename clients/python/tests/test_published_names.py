"""Every name, signature and default of the published client is here, so that what was written for it imports and calls ours."""

import importlib
import inspect
import io
from operator import attrgetter
from typing import Any

import pytest
from clients.python.tests import published_names as published
from clients.python.tests.conftest import Place
from tests.awaiting import run

import deta
from deta import Deta, FetchResponse
from deta._async.client import _AsyncBase
from deta.base import Util, _Base, insert_ttl
from deta.drive import DriveStreamingBody, _Drive

KEY = "abcdefghij_notarealsecret"


def missing_in(ours: inspect.Signature, theirs: str) -> list[str]:
    """What a call of theirs may say that ours does not take, or takes in another place or with another default."""
    found = []
    parameters = ours.parameters
    order = [each.name for each in parameters.values() if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    wanted = inspect.signature(eval(f"lambda {theirs}: None")).parameters
    for place, parameter in enumerate(wanted.values()):
        mine = parameters.get(parameter.name)
        if mine is None:
            found.append(parameter.name)
        # A list as a default is one that all calls share: ours makes a new one.
        elif parameter.default != mine.default and parameter.default != []:
            found.append(f"{parameter.name}: default {mine.default!r}")
        elif parameter.kind is not inspect.Parameter.KEYWORD_ONLY and order.index(parameter.name) != place:
            found.append(f"{parameter.name}: place")
    more = [name for name in parameters if name not in wanted and parameters[name].default is inspect.Parameter.empty]
    return found + more


def signature_of(thing: Any, *, is_method: bool = False) -> inspect.Signature:
    signature = inspect.signature(thing)
    return signature.replace(parameters=list(signature.parameters.values())[1:]) if is_method else signature


def test_every_name_of_the_published_client_is_here() -> None:
    wrong = []
    for module, names in published.FUNCTIONS.items():
        for name, theirs in names.items():
            wrong += [(module, name, each) for each in missing_in(signature_of(find(module, name)), theirs)]
    for module, names in published.CLASSES.items():
        for name, theirs in names.items():
            found = find(module, name)
            assert inspect.isclass(found)
            wrong += [(module, name, each) for each in missing_in(signature_of(found), theirs)]
    for place, methods in published.METHODS.items():
        for name, theirs in methods.items():
            method = getattr(find(*place.split(":")), name)
            wrong += [(place, name, each) for each in missing_in(signature_of(method, is_method=True), theirs)]
    assert wrong == []
    for module, values in published.VALUES.items():
        assert {name: find(module, name) for name in values} == values
    for module, types in published.TYPES.items():
        assert all(find(module, name) for name in types)


def find(module: str, name: str) -> Any:
    return attrgetter(name)(importlib.import_module(module))


def test_what_is_made_has_the_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_URL", "https://example.com:8443")
    made = Deta(KEY)
    things = {"Deta": made, "Base": made.Base("b"), "Drive": made.Drive("d"), "AsyncBase": made.AsyncBase("b")}
    for kind, names in published.ATTRIBUTES.items():
        assert [name for name in names if not hasattr(things[kind], name)] == []
    base = made.Base("b")
    assert (base.project_key, base.host, base.base_path) == (KEY, "example.com:8443", "/v1/abcdefghij/b")
    assert isinstance(base, _Base)
    assert isinstance(made.Drive("d"), deta._Drive)
    assert isinstance(made.AsyncBase("b"), _AsyncBase)
    assert isinstance(base.util.trim(), Util.Trim)
    assert (Util.Increment().val, Util.Append("x").val, Util.Prepend(["x"]).val) == (1, ["x"], ["x"])


def test_classes_make_bases_and_drives_of_a_key(place: Place) -> None:
    host = place.server.url
    base = _Base("made", place.key, place.collection_id, host)
    assert base.put({"a": 1}, "x") == {"a": 1, "key": "x"}
    assert base._fetch({"a": 1})[1]["items"] == [{"a": 1, "key": "x"}]
    assert base._request("/items/none", "GET") == (404, None)
    assert base._request("/items/x", "GET") == (200, {"a": 1, "key": "x"})
    base.client.close()

    async def main() -> FetchResponse:
        async with _AsyncBase("made", place.key, place.collection_id, host) as made:
            return await made.fetch()

    assert run(main()) == FetchResponse(1, None, [{"a": 1, "key": "x"}])


def test_an_upload_by_its_steps(place: Place) -> None:
    with _Drive("made", place.key, place.collection_id, place.server.url) as drive:
        upload = drive._start_upload("a b")
        drive._upload_part("a b", "text", upload, 1, "text/plain")
        drive._finish_upload("a b", upload)
        drive._abort_upload("c", drive._start_upload("c"))
        assert drive.list()["names"] == ["a b"]
        status, stream = drive._request(f"/files/download?name={drive._quote('a b')}", "GET", stream=True)
        assert isinstance(stream, io.BufferedIOBase)
        with DriveStreamingBody(stream) as body:
            assert (status, body.read()) == (200, b"text")


def test_a_body_of_any_stream() -> None:
    body = DriveStreamingBody(io.BytesIO(b"one\ntwo"))
    assert list(body.iter_lines()) == [b"one\n", b"two"]
    assert (body.name, body.size, body.content_type) == ("", None, "")
    body.close()
    assert body.closed


def test_expiry_into_an_item() -> None:
    item: dict[str, Any] = {}
    insert_ttl(item, "until", expire_at=1_900_000_000.9)
    assert item == {"until": 1_900_000_000}


def test_mail_goes_to_the_mailer_of_the_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETA_MAILER_URL", raising=False)
    with pytest.raises(ValueError, match="DETA_MAILER_URL"):
        deta.send_email("ada@example.com", "Hello", "text")
    monkeypatch.setenv("DETA_MAILER_URL", "http://127.0.0.1:1")
    with pytest.raises(ConnectionError, match="mailer"):
        Deta(KEY).send_email(["ada@example.com"], "Hello", "text")
