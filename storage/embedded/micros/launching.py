"""What is started in sandboxes, and how: a Micro or a step of a build, its interpreter, its environment, its limits."""

import secrets
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from storage import limits
from storage.embedded.micros import commands, programs, runtimes, sandbox, shims
from storage.embedded.micros.host_paths import HostPaths
from storage.embedded.micros.places import Places
from storage.embedded.micros.programs import Python
from storage.embedded.micros.runtimes import NODE, PYTHON, Asked, Runtime
from storage.embedded.micros.sandbox import Limits, Means, Sandboxed, SandboxSpec
from storage.micro_host import Wanted

# A build has a package index's answers in memory, and all it downloads in /tmp.
_BUILD_MEMORY_MB = 1_024
_BUILD_TMP_MB = 1_024
_GIT_PROCESSES = 64
# Where the system's own programs are, inside as outside.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_API = f"127.0.0.1:{sandbox.API_PORT}"
_PROXY = f"http://127.0.0.1:{sandbox.PROXY_PORT}"
_AUTHORITIES = f"{sandbox.RUNTIMES}/ca.pem"
# What a person may set otherwise: it changes how their app sees the world, and breaks nothing of ours.
_DEFAULTS = {"TZ": "UTC", "LANG": "C.UTF-8", "HOME": "/tmp"}  # noqa: S108 (the one inside)
# What has programs inside reach the internet, and trust it and us.
_NETWORK = {
    "HTTP_PROXY": _PROXY,
    "HTTPS_PROXY": _PROXY,
    "http_proxy": _PROXY,
    "https_proxy": _PROXY,
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
    "NODE_USE_ENV_PROXY": "1",
    "NODE_EXTRA_CA_CERTS": _AUTHORITIES,
    "SSL_CERT_FILE": _AUTHORITIES,
    "REQUESTS_CA_BUNDLE": _AUTHORITIES,
}
# A build does not reach the API; its package index may be on this machine.
_ALL_BY_PROXY = {"NO_PROXY": "", "no_proxy": ""}


