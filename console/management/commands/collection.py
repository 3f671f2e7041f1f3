"""`manage.py collection create|list`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from storage.collections import collections
from storage.errors import StorageError


class Command(BaseCommand):
    help = "Make collections and list them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="Make a collection; its id stands alone on the last line.")
        create.add_argument("name")
        actions.add_parser("list", help="One collection a line: id, when it was made, name.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "create":
                made = collections.create_collection(options["name"])
                self.stdout.write(f"Made the collection {made.name}. Its id:")
                self.stdout.write(made.id)
            else:
                for collection in collections.list_collections():
                    self.stdout.write(f"{collection.id}  {collection.created_at:%Y-%m-%d %H:%M}  {collection.name}")
        except StorageError as error:
            raise CommandError(". ".join(error.messages)) from error
