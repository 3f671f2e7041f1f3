"""The original's pages on run and cron: every example, by the real command at the real server, with what it prints."""

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest

from storage.collections import collections
from storage.models import Membership, MicroRun, MicroSchedule, Role
from storage.postgres import clock
from tests.people import make_person
from tests.running_micros import MicroClient, put_code, run_micro
from tests.serving import Server
from tests.terminals import Terminal, make_terminal
from tests.waiting import LONG_SECONDS, eventually

APP = """
import time
from deta import app

@app.lib.run()
def welcome(event):
    return "Welcome to Deta!"

@app.lib.run(action="hello")
def greet(event):
    name = event.json.get("name")
    print("greets", name)
    return f"Hello, {name}!"

@app.lib.run(action="echo")
def echo(event):
    return event.json

@app.lib.run(action="stacked")
@app.lib.cron()
def stacked(event):
    print("stacked for", event.type)
    return f"{event.type}/{event.action}"

@app.lib.run(action="wait")
def wait(event):
    time.sleep(600)

@app.lib.run(action="broken")
def broken(event):
    print("before it broke")
    raise ValueError("no such luck")
"""
NODE = """
const { app } = require("detalib");  // what `deta` of package.json has as well
app.lib.run((event) => "Welcome to Deta!");
app.lib.run((event) => `Hello, ${event.json.name}!`, "hello");
app.lib.cron((event) => `${event.type} in Node`);
module.exports = app;
"""


@pytest.fixture
def micro(server: Server, database: None) -> MicroClient:
    return run_micro(server.url, collections.create_collection("Runs").id, {"main.py": APP})


@pytest.fixture
def terminal(micro: MicroClient, server: Server, tmp_path: Path) -> Terminal:
    """In the folder of the Micro, as `deta new` leaves it."""
    person = make_person("ada")
    Membership.objects.create(collection_id=micro.micro.collection_id, person=person, role=Role.MEMBER)
    made = make_terminal(tmp_path, server_url=server.url, person=person)
    write_state(made, micro, server)
    return made


def write_state(terminal: Terminal, micro: MicroClient, server: Server) -> None:
    about = {"collection_id": micro.micro.collection_id, "micro_id": micro.micro.id, "name": micro.micro.name}
    (terminal.folder / ".deta").mkdir(exist_ok=True)
    (terminal.folder / ".deta" / "state.json").write_text(json.dumps({"server": server.url, **about}))


def answer(response: str, *logs: str) -> str:
    shown = "\nLogs:\n" + "".join(f"{line}\n" for line in logs) if logs else ""
    return f"Running micro...\n\nResponse:\n{response}\n{shown}"


def test_a_function_is_run_and_a_schedule_is_set(terminal: Terminal, micro: MicroClient) -> None:
    assert terminal.does("run", "hello", "-l", "--", "--name", "Jimmy") == answer('"Hello, Jimmy!"', "greets Jimmy")
    done = terminal.run("cron", "set", "5", "minutes")
    assert done.stdout == "Scheduling micro...\nSuccessfully set micro to schedule for '5 minutes'\n"
    assert re.fullmatch(r"Next, in UTC: (\d{4}-\d\d-\d\d \d\d:\d\d(, |\n)){5}", done.stderr)
    assert MicroSchedule.objects.get(micro_id=micro.micro.id).expression == "5 minutes"


