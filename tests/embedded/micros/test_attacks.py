"""What a Micro may try against this machine, tried: in real sandboxes, of every kind that this machine makes.

`attacks/look.py` tries all that costs nothing, once in each kind of sandbox; every test reads its part of the report.
`attacks/strain.py` takes as much as it can get of one thing.
"""

import contextlib
import json
import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from storage.embedded.micros import shims
from storage.embedded.micros.commands import NODE_RESERVED_MB
from storage.embedded.micros.finding import why_not
from storage.embedded.micros.sandbox import Limits, Mode
from tests.embedded.micros.sandboxes import LIMITS, Ended, Yard, making_yard, processes_with
from tests.serving import ROOT, Server
from tests.waiting import MOMENT_SECONDS, eventually

IS_ROOT = os.geteuid() == 0
MB = 1024 * 1024
CANARY = "canary-of-another-micro"
SECRET = "secret-of-its-own"
REFUSED = {"EPERM", "EACCES", "EINVAL"}

KINDS = {
    "user namespace": (Mode.USER_NAMESPACE, True),
    "user namespace, no control groups": (Mode.USER_NAMESPACE, False),
    "root": (Mode.ROOT, True),
    "root, no control groups": (Mode.ROOT, False),
}


@pytest.fixture(scope="module")
def all_yards() -> Iterator[Yard]:
    with making_yard(f"homeport-test-{os.getpid()}") as yard:
        yield yard


@pytest.fixture(scope="module", params=KINDS)
def yard(all_yards: Yard, request: pytest.FixtureRequest) -> Yard:
    """Of each kind that is to be had here: without root there is one, and control groups are not everywhere."""
    mode, has_groups = KINDS[request.param]
    if mode is Mode.ROOT and not IS_ROOT:
        pytest.skip("only root makes them without a user namespace")
    if has_groups and all_yards.means.cgroups is None:
        pytest.skip("there are no control groups to write here")
    means = replace(all_yards.means, mode=mode, cgroups=all_yards.means.cgroups if has_groups else None)
    if reason := why_not(means):
        pytest.skip(reason)
    return replace(all_yards, means=means)


@dataclass(frozen=True)
class Looked:
    """What `look` reports, and what it was given."""

    report: dict[str, Any]
    given: dict[str, Any]


@pytest.fixture(scope="module")
def outside(all_yards: Yard) -> Iterator[dict[str, Any]]:
    """What is there on the machine: a data folder, another Micro that runs, ports and sockets that listen."""
    data, other = all_yards.folder("data"), all_yards.folder("other")
    (data / "homeport.json").write_text(CANARY)
    (other / "main.py").write_text(f"# {CANARY}\nimport time\nprint('up', flush=True)\ntime.sleep(600)\n")
    abstract, path = f"homeport-test-{os.getpid()}", data / "engine.sock"
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(socket.create_server(("0.0.0.0", 0))).getsockname()[1]
        for address in (f"\0{abstract}", str(path)):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        neighbour = stack.enter_context(
            all_yards.start(
                str(all_yards.means.programs.python.executable),
                "/app/main.py",
                environment={"DETA_PROJECT_KEY": CANARY},
                code=other,
                name="neighbour",
            )
        )
        assert neighbour.sandboxed.stdout.read(2) == b"up"
        yield {
            "paths": [
                "/etc/shadow",
                "/etc/os-release",
                *map(str, (data / "homeport.json", other / "main.py", Path(__file__))),
            ],
            "ports": [port],
            "addresses": [address for address in (own_address(),) if address],
            "abstract": abstract,
            "sockets": [str(path)],
            "pid": os.getpid(),
            "canary": CANARY.encode().hex(),
        }


