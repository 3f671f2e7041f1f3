"""From a git server to a Micro that answers, on a real server: what the page does, by the operations behind it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.git_repositories import make_repository
from tests.serving import ROOT, Server

APP = """
import os

def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [os.environ["GREETING"].encode()]
"""
DECLARED = '{"name": "greeter", "env": [{"key": "GREETING", "value": "hello from git"}], "cron": "1 hour"}'

_DEPLOY = """
import django
django.setup()
import time
from django.contrib.auth.models import User
from storage import jobs
from storage.collections import collections
from storage.git_sources import addresses, fetches
from storage.micros import schedules
from storage.models import Deployment, Membership, Role

made = collections.create_collection("From git")
person = User.objects.create_user("ada")
Membership.objects.create(collection=made, person=person, role=Role.MEMBER)
source = addresses.read_address({address!r})
fetch = fetches.ask_for_fetch(collection_id=made.id, source=source, asked_by=person)
jobs.start(jobs.continue_git_fetches)
while fetch.finished_at is None:
    time.sleep(0.2)
    fetch.refresh_from_db()
if fetch.state != "done":
    raise SystemExit(print("failed:", fetch.reason))
asked = fetches.deploy_fetch(
    collection_id=made.id, fetch_id=fetch.id, name=fetches.manifest_of(fetch).name, subdomain="", values={{}},
    cron=fetches.manifest_of(fetch).cron, made_by=person,
)
jobs.start(jobs.continue_deployments)
while asked.finished_at is None:
    time.sleep(0.2)
    asked.refresh_from_db()
print(asked.state, asked.reason, asked.source, schedules.find_schedule(asked.micro_id).expression, sep="|")
"""


@pytest.mark.slow
def test_a_repository_becomes_a_micro_that_answers(make_server: Callable[..., Server], tmp_path: Path) -> None:
    make_repository(tmp_path, "greeter", {"main.py": APP, "deta.json": DECLARED})
    serving = [sys.executable, "-m", "tests.git_server", str(tmp_path), "127.0.0.1", "0"]
    git_server = subprocess.Popen(serving, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert git_server.stdout
        port = int(git_server.stdout.readline())
        address = f"http://127.0.0.1:{port}/greeter.git"
        server = make_server(
            HOMEPORT_MICROS="true", HOMEPORT_MICROS_MAY_REACH="127.0.0.1", HOMEPORT_TLS_PORT="0"
        ).start()
        server.wait_ready()
        state, reason, source, cron = server.run_code(_DEPLOY.format(address=address)).splitlines()[-1].split("|")
        assert (state, reason, cron) == ("done", "", "1 hour")
        assert source.startswith(f"{address} at ")
    finally:
        git_server.kill()
        git_server.communicate()
