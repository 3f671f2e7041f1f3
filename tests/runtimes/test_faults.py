"""An app that does not start says why, in words and with its traceback, and ends with 1."""

from textwrap import dedent

import pytest

from tests.runtimes.conftest import StartApp

CASES = [
    ("python", {}, "no_server", "There is no main.py.", ""),
    ("python", {"main.py": "x = 1"}, "no_server", "main.py has no `app`", ""),
    ("python", {"main.py": "app = 5"}, "no_server", "`app` in main.py is no application, but a int.", ""),
    (
        "python",
        {"main.py": "import lib\napp = 1", "lib.py": "import not_there"},
        "crashed",
        "ModuleNotFoundError: No module named 'not_there'. Is its package named in requirements.txt?",
        'lib.py", line 1, in <module>',
    ),
    ("python", {"main.py": "def app(:"}, "crashed", "SyntaxError: invalid syntax.", "def app(:"),
    ("python", {"main.py": "raise SystemExit(3)"}, "crashed", "it ended itself with 3.", "SystemExit: 3"),
    (
        "python",
        {
            "main.py": dedent("""
                from contextlib import asynccontextmanager
                from fastapi import FastAPI

                @asynccontextmanager
                async def lifespan(app):
                    raise RuntimeError("no database")
                    yield

                app = FastAPI(lifespan=lifespan)
            """)
        },
        "crashed",
        "The app failed while it started.",
        "RuntimeError: no database",
    ),
    ("node", {}, "no_server", "There is no index.js.", ""),
    ("node", {"index.js": "exports.x = 1;"}, "no_server", "index.js exports no app", ""),
    (
        "node",
        {"index.js": "require('not-there');"},
        "crashed",
        "Cannot find module 'not-there'. Is its package named in package.json?",
        "index.js'",
    ),
    (
        "node",
        {"index.mjs": "import 'not-there';"},
        "crashed",
        "Is its package named in package.json?",
        "not-there",
    ),
    ("node", {"index.js": "const = 1;"}, "crashed", "SyntaxError: ", "const = 1;"),
    ("node", {"index.js": "throw new Error('not ready');"}, "crashed", "Error: not ready.", "index.js:1"),
    ("node", {"index.js": "module.exports = Promise.reject(new Error('later'));"}, "crashed", "Error: later.", ""),
    (
        "node",
        {
            "index.js": "const app = module.exports = require('fastify')();\n"
            "app.register(async () => { throw new Error('bad plugin'); });"
        },
        "crashed",
        "Error: bad plugin.",
        "index.js:2",
    ),
]


@pytest.mark.parametrize(("kind", "files", "fault", "message", "output"), CASES)
def test_an_app_that_does_not_start_says_why(
    start_app: StartApp, kind: str, files: dict[str, str], fault: str, message: str, output: str
) -> None:
    instance = start_app(kind, files)
    said = instance.first_message()["fault"]
    assert said["kind"] == fault
    assert message in said["message"]
    assert output in said["output"]
    for ours in ("homeport_runtime", "importlib", "loading.cjs"):
        assert ours not in said["output"].split("node:internal")[0]
    assert instance.wait() == 1
    instance.find(said["output"].splitlines()[-1] if said["output"] else said["message"])


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("python", {"main.py": "from deta import app\n@app.lib.run()\ndef go(event): return 'ran'"}),
        ("node", {"index.js": "const { app } = require('deta');\napp.lib.run(() => 'ran');\nmodule.exports = app;"}),
    ],
)
def test_an_app_of_functions_alone_runs_them_and_answers_404(
    start_app: StartApp, kind: str, files: dict[str, str]
) -> None:
    instance = start_app(kind, files)
    assert instance.first_message()["ready"]
    answer = instance.get("/")
    assert answer.status_code == 404
    assert answer.json() == {"errors": ["This Micro has no web application, only run and cron functions."]}
    assert instance.run().json() == {"result": "ran"}
    assert instance.run("cron").status_code == 404
