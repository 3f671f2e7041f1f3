"""`manage.py token create|list|revoke`."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from console.management.recorded import RecordedCommand
from storage import limits
from storage.access_tokens import tokens
from storage.models import AccessToken


class Command(RecordedCommand):
    help = "Create, list and revoke people's access tokens, which the command deta signs in with where there is no browser."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser(
            "create",
            help="Create an access token of a person. The last line of the output is the token, which is not shown again.",
        )
        create.add_argument("person", help="the name that the person signs in with")
        create.add_argument("--name", default="CI", help="what uses it, as the account page lists it; default: CI")
        create.add_argument(
            "--days",
            type=float,
            default=limits.ACCESS_TOKEN_DAYS,
            help=f"how many days it is valid; default: {limits.ACCESS_TOKEN_DAYS}",
        )
        listing = actions.add_parser("list", help="List a person's access tokens that are valid, one per line.")
        listing.add_argument("person")
        revoke = actions.add_parser("revoke", help="Revoke an access token. Its next request is refused.")
        revoke.add_argument("person")
        revoke.add_argument("token_id", type=int, help="the id that `token list` shows")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["person"]).first()
        if person is None:
            raise CommandError(f"Nobody has the name {options['person']}")
        getattr(self, f"_{options['action']}")(person, options)

    def _create(self, person: User, options: dict[str, Any]) -> None:
        made = tokens.create_token(person=person, name=options["name"], days=options["days"])
        until = f"{made.token.expires_at:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"Created an access token of {person.username}, valid until {until}.")
        self.stdout.write("Copy it now, it is not shown again:")
        self.stdout.write(made.text)

    def _list(self, person: User, options: dict[str, Any]) -> None:
        for token in tokens.list_tokens(person.pk):
            self.stdout.write(_line(token))

    def _revoke(self, person: User, options: dict[str, Any]) -> None:
        tokens.revoke_token(person_id=person.pk, token_id=options["token_id"])
        self.stdout.write("Revoked.")


def _line(token: AccessToken) -> str:
    used = f"used {token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never used"
    made, until = f"{token.created_at:%Y-%m-%d %H:%M}", f"{token.expires_at:%Y-%m-%d %H:%M}"
    return f"{token.pk}  {token.prefix}...  made {made}  {used}  until {until}  {token.name}"
