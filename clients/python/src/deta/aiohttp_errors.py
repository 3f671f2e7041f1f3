"""What the server refuses in `await`ed calls, for code that catches what the original's asynchronous client raised.

That client was made of aiohttp. Where aiohttp is installed, an error is its `ClientResponseError` as well.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Optional

from deta.errors import ResponseError


def for_aiohttp(error: ResponseError) -> ResponseError:
    """The same error, in a class that `except aiohttp.ClientResponseError` catches, if there is aiohttp."""
    of: Any = type(error)
    kind = _kind_of(of)
    if kind is None:
        return error
    from aiohttp import RequestInfo
    from multidict import CIMultiDict, CIMultiDictProxy
    from yarl import URL

    made: Any = kind(str(error), status=error.status, errors=error.errors, answer=error.answer)
    url = URL(error.answer.url, encoded=True)
    # Not the headers that were sent: the data key is among them.
    made.request_info = RequestInfo(url, error.answer.method, CIMultiDictProxy(CIMultiDict()), url)
    made.history = ()
    made.message = error.msg
    return made  # type: ignore[no-any-return]


@cache
def _kind_of(kind: Any) -> Optional[type[ResponseError]]:
    try:
        from aiohttp import ClientResponseError
    except ImportError:
        return None
    return type(kind.__name__, (kind, ClientResponseError), {"__module__": kind.__module__, "__reduce__": _reduce})


def _reduce(error: Any) -> tuple[Any, ...]:
    """In another process it is what it was before aiohttp came in."""
    made = ResponseError.__reduce__(error)
    return made[0], (type(error).__bases__[0], *made[1][1:])