def own_address() -> str:
    """The machine's address in its network; empty when it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))
        return str(one.getsockname()[0])
    return ""


@pytest.fixture(scope="module")
def looked(yard: Yard, outside: dict[str, Any]) -> Looked:
    ended = yard.run(
        *yard.python("look.py", json.dumps(outside)), environment={"DETA_PROJECT_KEY": SECRET}, limits=LIMITS
    )
    assert (ended.code, ended.errors) == (0, "")
    return Looked(ended.report, outside)


# Files.


def test_no_file_of_the_machine_can_be_read(looked: Looked) -> None:
    for path in looked.given["paths"]:
        assert looked.report["files_outside"][path] == "ENOENT"
    assert set(looked.report["files_outside"].values()) <= {"ENOENT", "EACCES"}


def test_the_root_has_nothing_but_what_a_micro_needs(looked: Looked, yard: Yard) -> None:
    system = {name for name in ("bin", "sbin", "lib", "lib32", "lib64") if Path("/", name).exists()}
    ours = {
        "app",
        "dev",
        "etc",
        "homeport",
        "node",
        "proc",
        "tmp",
        "usr",
        "uv",
        yard.means.programs.python.prefix.parts[1],
    }
    assert set(looked.report["root"]) == system | ours


def test_dev_has_no_device_of_the_machine(looked: Looked) -> None:
    assert looked.report["devices"] == sorted(
        ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]
    )
    assert looked.report["made_device"] == "EPERM"


def test_no_folder_but_tmp_takes_a_file(looked: Looked) -> None:
    assert looked.report["folders_that_take_a_file"] == []
    assert looked.report["mounts_that_can_be_written"] == [
        *(f"/dev/{name}" for name in ("full", "null", "random", "urandom", "zero")),
        "/proc",
        "/tmp",
    ]


def test_no_file_can_be_changed(looked: Looked) -> None:
    assert set(looked.report["files_overwritten"].values()) <= {"EACCES", "EROFS", "ETXTBSY"}


def test_the_kernels_settings_cannot_be_written(looked: Looked) -> None:
    found = looked.report["kernel_settings"]
    found.pop("/proc/1/oom_score_adj")  # of its own first process
    assert len(found) > 3
    assert set(found.values()) == {"EACCES"}


def test_the_kernels_memory_cannot_be_read(looked: Looked) -> None:
    assert set(looked.report["kernel_memory"].values()) <= {"ENOENT", "EACCES", "EPERM", "EIO"}


# Other processes.


def test_only_its_own_processes_are_there(looked: Looked) -> None:
    assert looked.report["processes"] == [1, 2]


def test_another_micros_variables_and_code_are_nowhere(looked: Looked) -> None:
    assert looked.report["canaries"] == []


def test_its_secrets_are_in_no_command_line_nor_with_the_first_process(looked: Looked) -> None:
    assert looked.report["own_secret"] == ["self"]


def test_its_secrets_are_in_no_command_line_of_the_machine(yard: Yard) -> None:
    with yard.start("/bin/sh", "-c", "echo up; sleep 600", environment={"KEY": SECRET}) as running:
        assert running.sandboxed.stdout.read(2) == b"up"
        assert processes_with(SECRET) == []
        assert SECRET.encode() not in Path(f"/proc/{running.sandboxed.pid}/environ").read_bytes()


def test_it_has_the_descriptors_that_it_is_given_alone(looked: Looked) -> None:
    assert looked.report["descriptors"] == {"0": "/dev/null", "1": "pipe", "2": "pipe", "4": "socket"}


def test_signals_reach_nobody_outside(looked: Looked) -> None:
    found = looked.report["signals"]
    assert found["outside"] == "ESRCH"
    assert found["who is there"] == 0, "its number has no meaning inside"
    assert found["who is there, by descriptor"] != "done"


def test_a_signal_to_everyone_reaches_nobody_outside(yard: Yard) -> None:
    with yard.start("/bin/sh", "-c", "echo up; sleep 600", name="beside") as beside:
        assert beside.sandboxed.stdout.read(2) == b"up"
        yard.run(*yard.python("strain.py", "everyone"))
        assert beside.sandboxed.popen.poll() is None


# What it may become.


def test_it_cannot_become_another_user(looked: Looked) -> None:
    assert set(looked.report["becoming_root"].values()) <= REFUSED
    assert looked.report["setuid_programs"] == []
    who = looked.report["who"]
    assert who["user"] != 0
    assert who["group"] != 0
    assert who["groups"] == []
    assert who["host"] == "micro"


def test_it_has_no_capability_and_gains_none(looked: Looked) -> None:
    status = looked.report["status"]
    assert {status[name] for name in ("CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_it_makes_no_namespace_and_enters_none(looked: Looked) -> None:
    found = looked.report["namespaces"]
    assert found.pop("clone3") == "ENOSYS"
    assert len(found) > 15
    assert set(found.values()) == {"EPERM"}


def test_it_mounts_nothing(looked: Looked) -> None:
    assert set(looked.report["mounts"].values()) == {"EPERM"}


def test_it_reaches_no_part_of_the_kernel_that_it_has_no_use_for(looked: Looked) -> None:
    """Other processes' memory, keys, programs for the kernel, counters, modules, clocks, memory that nothing counts."""
    found = looked.report["kernel_calls"]
    assert len(found) > 30
    assert {name for name, got in found.items() if got != "EPERM"} == set()
    assert set(looked.report["calls_that_are_not_there"].values()) == {"ENOSYS"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="there are others on x86-64 alone")
