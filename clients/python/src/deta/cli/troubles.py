"""The one table from what goes wrong with a server to the sentence that the person reads."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Optional, TypeVar

import httpx

E = TypeVar("E", bound=BaseException)

# The reasons of OpenSSL for a certificate that is out of its time.
_NOT_YET_VALID, _EXPIRED = 9, 10
_HOST_MISMATCH, _ADDRESS_MISMATCH = 62, 64


def describe(url: str, error: httpx.RequestError) -> str:
    """Why there was no answer."""
    certificate = _find(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        return _of_certificate(url, certificate)
    said = str(error)
    if _find(error, socket.gaierror) is not None or "Name or service not known" in said:
        return f"There is no server {url}: nobody knows that name. Is the address right?"
    if isinstance(error, httpx.ConnectTimeout):
        return f"{url} does not answer. Is the address right, and is the server reachable from here?"
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER" in said or "packet length" in said:
        return f"{url} does not speak https there. Is it http://?"
    if isinstance(error, httpx.ConnectError):
        return f"No server answers at {url}. Is the address right, port included, and is the server running?"
    if isinstance(error, httpx.RemoteProtocolError) and url.startswith("http:"):
        return f"{url} does not speak http there, or broke off. Is it https://?"
    if isinstance(error, httpx.TimeoutException):
        return f"{url} did not answer in time. Try again."
    return f"The connection to {url} broke. Try again."


def is_lasting(error: httpx.RequestError) -> bool:
    """Whether trying again at once is of no use: a certificate, or a name that nobody knows."""
    return _find(error, ssl.SSLError) is not None or _find(error, socket.gaierror) is not None


def messages(response: httpx.Response) -> tuple[str, ...]:
    """What the server says is wrong, in its own words."""
    try:
        value = response.json()
    except ValueError:
        return ()
    errors = value.get("errors") if isinstance(value, dict) else None
    return tuple(map(str, errors)) if isinstance(errors, list) else ()


def refusal(url: str, response: httpx.Response, errors: tuple[str, ...], *, has_token: bool) -> str:
    """Why the server did not do it. The server's first message is a word for programs where another one follows."""
    status = response.status_code
    said = ". ".join(errors[1:] or errors)
    if 300 <= status < 400:
        return f"{url} leads elsewhere, to {response.headers.get('Location', 'nowhere')}. Is the address right, https included?"
    if not errors and status in (502, 503, 504):
        return f"{url} cannot answer now (HTTP {status}). Try again in a while."
    if not errors:
        return foreign(url, status)
    if status == 401 and not has_token:
        return f"You are not signed in to {url}: run `deta login`"
    if status == 401:
        return f"{said}: sign in to {url} again with `deta login`"
    return said


def foreign(url: str, status: int) -> str:
    """Something answers that is not a Homeport server, or one that does not know what was asked."""
    return f"{url} does not answer as a Homeport server does (HTTP {status}). Is the address right, port included?"


def _of_certificate(url: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        now = datetime.now(timezone.utc)
        return (
            f"The certificate of {url} is not valid at this time. This machine's clock says {now:%Y-%m-%d %H:%M} UTC:"
            " is that right?"
        )
    if error.verify_code in (_HOST_MISMATCH, _ADDRESS_MISMATCH):
        return f"The certificate of {url} is for another name. Is the address right?"
    return (
        f"This machine does not trust the certificate of {url}. If the server made it itself, download homeport-ca.pem"
        " from a collection's Connect page, and sign in with `deta login --ca homeport-ca.pem`, or set SSL_CERT_FILE to its path"
    )


def _find(error: BaseException, kind: type[E]) -> Optional[E]:
    return next((each for each in _causes(error) if isinstance(each, kind)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from."""
    seen: set[int] = set()
    left: list[Optional[BaseException]] = [error]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, each.__context__]
