"""No parameter of any route brings out a 500 or a traceback, whatever it holds; for how long that is tried, `slow` decides."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.cli_api import gate
from tests import rounds
from tests.console.cli_api.test_gate import paths
from tests.fuzz import asked, values
from tests.fuzz.attack import Log, attack, each_header, each_parameter, plain_request, run_for, send
from tests.fuzz.cli_calls import CLI_CALLS
from tests.fuzz.world import World

LONG_RUN_SECONDS = 300.0
# Of the long run, so that several processes share it.
PARTS = 3
LOOKED_AT = ("base-rows", "drive-zip", "visor", "sign-in", "visor-client", "drive-uploads", "base-save")
# What the views of the `deta` command read, where they read it: `asked.get("name")`, `_read_switch(asked, "visor")`.
_READ = re.compile(r"""(?:asked|request|request\.GET|read_asked\(.{0,60}\))(?:\.get\(|\[|, )"(\w+)""")


@pytest.fixture(scope="module")
def world(server: Any) -> Iterator[World]:
    made = World(server.url)
    yield made
    made.line.close()


def test_what_a_route_asks_for_is_found_out(world: World) -> None:
    pages = {target.name: target for target in world.pages}
    fields = {name: pages[name].fields for name in LOOKED_AT}
    assert fields["base-rows"].query >= {"q", "sort", "last", "limit", "columns"}
    assert fields["drive-zip"].query >= {"name", "folder"}
    assert fields["visor"].query >= {"path", "status", "since", "until", "before", "span", "seen"}
    assert fields["drive-zip"].form >= {"chosen"}
    assert fields["sign-in"].form >= {"username", "password", "next"}
    assert fields["visor-client"].form >= {"method", "target", "body", "headers", "replay_of", "try"}
    assert fields["drive-uploads"].json >= {"name", "size", "content_type", "if_exists", "fingerprint"}
    assert fields["base-save"].json >= {
        "save",
        "changes",
        "kind",
        "id",
        "key",
        "revision",
        "loaded",
        "set",
        "unset",
        "item",
    }
    assert {"Host", "Range", "If-None-Match", "Content-Type", "Cookie", "X-API-Key"} <= set(asked.headers())


def test_every_call_of_the_command_is_attacked(world: World) -> None:
    client = Client(headers={name: value.decode() for name, value in world.headers_for(world.cli[0])})
    client.handler = world.handler
    routes = {
        re.sub(r"/(?:0000000000|1|00000000-0000-0000-0000-000000000001)(?=/|$)", "/{}", path) for path in paths()
    } | {""}
    calls = {call for call in CLI_CALLS if not call.path.startswith("v1/")}
    assert {re.sub(r"\{\w+\}", "{}", call.path) for call in calls} == routes
    for call in calls:
        allowed = client.options(f"/cli/{call.path.format(**world.there)}")["Allow"].split(", ")
        assert {each.method for each in calls if each.path == call.path} == set(allowed) - {"HEAD"}
    sources = "".join(path.read_text() for path in Path(gate.__file__).parent.glob("*.py"))
    assert set(_READ.findall(sources)) <= {name for call in calls for name in call.query + call.json}


def test_parameters_of_every_54th_route(server: Any, world: World) -> None:
    """Which are these, differs with their number; in the long run all are tried, with every value."""
    log = Log(server.log_path)
    targets = world.targets[::54]
    for target in targets:
        send(world, target, plain_request(world, target), log)
        for request in each_parameter(world, target, most=1):
            send(world, target, request, log)
    for target, request in each_header(world, targets):
        send(world, target, request, log)


@settings(derandomize=True, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_odd_things_at_once(server: Any, world: World, data: st.DataObject) -> None:
    attack(world, data, Log(server.log_path))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_each_parameter_of_each_route_with_the_values_of_the_day(server: Any, world: World, part: int) -> None:
    """Every value within so many days, or in one run that takes an hour (`tests/rounds.py`)."""
    log = Log(server.log_path)
    most = max(len(values.PLAIN), len(values.JSON))
    for target in world.targets[part::PARTS]:
        send(world, target, plain_request(world, target), log)
        for request in rounds.slice_of(each_parameter(world, target, most=most)):
            send(world, target, request, log)
    for target, request in rounds.slice_of(each_header(world, world.targets[part::PARTS])):
        send(world, target, request, log)


@pytest.mark.slow
def test_five_minutes_of_odd_things(server: Any, world: World) -> None:
    run_for(world, Log(server.log_path), LONG_RUN_SECONDS)
