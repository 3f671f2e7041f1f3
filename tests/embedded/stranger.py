"""Another user of this machine who tries all doors of a server, speaking the language of each.

The test starts it as root, so that it can read its own code; then it becomes that user. It reads from its input what there is
to try (`Doors` as JSON) and prints what came of it, a `Deed` as JSON on each line. What is a refusal, the test decides.
"""

import contextlib
import encodings.idna  # noqa: F401  what names of hosts need, while it can be read
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import trustme

from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS

# What a server may take to answer or to hang up; saying nothing for that long tells nothing.
_SILENCE_SECONDS = PROMISED_SECONDS / 4
_PATHS = """
    / /status /healthz /metrics /ui/index.html /debug/pprof/ /debug/vars /login /api/config /favicon.ico
    /stats/counter /stats/memory /stats/disk /cluster/status /cluster/healthz /seaweedfsstatic/images/folder.gif
    /dir/status /dir/assign /dir/lookup?volumeId=1 /vol/status /vol/grow?count=1 /col/delete?collection=
    /buckets/ /homeport /homeport?list-type=2 /homeport?policy
""".split()  # noqa: SIM905  a list would be one path a line
_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
# What `weed shell` logs of it; one try may end before it has heard why, then the next one hears it.
_REFUSAL = b"error reading server preface"
_ASK_POSTGRES_FOR_TLS = (8).to_bytes(4) + (80877103).to_bytes(4)

Connect = Callable[[], socket.socket]


def _client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


_ANONYMOUS, _FORGED = _client_context(), _client_context()
_FORGED_CERTIFICATE = trustme.CA().issue_cert("127.0.0.1", common_name="seaweedfs")
# What `weed shell` reads where it lies in `~/.seaweedfs`.
_SECURITY = """
[grpc]
ca = "{home}/ca.pem"
[grpc.client]
cert = "{home}/forged.pem"
key = "{home}/forged.key"
"""


@dataclass(frozen=True)
class Doors:
    """All that a server has open or keeps; `paths` are those of a file's bytes, `shells` command lines with their input.

    `authority` is whom the engines trust, as PEM: no secret.
    """

    uid: int
    authority: str
    ports: list[int]
    sockets: list[str]
    paths: list[str]
    shells: list[tuple[list[str], str]]
    files: list[str]
    folders: list[str]
    processes: list[int]


@dataclass(frozen=True)
class Deed:
    """What was done where, and the answer: bytes as Latin-1. `error` is how it was refused before there was one.

    `kind` is "door" (a port or socket), "program" (one of the engines' own), "file", "folder" or "process".
    """

    kind: str
    place: str
    deed: str
    answer: str = ""
    error: str = ""


def main() -> None:
    doors = Doors(**json.load(sys.stdin))
    _FORGED_CERTIFICATE.configure_cert(_FORGED)
    os.setgroups([])
    os.setgid(doors.uid)
    os.setuid(doors.uid)
    os.chdir("/")
    for walk in (_try_ports, _try_sockets, _try_shells, _try_files, _try_folders, _try_processes):
        for deed in walk(doors):
            sys.stdout.write(json.dumps(asdict(deed)) + "\n")


def _try_ports(doors: Doors) -> Iterator[Deed]:
    for port in doors.ports:

        def connect(port: int = port) -> socket.socket:
            return socket.create_connection(("127.0.0.1", port), timeout=_SILENCE_SECONDS)

        yield from _speak_all(f"port {port}", connect, doors.paths)
        yield from _speak_all(f"port {port} by TLS", lambda: _ANONYMOUS.wrap_socket(connect()), doors.paths)
        yield from _speak_all(f"port {port} by TLS of another's", lambda: _FORGED.wrap_socket(connect()), doors.paths)


def _try_sockets(doors: Doors) -> Iterator[Deed]:
    for path in doors.sockets:

        def connect(path: str = path) -> socket.socket:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_SILENCE_SECONDS)
            connection.connect(f"\0{path[1:]}" if path.startswith("@") else path)
            return connection

        yield from _speak_all(path, connect, doors.paths)


def _speak_all(place: str, connect: Connect, paths: list[str]) -> Iterator[Deed]:
    for path in (*_PATHS, *paths):
        yield _speak(place, f"GET {path}", connect, _request("GET", path))
    for method in ("PUT", "POST", "DELETE", "OPTIONS"):
        for path in ("/homeport/probe", "/homeport?policy", "/submit", *paths):
            yield _speak(place, f"{method} {path}", connect, _request(method, path))
    yield _speak(place, "gRPC", connect, _HTTP2)
    yield _speak(place, "Postgres's TLS", connect, _ASK_POSTGRES_FOR_TLS)
    for user, database in (("homeport", "homeport"), ("postgres", "postgres")):
        yield _speak(place, f"Postgres as {user}", connect, _startup(user, database))


