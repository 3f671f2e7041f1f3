"""What a version asks to have installed, as a list for people."""

import json

import pytest

from storage.micros import bundles, dependencies, micros
from storage.micros.runtimes import Kind
from tests.micros import HELLO, ToldHost, deploy_now, make_micro

REQUIREMENTS = b"# what we need\nflask >= 2  # a server\n\nrequests==2.31.0\n-r more.txt\n"
PACKAGE = {"name": "app", "dependencies": {"express": "^4.19.2", "koa": "2"}, "devDependencies": {"jest": "1"}}


@pytest.mark.parametrize(
    ("files", "kind", "found"),
    [
        ({"main.py": b""}, "python", []),
        ({"main.py": b"", "requirements.txt": REQUIREMENTS}, "python", ["-r more.txt", "flask>=2", "requests==2.31.0"]),
        ({"main.py": b"", "pyproject.toml": b'[project]\ndependencies = ["bottle", 5]\n'}, "python", ["bottle"]),
        ({"main.py": b"", "pyproject.toml": b"[tool.black]\n"}, "python", []),
        ({"main.py": b"", "pyproject.toml": b"]"}, "python", []),
        ({"main.py": b"", "requirements.txt": b"\xff\n"}, "python", ["\ufffd"]),
        ({"index.js": b"", "package.json": json.dumps(PACKAGE).encode()}, "node", ["express@^4.19.2", "koa@2"]),
        ({"index.js": b"", "package.json": b"[]"}, "node", []),
        ({"index.js": b"", "package.json": b'{"dependencies": ["a"]}'}, "node", []),
        ({"index.js": b"", "main.py": b"", "requirements.txt": b"flask"}, "node", []),
    ],
)
def test_all_that_a_first_version_asks_for_is_added(
    host: ToldHost, files: dict[str, bytes], kind: Kind, found: list[str]
) -> None:
    with bundles.bundle_of(files) as bundle:
        assert dependencies.find_changes(make_micro(), bundle, kind) == (found, [])


def test_changes_are_told_against_what_serves(host: ToldHost) -> None:
    micro = make_micro()
    assert dependencies.list_dependencies(micro) == []
    deploy_now(micro, HELLO | {"requirements.txt": b"flask\nredis\n"})
    micro = micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)
    assert dependencies.list_dependencies(micro) == ["flask", "redis"]
    with bundles.bundle_of(HELLO | {"requirements.txt": b"redis\nhttpx\n"}) as bundle:
        assert dependencies.find_changes(micro, bundle, "python") == (["httpx"], ["flask"])
