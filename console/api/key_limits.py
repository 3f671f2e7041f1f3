"""The limits of a data key around a request: asked before it is performed, its bytes counted after it."""

import math

from console.api.replies import Response
from console.api.request import ApiRequest
from console.error_status import TooManyBytes, TooManyRequests
from console.streams import received_bytes
from storage import engine_waits
from storage.collections import key_limits
from storage.collections.key_limits import Allowance
from storage.postgres.caller import Access


def check(caller: Access) -> Allowance | None:
    """Take a request of the caller's key, if that has limits. A person who asks by hand has none.

    Raises TooManyRequests, TooManyBytes, Unauthorized (no such key) and EngineUnreachable.
    """
    if caller.key_digest is None:
        return None
    allowance = key_limits.find_allowance(caller.key_digest)
    if allowance is None:
        return None
    engine_waits.will_wait()
    if wait := allowance.wait_for_bytes():
        raise TooManyBytes(allowance.bytes_per_day or 0, wait_seconds=math.ceil(wait))
    if wait := allowance.take_request():
        raise TooManyRequests(allowance.requests_per_second or 0, wait_seconds=math.ceil(wait))
    return allowance


def count(request: ApiRequest, response: Response) -> None:
    """Count the bytes of the request's body, if it was taken in, and of the answer's, as it announces them."""
    if request.allowance is not None:
        answered = 0 if request.method == "HEAD" else int(response.headers.get("Content-Length") or 0)
        request.allowance.count_bytes(received_bytes(request.META) + answered)


def give_back(request: ApiRequest) -> None:
    """It was not answered and comes again: with its body, or to other threads."""
    if request.allowance is not None:
        request.allowance.give_back_request()
