"""`deta logout`."""

from __future__ import annotations

from typing import Optional

import click

from deta.cli import options, tokens
from deta.cli.errors import CliError, ServerError
from deta.cli.says import say
from deta.cli.server import Server


@click.command(epilog="Example: deta logout")
@click.option("--server", "server_url", metavar="URL", help="The server to sign out of.")
def command(server_url: Optional[str]) -> None:
    """Sign out of a server: its token is revoked there and forgotten here."""
    url = options.choose_url(server_url)
    kept = tokens.find(url)
    if kept is None:
        raise CliError(f"You are not signed in to {url}")
    tokens.forget(url)
    try:
        tokens.trust(url, kept)
        with Server(url, kept.token) as server:
            server.delete("token")
    except ServerError as error:
        # 401: it had ended already.
        if error.status != 401:
            raise _not_revoked(error) from None
    except CliError as error:
        raise _not_revoked(error) from None
    say(f"Logged out of {url}")


def _not_revoked(error: CliError) -> CliError:
    return CliError(f"The token is forgotten here, but not revoked: do that on your account page. {error}")
