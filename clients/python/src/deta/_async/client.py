"""AsyncBase, under the names that code for the original client imports: `_AsyncBase` for types, `AsyncBase` to call."""

from __future__ import annotations

from typing import Any, Optional, Union

from deta.base import BASE_TTL_ATTTRIBUTE, FetchResponse, Util, insert_ttl
from deta.base import AsyncBase as _AsyncBase
from deta.deta import AsyncBase
from deta.utils import _get_project_key_id

_ASYNC_CLIENT_DATA_TYPE = Union[dict[str, Any], list[Any], str, int, bool]
_ASYNC_CLIENT_RESPONSE_TYPE = Optional[Any]

__all__ = [
    "BASE_TTL_ATTTRIBUTE",
    "AsyncBase",
    "FetchResponse",
    "Util",
    "_AsyncBase",
    "_get_project_key_id",
    "insert_ttl",
]
