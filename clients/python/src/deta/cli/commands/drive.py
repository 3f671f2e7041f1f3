"""`deta drive`: the files of a collection's Drives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import click

from deta.cli.drives import local_files, transfers
from deta.cli.drives.plan import RemoteFile
from deta.cli.drives.syncing import Wishes, sync_folders
from deta.cli.drives.transfers import Sender
from deta.cli.errors import CliError
from deta.cli.options import as_json
from deta.cli.place import DrivePlace, Place, with_place
from deta.cli.says import progress, say, say_json, warn
from deta.cli.shown import amount, confirm, say_table, size
from deta.errors import DetaError, FileChanged, NotFound
from deta.files import DELETE_MANY_MAX

_CHUNK_BYTES = 262_144


@click.group(epilog="Example: deta drive sync ./photos photos:2024")
def command() -> None:
    """Read and write files, from the shell."""


@command.command("ls", epilog="Example: deta drive ls photos 2024/")
@click.argument("drive", required=False)
@click.argument("prefix", required=False, default="")
@click.option("-l", "--long", "is_long", is_flag=True, help="With size, time of the last change, and hash.")
@click.option("-r", "--recursive", is_flag=True, help="What is in folders too.")
@as_json
@with_place
def list_(drive: Optional[str], prefix: str, is_long: bool, recursive: bool, is_json: bool, place: Place) -> None:
    """List the Drives of the collection, or the files and folders of one, behind a PREFIX such as `2024/`."""
    if drive is None:
        found = place.server.get(place.path("drives"))["drives"]
        if is_json:
            say_json(found)
        else:
            rows = [(each["name"], amount(each["files"]), size(each["size_bytes"])) for each in found]
            say_table(("DRIVE", "FILES", "SIZE"), rows)
        return
    if drive not in place.names("drives"):
        raise place.lacks("drives", drive)
    if is_long or is_json:
        _say_files(place, drive, prefix, is_json=is_json)
        return
    for name in place.drive(drive).drive.list_all(prefix, recursive=recursive):
        say(name)


@command.command(epilog="Example: deta drive get photos 2024/cat.jpg -o cat.jpg")
@click.argument("drive")
@click.argument("name")
@click.option("-o", "--output", help="The file to write; `-` is standard output. By default the last part of the name.")
@with_place
def get(drive: str, name: str, output: Optional[str], place: Place) -> None:
    """Fetch a file. Broken off and run again, it goes on where it was."""
    at = place.drive(drive)
    if output == "-":
        _write_out(place, at, name)
        return
    target = Path(output) if output else Path(name.rpartition("/")[2])
    if output and target.is_dir():
        target = target / name.rpartition("/")[2]
    if not output or Path(output).is_dir():
        why = local_files.why_unsafe(target.name)
        if why:
            raise CliError(f"“{name}” can't be a file's name here, as {why}: say one with --output")
    file = _find(place, at, name)
    try:
        with progress(f"Fetching {name}", file.size) as moved:
            transfers.fetch(at.drive, file, target, moved=moved)
    except FileChanged as error:
        raise CliError(f"“{name}”: {error}") from None
    except OSError as error:
        if isinstance(error, DetaError):
            raise
        raise CliError(f"{target} cannot be written: {error.strerror or error}") from None


@command.command(epilog="Example: deta drive put photos cat.jpg --to 2024/")
@click.argument("drive")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--name", help="What the file is to be called; needed for `-`, standard input.")
@click.option("--to", "folder", metavar="FOLDER", default="", help="The folder in the Drive.")
@click.option("--type", "content_type", help="The content type; by default the server goes by the name.")
@with_place
def put(
    drive: str, files: tuple[Path, ...], name: Optional[str], folder: str, content_type: Optional[str], place: Place
) -> None:
    """Store files, replacing those of the same names. A large one goes in parts, and on where it was broken off."""
    if name is not None and len(files) > 1:
        raise click.UsageError("--name is for one file")
    at = place.drive(drive)
    if files == (Path("-"),):
        if name is None:
            raise click.UsageError("Standard input has no name: say one with --name")
        at.drive.put(_below(folder, name), sys.stdin.buffer, content_type=content_type)
        return
    place.server.post(place.path("drives"), {"name": drive})
    sender = Sender(at.client, root=at.root, cli_root=at.cli_root, label=f"Drive “{drive}”")
    for path in files:
        wanted = _below(folder, name if name is not None else path.name)
        try:
            if not path.is_file():
                raise CliError(f"{path} is not a file" if path.exists() else f"{path} is not there")
            # A link that somebody names is followed; those inside a folder are not.
            real = path.resolve()
            with progress(f"Sending {path.name}", real.stat().st_size) as moved:
                sender.send(real, wanted, moved=moved, content_type=content_type)
        except FileChanged as error:
            raise CliError(f"{path}: {error}") from None
        except OSError as error:
            if isinstance(error, DetaError):
                raise
            raise CliError(f"{path} cannot be read: {error.strerror or error}") from None
    warn(f"Stored {len(files):,} {'file' if len(files) == 1 else 'files'} in “{drive}”")


@command.command(epilog="Example: deta drive rm photos 2024/cat.jpg")
@click.argument("drive")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("-r", "--recursive", is_flag=True, help="NAME is a folder: delete all that is in it.")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask.")
@with_place
def rm(drive: str, names: tuple[str, ...], recursive: bool, is_sure: bool, place: Place) -> None:
    """Delete files. One that is not there counts as deleted."""
    if drive not in place.names("drives"):
        raise place.lacks("drives", drive)
    at = place.drive(drive)
    chosen = list(names)
    if recursive:
        chosen = [found for name in names for found in at.drive.list_all(f"{name.rstrip('/')}/")]
        if chosen:
            confirm(f"Delete {len(chosen):,} files of “{drive}”?", is_sure=is_sure)
    failed: dict[str, Any] = {}
    for start in range(0, len(chosen), DELETE_MANY_MAX):
        failed.update(at.drive.delete_many(chosen[start : start + DELETE_MANY_MAX]).get("failed", {}))
    deleted = len(chosen) - len(failed)
    warn(f"Deleted {deleted:,} {'file' if deleted == 1 else 'files'}")
    if failed:
        raise CliError("; ".join(f"“{name}”: {why}" for name, why in failed.items()))


@command.command(epilog="Example: deta drive sync ./photos photos:2024")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--delete", is_flag=True, help="Delete at TO what is not at FROM.")
@click.option("-n", "--dry-run", "is_dry", is_flag=True, help="Print what would be done: + new, ~ changed, - deleted.")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask before deleting.")
@as_json
@with_place
def sync(source: str, target: str, delete: bool, is_dry: bool, is_sure: bool, is_json: bool, place: Place) -> None:
    """Make the folder TO like the folder FROM. One of them is in a Drive, written NAME: or NAME:folder.

    Only what differs is moved, by the hash of its bytes. Broken off and run again, it goes on where it was. Symbolic links
    are not followed, and names that lead out of the folder are refused.
    """
    sync_folders(place, source, target, Wishes(delete, is_dry, is_sure, is_json))


def _say_files(place: Place, drive: str, prefix: str, *, is_json: bool) -> None:
    files = _list(place.drive(drive), prefix)
    if is_json:
        say_json([{"name": file.name, "size": file.size, "hash": file.hash} for file in files])
        return
    say_table(("SIZE", "HASH", "NAME"), [(size(file.size), file.hash, file.name) for file in files])


def _list(at: DrivePlace, prefix: str) -> Iterator[RemoteFile]:
    last = ""
    while True:
        page = at.ask(at.calls.list(prefix, last))
        yield from page.files
        last = page.last
        if not last:
            return


def _find(place: Place, at: DrivePlace, name: str) -> RemoteFile:
    try:
        for file in _list(at, name):
            if file.name == name:
                return file
            break
    except NotFound:
        raise place.lacks("drives", at.name) from None
    raise CliError(f"Drive “{at.name}” has no file “{name}”")


def _write_out(place: Place, at: DrivePlace, name: str) -> None:
    body = at.drive.get(name)
    if body is None:
        _find(place, at, name)
        raise CliError(f"Drive “{at.name}” has no file “{name}”")
    with body:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def _below(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name
