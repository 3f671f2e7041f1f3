"""Settings whose text has a form of its own: each is read here, or refused with a sentence that says what it should be.

A refusal does not repeat an address that may hold a password.
"""

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvError, validate

from storage.names import is_text
from storage.postgres import addresses

# No setting: a mark of `serve` for its processes.
OF_MANY = "HOMEPORT_THROUGH_POOLER"
_OURS = re.compile(r"HOMEPORT_\w+|S3_\w+|DATABASE_URL")
# One label after another, as a certificate takes them; a dot at the front stands for all names below.
_HOST_NAME = re.compile(r"(?=.{1,253}$)\.?[A-Za-z0-9_]([\w-]{0,61}\w)?(\.\w([\w-]{0,61}\w)?)*", re.ASCII)
# What the owner may choose in the console.
_NOT_SET = None
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PATH_PART = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What the first part of an address may be, without a prefix: a request below one of these could be meant in two ways.
OWN_PATHS = frozenset(
    (
        "account",
        "api-reference",
        "audit",
        "clients",
        "cli",
        "collections",
        "deploy",
        "domains",
        "enter",
        "healthz",
        "join",
        "jump",
        "metrics",
        "people",
        "readyz",
        "s",
        "server",
        "sign-in",
        "sign-out",
        "static",
        "terminal",
        "tokens",
        "v1",
        "welcome",
    )
)
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def check_texts() -> None:
    """Raises EnvError for a setting that is no text in this system's encoding."""
    for name, value in os.environ.items():
        if _OURS.fullmatch(name) and not is_text(value):
            raise _wrong(name, "it is not UTF-8")


def read_database(env: Env, name: str = "DATABASE_URL") -> dict[str, Any]:
    """DATABASE_URL, or another setting like it, as Django's settings of a database, empty without one. Raises EnvError."""
    text = env.str(name, "")
    if not text:
        return {}
    try:
        return addresses.read(text)
    except addresses.AddressError as error:
        raise _wrong(name, str(error)) from None


def read_direct_database(env: Env) -> dict[str, Any]:
    """HOMEPORT_DIRECT_DATABASE_URL likewise, which is another way to the same database. Raises EnvError."""
    name = "HOMEPORT_DIRECT_DATABASE_URL"
    found = read_database(env, name)
    if found and not env.str("DATABASE_URL", ""):
        raise _wrong(name, "it leads past the pooler that DATABASE_URL leads to, which is not set")
    return found


def is_of_many() -> bool:
    """Whether `serve` has started this process as one of those that have many connections to the database."""
    return OF_MANY in os.environ


def read_proxies(env: Env) -> list[str]:
    """HOMEPORT_TRUSTED_PROXIES: addresses and networks, never everybody. Raises EnvError."""
    found = _trimmed(env.list("HOMEPORT_TRUSTED_PROXIES", []))
    for each in found:
        if each == "*" or (_is_network(each) and ip_network(each).prefixlen == 0):
            # Anybody could then say to be at any address, which is what limits on tries and the audit log go by.
            raise _wrong(
                "HOMEPORT_TRUSTED_PROXIES", f"“{each}” would believe everybody: name the proxies' own addresses"
            )
        if not _is_address(each) and not ("/" in each and _is_network(each)):
            sentence = f"“{each}” is neither an address nor a network, such as 127.0.0.1 or 10.0.0.0/8"
            raise _wrong("HOMEPORT_TRUSTED_PROXIES", sentence)
    return found


def read_reachable(env: Env) -> list[str]:
    """HOMEPORT_MICROS_MAY_REACH: addresses and networks. Raises EnvError."""
    found = _trimmed(env.list("HOMEPORT_MICROS_MAY_REACH", []))
    for each in found:
        if not _is_address(each) and not ("/" in each and _is_network(each)):
            sentence = f"“{each}” is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/8"
            raise _wrong("HOMEPORT_MICROS_MAY_REACH", sentence)
    return found


def read_hosts(env: Env) -> list[str]:
    """HOMEPORT_ALLOWED_HOSTS: names and addresses, without scheme and port. Raises EnvError."""
    found = _trimmed(env.list("HOMEPORT_ALLOWED_HOSTS", []))
    for each in found:
        bare = each[1:-1] if each.startswith("[") and each.endswith("]") else each
        if each != "*" and not _HOST_NAME.fullmatch(each) and not _is_address(bare):
            raise _wrong(
                "HOMEPORT_ALLOWED_HOSTS", f"“{each}” is not a host name: write it without scheme, port and path"
            )
    return found


