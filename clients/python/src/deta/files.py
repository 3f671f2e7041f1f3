"""Drive without a connection: every operation as a `Call`, and how data of any kind is cut into parts."""

from __future__ import annotations

import email.utils
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from os import PathLike, fspath, fstat
from pathlib import Path
from typing import IO, Any, Optional, Union

from deta.errors import DetaError, InvalidArgument, InvalidType
from deta.wire import JSON_HEADERS, Call, Reply, Request, dump, error_of, load, quote_segment

Data = Union[str, bytes, bytearray, memoryview, IO[str], IO[bytes]]
Name = Union[str, bytes]
Listing = dict[str, Any]

# A request holds this much at most, and so does a part of an upload.
UPLOAD_CHUNK_SIZE = 10 * 1024 * 1024
PARTS_MAX = 10_000
DELETE_MANY_MAX = 1000
_TEXT_CHARACTERS = 1024 * 1024
_END_SECONDS = 300.0


@dataclass(frozen=True)
class FileStat:
    """What is known of a file without its bytes; `last_modified` is in UTC."""

    name: str
    size: int
    content_type: str
    etag: str
    last_modified: Optional[datetime]


@dataclass(frozen=True)
class Files:
    """The operations on one Drive; `label` is how errors call it."""

    label: str

    def put_whole(self, name: str, content: bytes, content_type: Optional[str]) -> Call[str]:
        headers = _type_header(content_type)
        return Call(
            Request("POST", f"/files?name={quote_segment(name)}", f"put into {self.label}", content, headers),
            _read_name,
        )

    def start(self, name: str, content_type: Optional[str]) -> Call[str]:
        what = f"start of an upload to {self.label}"
        headers = _type_header(content_type)
        return Call(Request("POST", f"/uploads?name={quote_segment(name)}", what, headers=headers), _read_upload_id)

    def part(self, upload: str, name: str, number: int, content: bytes, content_type: Optional[str]) -> Call[int]:
        if number > PARTS_MAX:
            raise InvalidArgument(
                f"More than {PARTS_MAX:,} parts of {UPLOAD_CHUNK_SIZE:,} bytes are too many for one file"
            )
        path = f"/uploads/{quote_segment(upload)}/parts?name={quote_segment(name)}&part={number}"
        what = f"part {number} of an upload to {self.label}"

        def read(reply: Reply) -> int:
            load(reply)
            return len(content)

        return Call(Request("POST", path, what, content, _type_header(content_type)), read)

    def end(self, upload: str, name: str) -> Call[str]:
        path = f"/uploads/{quote_segment(upload)}?name={quote_segment(name)}"
        # The server puts the parts together before it answers.
        request = Request("PATCH", path, f"end of an upload to {self.label}", read_seconds=_END_SECONDS)
        return Call(request, _read_name)

    def abort(self, upload: str, name: str) -> Call[None]:
        path = f"/uploads/{quote_segment(upload)}?name={quote_segment(name)}"
        # A courtesy: what is left of an upload is swept away by the server in any case.
        request = Request("DELETE", path, f"abort of an upload to {self.label}", retries=0)
        return Call(request, _read_nothing)

    def download(self, name: str, *, offset: int = 0, etag: str = "", read_seconds: Optional[float] = None) -> Request:
        """The whole file, or the rest of the one with that ETag."""
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        path, what = f"/files/download?name={quote_segment(name)}", f"get from {self.label}"
        return Request("GET", path, what, headers=headers, read_seconds=read_seconds)

    def stat(self, name: str) -> Call[Optional[FileStat]]:
        request = Request("HEAD", f"/files/download?name={quote_segment(name)}", f"stat in {self.label}")
        return Call(request, lambda reply: _read_stat(reply, name))

    def list(self, limit: Optional[int], prefix: Optional[str], last: Optional[str], recursive: bool) -> Call[Listing]:
        limits = "" if limit is None else f"limit={limit}&"
        folders = "" if recursive else "&recursive=false"
        path = f"/files?{limits}prefix={quote_segment(prefix or '')}&last={quote_segment(last or '')}{folders}"
        return Call(Request("GET", path, f"list of {self.label}"), load)

    def delete(self, name: str) -> Call[str]:
        def read(reply: Reply) -> str:
            failed = load(reply).get("failed", {})
            if failed:
                reason = str(failed.get(name, "failed"))
                raise DetaError(f"Failed to delete '{name}': {reason}", status=reply.status, errors=(reason,))
            return name

        return Call(self._delete_request([name]), read)

    def delete_many(self, names: Sequence[Name]) -> Call[dict[str, Any]]:
        if isinstance(names, (str, bytes)):
            raise InvalidType("delete_many takes a list of names")
        wanted = [checked_name(name) for name in names]
        if not 1 <= len(wanted) <= DELETE_MANY_MAX:
            raise InvalidArgument(f"delete_many takes 1 to {DELETE_MANY_MAX} names, not {len(wanted)}")
        return Call(self._delete_request(wanted), load)

    def _delete_request(self, names: Sequence[str]) -> Request:
        return Request("DELETE", "/files", f"deletion in {self.label}", dump({"names": names}), JSON_HEADERS)


