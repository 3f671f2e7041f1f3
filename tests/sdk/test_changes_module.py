"""The module that browsers follow a Base with, in node against the real server (see `changes.test.mjs`)."""

from typing import Any

from tests.factories import make_client
from tests.sdk.test_npm_client import HERE, _find_program, _run
from tests.test_house import ROOT
from tests.waiting import MOMENT_SECONDS


def test_the_module_for_browsers_follows_a_base(server: Any, database: None) -> None:
    _run(
        [_find_program("node"), "--test", "--test-reporter=spec", "changes.test.mjs"],
        HERE,
        {
            "HOMEPORT_TEST_MODULE": str(ROOT / "static" / "js" / "client" / "homeport_changes.js"),
            "HOMEPORT_TEST_URL": server.url,
            "DETA_TEST_KEY": make_client(server).key_text,
        },
        seconds=MOMENT_SECONDS,
    )
