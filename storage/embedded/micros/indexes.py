"""Where packages come from: what this machine's pip and npm are set up with, for the tools inside a build's sandbox.

Those see none of the machine's files: addresses on the network are passed on by environment, folders on this disk are not.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from storage.embedded.micros.tool_output import output_of

# Where pip looks when nobody says otherwise, as uv does: the index, and the host that it sends its readers to for files.
_PIPS_OWN = "from pip._internal.models.index import PyPI; print(PyPI.simple_url, f'https://{PyPI.file_storage_domain}')"

# pip's setting -> uv's variable, and what is between several.
_OF_PIP = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
}


@dataclass(frozen=True, slots=True)
class Indexes:
    """`environment` for uv and npm; `hosts` (`name` or `name:port`) are what a build may reach, private ones among them."""

    environment: Mapping[str, str]
    hosts: frozenset[str]


def find_indexes(node: Path, npm: Path) -> Indexes:
    """Ask pip, uv's environment and npm. Takes about a second."""
    environment = {**_of_pip(_read_pip()), **_of_uv(os.environ), **_of_npm(node, npm)}
    hosts = {_host(word) for value in environment.values() for word in value.replace(",", " ").split()}
    if "UV_DEFAULT_INDEX" not in environment:
        hosts |= usual_hosts()
    return Indexes(environment, frozenset(hosts - {""}))


def usual_hosts() -> set[str]:
    """Those of the index that pip and uv use when nobody chose another; none where there is no pip to ask."""
    return {_host(word) for word in output_of(sys.executable, "-I", "-c", _PIPS_OWN).split()}


def _read_pip() -> dict[str, str]:
    """pip's settings by name, those of the environment before those of files."""
    listed = output_of(sys.executable, "-m", "pip", "config", "list")
    settings: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                settings[name[len(section) + 1 :]] = " ".join(shlex.split(value))
    return settings


def _of_pip(settings: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, (variable, between) in _OF_PIP.items():
        words = settings.get(name, "").replace("\\n", " ").split()
        kept = [word for word in words if name == "trusted-host" or _is_remote(word)]
        if kept:
            found[variable] = between.join(kept)
    return found


def _of_uv(environment: Mapping[str, str]) -> dict[str, str]:
    """What is set for uv itself says more than what pip has."""
    names = (
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_INDEX_URL",
        "UV_EXTRA_INDEX_URL",
        "UV_INSECURE_HOST",
        "UV_INDEX_STRATEGY",
    )
    return {name: environment[name] for name in names if environment.get(name)}


def _of_npm(node: Path, npm: Path) -> dict[str, str]:
    registry = output_of(str(node), str(npm), "config", "get", "registry").strip()
    return {"npm_config_registry": registry} if _is_remote(registry) else {}


def _is_remote(address: str) -> bool:
    return urlsplit(address).scheme in ("http", "https")


def _host(address: str) -> str:
    """`name` or `name:port` of an address on the network, or an empty text."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