def checked_name(name: Name) -> str:
    """A file's name as text; bytes are UTF-8. Raises InvalidArgument."""
    if isinstance(name, bytes):
        try:
            name = name.decode()
        except UnicodeDecodeError:
            raise InvalidArgument("A file's name is UTF-8") from None
    if not isinstance(name, str):
        raise InvalidType("A file's name is a string")
    if not name:
        raise InvalidArgument("A file's name is not empty")
    return name


def quoted_name(name: Name) -> str:
    """A name as it stands in an address."""
    return quote_segment(checked_name(name))


@contextmanager
def open_parts(
    data: Optional[Data], path: Union[str, PathLike[str], None]
) -> Iterator[tuple[Iterator[bytes], Optional[int]]]:
    """The parts of what is to be stored, one in memory at a time, and its size in bytes if that can be known.

    At least one part comes, of nothing for nothing. A stream is read from where it stands and is closed at the end, as the
    original client does. Raises InvalidArgument for neither or both of `data` and `path`.
    """
    if (data and path) or (data is None and not path):
        raise InvalidArgument("Give either data or path")
    if path:
        with Path(fspath(path)).open("rb") as file:
            yield _parts_of_stream(file), fstat(file.fileno()).st_size
        return
    if isinstance(data, str):
        data = data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        view = memoryview(data).cast("B")
        yield _parts_of_bytes(view), len(view)
        return
    if not hasattr(data, "read"):
        raise InvalidType(f"Data is a str, bytes or a stream, not {type(data).__name__}")
    with_close: Any = data
    try:
        yield _parts_of_stream(with_close), _size_of_stream(with_close)
    finally:
        if hasattr(with_close, "close"):
            with_close.close()


def _parts_of_bytes(view: memoryview) -> Iterator[bytes]:
    for start in range(0, max(len(view), 1), UPLOAD_CHUNK_SIZE):
        yield bytes(view[start : start + UPLOAD_CHUNK_SIZE])


def _parts_of_stream(stream: IO[Any]) -> Iterator[bytes]:
    """Streams may give less than they are asked for, and text gives characters: parts are filled all the same."""
    kept = bytearray()
    is_first = True
    while True:
        piece = stream.read(_TEXT_CHARACTERS if isinstance(stream, io.TextIOBase) else UPLOAD_CHUNK_SIZE - len(kept))
        if piece is None:
            raise InvalidArgument("The stream returned nothing: it must be a blocking stream")
        kept += piece.encode() if isinstance(piece, str) else piece
        while len(kept) >= UPLOAD_CHUNK_SIZE:
            yield bytes(memoryview(kept)[:UPLOAD_CHUNK_SIZE])
            del kept[:UPLOAD_CHUNK_SIZE]
            is_first = False
        if not piece:
            if kept or is_first:
                yield bytes(kept)
            return


def _size_of_stream(stream: IO[Any]) -> Optional[int]:
    """What is left of a binary stream that can be asked; text has no size before it is encoded."""
    try:
        if isinstance(stream, io.TextIOBase) or not stream.seekable():
            return None
        here = stream.tell()
        end = stream.seek(0, io.SEEK_END)
        stream.seek(here)
        return end - here
    except (OSError, AttributeError, ValueError):
        return None


def _type_header(content_type: Optional[str]) -> dict[str, str]:
    if content_type is None:
        return {}
    if not isinstance(content_type, str):
        raise InvalidType("A content type is a string")
    if not content_type.isascii() or not content_type.isprintable():
        raise InvalidArgument("A content type is printable ASCII")
    return {"Content-Type": content_type} if content_type else {}


def _read_name(reply: Reply) -> str:
    return str(load(reply)["name"])


def _read_upload_id(reply: Reply) -> str:
    return str(load(reply)["upload_id"])


def _read_nothing(reply: Reply) -> None:
    load(reply)


def _read_stat(reply: Reply, name: str) -> Optional[FileStat]:
    if reply.status == 404:
        return None
    if reply.status != 200:
        raise error_of(reply)
    headers = reply.headers
    modified = headers.get("last-modified")
    return FileStat(
        name=name,
        size=int(headers.get("content-length", "0")),
        content_type=headers.get("content-type", ""),
        etag=headers.get("etag", ""),
        last_modified=email.utils.parsedate_to_datetime(modified) if modified else None,
    )