def test_a_call_of_another_architecture_ends_the_process(looked: Looked) -> None:
    assert looked.report["other_architectures"] == {"32 bits": "ended", "x32": "ended"}


def test_it_raises_no_limit_and_no_priority(looked: Looked) -> None:
    assert set(looked.report["higher_limits"].values()) == {"ValueError"}
    assert set(looked.report["priority"].values()) <= REFUSED


def test_it_types_nothing_into_a_terminal(looked: Looked) -> None:
    assert looked.report["terminal"] == "EPERM"


def test_it_leaves_no_core_dump(looked: Looked) -> None:
    assert looked.report["core_dumps"] == {"dumped": False, "files": []}


# The network.


def test_it_reaches_no_port_of_the_machine_and_nothing_else(looked: Looked) -> None:
    """A cloud's address for secrets, private networks and the internet: there is no way but the proxy."""
    found = looked.report["networks"]
    assert len(found) > 10
    assert set(found.values()) <= {"ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH", "EAFNOSUPPORT"}
    assert set(looked.report["datagrams"].values()) <= {"ENETUNREACH", "EACCES"}
    assert looked.report["names"] != "done"
    assert looked.report["interfaces"] == ["lo"]


def test_it_makes_no_raw_socket_and_none_that_leaves_its_network(looked: Looked) -> None:
    assert set(looked.report["sockets"].values()) <= {"EPERM", "EAFNOSUPPORT", "EPROTONOSUPPORT"}


def test_it_reaches_no_unix_socket_of_the_machine(looked: Looked) -> None:
    assert len(looked.report["unix_sockets"]) == 2
    assert set(looked.report["unix_sockets"].values()) == {"ECONNREFUSED", "ENOENT"}


def test_a_descriptor_from_outside_does_not_lead_to_its_network(looked: Looked) -> None:
    assert looked.report["network_of_a_descriptor"] == "EPERM"


def test_node_gets_no_further(yard: Yard, outside: dict[str, Any]) -> None:
    ended = yard.run(*yard.node("look.cjs", json.dumps(outside)), limits=Limits(reserved_mb=NODE_RESERVED_MB))
    found = ended.report
    assert set(found["read"]) == {"ENOENT"}
    assert set(found["written"]) <= {"EROFS", "EACCES"}
    assert found["tmp"] == "done"
    assert found["signal"] == "ESRCH"
    assert found["root"] in REFUSED
    assert set(found["connected"]) <= {"ECONNREFUSED", "ENETUNREACH"}
    assert found["fetched"] in ("ECONNREFUSED", "ENETUNREACH")
    assert found["interfaces"] in ([], ["lo"])
    assert found["works"] == {"random": 4, "child": "child\n", "thread": "thread"}


# How much it may use.


def strain(yard: Yard, what: str, *arguments: str, **limits: int) -> Ended:
    return yard.run(*yard.python("strain.py", what, *arguments), limits=replace(LIMITS, **limits))


def test_it_opens_no_more_files_than_it_may(looked: Looked) -> None:
    assert LIMITS.open_files - 10 < looked.report["open_files"] < LIMITS.open_files


def test_a_fork_bomb_stops_and_its_neighbour_is_unharmed(yard: Yard) -> None:
    with yard.start(*yard.python("strain.py", "processes"), limits=LIMITS) as running:
        found = json.loads(running.sandboxed.stdout.readline())
        assert found["error"] == "EAGAIN"
        assert LIMITS.processes - 10 < found["made"] < LIMITS.processes
        neighbour = strain(yard, "processes_few")
        assert neighbour.report == {"made": 20}
        pid = running.sandboxed.pid
        running.sandboxed.kill()
        running.sandboxed.popen.wait(timeout=MOMENT_SECONDS)
    assert not Path(f"/proc/{pid}").exists()


def test_threads_count_as_processes_do(yard: Yard) -> None:
    found = strain(yard, "threads").report
    assert LIMITS.processes - 10 < found["made"] < LIMITS.processes


def test_a_process_gets_no_more_memory_than_it_may_and_lives_on(yard: Yard) -> None:
    found = strain(yard, "memory")
    assert found.code == 0
    assert LIMITS.memory_mb / 2 < found.report["taken_mb"] < LIMITS.memory_mb