def read_url_prefix(env: Env) -> str:
    """HOMEPORT_URL_PREFIX: `/a` or `/a/b`, empty for none. Raises EnvError."""
    text = env.str("HOMEPORT_URL_PREFIX", "").strip().strip("/")
    if not text:
        return ""
    for part in text.split("/"):
        if not _PATH_PART.fullmatch(part) or part in (".", ".."):
            raise _wrong("HOMEPORT_URL_PREFIX", "write a path of letters, digits, “.”, “_” and “-”, such as /homeport")
    first = text.partition("/")[0]
    if first in OWN_PATHS:
        raise _wrong("HOMEPORT_URL_PREFIX", f"this server has pages of its own below /{first}: choose another path")
    return f"/{text}"


def read_backup_plan(env: Env) -> dict[str, Any]:
    """HOMEPORT_BACKUP_TARGET and how often: each None where it is not set. Raises EnvError."""
    return {
        "target": env.str("HOMEPORT_BACKUP_TARGET", _NOT_SET),
        "every_hours": env.int("HOMEPORT_BACKUP_EVERY_HOURS", _NOT_SET, validate=validate.Range(1, 744)),
        "full_every_days": env.int("HOMEPORT_BACKUP_FULL_EVERY_DAYS", _NOT_SET, validate=validate.Range(1, 365)),
        "keep_days": env.int("HOMEPORT_BACKUP_KEEP_DAYS", _NOT_SET, validate=validate.Range(1, 3_650)),
        "drill_every_days": env.int("HOMEPORT_BACKUP_DRILL_EVERY_DAYS", _NOT_SET, validate=validate.Range(0, 365)),
    }


def read_backup_s3(env: Env) -> dict[str, str]:
    """How the S3 of a target is reached: HOMEPORT_BACKUP_S3_*. Raises EnvError."""
    endpoint = env.str("HOMEPORT_BACKUP_S3_ENDPOINT_URL", "").rstrip("/")
    if endpoint and not _is_http_address(endpoint):
        raise _wrong("HOMEPORT_BACKUP_S3_ENDPOINT_URL", "write http://host:port or https://host")
    return {
        "endpoint_url": endpoint,
        "region": env.str("HOMEPORT_BACKUP_S3_REGION", "us-east-1"),
        "access_key": env.str("HOMEPORT_BACKUP_S3_ACCESS_KEY_ID", ""),
        "secret_key": env.str("HOMEPORT_BACKUP_S3_SECRET_ACCESS_KEY", ""),
    }


def read_webhook(env: Env) -> str:
    """HOMEPORT_BACKUP_WEBHOOK: empty for none. Raises EnvError."""
    url = env.str("HOMEPORT_BACKUP_WEBHOOK", "")
    if url and not _is_http_address(url):
        raise _wrong("HOMEPORT_BACKUP_WEBHOOK", "write an address that begins with https:// or http://")
    return url


def read_second_place(env: Env) -> tuple[str, dict[str, str]]:
    """HOMEPORT_SNAPSHOT_TARGET, empty for none, and HOMEPORT_SNAPSHOT_S3_*, by which an S3 is reached. Raises EnvError."""
    target = env.str("HOMEPORT_SNAPSHOT_TARGET", "").strip()
    access = {
        "endpoint_url": env.str("HOMEPORT_SNAPSHOT_S3_ENDPOINT_URL", "").rstrip("/"),
        "region": env.str("HOMEPORT_SNAPSHOT_S3_REGION", "us-east-1"),
        "access_key": env.str("HOMEPORT_SNAPSHOT_S3_ACCESS_KEY_ID", ""),
        "secret_key": env.str("HOMEPORT_SNAPSHOT_S3_SECRET_ACCESS_KEY", ""),
    }
    if access["endpoint_url"] and not _is_http_address(access["endpoint_url"]):
        raise _wrong("HOMEPORT_SNAPSHOT_S3_ENDPOINT_URL", "write http://host:port or https://host")
    if target.startswith("s3://"):
        if not target.removeprefix("s3://").split("/")[0]:
            raise _wrong("HOMEPORT_SNAPSHOT_TARGET", "write s3://bucket/prefix")
        if not access["access_key"] or not access["secret_key"]:
            raise _wrong(
                "HOMEPORT_SNAPSHOT_TARGET",
                "an S3 needs HOMEPORT_SNAPSHOT_S3_ACCESS_KEY_ID and HOMEPORT_SNAPSHOT_S3_SECRET_ACCESS_KEY",
            )
    elif target and not target.startswith("/"):
        raise _wrong("HOMEPORT_SNAPSHOT_TARGET", "write a whole path, such as /backup/snapshots, or s3://bucket/prefix")
    return target, access


