"""Micros, for a terminal: list, create, show, change. `describe` says what one is, in the original's words and their order."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_text
from console.micros import shown
from console.micros.addresses import address_of
from console.micros.env_lines import read_env_lines
from storage import limits
from storage.errors import HostUnreachable, InvalidInput, SecretsUnreadable
from storage.micros import dependencies, hosts, micros, schedules, variables
from storage.micros.runtimes import choose_release, read_runtime
from storage.models import Micro, Role

# The original's places had names such as `eu-central-1`; there is one place here.
REGION = "local"
_RELEASE = re.compile(r"(Python|Node\.js) (\d++)(?:\.(\d++))?")
_SWITCHES = {"enabled": True, "disabled": False}


def list_all(request: TokenRequest, collection_id: str) -> HttpResponse:
    """`{"micros": [{"name", "id", "runtime", "endpoint"}, ...]}`, by name."""
    access.by_person(request, collection_id)
    told = [
        {"name": each.name, "id": each.id, "runtime": each.runtime, "endpoint": address_of(request, each)}
        for each in micros.list_micros(collection_id)
    ]
    return json_response({"micros": told})


def create(request: TokenRequest, collection_id: str) -> HttpResponse:
    """Of `{"name", "runtime", "visor"}`: 201 with what it is. Nothing is deployed to it yet.

    `runtime` is such as `python` or `nodejs14.x`; without one the first deployment decides. `visor` is "enabled" or "disabled".
    """
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    asked = read_asked(request)
    is_recorded = _read_switch(asked, "visor")
    micro = micros.create_micro(
        collection_id=collection_id,
        name=read_text(asked.get("name"), "name"),
        runtime=read_text(asked.get("runtime", ""), "runtime"),
        made_by=request.user,
    )
    if is_recorded is not None:
        micro = micros.change_micro(collection_id=collection_id, micro_id=micro.id, is_recorded=is_recorded)
    return json_response(describe(request, micro), status=201)


def show(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    _, micro = shown.find(request, collection_id, micro_id)
    return json_response(describe(request, micro))


def change(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Of any of `{"name", "runtime", "visor", "http_auth"}`: what it is then."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    asked = read_asked(request)
    micro = micros.change_micro(
        collection_id=collection_id,
        micro_id=micro_id,
        name=_read_text(asked, "name"),
        runtime=_read_text(asked, "runtime"),
        is_recorded=_read_switch(asked, "visor"),
        has_sign_in=_read_switch(asked, "http_auth"),
    )
    return json_response(describe(request, micro))


def replace_variables(request: TokenRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """Of `{"lines"}`, the text of a `.env` file: its variables and no others. `{"environment_variables": [name, ...]}`."""
    shown.find(request, collection_id, micro_id, at_least=Role.MEMBER)
    lines = read_text(read_asked(request).get("lines"), "lines")
    if len(lines) > 4 * limits.MICRO_VARIABLES_MAX_BYTES:
        raise InvalidInput(f"A file of variables has at most {4 * limits.MICRO_VARIABLES_MAX_BYTES:,} characters")
    values = read_env_lines(lines)
    names = variables.replace_variables(collection_id=collection_id, micro_id=micro_id, values=values)
    return json_response({"environment_variables": names})


def describe(request: HttpRequest, micro: Micro) -> dict[str, Any]:
    """What a Micro is, in the order in which the original told it; what there is none of is left out."""
    told: dict[str, Any] = {
        "name": micro.name,
        "id": micro.id,
        "project": micro.collection.name,
        "runtime": _find_runtime(micro),
        "endpoint": address_of(request, micro),
        "region": REGION,
        "dependencies": dependencies.list_dependencies(micro),
        "environment_variables": _list_variables(micro),
        "visor": _switch(micro.is_recorded),
        "http_auth": _switch(micro.has_sign_in),
        "cron": _find_cron(micro),
    }
    return {what: value for what, value in told.items() if value not in ([], "")}


def _find_cron(micro: Micro) -> str:
    schedule = schedules.find_schedule(micro.id)
    return schedule.expression if schedule else ""


def _list_variables(micro: Micro) -> list[str]:
    """Their names; none while they can't be read, of which the pages tell."""
    try:
        return sorted(variables.read_variables(micro))
    except SecretsUnreadable:
        return []


def _find_runtime(micro: Micro) -> str:
    """What really runs it, or would: `python3.11` or `nodejs24.x`. As it was asked for where nothing can run."""
    if micro.deployment is not None and micro.deployment.runs_on:
        return _short(micro.deployment.runs_on)
    if not micro.runtime:
        return ""
    try:
        likely = choose_release(read_runtime(micro.runtime), hosts.the_host().runtimes())
    except HostUnreachable:
        likely = ""
    return _short(likely) or micro.runtime


def _short(release: str) -> str:
    """`python3.11` of `Python 3.11.7 (instead of Python 3.9)`."""
    found = _RELEASE.match(release)
    if found is None:
        return ""
    return f"python{found[2]}.{found[3]}" if found[1] == "Python" else f"nodejs{found[2]}.x"


def _switch(is_on: bool) -> str:
    return "enabled" if is_on else "disabled"


def _read_text(asked: dict[str, Any], what: str) -> str | None:
    """None when it is not asked for. Raises InvalidInput."""
    return read_text(asked[what], what) if what in asked else None


def _read_switch(asked: dict[str, Any], what: str) -> bool | None:
    """None when it is not asked for. Raises InvalidInput."""
    if what not in asked:
        return None
    said = asked[what]
    if not isinstance(said, str) or said not in _SWITCHES:
        raise InvalidInput(f"`{what}` is “enabled” or “disabled”")
    return _SWITCHES[said]