@pytest.mark.parametrize("what", ["memory_of_many", "shared_memory"])
def test_all_together_get_no_more_memory_than_they_may(yard: Yard, what: str) -> None:
    """The kernel ends them; where it has no control groups for us, whoever looks after them sees it, and does."""
    with yard.start(*yard.python("strain.py", what), limits=LIMITS) as running:
        if yard.means.cgroups:
            eventually(running.sandboxed.ran_out_of_memory)
        else:
            eventually(lambda: running.sandboxed.memory_bytes() > LIMITS.memory_mb * MB)
            assert not running.sandboxed.ran_out_of_memory()


def test_memory_is_counted(yard: Yard) -> None:
    with yard.start(*yard.python("strain.py", "held"), limits=LIMITS) as running:
        assert json.loads(running.sandboxed.stdout.readline()) == {"held_mb": 60}
        assert 60 * MB < running.sandboxed.memory_bytes() < 90 * MB
    assert running.sandboxed.memory_bytes() == 0


def test_tmp_is_bounded_and_shared_memory_lies_there_too(yard: Yard) -> None:
    found = strain(yard, "tmp", file_mb=64)
    assert found.report["error"] == "ENOSPC"
    assert LIMITS.tmp_mb - 2 < found.report["taken_mb"] <= LIMITS.tmp_mb
    assert found.report["again"] == 1, "there is room again once something is removed"


def test_a_file_grows_no_larger_than_it_may(yard: Yard) -> None:
    assert strain(yard, "file", tmp_mb=64).report == {"error": "EFBIG", "size_mb": LIMITS.file_mb}


# How it ends.


def test_nothing_outlives_its_first_program(yard: Yard) -> None:
    mark = f"orphan-{os.getpid()}-{id(yard)}"
    assert strain(yard, "orphans", mark).report == {"left": 5}
    eventually(lambda: not processes_with(mark))


def test_killed_it_is_gone_with_all_that_it_started(yard: Yard) -> None:
    mark = f"orphan-{os.getpid()}-{id(yard)}"
    with yard.start(*yard.python("strain.py", "orphans", mark, "stay"), limits=LIMITS) as running:
        assert running.sandboxed.stdout.readline()
        eventually(lambda: len(processes_with(mark)) > 5)
        running.sandboxed.kill()
        eventually(lambda: not processes_with(mark))


def test_it_ends_when_who_started_it_is_killed(yard: Yard) -> None:
    mark = f"orphan-{os.getpid()}-{id(yard)}"
    child = os.fork()
    if child == 0:
        with yard.start(*yard.python("strain.py", "orphans", mark, "stay"), limits=LIMITS) as running:
            running.sandboxed.stdout.readline()
            time.sleep(MOMENT_SECONDS)
        os._exit(0)
    try:
        eventually(lambda: len(processes_with(mark)) > 5)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    eventually(lambda: not processes_with(mark))


# What works all the same.


def test_the_doors_inside_come_out(yard: Yard) -> None:
    program = (
        "import socket; s = socket.create_connection(('127.0.0.1', 4443)); s.sendall(b'x'); print(s.recv(9).decode())"
    )
    with yard.start(str(yard.means.programs.python.executable), "-c", program) as running:
        api, proxy = running.doors()
        with api, proxy:
            caller, _ = api.accept()
            with caller:
                assert caller.recv(9) == b"x"
                caller.sendall(b"answer")
            assert running.wait().output == "answer\n"


@pytest.mark.parametrize("framework", ["Flask", pytest.param("FastAPI", marks=pytest.mark.slow)])
def test_a_framework_serves_on_the_socket_it_inherits(yard: Yard, framework: str, tmp_path: Path) -> None:
    packages = yard.root / "packages"
    if not packages.exists():
        yard.folder("packages")
        for name in shims._with_what_they_need(("flask", "fastapi", "uvicorn", "a2wsgi")):
            shims._copy_package(name, packages)
    path = tmp_path / "micro.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with yard.start(
            str(yard.means.programs.python.executable),
            "/app/serve.py",
            framework,
            environment={"PYTHONPATH": "/deps"},
            dependencies=packages,
            listener=listener.fileno(),
            limits=Limits(),
        ):
            transport = httpx.HTTPTransport(uds=str(path))
            with httpx.Client(transport=transport, timeout=MOMENT_SECONDS) as client:
                assert client.get("http://micro/").text.strip('"') == f"Hello from {framework}"


