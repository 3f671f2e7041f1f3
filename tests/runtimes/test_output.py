"""What an app prints: whole lines, each with the request that it was printed for."""

import threading

import pytest

from tests.runtimes.conftest import StartApp
from tests.runtimes.instances import Instance, Line

PYTHON = """
import asyncio, logging, subprocess, sys, threading, traceback
from flask import Flask

logging.basicConfig(format="%(levelname)s %(message)s")
app = Flask(__name__)
print("while imported")

@app.get("/parts")
def parts():
    print("one ", end="")
    print("line", end="", flush=True)
    return ""

@app.get("/kinds")
def kinds():
    sys.stdout.buffer.write(b"bytes \\xff\\n")
    sys.stdout.write("first\\nsecond\\n")
    print("not ASCII: \\u00e4\\u2713")
    logging.warning("logged")
    subprocess.run(["echo", "of a child"], stdout=sys.stdout)
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.print_exc()
    return ""

both = threading.Barrier(2)

@app.get("/both/<name>")
def together(name):
    print("begin", end=" ")
    both.wait()
    print(name)
    return ""
"""
NODE = """
const { execFileSync } = require("node:child_process");
console.log("while imported");
let both;
const gone = new Promise((resolve) => { both = resolve; });
let asked = 0;

module.exports = (request, response) => {
  if (request.url === "/parts") {
    process.stdout.write("one ");
    process.stdout.write("line", () => response.end());
  } else if (request.url === "/kinds") {
    process.stdout.write(Buffer.from("bytes \\xff\\n", "latin1"));
    process.stdout.write("first\\nsecond\\n");
    console.log("not ASCII: \\u00e4\\u2713");
    console.warn("logged");
    execFileSync("echo", ["of a child"], { stdio: "inherit" });
    console.error(new Error("division by zero"));
    response.end();
  } else {
    process.stdout.write("begin ");
    if ((asked += 1) === 2) both();
    gone.then(() => { console.log(request.url.slice(6)); response.end(); });
  }
};
"""
ID = "55555555-eeee"


@pytest.fixture(params=["python", "node"])
def instance(request: pytest.FixtureRequest, start_app: StartApp) -> Instance:
    files = {"python": {"main.py": PYTHON}, "node": {"index.js": NODE}}[request.param]
    started = start_app(request.param, files)
    message = started.first_message()
    assert message.get("ready"), message
    return started


def test_a_line_that_was_not_ended_is_printed_with_its_request(instance: Instance) -> None:
    assert instance.get("/parts", headers={"X-Homeport-Request": ID}).is_success
    assert instance.find("one line") == Line("one line", ID)
    assert instance.find("while imported") == Line("while imported")


def test_all_ways_to_print_are_marked_but_those_of_other_programs(instance: Instance) -> None:
    assert instance.get("/kinds", headers={"X-Homeport-Request": ID}).is_success
    for text in ("bytes ", "first", "second", "not ASCII: ä✓"):
        line = instance.find(text)
        assert line.request_id == ID
        assert line in instance.lines
    for text in ("logged", "division by zero"):
        line = instance.find(text)
        assert line.request_id == ID
        assert line in instance.errors
    assert instance.find("of a child") == Line("of a child")


def test_requests_at_once_do_not_mix_their_lines(instance: Instance) -> None:
    asking = [
        threading.Thread(target=instance.get, args=(f"/both/{name}",), kwargs={"headers": {"X-Homeport-Request": name}})
        for name in ("a-a", "b-b")
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert instance.find("begin a-a") == Line("begin a-a", "a-a")
    assert instance.find("begin b-b") == Line("begin b-b", "b-b")


@pytest.mark.parametrize("forged", ["a\x1fb", "a b", "x" * 65, ""])
def test_a_request_id_that_would_break_the_framing_is_none(instance: Instance, forged: str) -> None:
    header = forged.encode("latin-1")
    answer = instance.get("/parts", headers={b"X-Homeport-Request": header})
    if answer.status_code == 400:  # the parser took no such byte
        return
    assert instance.find("one line") == Line("one line")
