"""What a place on this machine is called where people read of it."""

import uuid
from pathlib import Path

from storage.embedded.micros.host_paths import HostPaths
from storage.embedded.micros.places import Places
from storage.embedded.micros.programs import Programs, Python
from storage.micro_host import Wanted

PLACES = Places(Path("/srv/data/micros"))


def python(prefix: str) -> Python:
    return Python(Path(prefix), Path(prefix), Path(prefix, "bin/python3"), "3.11.7", ())


def host_paths(prefix: str = "/home/ada/.pyenv/versions/3.11.7") -> HostPaths:
    root = PLACES.programs
    programs = Programs((), python(prefix), Path("/opt/node"), root / "uv", root / "runtimes", root / "etc")
    return HostPaths(PLACES, programs)


def test_each_place_has_its_name_inside() -> None:
    code, dependencies = uuid.uuid4(), uuid.uuid4()
    wanted = Wanted("m", "c", code, dependencies, "python", "", 1, "m.localhost", "key")
    found = host_paths()
    found.add_python(python("/home/ada/.local/share/uv/python/cpython-3.12"))
    for path, name in {
        PLACES.code(code) / "main.py": "/app/main.py",
        PLACES.dependencies(dependencies) / "flask": "/deps/flask",
        PLACES.code(uuid.uuid4()).parent: "…/deployments",
        PLACES.programs / "runtimes/enter.py": "/homeport/enter.py",
        PLACES.programs / "uv": "/uv",
        Path("/opt/node/bin/node"): "/node/bin/node",
        Path("/home/ada/.pyenv/versions/3.11.7/lib/python3.11/os.py"): "/python/lib/python3.11/os.py",
        Path("/home/ada/.local/share/uv/python/cpython-3.12/bin/python3"): "/python/bin/python3",
    }.items():
        told = found.hide(f"error: {path}: not there", wanted)
        assert told.startswith(f"error: {name}")
        assert "/srv" not in told
        assert "/home/ada" not in told


def test_what_every_machine_has_is_left() -> None:
    text = "Using CPython 3.11.7 interpreter at: /usr/bin/python3, /usr/local/bin/python3, /tmp/x"
    assert host_paths("/usr").hide(text) == text
    assert host_paths("/usr/local").hide(text) == text
