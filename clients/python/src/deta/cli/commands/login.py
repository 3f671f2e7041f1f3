"""`deta login`: the person allows this terminal in a browser, and the token that comes of it is kept."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import platform
import secrets
import socket
import time
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

import click

from deta.cli import browser, options, tokens
from deta.cli.errors import CliError, ServerError
from deta.cli.says import say, warn
from deta.cli.server import Server

# Between two questions whether the person has answered.
_POLL_SECONDS = 1.0
# In a row, before it is given up.
_MOST_FAILURES = 30
_NAME_MAX_CHARACTERS = 100


@click.command(epilog="Example: deta login --server https://home.example.org")
@click.option("--server", "server_url", metavar="URL", help="The server to sign in to.")
@click.option(
    "--ca",
    "certificate",
    type=click.Path(path_type=Path),
    help="The certificate of the server's own authority, as its Connect page gives it away.",
)
@click.option("--no-browser", is_flag=True, help="Only print the page's address; open it on any device.")
def command(server_url: Optional[str], certificate: Optional[Path], no_browser: bool) -> None:
    """Sign in to a server. Nothing is typed here: a page of the server asks you in the browser."""
    url = options.choose_url(server_url)
    tokens.list_servers()  # a damaged file is told before anybody is asked anything
    authority = tokens.keep_authority(url, certificate) if certificate else ""
    if authority:
        os.environ["SSL_CERT_FILE"] = authority
    if url.startswith("http:") and not _is_local(url):
        warn(f"Warning: {url} is not encrypted. Whoever can read the network on the way can read your access token.")
    with Server(url) as server:
        _check_is_homeport(server)
        verifier = secrets.token_urlsafe(32)
        challenge = hashlib.sha256(verifier.encode()).hexdigest()
        asked = server.post("sign-ins", {"challenge": challenge, "device": _device_name()})
        say("Please, log in from the web page. Waiting...")
        say(asked["page"])
        warn(f"The page shows a code. Allow it only if it is {asked['code']}")
        if not no_browser:
            browser.open_page(asked["page"])
        made = _wait(server, asked["id"], verifier)
    tokens.keep(url, tokens.Kept(made["token"], made["person"], made["expires_at"], authority))
    say("Logged in successfully.")
    if os.environ.get("DETA_ACCESS_TOKEN"):
        warn("Warning: DETA_ACCESS_TOKEN is set, and is used in place of this sign-in.")


def _check_is_homeport(server: Server) -> None:
    try:
        answer = server.get("")
    except ServerError as error:
        if error.status != 404:
            raise
        answer = {}
    if answer.get("server") != "homeport":
        raise CliError(
            f"{server.url} is not the address of a Homeport server. Write it as the Connect page does, with its port"
        )


def _wait(server: Server, sign_in_id: str, verifier: str) -> dict[str, Any]:
    """The token, once the person has allowed it; the server says when it is too late."""
    failed = 0
    while True:
        try:
            answer = server.post(f"sign-ins/{sign_in_id}/token", {"verifier": verifier})
            failed = 0
        except CliError as error:
            # The server is busy or restarts, or the network is away for a moment: the person may still answer.
            failed += 1
            is_passing = not isinstance(error, ServerError) or error.status in (429, 502, 503, 504)
            if not is_passing or failed > _MOST_FAILURES:
                raise
            answer = {}
        if "token" in answer:
            return answer
        time.sleep(_POLL_SECONDS)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _device_name() -> str:
    """What the page and the account page call this terminal."""
    name = socket.gethostname() or platform.node() or "a terminal"
    shown = "".join(each for each in name if each.isprintable())
    return shown[:_NAME_MAX_CHARACTERS].strip() or "a terminal"
