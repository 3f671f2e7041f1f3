"""`manage.py collection create|list`."""

from typing import Any

from django.core.management.base import CommandParser

from console.management.recorded import RecordedCommand
from storage.collections import collections


class Command(RecordedCommand):
    help = "Create and list collections."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="Create a collection. The last line of the output is its id.")
        create.add_argument("name")
        actions.add_parser("list", help="List the collections, one per line: id, creation time, name.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "create":
            made = collections.create_collection(options["name"])
            self.stdout.write(f"Created the collection {made.name}. Its id:")
            self.stdout.write(made.id)
        else:
            for collection in collections.list_collections():
                self.stdout.write(f"{collection.id}  {collection.created_at:%Y-%m-%d %H:%M}  {collection.name}")
