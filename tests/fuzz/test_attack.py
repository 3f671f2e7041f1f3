"""No parameter of any route brings out a 500 or a traceback, whatever it holds; for how long that is tried, `slow` decides."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import asked, values
from tests.fuzz.attack import Log, attack, each_header, each_parameter, plain_request, run_for, send
from tests.fuzz.world import World

LONG_RUN_SECONDS = 300.0


@pytest.fixture(scope="module")
def world(server: Any) -> Iterator[World]:
    made = World(server.url)
    yield made
    made.line.close()


def test_what_a_route_asks_for_is_found_out(world: World) -> None:
    fields = {target.name: target.fields for target in world.pages}
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


def test_each_parameter_of_each_route(server: Any, world: World) -> None:
    sweep(server, world, most=1)


@settings(derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_odd_things_at_once(server: Any, world: World, data: st.DataObject) -> None:
    attack(world, data, Log(server.log_path))


@pytest.mark.slow
def test_each_parameter_of_each_route_with_every_value(server: Any, world: World) -> None:
    sweep(server, world, most=max(len(values.PLAIN), len(values.JSON)))


@pytest.mark.slow
def test_five_minutes_of_odd_things(server: Any, world: World) -> None:
    run_for(world, Log(server.log_path), LONG_RUN_SECONDS)


def sweep(server: Any, world: World, *, most: int) -> None:
    log = Log(server.log_path)
    for target in world.targets:
        send(world, target, plain_request(world, target), log)
        for request in each_parameter(world, target, most=most):
            send(world, target, request, log)
    for target, request in each_header(world, world.targets):
        send(world, target, request, log)
