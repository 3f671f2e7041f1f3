"""Odd values in every parameter of what a terminal may ask about Micros: they are refused in words, and nothing breaks."""

import json

import pytest

from storage.models import Micro, MicroKey
from tests.console.cli_api.test_micros import DOORS, Door, at, client_of, host, micro
from tests.people import Cast

__all__ = ["host", "micro"]

TEXTS = ["", "\x00", "\ud800", "\u202e", "x" * 5_000, "../..", "%00", "'; --", "\U0001f600"]
VALUES: list[object] = [*TEXTS, None, True, 0, -1, 1e308, [], {}, [[]], {"a": "\x00"}]
FIELDS = ["name", "runtime", "visor", "http_auth", "lines", "description"]
QUERIES = ["after", "name"]
WITH_BODIES = [door for door in DOORS if isinstance(door.body, dict)]


@pytest.mark.parametrize("door", WITH_BODIES, ids=lambda door: f"{door.method} {door.path}")
def test_odd_values_in_a_body_are_refused(door: Door, people: Cast, micro: Micro) -> None:
    member = client_of(people.member)
    bodies = [json.dumps(door.body | {field: value}) for field in FIELDS for value in VALUES]
    for body in [*bodies, "", "[]", "null", "{", "\xff", '{"name": 1e999999}', "[" * 5_000]:
        answer = getattr(member, door.method)(f"{at(micro)}{door.path}", data=body, content_type="application/json")
        assert answer.status_code < 500, (body, answer.content)
        assert answer.status_code < 300 or answer.json()["errors"], body
    MicroKey.objects.filter(micro=micro).delete()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_odd_values_in_an_address_are_refused(door: Door, people: Cast, micro: Micro) -> None:
    member = client_of(people.member)
    path, joint = door.path, "&" if "?" in door.path else "?"
    for query in QUERIES:
        for text in ("", "%00", "%ED%A0%80", "%FF", "-1", "9" * 40, "x" * 2_000):
            answer = getattr(member, door.method)(f"{at(micro)}{path}{joint}{query}={text}")
            assert answer.status_code < 500, (query, text, answer.content)
    for odd in ("%00", "x" * 500, "%ED%A0%80", "%2E%2E"):
        for place in (f"{micro.collection_id}/micros/{odd}", f"{odd}/micros/{micro.id}"):
            answer = getattr(member, door.method)(f"/cli/collections/{place}{path}")
            assert answer.status_code == 404, (place, answer.content)
