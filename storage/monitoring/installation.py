"""What is wrong with how the server is set up: its secret, its certificate, what must not be on."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from django.conf import settings

from storage.findings import Finding, Level

_KEY_CHARACTERS, _KEY_DIFFERENT = 32, 8
# `serve` makes the certificate anew at a start long before this.
_ENDS_SOON_DAYS = 30


def find_problems() -> list[Finding]:
    """Nothing is asked but files and settings."""
    found = []
    key = settings.SECRET_KEY
    if len(key) < _KEY_CHARACTERS or len(set(key)) < _KEY_DIFFERENT:
        found.append(
            Finding(
                "secret_key_weak",
                "bad",
                "HOMEPORT_SECRET_KEY is short enough to be guessed, and who knows it can sign in as anybody.",
                f"Set another of {_KEY_CHARACTERS} random characters or more; everybody has to sign in again then.",
            )
        )
    if settings.DEBUG:
        found.append(
            Finding(
                "debug_on",
                "warn",
                "HOMEPORT_DEBUG is on: pages of errors show code and settings to whoever meets them.",
                "Take it out of the server's settings, and start it again.",
            )
        )
    return found + _certificates()


def _certificates() -> list[Finding]:
    found = []
    for name, what_to_do in (
        ("server.pem", "Start the server again: it makes a new one then."),
        (
            "ca.pem",
            "Move “tls” out of the data folder and start the server again: clients have to trust the new authority.",
        ),
    ):
        ends_at = _ends_at(settings.DATA / "tls" / name)
        if ends_at is None or (days := (ends_at - datetime.now(UTC)).days) >= _ENDS_SOON_DAYS:
            continue
        whose = "The certificate for https" if name == "server.pem" else "The authority that clients trust for https"
        when = f"ends in {days} days" if days >= 0 else f"ended on {ends_at:%Y-%m-%d}"
        level: Level = "warn" if days >= 0 else "bad"
        found.append(Finding("certificate_ends", level, f"{whose} {when}.", what_to_do))
    return found


def _ends_at(path: Path) -> datetime | None:
    """None where there is none that can be read; `serve` looks after that."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