def read_domains(env: Env) -> list[str]:
    """HOMEPORT_OIDC_DOMAINS: domains of e-mail addresses, in lower case; empty for all of them. Raises EnvError."""
    text = env.str("HOMEPORT_OIDC_DOMAINS", "").strip()
    found = [each.strip().lower().removeprefix("@") for each in text.split(",")] if text else []
    for each in found:
        # An empty one would be that of everybody who has no address.
        if not _HOST_NAME.fullmatch(each) or each.startswith("."):
            raise _wrong("HOMEPORT_OIDC_DOMAINS", f"“{each}” is not a domain, such as example.com")
    return found


def read_host(env: Env) -> str:
    """HOMEPORT_HOST, an address or a name. Raises EnvError."""
    host = env.str("HOMEPORT_HOST", "127.0.0.1")
    if not _is_address(host.strip("[]")) and not _HOST_NAME.fullmatch(host):
        raise _wrong("HOMEPORT_HOST", "write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them")
    return host


def read_ports(env: Env) -> tuple[int, int]:
    """HOMEPORT_PORT and HOMEPORT_TLS_PORT. Raises EnvError."""
    range_of_ports = validate.Range(min=0, max=65535)
    http = env.int("HOMEPORT_PORT", 8000, validate=range_of_ports)
    https = env.int("HOMEPORT_TLS_PORT", 8443, validate=range_of_ports)
    if http == https != 0:
        raise _wrong("HOMEPORT_TLS_PORT", "it is the same port as HOMEPORT_PORT")
    return http, https


def read_log_file(env: Env, data: Path) -> Path | None:
    """HOMEPORT_LOG_FILE, relative to the data folder; None without one. Raises EnvError when its folder is not there."""
    name = env.str("HOMEPORT_LOG_FILE", "")
    if not name:
        return None
    path = data / Path(name).expanduser()
    if path.is_dir() or (path.parent != data and not path.parent.is_dir()):
        raise _wrong(
            "HOMEPORT_LOG_FILE", f"{path} is a folder" if path.is_dir() else f"there is no folder {path.parent}"
        )
    return path


def read_s3(env: Env) -> tuple[str, str, str]:
    """S3_ENDPOINT_URL, S3_BUCKET and S3_REGION; the first is empty without one. Raises EnvError."""
    endpoint = env.str("S3_ENDPOINT_URL", "")
    bucket, region = env.str("S3_BUCKET", "homeport"), env.str("S3_REGION", "us-east-1")
    if endpoint and not _is_http_address(endpoint):
        raise _wrong("S3_ENDPOINT_URL", "write http://host:port or https://host")
    if not _BUCKET.fullmatch(bucket):
        raise _wrong("S3_BUCKET", "a bucket's name has letters, digits, “.”, “_” and “-”")
    if not _REGION.fullmatch(region):
        raise _wrong("S3_REGION", "a region's name has letters, digits and “-”")
    return endpoint, bucket, region


def read_filer(env: Env) -> str:
    """HOMEPORT_SEAWEEDFS_FILER_URL, empty without one. Raises EnvError."""
    filer = env.str("HOMEPORT_SEAWEEDFS_FILER_URL", "")
    if filer and not _is_http_address(filer):
        raise _wrong("HOMEPORT_SEAWEEDFS_FILER_URL", "write http://host:port or https://host")
    return filer


def _trimmed(listed: list[str]) -> list[str]:
    return [each.strip() for each in listed if each.strip()]


def _is_http_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        return (
            parts.scheme in ("http", "https")
            and parts.port != 0
            and (_is_address(host) or bool(_HOST_NAME.fullmatch(host)))
        )
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _wrong(name: str, sentence: str) -> EnvError:
    return EnvError(f'Environment variable "{name}" invalid: {sentence}')