@pytest.mark.slow
def test_the_run_pages_examples(terminal: Terminal) -> None:
    assert terminal.does("run") == answer('"Welcome to Deta!"')
    assert terminal.does("run", "stacked") == answer('"run/stacked"')
    shown = terminal.does("run", "echo", "--", "--name", "Jimmy", "--tag", "a", "--tag", "b", "-loud", "--n", "-5")
    assert shown == answer(
        '{\n\t"name": "Jimmy",\n\t"tag": [\n\t\t"a",\n\t\t"b"\n\t],\n\t"loud": true,\n\t"n": "-5"\n}'
    )
    whole = json.loads(terminal.does("run", "echo", "--json", "--timeout", "60", "--", "-x"))
    assert (whole["state"], whole["answer"], whole["action"]) == ("done", {"x": True}, "echo")

    broken = terminal.run("run", "broken", "-l")
    assert (broken.returncode, broken.stderr) == (1, "Error: The run failed: ValueError: no such luck.\n")
    assert broken.stdout.startswith("Running micro...\n\nLogs:\nbefore it broke\nTraceback")
    missing = terminal.run("run", "other")
    assert missing.returncode == 1
    assert "This Micro has no run function for the action “other”." in missing.stderr
    assert terminal.fails("run", "hello", "--", "Jimmy").startswith("“Jimmy” is no name")
    assert terminal.fails("run", "hello", "--", "--name").startswith("“--name” has no value")
    assert terminal.run("run", "--timeout", "3601").returncode == 2


@pytest.mark.slow
def test_who_interrupts_a_run_cancels_it(terminal: Terminal, micro: MicroClient) -> None:
    with subprocess.Popen(
        terminal.command("run", "wait", "--timeout", "600"),
        cwd=terminal.folder,
        env=terminal.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as going:
        mine = MicroRun.objects.filter(micro_id=micro.micro.id)
        eventually(mine.filter(state=MicroRun.State.RUNNING).exists, seconds=LONG_SECONDS)
        going.send_signal(signal.SIGINT)
        assert going.communicate(timeout=LONG_SECONDS)[1] == "The run is cancelled.\n"
        assert going.returncode == 130
    assert mine.get().state == MicroRun.State.CANCELLED
    assert terminal.does("run") == answer('"Welcome to Deta!"')


@pytest.mark.slow
def test_the_cron_pages_examples(terminal: Terminal, micro: MicroClient) -> None:
    for expression in ("1 minute", "2 hours", "0 10 * * ? *", "15 12 * * ? *", "0 18 ? * MON-FRI *", "0 8 1 * ? *"):
        said = terminal.does("cron", "set", expression)
        assert said == f"Scheduling micro...\nSuccessfully set micro to schedule for '{expression}'\n"
    assert terminal.does("cron", "set", "1", "minutes").endswith("to schedule for '1 minute'\n")
    parent = terminal.folder.parent
    assert "'1 day'" in terminal.run("cron", "set", str(terminal.folder), "1", "day", folder=parent).stdout
    refused = terminal.run("cron", "set", "0 25 * * ? *")
    assert (refused.returncode, refused.stderr) == (1, "Error: “25” can't be the hours: 0 to 23, with , - * /\n")
    assert terminal.fails("cron", "set", str(terminal.folder)).startswith("“")

    MicroSchedule.objects.filter(micro_id=micro.micro.id).update(next_at=clock.now())
    run = wait_for_run(micro)
    assert (run.state, run.answer) == ("done", '"cron/"')
    assert terminal.does("cron", "remove") == "Successfully removed schedule from micro\n"
    assert not MicroSchedule.objects.filter(micro_id=micro.micro.id).exists()


def wait_for_run(micro: MicroClient) -> MicroRun:
    """The run of its schedule, once it is over."""
    ended = MicroRun.objects.filter(micro_id=micro.micro.id, kind=MicroRun.Kind.CRON, finished_at__isnull=False)
    eventually(ended.exists, seconds=LONG_SECONDS)
    return ended.latest("asked_at")


@pytest.mark.slow
def test_the_same_in_node(terminal: Terminal, micro: MicroClient) -> None:
    put_code(micro.micro, {"index.js": NODE}, runtime="node")
    assert terminal.does("run") == answer('"Welcome to Deta!"')
    assert terminal.does("run", "hello", "--", "--name", "Jimmy") == answer('"Hello, Jimmy!"')
    terminal.does("cron", "set", "1 day")
    MicroSchedule.objects.filter(micro_id=micro.micro.id).update(next_at=clock.now())
    assert wait_for_run(micro).answer == '"cron in Node"'


def test_a_folder_without_a_micro_says_so(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = terminal.run("run", folder=tmp_path / "empty")
    assert done.returncode == 1
    assert "No Micro in" in done.stderr
