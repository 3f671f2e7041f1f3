"""The public API asked in this process, without a web server: for errors and headers that none would let through."""

import io
import json
from typing import Any, NamedTuple

from django.contrib.auth.models import User

from console.access import GRANTED_ACCESS
from console.api import handler
from storage.postgres.caller import Access


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(method: str, collection_id: str, path: str, person: User, *, body: bytes = b"", **environ: str) -> Answer:
    """A request to `path` below the collection for a person, as Visor sends one again."""
    path, _, query = path.partition("?")
    asked: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/v1/{collection_id}/{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "wsgi.input": io.BytesIO(body),
        GRANTED_ACCESS: Access(collection_id, person_id=person.pk),
    }
    status, headers, parts = handler.answer(asked | environ)
    return Answer(int(status[:3]), dict(headers), b"".join(parts))
