"""`deta base`: the items of a collection's Bases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import click

from deta.cli import exact_json
from deta.cli.bases import queries
from deta.cli.bases.editing import edit_items
from deta.cli.bases.exporting import export_items
from deta.cli.bases.importing import import_items
from deta.cli.errors import CliError
from deta.cli.exact_json import BadJson
from deta.cli.options import as_json
from deta.cli.place import Place, with_place
from deta.cli.says import say, say_json, warn
from deta.cli.shown import amount, confirm, say_item, say_line, say_table, size
from deta.errors import KeyExists
from deta.items import Items, to_expires


@click.group(epilog="Example: deta base query users '{age?gt: 30}'")
def command() -> None:
    """Read and write items, from the shell."""


@command.command("ls", epilog="Example: deta base ls users --prefix a")
@click.argument("base", required=False)
@click.option("--prefix", default="", help="Only keys that begin with this.")
@as_json
@with_place
def list_(base: Optional[str], prefix: str, is_json: bool, place: Place) -> None:
    """List the Bases of the collection, or the keys of one."""
    if base is None:
        found = place.server.get(place.path("bases"))["bases"]
        if is_json:
            say_json(found)
        else:
            rows = [(each["name"], amount(each["items"]), size(each["size_bytes"])) for each in found]
            say_table(("BASE", "ITEMS", "SIZE"), rows)
        return
    text = exact_json.dump({"key?pfx": prefix}) if prefix else ""
    keys = (str(item["key"]) for item in queries.items(place, place.base(base), text))
    if is_json:
        say_json(list(keys))
        return
    for key in keys:
        say(key if key.isprintable() else exact_json.dump(key))


@command.command(epilog="Example: deta base get users ada")
@click.argument("base")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@with_place
def get(base: str, keys: tuple[str, ...], place: Place) -> None:
    """Print items as JSON: one indented, several one to a line."""
    at = place.base(base)
    missing = []
    for key in keys:
        item = at.call(at.items.get(key))
        if item is None:
            missing.append(key)
        elif len(keys) == 1:
            say_item(item)
        else:
            say_line(item)
    if missing:
        if base not in place.names("bases"):
            raise place.lacks("bases", base)
        known = ", ".join(f"“{key}”" for key in missing)
        raise CliError(f"Base “{base}” has no item with the key {known}")


@command.command(epilog="""Example: deta base put users '{"key": "ada", "age": 36}'""")
@click.argument("base")
@click.argument("item", metavar="[ITEM]", required=False, default="-")
@click.option("--key", help="The item's key, in place of its own.")
@click.option("--new", "is_new", is_flag=True, help="Refuse when there is an item with this key.")
@click.option("--expire-in", type=click.IntRange(0), metavar="SECONDS", help="Let the item go after so long.")
@with_place
def put(base: str, item: str, key: Optional[str], is_new: bool, expire_in: Optional[int], place: Place) -> None:
    """Store ITEM, a JSON object, or what comes on standard input (`-`). Prints it as it was stored, with its key."""
    given = _read_item(item)
    if key is not None:
        given["key"] = key
    expires = to_expires(expire_in, None)
    if expires is not None:
        given["__expires"] = expires
    at = place.base(base)
    if is_new:
        try:
            say_item(at.call(at.items.insert(given)))
        except KeyExists:
            raise CliError(f"Base “{base}” has an item with the key “{given.get('key')}” already") from None
        return
    stored = at.call(at.items.put([given]))
    if stored.failed:
        raise CliError("An attribute of the item has no name; nothing was stored")
    say_item(stored.processed[0])


@command.command(epilog="Example: deta base rm users ada grace")
@click.argument("base")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--query", "text", metavar="QUERY", help="Delete all that this finds, in the language of the query bar.")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask.")
@with_place
def rm(base: str, keys: tuple[str, ...], text: Optional[str], is_sure: bool, place: Place) -> None:
    """Delete items. An item that is not there counts as deleted."""
    if bool(keys) == (text is not None):
        raise click.UsageError("Say which: keys, or --query")
    at = place.base(base)
    if text is not None:
        keys = tuple(str(item["key"]) for item in queries.items(place, at, text))
        if keys:
            confirm(f"Delete {len(keys):,} items of “{base}”?", is_sure=is_sure)
    elif base not in place.names("bases"):
        raise place.lacks("bases", base)
    for key in keys:
        at.call(Items(at.items.label).delete(key))
    warn(f"Deleted {len(keys):,} {'item' if len(keys) == 1 else 'items'}")


@command.command(epilog="Example: deta base query users '{age?gt: 30}' --limit 10")
@click.argument("base")
@click.argument("words", metavar="[QUERY]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="Print so many items at most.")
@click.option("--desc", "is_descending", is_flag=True, help="From the last key to the first.")
@click.option("--count", "is_count", is_flag=True, help="Print only how many there are.")
@as_json
@with_place
def query(
    base: str,
    words: tuple[str, ...],
    limit: Optional[int],
    is_descending: bool,
    is_count: bool,
    is_json: bool,
    place: Place,
) -> None:
    """Print the items that QUERY finds, one to a line; without QUERY all of them.

    QUERY is what the query bar of the console takes: words to search for, or a query, in JSON or as one types it. `-` reads it
    from standard input.
    """
    found = queries.items(place, place.base(base), read_query(words), limit=limit, descending=is_descending)
    if is_count:
        say(str(sum(1 for _ in found)))
    elif is_json:
        _say_list(found)
    else:
        for item in found:
            say_line(item)


@command.command(epilog="Example: deta base export users -o users.csv")
@click.argument("base")
@click.argument("words", metavar="[QUERY]...", nargs=-1)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, allow_dash=True), default="-", help="The file to write."
)
@click.option("--format", "kind", type=click.Choice(["jsonl", "json", "csv"]), help="By default as the file is called.")
@with_place
def export(base: str, words: tuple[str, ...], output: Path, kind: Optional[str], place: Place) -> None:
    """Write the items that QUERY finds, all of them without one, as JSON lines, a JSON list, or CSV."""
    export_items(place, base, read_query(words), output=output, kind=kind)


@command.command("import", epilog="Example: deta base import users users.csv --key email")
@click.argument("base")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--format", "kind", type=click.Choice(["jsonl", "json", "csv"]), help="By default as the file is called.")
@click.option("--key", metavar="COLUMN", help="The column, or attribute, whose value is the key.")
@click.option(
    "--type", "types", multiple=True, metavar="COLUMN=TYPE", help="A column's: text, number, boolean or json."
)
@click.option(
    "--way",
    type=click.Choice(["update", "merge", "add", "replace"]),
    help="Of items that are there: set the attributes in the file (the usual way of CSV), replace whole items (of JSON), leave"
    " them, or delete all that the file has not.",
)
@click.option("--resume", "is_resumed", is_flag=True, help="Go on where an import of this file was broken off.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Read everything, and store nothing.")
@with_place
def import_(
    base: str,
    source: Path,
    kind: Optional[str],
    key: Optional[str],
    types: tuple[str, ...],
    way: Optional[str],
    is_resumed: bool,
    is_dry: bool,
    place: Place,
) -> None:
    """Store the items of FILE (`-` is standard input), of any number: CSV, JSON, JSON lines, or what other databases export.

    The server reads the file and says what it took it for. An item without a key gets one that is the same each time, so that
    an import may be broken off and run again: nothing is doubled. What breaks a rule is listed and left out.
    """
    chosen = dict(map(_read_type, types))
    how = {"is_resumed": is_resumed, "is_dry": is_dry}
    import_items(place, base, source, kind=kind, key=key, types=chosen, way=way, **how)


@command.command(epilog="Example: deta base edit users '{age?gt: 30}'")
@click.argument("base")
@click.argument("words", metavar="[QUERY]...", nargs=-1)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Load so many items at most."
)
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Save without asking.")
@with_place
def edit(base: str, words: tuple[str, ...], limit: int, is_sure: bool, place: Place) -> None:
    """Open the items that QUERY finds in $EDITOR, show what changed, and save it when you say so.

    An item that is taken out is deleted, one that is added is new. What somebody else changed meanwhile is refused.
    """
    edit_items(place, base, read_query(words), limit=limit, is_sure=is_sure)


def _read_type(text: str) -> tuple[str, str]:
    name, _, kind = text.rpartition("=")
    if not name or kind not in ("text", "number", "boolean", "json"):
        raise click.UsageError(f"“{text}” is not COLUMN=TYPE, where TYPE is text, number, boolean or json")
    return name, kind


def read_query(words: tuple[str, ...]) -> str:
    """The text of a query, of the command line or of standard input."""
    return sys.stdin.read() if words == ("-",) else " ".join(words)


def _read_item(text: str) -> dict[str, Any]:
    try:
        value = exact_json.parse(sys.stdin.read() if text == "-" else text)
    except BadJson as error:
        raise CliError(f"The item is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CliError("The item is not a JSON object")
    return value


def _say_list(items: Iterator[Any]) -> None:
    """A JSON list, written as the items come."""
    count = 0
    for item in items:
        click.echo((",\n\t" if count else "[\n\t") + exact_json.dump(item), nl=False)
        count += 1
    say("\n]" if count else "[]")
