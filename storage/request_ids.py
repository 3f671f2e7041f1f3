"""The id of the request that a thread answers, and the name of the job that it does: for log entries, and for answers.

Whoever begins a piece of work says what it is; what works on its behalf finds it here, in the same thread or in one that was
handed its context.
"""

import random
import re
from contextvars import ContextVar

_TAKEN = re.compile(r"[A-Za-z0-9._-]{1,128}+")

# Empty where no request is answered, and where no job is done.
request_id: ContextVar[str] = ContextVar("request_id", default="")
job: ContextVar[str] = ContextVar("job", default="")


def new_request_id() -> str:
    """An id that no other request has: 32 hexadecimal digits. It is no secret."""
    return f"{random.getrandbits(128):032x}"


def is_request_id(text: str) -> bool:
    """Whether an id that somebody else made can be one: 1 to 128 letters, digits and `.`, `_`, `-`, all of ASCII."""
    return _TAKEN.fullmatch(text) is not None
