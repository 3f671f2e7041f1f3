"""What the command asks of an import: the file goes to the server, which tells what it holds and stores it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from deta.cli import exact_json
from deta.cli.bases.item_calls import read_object
from deta.wire import JSON_HEADERS, Call, Reply, Request, quote_segment


def _read(reply: Reply) -> dict[str, Any]:
    """The import, its numbers as numbers: they count bytes and items."""
    read_object(reply)
    answer: dict[str, Any] = json.loads(reply.content)
    return answer


@dataclass(frozen=True)
class ImportCalls:
    """The imports into one Base, below its address in `/cli`; `label` is how errors call it. Each answers with the import."""

    label: str

    def start(self, file_name: str, size: int, key: Optional[str], types: Mapping[str, str]) -> Call[dict[str, Any]]:
        asked: dict[str, Any] = {"file_name": file_name, "size": size, "types": dict(types)}
        if key is not None:
            asked["key"] = key
        return self._call("POST", "/imports", exact_json.encode(asked))

    def part(self, import_id: str, start: int, content: bytes) -> Call[dict[str, Any]]:
        request = Request("PUT", f"{self._at(import_id)}/parts?start={start}", self._what, content)
        return Call(request, _read)

    def show(self, import_id: str) -> Call[dict[str, Any]]:
        return Call(Request("GET", self._at(import_id), self._what), _read)

    def run(self, import_id: str, way: Optional[str]) -> Call[dict[str, Any]]:
        return self._call("POST", f"{self._at(import_id)}/run", exact_json.encode({"way": way}))

    def forget(self, import_id: str) -> Call[dict[str, Any]]:
        return Call(Request("DELETE", self._at(import_id), self._what), _read)

    def _call(self, method: str, path: str, body: bytes) -> Call[dict[str, Any]]:
        return Call(Request(method, path, self._what, body, JSON_HEADERS, is_repeatable=False), _read)

    def _at(self, import_id: str) -> str:
        return f"/imports/{quote_segment(import_id)}"

    @property
    def _what(self) -> str:
        return f"import into {self.label}"
