"""The original's getting-started guide and its page on API keys, typed step by step; what it said there is said here."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from storage.models import Collection, Micro
from tests.terminal.shell import Shell, install_command, read_after
from tests.waiting import eventually

# As the guide has it, but for what has to be fetched from an index.
HELLO = """cat > main.py <<'END'
def app(environ, start_response):
    print("asked for", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello World"]
END"""
FLASK = """cat > main.py <<'END'
from flask import Flask

app = Flask(__name__)

@app.route('/', methods=["GET"])
def hello_world():
    return "Hello World"
END"""
EXPRESS = """cat > index.js <<'END'
const express = require('express');

const app = express();

app.get('/', async (req, res) => {
  res.send('Hello World')
});

module.exports = app;
END"""
TIMED = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\] ")
DETAILS = ["name", "id", "project", "runtime", "endpoint", "region", "visor", "http_auth"]


def asking(shell: Shell, micro: Micro, *options: str, until: str = "") -> str:
    """The visit of the guide, by the name that curl takes for this machine.

    `until`: again as long as it is answered otherwise, as who gets in is known everywhere a second later.
    """
    url = shell.terminal.variables["HOMEPORT_URL"]
    host = f"{micro.subdomain}.localhost:{urlsplit(url).port}"
    visit = f"curl -sS -H 'Host: {host}' {' '.join(options)} {url}/"
    # What is shown is the answer that was waited for: one more visit may be another process's, which learns it later.
    return f"until {visit} | tee ../answer | grep -q '{until}'; do sleep 0.2; done; cat ../answer" if until else visit


def test_the_way_from_nothing_to_an_open_app(shell: Shell, collection: Collection) -> None:
    walk(shell, collection)


@pytest.mark.slow
def test_the_same_way_with_the_command_as_it_is_installed(shell: Shell, collection: Collection, tmp_path: Path) -> None:
    walk(install_command(tmp_path / "environment", shell), collection)


def walk(shell: Shell, collection: Collection) -> None:
    created, *_ = shell.types("deta new --python first_micro")
    told = read_after(created, "Successfully created a new micro")
    micro = Micro.objects.get(collection=collection)
    assert list(told) == DETAILS
    assert (told["name"], told["id"], told["project"]) == ("first_micro", micro.id, "Guides")
    assert told["runtime"].startswith("python3.")
    assert told["endpoint"] == f"http://{micro.subdomain}.localhost:{urlsplit(told['endpoint']).port}"
    assert (told["visor"], told["http_auth"]) == ("enabled", "enabled")
    assert created == f"Successfully created a new micro\n{json.dumps(told, indent=chr(9))}\n"

    visit = asking(shell, micro)
    _, _, deployed, again, details, unauthorized, opened, said, details_after = shell.types(
        "cd first_micro",
        HELLO,
        "deta deploy",
        "deta deploy",
        "deta details",
        visit,
        "deta auth disable",
        asking(shell, micro, until="Hello"),
        "deta details",
    )
    assert deployed == "Deploying...\nSuccessfully deployed changes\n"
    assert again == "Everything up to date\n"
    assert details == f"{json.dumps(told, indent=chr(9))}\n"
    assert json.loads(unauthorized) == {"errors": ["Unauthorized"]}
    assert opened == "Successfully disabled http auth\n"
    assert said == "Hello World"
    assert json.loads(details_after) == told | {"http_auth": "disabled"}
    # Once when it was tried out, and once by the visit.
    printed = eventually(lambda: [line for line in logs_of(shell) if line.endswith("] asked for /")][1:])
    assert TIMED.match(printed[0])

    # The page on API keys.
    enabled, made, key, refused, let_in, deleted, refused_again = shell.types(
        "cd first_micro; deta auth enable",
        'deta auth create-api-key --name agent1 --desc "api key for agent 1" | tee ../made',
        """KEY=$(sed -n 's/.*"api_key": "\\(.*\\)",/\\1/p' ../made); echo "$KEY\"""",
        asking(shell, micro, until="Unauthorized"),
        asking(shell, micro, '-H "X-API-Key: $KEY"'),
        "deta auth delete-api-key --name agent1",
        asking(shell, micro, '-H "X-API-Key: $KEY"', until="Unauthorized"),
    )
    assert enabled == "Successfully enabled http auth\n"
    shown = read_after(
        made,
        "THE FOLLOWING API-KEY WILL ONLY BE SHOWN ONCE.\nPlease, copy it and keep it in a safe place.",
    )
    assert list(shown) == ["name", "description", "prefix", "api_key", "created"]
    assert (shown["name"], shown["description"]) == ("agent1", "api key for agent 1")
    assert shown["api_key"] == key.strip()
    assert shown["api_key"].startswith(shown["prefix"])
    assert json.loads(refused) == json.loads(refused_again) == {"errors": ["Unauthorized"]}
    assert let_in == "Hello World"
    assert deleted == "Successfully deleted api key 'agent1'\n"


def logs_of(shell: Shell) -> list[str]:
    return shell.types("cd first_micro; deta logs")[0].splitlines()


@pytest.mark.slow
def test_the_guide_with_flask(shell: Shell, collection: Collection) -> None:
    shell.types("deta new --python first_micro")
    micro = Micro.objects.get(collection=collection)
    *_, deployed, details, _, said = shell.types(
        "cd first_micro",
        "echo flask > requirements.txt",
        FLASK,
        "deta deploy",
        "deta details",
        "deta auth disable",
        asking(shell, micro, until="Hello"),
    )
    assert deployed.startswith("Deploying...\nSuccessfully deployed changes\nUpdating dependencies...\n")
    assert " + flask==" in deployed
    assert json.loads(details)["dependencies"] == ["flask"]
    assert list(json.loads(details)) == [*DETAILS[:6], "dependencies", *DETAILS[6:]]
    assert said == "Hello World"


@pytest.mark.slow
def test_the_guide_with_express(shell: Shell, collection: Collection) -> None:
    created, *_ = shell.types("deta new --node first_micro")
    assert read_after(created, "Successfully created a new micro")["runtime"].startswith("nodejs")
    micro = Micro.objects.get(collection=collection)
    package = '{"name": "first_micro", "main": "index.js", "dependencies": {"express": "^4.17.1"}}'
    *_, deployed, details, _, said = shell.types(
        "cd first_micro",
        f"echo '{package}' > package.json",
        EXPRESS,
        "deta deploy",
        "deta details",
        "deta auth disable",
        asking(shell, micro, until="Hello"),
    )
    assert deployed.startswith("Deploying...\nSuccessfully deployed changes\nUpdating dependencies...\n")
    assert "added " in deployed
    assert json.loads(details)["dependencies"] == ["express@^4.17.1"]
    assert said == "Hello World"
