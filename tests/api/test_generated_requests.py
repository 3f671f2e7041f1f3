"""Requests that schemathesis makes of the API's description, against the server as it ships.

Whatever it sends, within what is described or beside it, alone or one after the other along the links: no 500, no HTML, no status
that is not described, and every answer as its schema says. A 503 is what a busy machine may say, with `Retry-After`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import make_client
from tests.serving import Server
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS

# Not those that take a deletion of files for the end of their Drive, or expect a 404 of what is empty (contract: Everywhere).
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
# Its own command, whose requests come from an address of their own: those with a wrong key are counted by address.
_COMMAND = """
from functools import partialmethod
from requests.adapters import HTTPAdapter
HTTPAdapter.init_poolmanager = partialmethod(HTTPAdapter.init_poolmanager, source_address=("127.0.0.77", 0))
from schemathesis.cli import schemathesis
schemathesis()
"""
_CONFIG = """
headers = {{ "X-API-Key" = "{key}" }}
request-timeout = {timeout}
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
[parameters]
"path.collection_id" = "{collection_id}"
[generation]
database = "none"
[cache]
enabled = false
"""


def test_a_few_requests_to_each_operation(server: Server, database: None) -> None:
    client = make_client(server)
    schema = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json")
    session, tried = requests.Session(), set()
    session.trust_env = False

    def attempt(operation: Any) -> None:
        @given(case=operation.as_strategy())
        @settings(max_examples=3, database=None, derandomize=True)
        def ask(case: Any) -> None:
            tried.add(operation.label)
            if "collection_id" in case.path_parameters:
                case.path_parameters["collection_id"] = client.collection_id
            answer = case.call(session=session, headers={"X-API-Key": client.key_text}, timeout=MOMENT_SECONDS)
            assert answer.status_code != 500
            checks = [
                status_code_conformance,
                content_type_conformance,
                response_headers_conformance,
                response_schema_conformance,
            ]
            case.validate_response(answer, checks=checks)

        ask()

    with session:
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            attempt(found.ok())
    assert len(tried) == 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "phases, seconds, told",
    [
        pytest.param("examples,coverage,fuzzing", 100, r"Tested: 16\b", id="each-by-itself"),
        pytest.param("stateful", 60, r"Scenarios: +[1-9]\d*\s+API Links: +[1-9]\d* covered", id="one-after-the-other"),
    ],
)
def test_requests_of_all_kinds(
    server: Server, database: None, tmp_path: Path, phases: str, seconds: int, told: str
) -> None:
    client = make_client(server)
    config = tmp_path / "schemathesis.toml"
    config.write_text(_CONFIG.format(key=client.key_text, collection_id=client.collection_id, timeout=MOMENT_SECONDS))
    ran = subprocess.run(
        [
            *(sys.executable, "-c", _COMMAND, "--config-file", str(config)),
            *("run", f"{server.url}/v1/openapi.json", "--no-color", "--continue-on-failure", "--seed", "1"),
            *("--phases", phases, "--max-time", str(seconds), "--checks", ",".join(_CHECKS)),
        ],
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    assert re.search(told, ran.stdout), ran.stdout
