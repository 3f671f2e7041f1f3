"""What an app finds around itself: its files, its packages before ours, our `deta` before all others."""

import socket

import httpx
import pytest

from tests.runtimes.conftest import StartApp

SHADOWS = {
    "main.py": """
import sys
from pathlib import Path
import deta, h11, uvicorn
from flask import Flask

app = Flask(__name__)

@app.get("/")
def tell():
    return {
        "uvicorn": uvicorn.NAME, "deta": hasattr(deta, "AsyncBase"), "h11": hasattr(h11, "Connection"),
        "path": [sys.path[0], sys.path[-1]], "argv": sys.argv, "text": Path("text.txt").read_text(),
        "idle": __import__("os").environ.get("HOMEPORT_IDLE_SECONDS"), "exit": callable(exit),
    }
""",
    "uvicorn.py": "NAME = 'of the app'",
    "deta/__init__.py": "raise RuntimeError('a foreign package')",
    "text.txt": "beside the code",
}


def test_a_python_app_shadows_our_server_but_not_our_deta(start_app: StartApp) -> None:
    instance = start_app("python", SHADOWS, HOMEPORT_IDLE_SECONDS="600")
    message = instance.first_message()
    assert message.get("ready"), message
    told = instance.get("/").json()
    code = str(instance.socket_path.parent / "app")
    assert told["uvicorn"] == "of the app"
    assert told["deta"] is told["h11"] is told["exit"] is True
    assert told["path"][0] == code
    assert told["path"][1].endswith("/python/lib")
    assert told["argv"] == [f"{code}/main.py"]
    assert told["text"] == "beside the code"
    assert told["idle"] is None


@pytest.mark.parametrize(
    ("code", "hello"),
    [
        ("async def app(scope, receive, send): await go(scope, receive, send)", "hello"),
        ("class App:\n    async def __call__(self, *a): await go(*a)\napp = App()", "hello"),
        ("import functools\napp = functools.partial(go)", "hello"),
        ("def app(environ, start):\n    start('200 OK', [])\n    return [b'hello']", "hello"),
        (
            "class App:\n    def __call__(self, e, s):\n        s('200 OK', [])\n        return [b'hello']\napp = App()",
            "hello",
        ),
        ("class app:\n    def __init__(self, e, s): s('200 OK', [])\n    def __iter__(self): yield b'hello'", "hello"),
    ],
)
def test_every_form_of_a_python_application_is_told_apart(start_app: StartApp, code: str, hello: str) -> None:
    go = """
async def go(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
"""
    instance = start_app("python", {"main.py": go + code})
    message = instance.first_message()
    assert message.get("ready"), message
    assert instance.get("/").text == hello


@pytest.mark.parametrize(
    "files",
    [
        {"index.js": "module.exports = (q, r) => r.end('hello');"},
        {"index.js": "exports.app = (q, r) => r.end('hello');"},
        {"index.mjs": "export default (q, r) => r.end('hello');"},
        {"index.mjs": "export const app = (q, r) => r.end('hello');"},
        {"package.json": '{"type": "module"}', "index.js": "export const app = (q, r) => r.end('hello');"},
        {"index.js": "module.exports = require('http').createServer((q, r) => r.end('hello'));"},
        {"index.js": "module.exports = Promise.resolve((q, r) => r.end('hello'));"},
        {"index.mjs": "import Koa from 'koa'; export const app = new Koa(); app.use((c) => { c.body = 'hello'; });"},
        {"index.mjs": "import { App, Base } from 'deta'; export default App((q, r) => r.end(Base && 'hello'));"},
        {"index.js": "const { app } = require('detalib'); module.exports = (q, r) => r.end(app.lib ? 'hello' : '');"},
    ],
)
def test_every_form_of_an_export_in_node_is_told_apart(start_app: StartApp, files: dict[str, str]) -> None:
    instance = start_app("node", files)
    message = instance.first_message()
    assert message.get("ready"), message
    assert instance.get("/").text == "hello"


def test_an_answer_that_nobody_reads_any_more_holds_no_thread(start_app: StartApp) -> None:
    """More answers without an end than there are threads; their callers go away, and others are answered."""
    instance = start_app(
        "python",
        {
            "main.py": """
def app(environ, start_response):
    start_response("200 OK", [])
    return endless() if environ["PATH_INFO"] == "/endless" else [b"hello"]

def endless():
    try:
        while True:
            yield b"more" * 1000
    finally:
        print("ended")
"""
        },
    )
    assert instance.first_message()["ready"]
    for _ in range(40):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(instance.socket_path))
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: m\r\n\r\n")
            assert connection.recv(10)
    assert instance.get("/").text == "hello"
    instance.find("ended")


def test_a_wrong_answer_of_a_wsgi_app_holds_no_thread(start_app: StartApp) -> None:
    instance = start_app(
        "python",
        {
            "main.py": """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"hello"] * 100 if environ["PATH_INFO"] == "/wrong" else [b"ok"]
"""
        },
    )
    assert instance.first_message()["ready"]
    for _ in range(40):
        with pytest.raises(httpx.RemoteProtocolError):
            instance.get("/wrong")
    assert instance.get("/").text == "ok"
    instance.find("Response content longer than Content-Length")
