"""`manage.py person list|reset-password|make-owner|reset-second-factor`."""

import secrets
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from console.accounts.second_factor import factors
from console.accounts.throttle import forget_tries_at
from console.management.recorded import RecordedCommand
from storage.collections import people

# Of a new password: no letter or digit that is taken for another one, and enough of them that nobody guesses it.
_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_CHARACTERS = 4, 5


class Command(RecordedCommand):
    help = "List people, and help those who cannot sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser(
            "list",
            help="List people, one per line: name, whether they own the server, how they sign in, and when last.",
        )
        password = actions.add_parser(
            "reset-password",
            help="Give a person a new password, and end their sessions and access tokens. The last line of the output is the"
            " password, which is not shown again.",
        )
        owner = actions.add_parser("make-owner", help="Make a person an owner of the server.")
        factor = actions.add_parser(
            "reset-second-factor",
            help="Forget a person's authenticator app, passkeys and recovery codes, and end their sessions.",
        )
        for action in (password, owner, factor):
            action.add_argument("name", help="the name that the person signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            second = factors.kinds_by_person()
            for person in people.list_people():
                self.stdout.write(_line(person, second.get(person.pk, "")))
            return
        person = people.find_person_by_name(options["name"])
        getattr(self, f"_{options['action'].replace('-', '_')}")(person)

    def _reset_password(self, person: User) -> None:
        password = _make_password()
        person.set_password(password)
        people.set_password(person=person)
        forget_tries_at(person)
        self.stdout.write(f"{person.username} has a new password, and is signed out everywhere.")
        if factors.has_second_factor(person):
            self.stdout.write(
                "Two-factor sign-in is asked for as before; `person reset-second-factor` is for who has lost that, too."
            )
        self.stdout.write("Copy it now, it is not shown again; the account page changes it:")
        self.stdout.write(password)

    def _make_owner(self, person: User) -> None:
        was_made = people.make_owner(person=person)
        said = "owns the server now." if was_made else "owns the server already."
        self.stdout.write(f"{person.username} {said}")

    def _reset_second_factor(self, person: User) -> None:
        had_any = factors.reset(None, person)
        self.stdout.write(
            "Reset. The password alone signs in now." if had_any else "There was nothing to reset. Sessions are ended."
        )


def _line(person: User, second: str) -> str:
    """`second` are the second factors in words."""
    owns = "owns the server" if person.is_superuser else "does not own it"
    ways = ", ".join(filter(None, ("password" if person.has_usable_password() else "no password", second)))
    last = f"signed in {person.last_login:%Y-%m-%d %H:%M}" if person.last_login else "never signed in"
    return f"{person.username}  {owns}  {ways}  {last}"


def _make_password() -> str:
    groups = ("".join(secrets.choice(_CHARACTERS) for _ in range(_GROUP_CHARACTERS)) for _ in range(_GROUPS))
    return "-".join(groups)
