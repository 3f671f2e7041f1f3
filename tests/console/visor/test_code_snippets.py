"""A recorded request as code: each of the three runs when it is pasted, and sends the same request."""

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import partial
from typing import Any

import pytest

from console.visor.code_snippets import make_snippets
from storage.events import queries as event_queries
from tests.drives import DriveClient
from tests.factories import BaseClient
from tests.visor import make_recorded
from tests.waiting import MOMENT_SECONDS, eventually

ODD = 'it\'s "quoted" $HOME `id` \\ %s {x} ü\n\t\x1b[31m </script>'


def program(language: str) -> list[str]:
    if language == "python":
        return [sys.executable, "-W", "error::SyntaxWarning", "-c"]
    if language == "curl":
        return ["bash", "-c"]
    node = shutil.which("node") or shutil.which("node", path=sysconfig.get_path("scripts"))
    assert node
    return [node, "-e"]


@pytest.fixture(scope="module")
def client(server: Any) -> BaseClient:
    """A client of a recorded collection with requests of every kind."""
    client = make_recorded(server)
    drive = DriveClient(client)
    client.put({"key": "odd", "text": ODD})
    client.get("odd")
    client.query([{"text": ODD}])
    client.update("odd", {"set": {"text": ODD}})
    client.send("GET", "/items/odd", headers={"If-None-Match": '"0"', "X-Odd": "it's a $HOME `id`"})
    drive.put("a b&c'd.txt", ODD.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    drive.get("a b&c'd.txt")
    drive.list(prefix="a")
    client.send("POST", "/query", content="@/etc/hostname")
    client.delete("none")
    return client


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_snippets_run_when_pasted(server: Any, client: BaseClient, language: str) -> None:
    def find() -> Any:
        page = event_queries.list_events(
            collection_id=client.collection_id, conditions=event_queries.Conditions(origin="app"), limit=1000
        )
        return page.lines if len(page.lines) >= 10 else None

    for line in sorted(eventually(find), key=lambda line: line.id)[:10]:
        event = event_queries.find_event(collection_id=client.collection_id, event_id=line.id)
        snippets = make_snippets(event, origin=server.url)
        assert client.key_text not in repr(snippets)
        newest = event_queries.list_events(collection_id=client.collection_id, limit=1).lines[0].id
        ran = subprocess.run(
            [*program(language), getattr(snippets, language)],
            env={"PATH": os.environ["PATH"], "DETA_PROJECT_KEY": client.key_text},
            capture_output=True,
            text=True,
            timeout=MOMENT_SECONDS,
        )
        assert ran.returncode == 0, (getattr(snippets, language), ran.stderr)
        (sent,) = eventually(partial(_after, client.collection_id, newest))
        assert (sent.line.method, sent.line.target, sent.line.status) == (line.method, line.target, line.status)
        assert sent.content.request.text == event.content.request.text
        for name in ("If-None-Match", "X-Odd"):
            assert dict(sent.request_headers).get(name) == dict(event.request_headers).get(name)
        if "Content-Type" in dict(event.request_headers):
            assert dict(sent.request_headers)["Content-Type"] == dict(event.request_headers)["Content-Type"]


def _after(collection_id: str, event_id: str) -> list[Any]:
    lines = event_queries.list_events(collection_id=collection_id, limit=5).lines
    return [
        event_queries.find_event(collection_id=collection_id, event_id=line.id) for line in lines if line.id > event_id
    ]
