"""Schedules on the real server: fifty sleeping Micros have run within a minute, and a run whose worker is killed has failed."""

from typing import Any

import pytest

from storage.micro_runs import runs
from storage.micros import hosts, micros
from storage.models import Deployment, Micro, MicroRun, MicroSchedule
from storage.postgres import clock
from tests.people import Cast
from tests.running_micros import MicroClient, deploy_micro, put_code, run_micro
from tests.serving import Server, child_of_serve, kill
from tests.waiting import LONG_SECONDS, eventually

FLASK = """
from flask import Flask
from deta import App

app = App(Flask(__name__))

@app.lib.cron()
def tick(event):
    return "ticked"
"""
SLEEPY = """
import time
from deta import app

@app.lib.run()
def sleep(event):
    print("sleeps")
    time.sleep(600)
"""
_MANY = 50
# A minute, four times over.
_PROMISED_SECONDS = 240.0

pytestmark = pytest.mark.slow


@pytest.fixture
def many(server: Server, guides: Cast) -> list[Micro]:
    """Fifty Micros of one Flask app, none of which runs."""
    first = deploy_micro(server.url, guides.collection.id, {"main.py": FLASK, "requirements.txt": "flask\n"}, name="f0")
    serving = Deployment.objects.get(micro=first.micro)
    made = [first.micro]
    for number in range(1, _MANY):
        micro = micros.create_micro(collection_id=guides.collection.id, name=f"f{number}")
        deployment = put_code(micro, {"main.py": FLASK})
        Deployment.objects.filter(id=deployment.id).update(dependencies_id=serving.dependencies_id)
        micros.touch_micro(micro)
        made.append(micro)
    return made


def place_of(micro: Micro) -> dict[str, Any]:
    return {"collection_id": micro.collection_id, "micro_id": micro.id}


def test_fifty_sleeping_micros_that_are_due_have_all_run(many: list[Micro]) -> None:
    MicroSchedule.objects.bulk_create(
        MicroSchedule(micro=micro, expression="0 10 * * ? *", next_at=clock.now()) for micro in many
    )
    made = MicroRun.objects.filter(micro__in=many)
    eventually(lambda: made.filter(finished_at__isnull=False).count() == _MANY, seconds=_PROMISED_SECONDS)
    assert set(made.values_list("state", "answer", "reason")) == {("done", '"ticked"', "")}
    assert made.count() == _MANY
    for micro in many:
        micros.delete_micro(**place_of(micro), typed_name=micro.name)


def test_a_run_whose_app_is_killed_has_failed_with_words(server: Server, guides: Cast) -> None:
    sleepy = run_micro(server.url, guides.collection.id, {"main.py": SLEEPY}, name="sleepy-app")
    run = begin(sleepy)
    hosts.the_host().stop(sleepy.micro.id)
    eventually(lambda: MicroRun.objects.get(id=run.id).state == "failed")
    assert MicroRun.objects.get(id=run.id).reason == "The app closed the connection without an answer"


def test_a_run_whose_worker_is_killed_has_failed_with_words(server: Server, guides: Cast) -> None:
    sleepy = run_micro(server.url, guides.collection.id, {"main.py": SLEEPY}, name="sleepy-worker")
    run = begin(sleepy)
    kill(child_of_serve(server, "procrastinate"))
    eventually(lambda: MicroRun.objects.get(id=run.id).state == "failed", seconds=LONG_SECONDS)
    assert MicroRun.objects.get(id=run.id).reason == "The server stopped during this run."


def begin(client: MicroClient) -> MicroRun:
    """A run that goes on for long."""
    made = runs.ask_for_run(**place_of(client.micro), limit_seconds=3_600)
    eventually(lambda: [line.text for line in runs.list_printed(made)] == ["sleeps"], seconds=LONG_SECONDS)
    return made