def test_a_build_writes_its_dependencies_and_nothing_else(yard: Yard) -> None:
    made = yard.folder(f"made-{id(yard)}")
    yard.means.give(made)
    ended = yard.run(
        "/bin/sh", "-c", "echo x >/deps/made; echo x >/app/made; ls -l /proc/self/fd", dependencies=made, is_build=True
    )
    assert (made / "made").read_text() == "x\n"
    assert "/app/made" in ended.errors
    ended = yard.run("/bin/sh", "-c", "cat /deps/made; echo y >/deps/made", dependencies=made)
    assert ended.output == "x\n"
    assert "/deps/made" in ended.errors
    assert (made / "made").read_text() == "x\n"


def test_what_it_prints_and_how_it_ends_are_told(yard: Yard) -> None:
    ended = yard.run("/bin/sh", "-c", "echo out; echo err >&2; exit 7")
    assert ended == Ended("out\n", "err\n", 7)
    ended = yard.run("/no/such/program")
    assert ended.errors == "/no/such/program can't be started: No such file or directory.\n"
    assert ended.code == 1


def test_it_reaches_no_engine_of_a_server_nor_its_secrets(all_yards: Yard, server: Server) -> None:
    data, kept = server.data, settings.LOCAL_STATE
    assert kept is not None
    assert server.process is not None
    home = kept.home(data)
    given: dict[str, Any] = {
        "paths": [
            str(path) for path in (data / "homeport.json", data / "tls" / "ca.key", home / "postgres" / "PG_VERSION")
        ],
        "ports": [
            kept.postgres.port,
            *kept.s3.all_ports(),
            *(urlsplit(url).port for url in (server.url, server.tls_url)),
        ],
        "addresses": [],
        "abstract": "none",
        "sockets": [str(path) for path in (home / "run").iterdir() if path.is_socket()],
        "pid": server.process.pid,
        "canary": kept.secret_key.encode().hex(),
    }
    assert all(Path(path).exists() for path in given["paths"])
    assert len(given["sockets"]) > 1
    report = all_yards.run(*all_yards.python("look.py", json.dumps(given)), limits=LIMITS).report
    assert set(report["files_outside"].values()) <= {"ENOENT", "EACCES"}
    assert set(report["networks"].values()) <= {"ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH"}
    assert {report["unix_sockets"][path] for path in given["sockets"]} == {"ENOENT"}
    assert report["signals"]["outside"] == "ESRCH"
    assert report["canaries"] == []


# Whoever runs the server.


@pytest.mark.skipif(not IS_ROOT, reason="only root becomes another user; everybody else runs all of this as themselves")
def test_an_ordinary_user_has_the_same_walls(outside: dict[str, Any]) -> None:
    """With the system's Python, as this one may be where only root can look, and packages that others can read."""
    python, packages = Path("/usr/bin/python3"), Path(httpx.__file__).parents[1]
    command = [str(python), "-m", "tests.embedded.micros.as_user", json.dumps(outside)]
    user: dict[str, Any] = {"user": 64_123, "group": 64_123, "extra_groups": [], "cwd": ROOT}
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    able = subprocess.run(
        [python, "-c", "import sys, httpx, tests.waiting; sys.exit(sys.version_info < (3, 11))"],
        env=environment,
        capture_output=True,
        check=False,
        **user,
    )
    if able.returncode:
        pytest.skip("no Python and packages here that everybody can read")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=MOMENT_SECONDS, check=False, **user
    )
    assert (done.returncode, done.stderr) == (0, "")
    report, memory_bytes = done.stdout.splitlines()
    assert 60 * MB < int(memory_bytes) < 90 * MB
    looked = Looked(json.loads(report), outside)
    for test in (
        test_no_file_of_the_machine_can_be_read,
        test_no_folder_but_tmp_takes_a_file,
        test_only_its_own_processes_are_there,
        test_another_micros_variables_and_code_are_nowhere,
        test_it_has_the_descriptors_that_it_is_given_alone,
        test_signals_reach_nobody_outside,
        test_it_cannot_become_another_user,
        test_it_has_no_capability_and_gains_none,
        test_it_makes_no_namespace_and_enters_none,
        test_it_reaches_no_port_of_the_machine_and_nothing_else,
        test_it_reaches_no_unix_socket_of_the_machine,
        test_it_opens_no_more_files_than_it_may,
    ):
        test(looked)
    assert looked.report["who"]["user"] == 1000
