"""The data key and the server's addresses, from arguments and the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Union
from urllib.parse import quote, urlsplit

from deta.errors import InvalidArgument, InvalidType


class DataKey:
    """A data key that is only visible through `text`."""

    __slots__ = ("_text", "project_id")

    def __init__(self, text: str, project_id: str) -> None:
        self._text = text
        self.project_id = project_id

    @property
    def text(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<DataKey of {self.project_id}>"

    def __reduce__(self) -> Union[str, tuple[object, ...]]:
        raise TypeError("A data key cannot be pickled: create a Deta in each process")


@dataclass(frozen=True)
class Options:
    """The client's timeout and retries. `timeout` is in seconds for each wait on the network, not for a call as a whole."""

    timeout: float = 30.0
    retries: int = 4


def read_key(
    project_key: Optional[str], project_id: Optional[str], environment: Mapping[str, str] = os.environ
) -> DataKey:
    """The key of the argument, else of `DETA_PROJECT_KEY`; raises InvalidArgument, never with the key in it."""
    text = project_key or environment.get("DETA_PROJECT_KEY")
    if text is not None and not isinstance(text, str):
        raise InvalidType("The project key is not a string")
    text = (text or "").strip()
    if not text:
        raise InvalidArgument("No project key: pass one to Deta(), or set DETA_PROJECT_KEY")
    # Anything else would fail inside the HTTP library, with the key in the message.
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise InvalidArgument("The project key contains invalid characters")
    project_id = project_id or text.split("_")[0]
    if project_id == text:
        raise InvalidArgument("Bad project key provided: a data key is the collection's id, `_`, and a secret")
    return DataKey(text, project_id)


def service_root(
    service: str, name: str, *, host: Optional[str], project_id: str, environment: Mapping[str, str] = os.environ
) -> str:
    """`https://host/v1/project/name` of a Base or a Drive; `service` is "BASE" or "DRIVE".

    The host is the argument, else `DETA_BASE_HOST` or `DETA_DRIVE_HOST`, else `HOMEPORT_URL`. One without a scheme is
    spoken to over https. Raises InvalidArgument.
    """
    if not isinstance(name, str) or not name:
        raise InvalidArgument(f"A {service.title()} needs a name")
    variable = f"DETA_{service}_HOST"
    address = (host or environment.get(variable) or environment.get("HOMEPORT_URL") or "").strip()
    if not address:
        raise InvalidArgument(f"No server address: set HOMEPORT_URL (or {variable}) to its address")
    if "://" not in address:
        address = f"https://{address}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InvalidArgument("The server's address is not valid: write host, host:port, or http(s)://host:port")
    if parts.username is not None:
        raise InvalidArgument("The server's address contains a user name: remove it, the data key is enough")
    path = parts.path.rstrip("/")
    path = path[: -len("/v1")] if path.endswith("/v1") else path
    return f"{parts.scheme}://{parts.netloc}{path}/v1/{quote(project_id, safe='')}/{quote(name, safe='')}"