def _request(method: str, path: str) -> bytes:
    body = b"" if method in ("GET", "OPTIONS") else b"written by a stranger"
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _startup(user: str, database: str) -> bytes:
    said = (3 << 16).to_bytes(4) + f"user\0{user}\0database\0{database}\0\0".encode()
    return (len(said) + 4).to_bytes(4) + said


def _speak(place: str, deed: str, connect: Connect, words: bytes) -> Deed:
    heard = b""
    try:
        with connect() as connection:
            connection.sendall(words)
            while part := connection.recv(65_536):
                heard += part
                # Postgres and gRPC go on waiting for what we say next.
                if not words.startswith((b"GET", b"PUT", b"POST", b"DELETE", b"OPTIONS")):
                    break
    except OSError as error:
        if not heard:
            return Deed("door", place, deed, error=f"{type(error).__name__}: {error}")
    return Deed("door", place, deed, heard.decode("latin-1"))


def _try_shells(doors: Doors) -> Iterator[Deed]:
    """Programs of the engines' own, without certificates and with forged ones."""
    with tempfile.TemporaryDirectory() as home:
        _forge(Path(home), doors.authority)
        for command, words in doors.shells:
            yield _type(command, words, "/nonexistent")
            if "shell" in command:
                yield _type(command, words, home)


def _forge(home: Path, authority: str) -> None:
    """What a program takes for the certificates of the engines', in the folder of somebody who knows how they are named."""
    folder = home / ".seaweedfs"
    folder.mkdir()
    (folder / "security.toml").write_text(_SECURITY.format(home=home))
    (home / "ca.pem").write_text(authority)
    _FORGED_CERTIFICATE.cert_chain_pems[0].write_to_path(home / "forged.pem")
    _FORGED_CERTIFICATE.private_key_pem.write_to_path(home / "forged.key")


def _type(command: list[str], words: str, home: str) -> Deed:
    """Run a program and type these words. One that is refused and tries for ever is ended then."""
    with tempfile.TemporaryFile() as output:
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C"}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        assert process.stdin
        with contextlib.suppress(BrokenPipeError), process.stdin as typed:
            typed.write(words.encode())
        until = time.monotonic() + MOMENT_SECONDS
        while process.poll() is None and time.monotonic() < until and _REFUSAL not in _all_of(output.fileno()):
            time.sleep(0.05)
        process.kill()
        process.wait()
        said = _all_of(output.fileno()).decode("latin-1")
    return Deed("program", " ".join(command), f"{words!r} with HOME={home}", said)


def _all_of(descriptor: int) -> bytes:
    return os.pread(descriptor, 10_000_000, 0)


def _try_files(doors: Doors) -> Iterator[Deed]:
    for name in doors.files:
        for deed, flags in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
            try:
                descriptor = os.open(name, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError as error:
                yield Deed("file", name, deed, error=str(error))
            else:
                yield Deed(
                    "file", name, deed, _all_of(descriptor).decode("latin-1") if flags == os.O_RDONLY else "opened"
                )
                os.close(descriptor)


def _try_folders(doors: Doors) -> Iterator[Deed]:
    for name in doors.folders:
        try:
            yield Deed("folder", name, "list", f"{len(list(Path(name).iterdir()))} entries")
        except OSError as error:
            yield Deed("folder", name, "list", error=str(error))
        try:
            (Path(name) / "a-stranger-was-here").touch()
            yield Deed("folder", name, "add to", "done")
        except OSError as error:
            yield Deed("folder", name, "add to", error=str(error))


def _try_processes(doors: Doors) -> Iterator[Deed]:
    for pid in doors.processes:
        for name in ("cmdline", "environ", "maps", "mem", "fd", "cwd/homeport.json", "root/etc/passwd"):
            path = Path(f"/proc/{pid}/{name}")
            try:
                said = "\n".join(each.name for each in path.iterdir()).encode() if name == "fd" else path.read_bytes()
                yield Deed("process", str(path), f"read {name}", said.decode("latin-1"))
            except OSError as error:
                yield Deed("process", str(path), f"read {name}", error=str(error))


if __name__ == "__main__":
    main()
