"""How a Micro is started in its sandbox: its command, its environment, and its limits."""

import secrets
from dataclasses import dataclass

from storage.embedded.micros import sandbox
from storage.embedded.micros.places import Places
from storage.embedded.micros.sandbox import Limits, Means, Sandboxed, SandboxSpec
from storage.micro_host import Wanted

_API = f"127.0.0.1:{sandbox.API_PORT}"
_PROXY = f"http://127.0.0.1:{sandbox.PROXY_PORT}"
_AUTHORITIES = f"{sandbox.RUNTIMES}/ca.pem"
# What a person may set otherwise: it changes how their app sees the world, and breaks nothing of ours.
_DEFAULTS = {"TZ": "UTC", "LANG": "C.UTF-8", "HOME": "/tmp"}  # noqa: S108 (the one inside)


def proxy_environment() -> dict[str, str]:
    """What has programs inside reach the internet, and trust it and us."""
    return {
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


def environment(wanted: Wanted, *, path: str) -> dict[str, str]:
    """All variables of a Micro. `path` is where its programs are found."""
    ours = {
        "PATH": path,
        "DETA_PATH": wanted.hostname.partition(".")[0],
        "DETA_RUNTIME": "true",
        "DETA_PROJECT_KEY": wanted.data_key,
        "HOMEPORT_URL": f"https://{_API}",
        "DETA_BASE_HOST": _API,
        "DETA_DRIVE_HOST": _API,
        "HOMEPORT_IDLE_SECONDS": "0" if wanted.is_kept_warm else f"{wanted.idle_seconds:g}",
        **proxy_environment(),
    }
    return {**_DEFAULTS, **wanted.variables, **ours}


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts Micros by this machine's means. It is called in the main thread, as Linux ends a sandbox with its thread."""

    means: Means
    places: Places
    limits: Limits

    def launch(self, wanted: Wanted, *, listener: int, control: int) -> Sandboxed:
        """Start a deployment whose folders are there; the descriptors stay the caller's. Raises OSError."""
        command = self.command(wanted)
        installed = self.places.dependencies(wanted.dependencies_id) if wanted.dependencies_id else None
        spec = SandboxSpec(
            name=f"{wanted.micro_id}-{secrets.token_hex(4)}",
            code=self.places.code(wanted.deployment_id),
            command=command,
            environment=environment(wanted, path=self.search_path()),
            control=control,
            listener=listener,
            dependencies=installed,
            limits=self.limits,
        )
        return sandbox.spawn(self.means, spec)

    def command(self, wanted: Wanted) -> list[str]:
        """What serves it."""
        if wanted.runtime == "node":
            return [f"{sandbox.NODE}/bin/node", f"{sandbox.RUNTIMES}/node/start.js"]
        return [str(self.means.programs.python.executable), "-I", "-S", f"{sandbox.RUNTIMES}/python/start.py"]

    def search_path(self) -> str:
        """Where programs are found inside."""
        python = self.means.programs.python.executable.parent
        return f"{sandbox.DEPENDENCIES}/bin:{python}:{sandbox.NODE}/bin:/usr/local/bin:/usr/bin:/bin"

    def runtimes(self) -> list[str]:
        """What can run here, for people."""
        return [f"Python {self.means.programs.python.version}", "Node.js"]
