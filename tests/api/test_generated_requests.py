"""Requests that schemathesis makes of the API's description, against the server as it ships.

Whatever it sends, within what is described or beside it, alone or one after the other along the links: no 500, no HTML, no status
that is not described, and every answer as its schema says.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import make_client
from tests.serving import Server
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS

_SECONDS = 180
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
    "ensure_resource_availability",
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
            checks = [
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_headers_conformance,
                response_schema_conformance,
            ]
            case.validate_response(answer, checks=checks)

        ask()

    with session:
        for found in schema.get_all_operations():
            attempt(found.ok())
    assert len(tried) == 16


@pytest.mark.slow
def test_requests_of_all_kinds_and_one_after_the_other(server: Server, database: None, tmp_path: Path) -> None:
    client = make_client(server)
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.json"
    config.write_text(_CONFIG.format(key=client.key_text, collection_id=client.collection_id, timeout=MOMENT_SECONDS))
    ran = subprocess.run(
        [
            *(sys.executable, "-c", _COMMAND, "--config-file", str(config)),
            *("run", f"{server.url}/v1/openapi.json", "--no-color", "--continue-on-failure"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", ",".join(_CHECKS)),
            *("--max-time", str(_SECONDS), "--seed", "1", "--report-json-path", str(report)),
        ],
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    assert "Tested: 16" in ran.stdout
