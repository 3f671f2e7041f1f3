"""The operations on a Drive that only the command has: lists with hashes, and uploads that can be gone on with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Optional

from deta.cli import exact_json
from deta.cli.bases.item_calls import read_object
from deta.cli.drives.plan import RemoteFile
from deta.wire import JSON_HEADERS, Call, Reply, Request, quote_segment

_END_SECONDS = 300.0


class FilesPage(NamedTuple):
    """Files in the order of their names, and the name to go on from (empty: there are no more)."""

    files: list[RemoteFile]
    last: str


class OpenUpload(NamedTuple):
    """An upload, how long its parts are in bytes, and the MD5s of those that are there, by number."""

    id: str
    part_size: int
    there: dict[int, str]


@dataclass(frozen=True)
class DriveCalls:
    """The operations on one Drive, below its address in `/cli`; `label` is how errors call it."""

    label: str

    def list(self, prefix: str, last: str) -> Call[FilesPage]:
        path = f"/files?prefix={quote_segment(prefix)}&last={quote_segment(last)}"
        return Call(Request("GET", path, f"list of {self.label}"), _read_files)

    def start(self, name: str, *, size: int, fingerprint: str, content_type: Optional[str]) -> Call[OpenUpload]:
        asked = {"name": name, "size": size, "fingerprint": fingerprint, "content_type": content_type}
        what = f"start of an upload to {self.label}"
        return Call(Request("POST", "/uploads", what, exact_json.encode(asked), JSON_HEADERS), _read_upload)

    def part(self, upload: str, number: int, content: bytes) -> Call[str]:
        what = f"part {number} of an upload to {self.label}"
        path = f"/uploads/{quote_segment(upload)}/parts/{number}"
        return Call(Request("PUT", path, what, content), lambda reply: str(read_object(reply)["number"]))

    def end(self, upload: str) -> Call[str]:
        """The hash of the file that came of it."""
        path = f"/uploads/{quote_segment(upload)}/end"
        request = Request("POST", path, f"end of an upload to {self.label}", read_seconds=_END_SECONDS)
        return Call(request, lambda reply: str(read_object(reply)["hash"]))


def _read_files(reply: Reply) -> FilesPage:
    answer = read_object(reply)
    files = [
        RemoteFile(file["name"], int(file["size"]), file["hash"], tuple((int(a), int(b)) for a, b in file["parts"]))
        for file in answer["files"]
    ]
    return FilesPage(files, answer.get("last") or "")


def _read_upload(reply: Reply) -> OpenUpload:
    answer = read_object(reply)
    there = {int(part["number"]): part["hash"] for part in answer["parts"]}
    return OpenUpload(answer["id"], int(answer["part_size"]), there)
