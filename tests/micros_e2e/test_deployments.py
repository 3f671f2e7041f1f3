"""Deployments on the real server: what is built and where, what replaces what, and what people are told when nothing does."""

import json
import time
from collections.abc import Callable

import pytest

from storage.errors import DeploymentNotFound
from storage.micro_logs import logs
from storage.micros import deployments
from storage.micros.host import Source
from storage.models import Deployment
from tests.micros_e2e.conftest import OBEDIENT
from tests.micros_e2e.neighbours import COMPILED_ANEW, run_inside
from tests.people import Cast
from tests.running_micros import MicroClient, deploy, deploy_micro, said
from tests.serving import Server
from tests.waiting import eventually

State = Deployment.State
# At once, which is promised within a second, with slack.
AT_ONCE_SECONDS = 4.0
BUILT = "requirements.txt"


def version(number: int) -> dict[str, str]:
    return {"main.py": OBEDIENT.replace("version 1", f"version {number}")}


def package(setup: str) -> dict[str, str]:
    """An app whose one dependency lies beside it as source: building it runs this."""
    return {
        "main.py": OBEDIENT,
        BUILT: "./brought\n",
        "brought/setup.py": f"{setup}\nimport setuptools\nsetuptools.setup(name='brought', version='1', py_modules=['brought'])",
        "brought/brought.py": "import pathlib\nSEEN = ''\n",
    }


@pytest.fixture(scope="session")
def app(server: Server, guides: Cast) -> MicroClient:
    return deploy_micro(server.url, guides.collection.id, version(1), name="deployed")


def roll_back(app: MicroClient, deployment: Deployment) -> None:
    deployments.roll_back(collection_id=app.micro.collection_id, micro_id=app.micro.id, deployment_id=deployment.id)


def list_deployments(app: MicroClient) -> list[Deployment]:
    return deployments.list_deployments(collection_id=app.micro.collection_id, micro_id=app.micro.id)


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        (
            "def app(environ, start):\n    pass\n\n1 / 0",
            ('File "/app/main.py", line 4', "ZeroDivisionError: division by zero"),
        ),
        ("import not_a_module\napp = 1", ("not_a_module", "requirements.txt")),
        ("def app(:", ("SyntaxError", 'main.py", line 1')),
        ("import os\nos._exit(3)", ("ended while it started (exit code 3)",)),
    ],
)
def test_a_version_that_does_not_start_never_serves_and_its_traceback_is_the_reason(
    app: MicroClient, main: str, reason: tuple[str, ...]
) -> None:
    serving = app.ask().data
    made = deploy(app, {"main.py": main})
    assert made.state == State.FAILED
    assert all(part in made.reason for part in reason), made.reason
    assert app.ask().data == serving


def test_a_deployment_and_a_roll_back_serve_at_once(app: MicroClient) -> None:
    first = next(each for each in list_deployments(app) if each.state == State.DONE)
    assert deploy(app, version(2)).state == State.DONE
    eventually(lambda: json.loads(app.ask().data)[0] == "version 2")
    began = time.monotonic()
    roll_back(app, first)
    eventually(lambda: json.loads(app.ask().data)[0] == "version 1")
    assert time.monotonic() - began < AT_ONCE_SECONDS


@pytest.mark.slow
def test_the_last_ten_are_kept_and_each_can_serve_again(server: Server, guides: Cast) -> None:
    app = deploy_micro(server.url, guides.collection.id, version(1), name="twelve")
    for number in range(2, 13):
        assert deploy(app, version(number)).state == State.DONE
    listed = list_deployments(app)
    assert [each.number for each in listed if each.is_kept] == list(range(12, 2, -1))
    with pytest.raises(DeploymentNotFound):
        roll_back(app, listed[-1])
    for number in (3, 7):
        roll_back(app, next(each for each in listed if each.number == number))
        eventually(lambda number=number: json.loads(app.ask().data)[0] == f"version {number}")  # type: ignore[misc]


