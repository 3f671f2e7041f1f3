"""The bundled SeaweedFS: one `weed mini` process that speaks S3 on loopback.

Owns its command line, its credentials file and its durability setting. What keeps others out of its ports is in
`seaweedfs_security.py`; talking S3 to it is left to `storage/s3/`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from storage.embedded import paths, ports, process, seaweedfs_security, state
from storage.embedded.accounts import Account
from storage.embedded.paths import Binaries

# A goal for Go's garbage collector, not a limit: unasked it lets the process grow to 1.5 GB under load.
_MEMORY_GOAL = "384MiB"

# Of a volume. SeaweedFS would choose up to 1 GB by the size of the disk; but only what a volume's copy has room for can be
# compacted, and writers that come at once let it grow a quarter beyond.
_VOLUME_MB = 64

# Within the engines' folder, where SeaweedFS runs: a path from there is never too long for a socket.
_SOCKETS = {"s3.localSocket": f"run/{state.S3_SOCKET}", "filer.localSocket": "run/filer.sock"}

# SeaweedFS acknowledges before fsync unless its filer is told otherwise for the folder that holds the buckets.
_DURABLE = "fs.configure -locationPrefix=/buckets/ -fsync -volumeGrowthCount=1 -apply\n"
# Without the lock it would refuse.
_COMPACT = "lock\nvolume.vacuum -garbageThreshold=0.0001\nunlock\n"


def folder(home: Path) -> Path:
    """SeaweedFS's data folder within the engines' folder."""
    return home / "seaweedfs"


def child(
    home: Path, settings: state.SeaweedFS, *, binaries: Binaries, account: Account | None, marks: Mapping[str, str]
) -> process.Child:
    """The process to supervise, not started yet."""
    tls = state.engine_tls(home)
    options = {
        "dir": str(folder(home)),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "bucket": settings.bucket,
        # Of HTTP the parts need only what they say to the volumes.
        "disableHttp": "true",
        "webdav": "false",
        "admin.ui": "false",
        "s3.iam": "false",
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "master.telemetry": "false",
        "s3.config": str(_credentials_file(home)),
        "s3.cert.file": str(tls.certificate),
        "s3.key.file": str(tls.key),
        "s3.cacert.file": str(tls.authority),
        "s3.tlsVerifyClientCert": "true",
        **_SOCKETS,
        "s3.port": str(settings.s3_port),
        "filer.port": str(settings.filer_port),
        "master.port": str(settings.master_port),
        "volume.port": str(settings.volume_port),
        "admin.port": str(settings.admin_port),
        "volume.max": "0",
        "master.volumeSizeLimitMB": str(_VOLUME_MB),
    }
    return process.Child(
        name="SeaweedFS",
        command=[
            str(binaries.weed),
            "-logtostderr=true",
            _config(home),
            "mini",
            *(f"-{name}={value}" for name, value in options.items()),
        ],
        environment=process.engine_environment(home, marks=marks) | {"GOMEMLIMIT": _MEMORY_GOAL},
        folder=home,
        account=account,
        log=home / "seaweedfs.log",
        # It may hang on SIGTERM; what it acknowledged is on disk by then.
        stop_seconds=5.0,
        prepare=lambda: _prepare(home, settings, account),
    )


def make_durable(home: Path, settings: state.SeaweedFS, *, binaries: Binaries, account: Account | None) -> None:
    """Have every write synced before it is acknowledged. It is kept in the filer, and saying it again does no harm.

    It gives up after a while, as whoever waits for it has other processes to watch. Raises as `run_shell` does, or RuntimeError
    when SeaweedFS doesn't confirm it.
    """
    commands = _DURABLE + "fs.configure\n"
    printed = run_shell(home, settings, commands, binaries=binaries, account=account, seconds=10)
    if '"fsync":  true' not in printed and '"fsync": true' not in printed:
        raise RuntimeError(f"SeaweedFS did not accept its durability setting: {printed[-500:]}")


def compact(home: Path, settings: state.SeaweedFS, *, binaries: Binaries, account: Account | None) -> None:
    """Give back the room of what was deleted, from every volume for whose copy there is space.

    What was deleted some three seconds before may still count. Raises as `run_shell` does.
    """
    run_shell(home, settings, _COMPACT, binaries=binaries, account=account)


def run_shell(
    home: Path,
    settings: state.SeaweedFS,
    commands: str,
    *,
    binaries: Binaries,
    account: Account | None,
    seconds: float = 120,
) -> str:
    """Give `weed shell` these lines of commands; what it printed. Raises subprocess.CalledProcessError or TimeoutExpired."""
    master, filer = settings.master_port, settings.filer_port
    command = [str(binaries.weed), _config(home), "shell", f"-master=127.0.0.1:{master}", f"-filer=127.0.0.1:{filer}"]
    environment = process.engine_environment(home, marks={})
    return process.run_tool(command, environment=environment, account=account, text=commands, seconds=seconds)


def _config(home: Path) -> str:
    """The option that names the folder of `security.toml`, before any other that SeaweedFS looks in by itself."""
    return f"-config_dir={state.engine_tls(home).folder}"


def _credentials_file(home: Path) -> Path:
    return home / "s3.json"


def _prepare(home: Path, settings: state.SeaweedFS, account: Account | None) -> None:
    """Write the credentials and clear what a killed SeaweedFS leaves: its sockets, and options that would outlive ours."""
    paths.make_private_folder(folder(home), account)
    identity = {
        "name": "homeport",
        "credentials": [{"accessKey": settings.access_key, "secretKey": settings.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    paths.write_private_file(_credentials_file(home), json.dumps({"identities": [identity]}), account)
    seaweedfs_security.write(home, account)
    (folder(home) / "mini.options").unlink(missing_ok=True)
    remove_sockets(home, settings)


def remove_sockets(home: Path, settings: state.SeaweedFS) -> None:
    """Remove its Unix sockets, and those of our ports in the system's folder for temporary files."""
    for path in _SOCKETS.values():
        (home / path).unlink(missing_ok=True)
    parts = {
        "s3": settings.s3_port,
        "filer": settings.filer_port,
        "master": settings.master_port,
        "volume": settings.volume_port,
        "admin": settings.admin_port,
    }
    for name, port in parts.items():
        (ports.SHARED_SOCKETS / f"seaweedfs-{name}-grpc-{ports.grpc(port)}.sock").unlink(missing_ok=True)
        (ports.SHARED_SOCKETS / f"seaweedfs-{name}-{port}.sock").unlink(missing_ok=True)
