"""One server, asked with one access token: every request of the command goes through here, and so does every refusal.

Paths are below `/cli/`, as `console/cli_api/urls.py` of the server lists them. What did not get there is tried again; what may
have been carried out is not.
"""

from __future__ import annotations

import contextlib
import email.utils
import os
import platform
import re
import time
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import Any, Optional
from urllib.parse import quote, urlsplit

import httpx

from deta.cli import troubles
from deta.cli.errors import CliError, ServerError, request_of
from deta.cli.says import warn
from deta.transport import VERSION

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# Before the second and the third try of what did not get there.
_DELAYS = (0.2, 0.8)
_RETRY_AFTER_MAX_SECONDS = 10.0
_CLOCKS_DIFFER_SECONDS = 300
# What every answer of a Homeport server has to such a request.
_MARK = "Homeport"
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class Bearer(httpx.Auth):
    """Adds the token to a request as it leaves, so that it stands among no client's defaults."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Server:
    """A Homeport server. Every method raises CliError, and of a refusal its ServerError, with a sentence for the person."""

    def __init__(self, url: str, token: str = "") -> None:
        if token and not _VISIBLE.fullmatch(token):
            raise CliError("The access token holds characters that none has: sign in again with `deta login`")
        self.url = url
        self.has_token = bool(token)
        # What lets requests to the server's public API below `/cli/v1/` in as this person, too.
        self.bearer = Bearer(token)
        self._told_of_clock = False
        try:
            self._http = httpx.Client(
                base_url=f"{url}/cli/",
                auth=self.bearer,
                timeout=_TIMEOUT,
                headers={"User-Agent": f"deta/{VERSION} python/{platform.python_version()}"},
            )
        except OSError:  # which ssl's errors are, too
            named = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)), None)
            if named is None:
                raise
            raise CliError(f"{named} names {os.environ[named]}, which cannot be read as certificates") from None

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, /, **params: Any) -> dict[str, Any]:
        """The JSON object at a path."""
        return self._object("GET", path, params=params)

    def post(self, path: str, value: Optional[Mapping[str, Any]] = None, **options: Any) -> dict[str, Any]:
        """Send a JSON object (or `content=`, bytes or an iterator of them); what comes back."""
        return self._object("POST", path, value, **options)

    def put(self, path: str, value: Optional[Mapping[str, Any]] = None, **options: Any) -> dict[str, Any]:
        """As `post`."""
        return self._object("PUT", path, value, **options)

    def patch(self, path: str, value: Optional[Mapping[str, Any]] = None, **options: Any) -> dict[str, Any]:
        """As `post`."""
        return self._object("PATCH", path, value, **options)

    def delete(self, path: str, **options: Any) -> dict[str, Any]:
        """As `post`, without anything to send."""
        return self._object("DELETE", path, **options)

    @contextlib.contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """A successful answer whose body is still to come; `iter_bytes` and `iter_lines` read it."""
        response = self._send(method, path, is_stream=True, **options)
        try:
            yield response
        except httpx.RequestError as error:
            raise self._trouble(error) from None
        finally:
            response.close()

    def _object(
        self, method: str, path: str, value: Optional[Mapping[str, Any]] = None, **options: Any
    ) -> dict[str, Any]:
        if value is not None:
            options["json"] = dict(value)
        response = self._send(method, path, **options)
        if not response.content:
            return {}
        found: dict[str, Any] = response.json()
        return found

    def _send(self, method: str, path: str, *, is_stream: bool = False, **options: Any) -> httpx.Response:
        """The successful answer to a request, tried again where it did not get there."""
        is_safe = method in ("GET", "HEAD")
        delays = iter(_DELAYS)
        # What is read from an iterator is there once.
        is_repeatable = isinstance(options.get("content", b""), (bytes, str))
        while True:
            delay = next(delays, None) if is_repeatable else None
            try:
                request = self._http.build_request(method, path, **options)
                response = self._http.send(request, stream=is_stream)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if delay is None or troubles.is_lasting(error):
                    raise self._trouble(error) from None
            except httpx.RequestError as error:
                if delay is None or not is_safe:
                    raise self._trouble(error) from None
            else:
                self._compare_clocks(response)
                if response.is_success and _MARK in response.headers:
                    return response
                if response.is_success:
                    response.close()
                    raise CliError(troubles.foreign(self.url, response.status_code))
                if is_stream:
                    self._read(response)
                asked = _retry_after(response)
                if not is_safe or response.status_code not in (502, 503, 504) or delay is None or asked is None:
                    raise self._refusal(response)
                delay = max(delay, asked)
            time.sleep(delay)

    def _read(self, response: httpx.Response) -> None:
        try:
            response.read()
        except httpx.RequestError as error:
            raise self._trouble(error) from None
        finally:
            response.close()

    def _trouble(self, error: httpx.RequestError) -> CliError:
        return CliError(troubles.describe(self.url, error))

    def _refusal(self, response: httpx.Response) -> CliError:
        errors = troubles.messages(response)
        said = troubles.refusal(self.url, response, errors, has_token=self.has_token)
        said += request_of(response.status_code, response.headers)
        return ServerError(said, status=response.status_code, errors=errors)

    def _compare_clocks(self, response: httpx.Response) -> None:
        """Nothing here goes by this machine's clock; but who reads times, of logs say, should know."""
        try:
            theirs = email.utils.parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
        except (TypeError, ValueError, IndexError):
            return
        off = time.time() - theirs
        if abs(off) > _CLOCKS_DIFFER_SECONDS and not self._told_of_clock:
            self._told_of_clock = True
            warn(
                f"Warning: this machine's clock is {_duration(abs(off))} {'ahead of' if off > 0 else 'behind'} the server's."
            )


def normalise(url: str) -> str:
    """A server's address as it is kept: `https://host[:port]`, http only where it was written. Raises CliError."""
    url = url.strip()
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_host = bool(parts.hostname) and not any(each.isspace() for each in parts.hostname or "")
    if parts.scheme not in ("http", "https") or not is_host or port == -1 or parts.query or parts.fragment:
        raise CliError(f"{url!r} is no server's address: write one such as https://home.example.org")
    if parts.username is not None:
        raise CliError("The server's address holds a user name: leave it out, `deta login` signs you in")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    made = f"{parts.scheme}://{host}{'' if port in (None, usual) else f':{port}'}{parts.path.rstrip('/')}"
    try:
        # Both are asked later on, and raise then what nobody expects there.
        httpx.URL(made).host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        raise CliError(f"{url!r} is no server's address: write one such as https://home.example.org") from None
    return made


def segment(text: str) -> str:
    """Text as one segment of a path, whatever it holds."""
    quoted = quote(text, safe="")
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


def _retry_after(response: httpx.Response) -> Optional[float]:
    """What the header asks for in seconds; None for a longer wait than anybody has."""
    try:
        asked = max(0.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:
        return None
    return asked if asked <= _RETRY_AFTER_MAX_SECONDS else None


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    parts = [f"{hours} hour{'s' if hours > 1 else ''}"] if hours else []
    parts += [f"{rest} minute{'s' if rest > 1 else ''}"] if rest else []
    return " and ".join(parts)
