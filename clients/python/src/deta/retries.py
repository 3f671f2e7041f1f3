"""Whether to try again, and when.

A request that may be made twice is repeated after a broken connection and after 502, 503 and 504. Any other one is repeated
only when it never left: when no connection could be made.
"""

from __future__ import annotations

import email.utils
import random
import time
from dataclasses import dataclass
from typing import Optional, Union

import httpx

from deta.errors import ConnectionFailed, MayHaveBeenApplied
from deta.wire import Reply, Request

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 8.0
# A server that asks for more patience than this is answered for by an error that says so.
_RETRY_AFTER_MAX_SECONDS = 30.0
_BUSY = (502, 503, 504)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


@dataclass(frozen=True)
class Failure:
    """A try without an answer. It keeps the words of the cause, not the cause: that one knows the request's headers."""

    text: str
    was_sent: bool
    is_hopeless: bool = False


def describe(error: httpx.RequestError) -> Failure:
    """What a failure of the HTTP library means for us."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        text = f"the server's certificate is not trusted; SSL_CERT_FILE names the authority to trust ({text})"
        return Failure(text, was_sent=False, is_hopeless=True)
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
        text = f"the server does not speak https there; is it http:// in the address? ({text})"
        return Failure(text, was_sent=False, is_hopeless=True)
    return Failure(
        text, was_sent=not isinstance(error, _NEVER_SENT), is_hopeless=isinstance(error, httpx.UnsupportedProtocol)
    )


class Attempts:
    """The tries of one request."""

    def __init__(self, request: Request, retries: int) -> None:
        self.is_doubtful = False
        self._request = request
        self._retries = retries if request.retries is None else request.retries
        self._made = 0

    def after(self, outcome: Union[Reply, Failure]) -> Optional[float]:
        """Seconds to wait before the next try, or None when the reply counts.

        Raises ConnectionFailed and MayHaveBeenApplied when there was no reply and there is no next try.
        """
        return self._after_failure(outcome) if isinstance(outcome, Failure) else self._after_reply(outcome)

    def _after_failure(self, failure: Failure) -> float:
        if failure.was_sent and not self._request.is_repeatable:
            raise MayHaveBeenApplied(
                f"{self._request.what}: the connection broke before the answer came ({failure.text}). It may have been"
                " applied, and applying it twice could change the result, so it was not tried again"
            )
        self.is_doubtful |= failure.was_sent
        delay = None if failure.is_hopeless else self._next_delay()
        if delay is None:
            tries = "1 try" if self._made <= 1 else f"{self._made} tries"
            raise ConnectionFailed(f"{self._request.what}: no answer after {tries} ({failure.text})")
        return delay

    def _after_reply(self, reply: Reply) -> Optional[float]:
        if reply.status not in _BUSY:
            return None
        if not self._request.is_repeatable:
            raise MayHaveBeenApplied(
                f"{self._request.what}: the server answered {reply.status}, which does not say whether it was applied."
                " Applying it twice could change the result, so it was not tried again",
                status=reply.status,
            )
        asked = _retry_after(reply)
        delay = self._next_delay() if asked <= _RETRY_AFTER_MAX_SECONDS else None
        if delay is None:
            return None
        self.is_doubtful = True
        return max(asked, delay)

    def starts_over(self) -> None:
        """There was progress: count anew."""
        self._made = 0

    def _next_delay(self) -> Optional[float]:
        """Anything up to an exponentially growing bound, so that many clients don't come back together."""
        self._made += 1
        if self._made > self._retries:
            return None
        bound = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** (self._made - 1))
        return random.uniform(0, bound)  # noqa: S311 (spreads load, guards nothing)


def _retry_after(reply: Reply) -> float:
    """What the header asks for in seconds, given as a number or as a date."""
    text = reply.headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, IndexError):
        return 0.0
