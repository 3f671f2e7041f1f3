"""What goes into an app's environment: its `.env`, for each client, complete."""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from console.connect.addresses import Addresses

# Whose the lines are.
TITLES = {
    "javascript": "JavaScript",
    "python": "Python",
    "python_original": "Python, with the original client or libraries made of requests",
    "go": "Go",
}

_TRUST = ("SSL_CERT_FILE",)


def environments(at: Addresses, *, key_text: str, authority: Path | str) -> dict[str, str]:
    """The lines for each client that can reach this server, by its name in `TITLES`.

    `authority` is the file with the certificate to trust, which is named where this server made its own.
    """
    found = {"python": _lines(key_text, [("HOMEPORT_URL", at.safe_origin)], () if at.is_trusted else _TRUST, authority)}
    endpoint = f"{at.tls_origin}/v1"
    go = [("DETA_BASE_ROOT_ENDPOINT", endpoint), ("DETA_DRIVE_ROOT_ENDPOINT", endpoint)]
    own = at.is_own_authority
    if at.tls_host:
        found["javascript"] = _lines(key_text, _hosts(at.tls_host), ("NODE_EXTRA_CA_CERTS",) if own else (), authority)
        both = (*_TRUST, "REQUESTS_CA_BUNDLE") if own else ()
        found["python_original"] = _lines(key_text, _hosts(at.host_alone), both, authority)
    found["go"] = _lines(key_text, go, _TRUST if own else (), authority)
    return {name: found[name] for name in TITLES if name in found}


def authority_for(*, sees_files: bool) -> Path | str:
    """Where this machine keeps its files is its owners' to know; others write where they saved the certificate."""
    return settings.DATA / "tls" / "ca.pem" if sees_files else "homeport-ca.pem"


def _hosts(host: str) -> list[tuple[str, str]]:
    return [("DETA_BASE_HOST", host), ("DETA_DRIVE_HOST", host)]


def _lines(key_text: str, address: Iterable[tuple[str, str]], trust: Iterable[str], authority: Path | str) -> str:
    """Variables a line each; `trust` are those that name the authority."""
    variables = [("DETA_PROJECT_KEY", key_text), *address, *((name, str(authority)) for name in trust)]
    return "\n".join(f"{name}={value}" for name, value in variables)