@pytest.mark.slow
def test_a_source_package_is_built_in_the_sandbox(server: Server, guides: Cast) -> None:
    """It looks around while it is built, and writes down what it saw."""
    seen = f"""
import json, os, socket
def tried(do):
    try:
        return str(do())
    except OSError as error:
        return error.strerror
found = {{
    "user": os.getuid(),
    "data": tried(lambda: os.listdir({str(server.data)!r})),
    "server": tried(lambda: socket.create_connection(("127.0.0.1", {server.url.rpartition(":")[2]}), 5)),
    "secrets": [name for name in os.environ if "KEY" in name or name.startswith(("HOMEPORT_", "DETA_"))],
    "written": tried(lambda: open("/app/written", "w")),
    "processes": [name for name in os.listdir("/proc") if name.isdigit() and int(name) > 500],
}}
open("brought.py", "w").write("SEEN = " + repr(json.dumps(found)))
"""
    app = deploy_micro(server.url, guides.collection.id, package(seen), name="brought")
    found = json.loads(run_inside(app, "import brought; found = brought.SEEN"))
    assert found["user"] != 0
    assert found["data"] == "No such file or directory"
    assert found["server"] == "Connection refused"
    assert found["secrets"] == []
    assert found["written"] != ""
    assert "Read-only" in found["written"] or "denied" in found["written"]
    assert found["processes"] == []


@pytest.mark.slow
def test_a_node_package_that_lies_in_the_code_is_found(server: Server, guides: Cast) -> None:
    files = {
        "index.js": "const brought = require('brought');\nmodule.exports = (asked, answer) => answer.end(brought);\n",
        "package.json": '{"name": "app", "dependencies": {"brought": "file:./brought"}}',
        "brought/package.json": '{"name": "brought", "version": "1.0.0", "main": "index.js"}',
        "brought/index.js": "module.exports = 'brought along';\n",
    }
    app = deploy_micro(server.url, guides.collection.id, files, name="brought-node")
    assert app.ask().data == b"brought along"


@pytest.mark.slow
def test_deta_is_always_ours_and_source_packages_come_from_the_index(server: Server, guides: Cast) -> None:
    asked = {"main.py": OBEDIENT, "requirements.txt": "deta==1.1.0\ndocopt==0.6.2  # there is no wheel\n"}
    app = deploy_micro(server.url, guides.collection.id, asked, name="ours")
    code = "import deta, docopt, os; found = [deta.__file__, docopt.__file__, sorted(os.listdir('/deps'))]"
    ours, docopt, installed = run_inside(app, f"import os\n{code}")
    assert ours.startswith("/homeport/")
    assert docopt.startswith("/deps/")
    assert not [name for name in installed if name.startswith("deta")]
    assert any("docopt" in text for text in said(app))
    assert run_inside(app, f"import docopt\n{COMPILED_ANEW}") == []


@pytest.mark.slow
def test_more_dependencies_than_there_may_be_are_told_of(server: Server, guides: Cast) -> None:
    app = deploy_micro(server.url, guides.collection.id, version(1), name="large")
    large = "open('brought.py', 'w').write('#' * 270_000_000)"
    made = deploy(app, package(large))
    assert made.state == State.FAILED
    assert made.reason == "What is installed has more than 250 MB, the most that a Micro may have."
    assert app.ask().status == 200


def test_what_the_index_does_not_have_is_told_of(app: MicroClient) -> None:
    made = deploy(app, {"main.py": OBEDIENT, "requirements.txt": "bottle==0.0.0.1\n"})
    assert made.state == State.FAILED
    assert "bottle==0.0.0.1" in made.reason
    built = [row.text for row in logs.list_lines(micro_id=app.micro.id, sources=[Source.BUILD])]
    assert any("bottle==0.0.0.1" in text for text in built)
    assert app.ask().status == 200


@pytest.mark.slow
def test_a_build_that_takes_too_long_is_told_of_and_leaves_nothing_running(make_server: Callable[..., Server]) -> None:
    server = make_server(HOMEPORT_MICROS="true", HOMEPORT_MICRO_BUILD_SECONDS="5", HOMEPORT_TLS_PORT="0").start()
    server.wait_ready()
    files = package("import time; time.sleep(600)")
    made = server.run_code(_DEPLOY.format(files))
    assert made.endswith("failed Installing took longer than 5 seconds.")
    eventually(lambda: not server.children("setup.py"))


_DEPLOY = """
import django
django.setup()
import time
from storage import jobs
from storage.collections import collections
from storage.micros import bundles, deployments, micros
from storage.models import Deployment
made = collections.create_collection("Slow")
micro = micros.create_micro(collection_id=made.id, name="slow")
with bundles.bundle_of({{name: text.encode() for name, text in {}.items()}}) as bundle:
    asked = deployments.ask_for_deployment(collection_id=made.id, micro_id=micro.id, bundle=bundle, asked_by=None)
jobs.start(jobs.continue_deployments)
while asked.finished_at is None:
    time.sleep(0.2)
    asked.refresh_from_db()
print(asked.state, asked.reason)
"""
