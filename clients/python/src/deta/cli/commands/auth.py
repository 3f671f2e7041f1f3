"""`deta auth`: who gets in to a Micro, and its API keys."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Optional

import click

from deta.cli.errors import CliError
from deta.cli.micro import Micro, with_micro
from deta.cli.project_files import find_files
from deta.cli.says import say, say_json, warn


@click.group(epilog='Example: deta auth create-api-key --name agent1 --desc "api key for agent 1"')
def command() -> None:
    """Say who may call a Micro, and make API keys for programs that do."""


@command.command(epilog="Example: deta auth enable")
@with_micro
def enable(micro: Micro) -> None:
    """Let in people of the collection, and programs with an API key."""
    micro.change({"http_auth": "enabled"})
    say("Successfully enabled http auth")


@command.command(epilog="Example: deta auth disable")
@with_micro
def disable(micro: Micro) -> None:
    """Let anybody in."""
    micro.change({"http_auth": "disabled"})
    say("Successfully disabled http auth")


@command.command("create-api-key", epilog="Example: deta auth create-api-key --name agent1 --outfile ../agent1.json")
@click.option("-n", "--name", required=True, help="What the key is called.")
@click.option("-d", "--desc", default="", help="What it is for.")
@click.option("-o", "--outfile", metavar="FILE", help="A file to keep it in, which only you can read.")
@with_micro
def create_api_key(micro: Micro, name: str, desc: str, outfile: Optional[str]) -> None:
    """Make an API key, which programs send as X-API-Key. It is shown this once."""
    place = None if outfile is None else micro.folder / outfile
    if place is not None:
        _check_place(place)
    made = micro.server.post(micro.path("keys"), {"name": name, "description": desc})
    say("THE FOLLOWING API-KEY WILL ONLY BE SHOWN ONCE.")
    if place is None:
        say("Please, copy it and keep it in a safe place.")
    else:
        say("Please, keep the file in a safe place. Creating file...")
    say_json(made)
    if place is not None:
        _save(place, made)
        say(f"Saved to file '{place}'")
        if any(each.path.resolve() == place.resolve() for each in find_files(micro.folder, warn=lambda _: None)):
            warn(f"Warning: the next deployment would take '{place}' along. Move it out of this folder.")


# The original's guide calls it so.
command.add_command(
    click.Command(
        "create-key",
        params=create_api_key.params,
        callback=create_api_key.callback,
        help=create_api_key.help,
        epilog=create_api_key.epilog,
        hidden=True,
    )
)


@command.command("list-api-keys", epilog="Example: deta auth list-api-keys | jq -r '.[].name'")
@with_micro
def list_api_keys(micro: Micro) -> None:
    """Show the API keys, and when each was used last, as JSON. Their secrets are nowhere."""
    say_json(micro.server.get(micro.path("keys"))["keys"])


@command.command("delete-api-key", epilog="Example: deta auth delete-api-key --name agent1")
@click.option("-n", "--name", required=True, help="The key's name.")
@click.option("-d", "--desc", hidden=True, help="The original took one, too.")
@with_micro
def delete_api_key(micro: Micro, name: str, desc: Optional[str]) -> None:
    """Revoke an API key: requests with it are refused from now on."""
    micro.server.delete(micro.path("keys"), params={"name": name})
    say(f"Successfully deleted api key '{name}'")


def _check_place(path: Path) -> None:
    """Before there is a key that could not be kept."""
    if path.exists():
        raise CliError(f"'{path}' is there already: nothing was made")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise CliError(f"Nothing can be written to '{path.parent}': nothing was made")


def _save(path: Path, value: dict[str, Any]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(value, indent="\t", ensure_ascii=False))
    except OSError as error:
        raise CliError(f"'{path}' can't be written: {error.strerror}. Copy the key from above") from None
