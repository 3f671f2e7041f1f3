"""`deta key`: the data keys by which apps come in."""

from __future__ import annotations

from typing import Any, Optional

import click

from deta.cli.errors import CliError
from deta.cli.options import as_json
from deta.cli.place import Place, with_place
from deta.cli.says import say, say_json, warn
from deta.cli.shown import confirm, say_table


@click.group(epilog="Example: deta key create my-app")
def command() -> None:
    """List, make and revoke data keys."""


@command.command("ls", epilog="Example: deta key ls")
@click.option("-a", "--all", "with_revoked", is_flag=True, help="Those that were revoked too.")
@as_json
@with_place
def list_(with_revoked: bool, is_json: bool, place: Place) -> None:
    """List the data keys of the collection."""
    found = [each for each in _keys(place) if with_revoked or each["revoked_at"] is None]
    if is_json:
        say_json(found)
        return
    rows = [
        (each["key"], each["name"], _rights(each), _day(each["expires_at"]), _day(each["last_used_at"]))
        for each in found
    ]
    say_table(("KEY", "NAME", "RIGHTS", "EXPIRES", "LAST USED"), rows)


@command.command(epilog="Example: deta key create my-app --read-only --base users --days 30")
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It may not write.")
@click.option("--base", "bases", multiple=True, metavar="NAME", help="Only this Base; may be said several times.")
@click.option("--drive", "drives", multiple=True, metavar="NAME", help="Only this Drive; may be said several times.")
@click.option("--days", type=click.IntRange(1), help="For how long it is good; by default for good.")
@click.option("--requests-per-second", type=click.IntRange(1), metavar="N", help="More are refused.")
@click.option("--bytes-per-day", type=click.IntRange(1), metavar="N", help="More are refused.")
@as_json
@with_place
def create(
    name: str,
    read_only: bool,
    bases: tuple[str, ...],
    drives: tuple[str, ...],
    days: Optional[int],
    requests_per_second: Optional[int],
    bytes_per_day: Optional[int],
    is_json: bool,
    place: Place,
) -> None:
    """Make a data key, and print it: this once, as nobody can find it out later."""
    is_limited = bool(bases or drives)
    asked = {
        "name": name,
        "read_only": read_only,
        "bases": list(bases) if is_limited else None,
        "drives": list(drives) if is_limited else None,
        "days": days,
        "requests_per_second": requests_per_second,
        "bytes_per_day": bytes_per_day,
    }
    made = place.server.post(place.path("keys"), asked)
    if is_json:
        say_json(made)
    else:
        say(made["key"])
        warn(f"Data key “{made['name']}” created ({_rights(made)}). It is shown this once: keep it now.")


@command.command(epilog="Example: deta key revoke my-app")
@click.argument("key", metavar="NAME")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask.")
@with_place
def revoke(key: str, is_sure: bool, place: Place) -> None:
    """Revoke a data key, by its name, its id, or as `deta key ls` shows it: it is refused from now on."""
    found = _find(place, key)
    confirm(f"Revoke “{found['name']}” ({found['key']})? Apps that use it are refused at once.", is_sure=is_sure)
    place.server.post(place.path("keys", str(found["id"]), "revoke"))
    warn(f"“{found['name']}” revoked")


def _keys(place: Place) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = place.server.get(place.path("keys"))["keys"]
    return found


def _find(place: Place, wanted: str) -> dict[str, Any]:
    """The key that is meant. Raises CliError for none, and for several of one name."""
    good = [each for each in _keys(place) if each["revoked_at"] is None]
    found = [each for each in good if wanted in (each["name"], each["key"], str(each["id"]))]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"“{each['name']}” ({each['key']})" for each in (found or good)[:20])
    if found:
        raise CliError(f"Several keys are called “{wanted}”: say which by what stands in brackets, {known}")
    raise CliError(f"No key is called “{wanted}”: {f'there are {known}' if known else 'there is none'}")


def _rights(key: dict[str, Any]) -> str:
    scope = [*(key["bases"] or []), *(key["drives"] or [])]
    limits = f" {', '.join(scope)}" if key["bases"] is not None or key["drives"] is not None else ""
    return ("read" if key["read_only"] else "read and write") + limits


def _day(moment: Optional[str]) -> str:
    return moment[:10] if moment else "-"