class Launcher:
    """Starts them by this machine's means. Spawning is done in the main thread, as Linux ends a sandbox with its thread."""

    def __init__(self, means: Means, places: Places, limits: Limits) -> None:
        self._means, self._places, self._limits = means, places, limits
        self.host_paths = HostPaths(places, means.programs)
        self._pythons: dict[Path, Python] = {}
        self._finding = threading.Lock()

    def runtimes(self) -> list[str]:
        """What can run here, for people. It takes a few seconds the first time: not for the main thread."""
        with self._finding:
            return [each.name for each in runtimes.find_runtimes()]

    def choose(self, wanted: Wanted) -> Runtime:
        """What runs it. Raises UnknownRuntime, with a sentence, when nothing can."""
        return runtimes.choose(_asked(wanted), runtimes.find_runtimes())

    def say_what_runs(self, wanted: Wanted) -> str:
        """The same for people. Raises UnknownRuntime."""
        return runtimes.say_what_runs(_asked(wanted), self.choose(wanted))

    def make_ready(self, wanted: Wanted) -> None:
        """Have its interpreter where Micros reach it, which may take copying: not for the main thread.

        Raises UnknownRuntime, ProgramsMissing, OSError.
        """
        with self._finding:
            runtime = self.choose(wanted)
            if runtime.kind == PYTHON and runtime.program not in self._pythons:
                found = programs.find_python(runtime.program, self._means.account)
                shims.compile_for(self._means.programs.runtimes, str(found.executable))
                self.host_paths.add_python(found)
                self._pythons[runtime.program] = found

    def paths(self, wanted: Wanted) -> commands.Paths:
        """Where things are inside. It has to be ready."""
        python = self._python(wanted) or self._means.programs.python
        return replace(commands.INSIDE, python=PurePosixPath(python.executable), uv=PurePosixPath(sandbox.UV))

    def launch(self, wanted: Wanted, *, listener: int, control: int) -> Sandboxed:
        """Start a Micro that is ready, whose folders are there; the descriptors stay the caller's. Raises OSError."""
        paths = self.paths(wanted)
        spec = SandboxSpec(
            name=_name(wanted),
            code=self._places.code(wanted.deployment_id),
            command=commands.serve(wanted.runtime, paths, memory_mb=self._limits.memory_mb),
            environment=_environment(wanted, _search_path(paths)),
            control=control,
            listener=listener,
            dependencies=self._places.dependencies(wanted.dependencies_id) if wanted.dependencies_id else None,
            limits=_with_room_for_code(self._limits, wanted),
            python=self._python(wanted),
        )
        return sandbox.spawn(self._means, spec)

    def launch_build(
        self, wanted: Wanted, command: Sequence[str], *, folder: str, environment: Mapping[str, str], control: int
    ) -> Sandboxed:
        """Start a step of an installation in a folder inside. What it installs goes where `give` was called. Raises OSError."""
        search_path = _search_path(self.paths(wanted))
        spec = SandboxSpec(
            name=_name(wanted),
            code=self._places.code(wanted.deployment_id),
            command=["/bin/sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder, *command],
            environment={**_DEFAULTS, **_NETWORK, **_ALL_BY_PROXY, **environment, "PATH": search_path},
            control=control,
            dependencies=self._places.dependencies(wanted.dependencies_id) if wanted.dependencies_id else None,
            is_build=True,
            limits=_with_room_for_code(replace(self._limits, memory_mb=_BUILD_MEMORY_MB, tmp_mb=_BUILD_TMP_MB), wanted),
            python=self._python(wanted),
        )
        return sandbox.spawn(self._means, spec)

    def launch_clone(
        self, source_id: uuid.UUID, command: Sequence[str], *, environment: Mapping[str, str], control: int
    ) -> Sandboxed:
        """Start what fetches a repository into the folder of that id, where `give` was called. Raises OSError."""
        bounds = replace(
            self._limits,
            memory_mb=limits.GIT_MEMORY_MB,
            tmp_mb=limits.GIT_MEMORY_MB,
            file_mb=limits.GIT_ARCHIVE_MAX_MB,
            processes=_GIT_PROCESSES,
        )
        spec = SandboxSpec(
            name=f"git-{secrets.token_hex(8)}",
            code=self._means.programs.etc / "empty",
            command=command,
            environment={**_DEFAULTS, **_NETWORK, **_ALL_BY_PROXY, **environment, "PATH": SYSTEM_PATH},
            control=control,
            dependencies=self._places.source(source_id),
            is_build=True,
            limits=bounds,
        )
        return sandbox.spawn(self._means, spec)

    def give(self, folder: Path) -> None:
        """Let a build write this folder."""
        self._means.give(folder)

    def _python(self, wanted: Wanted) -> Python | None:
        return self._pythons.get(self.choose(wanted).program)


def _asked(wanted: Wanted) -> Asked:
    return Asked(wanted.runtime, wanted.version)


def _with_room_for_code(limits: Limits, wanted: Wanted) -> Limits:
    return replace(limits, reserved_mb=commands.NODE_RESERVED_MB if wanted.runtime == NODE else 0)


def _name(wanted: Wanted) -> str:
    return f"{wanted.micro_id}-{secrets.token_hex(4)}"


def _search_path(paths: commands.Paths) -> str:
    return f"{paths.packages}/bin:{paths.python.parent}:{paths.node.parent}:{SYSTEM_PATH}"


def _environment(wanted: Wanted, search_path: str) -> dict[str, str]:
    ours = {
        "PATH": search_path,
        "DETA_PATH": wanted.hostname.partition(".")[0],
        "DETA_RUNTIME": "true",
        "DETA_PROJECT_KEY": wanted.data_key,
        "HOMEPORT_URL": f"https://{_API}",
        "DETA_BASE_HOST": _API,
        "DETA_DRIVE_HOST": _API,
        "HOMEPORT_IDLE_SECONDS": "0" if wanted.is_kept_warm else f"{wanted.idle_seconds:g}",
    }
    return {**_DEFAULTS, **wanted.variables, **_NETWORK, **ours}
