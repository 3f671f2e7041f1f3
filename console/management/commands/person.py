"""`manage.py person reset-second-factor`."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.accounts.second_factor import factors


class Command(BaseCommand):
    help = "Help people who cannot sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        reset = actions.add_parser(
            "reset-second-factor",
            help="Forget a person's authenticator app, passkeys and recovery codes, and end their sessions.",
        )
        reset.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["name"]).first()
        if person is None:
            raise CommandError(f"Nobody has the name {options['name']}")
        had_any = factors.reset(None, person)
        self.stdout.write(
            "Reset. The password alone signs in now." if had_any else "There was nothing to reset. Sessions are ended."
        )
