"""`manage.py datakey create|list|limit|revoke`."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from console.management.recorded import RecordedCommand
from storage.collections import keys
from storage.models import DataKey
from storage.postgres import clock


class Command(RecordedCommand):
    help = "Create, list, limit and revoke data keys."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser(
            "create", help="Create a data key. The last line of the output is the key, which is not shown again."
        )
        create.add_argument("collection_id")
        create.add_argument("name", help="for example, the app that uses it")
        create.add_argument("--read-only", action="store_true")
        create.add_argument("--base", action="append", metavar="NAME", help="only this Base; can be repeated")
        create.add_argument("--drive", action="append", metavar="NAME", help="only this Drive; can be repeated")
        create.add_argument("--days", type=float, help="how many days it is valid; default: until it is revoked")
        _add_limits(create, "default: no limit")
        limit = actions.add_parser("limit", help="Change the limits of a data key, within two seconds.")
        limit.add_argument("collection_id")
        limit.add_argument("key_id", type=int, help="the id that `datakey list` shows")
        _add_limits(limit, "left out: no limit from now on")
        listing = actions.add_parser("list", help="List the data keys, one per line.")
        listing.add_argument("collection_id")
        revoke = actions.add_parser("revoke", help="Revoke a data key. Its next request is refused.")
        revoke.add_argument("collection_id")
        revoke.add_argument("key_id", type=int, help="the id that `datakey list` shows")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        chosen = options["base"] or options["drive"]
        made = keys.create_key(
            collection_id=options["collection_id"],
            name=options["name"],
            can_write=not options["read_only"],
            # Once some are named, the key is good for the named ones alone.
            base_names=options["base"] or ([] if chosen else None),
            drive_names=options["drive"] or ([] if chosen else None),
            expires_at=clock.now() + timedelta(days=options["days"]) if options["days"] else None,
            requests_per_second=options["requests_per_second"],
            bytes_per_day=options["bytes_per_day"],
        )
        self.stdout.write(f"Created the data key {made.data_key.name}. Copy it now, it is not shown again:")
        self.stdout.write(made.text)

    def _list(self, options: dict[str, Any]) -> None:
        for data_key in keys.list_keys(options["collection_id"]):
            self.stdout.write(_line(data_key))

    def _limit(self, options: dict[str, Any]) -> None:
        names = ("collection_id", "key_id", "requests_per_second", "bytes_per_day")
        keys.set_limits(**{name: options[name] for name in names})
        self.stdout.write("Changed. It takes effect within two seconds.")

    def _revoke(self, options: dict[str, Any]) -> None:
        keys.revoke_key(collection_id=options["collection_id"], key_id=options["key_id"])
        self.stdout.write("Revoked.")


def _add_limits(parser: CommandParser, otherwise: str) -> None:
    parser.add_argument("--requests-per-second", type=int, metavar="N", help=f"more are answered 429; {otherwise}")
    parser.add_argument("--bytes-per-day", type=int, metavar="N", help=f"of requests and answers together; {otherwise}")


def _line(data_key: DataKey) -> str:
    rights = "read-write" if data_key.can_write else "read-only"
    for kind, chosen in (("Bases", data_key.base_names), ("Drives", data_key.drive_names)):
        if chosen is not None:
            rights += f", {kind} {' '.join(chosen) or 'none'}"
    if data_key.requests_per_second is not None:
        rights += f", {data_key.requests_per_second:,} requests a second"
    if data_key.bytes_per_day is not None:
        rights += f", {data_key.bytes_per_day:,} bytes a day"
    state = "good"
    if data_key.revoked_at:
        state = f"revoked {data_key.revoked_at:%Y-%m-%d %H:%M}"
    elif data_key.expires_at:
        state = f"until {data_key.expires_at:%Y-%m-%d %H:%M}"
    return f"{data_key.id}  {data_key.secret_start}...{data_key.secret_end}  {state}  {rights}  {data_key.name}"
