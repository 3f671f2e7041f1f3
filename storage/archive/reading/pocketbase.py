"""Records out of a PocketBase's `data.db`, as items with the record's id for a key.

SQLite reads files only, so a copy of it lies on this disk while it is read. Views, PocketBase's own collections, passwords and
token keys are left out; what its `fields` say of a column decides what becomes of its value.
"""

import math
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from storage import exact_json, limits
from storage.archive.reading import sql
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.parsed_items import Read
from storage.errors import InvalidInput

MAGIC = b"SQLite format 3\x00"
_SECRET = ("password", "passwordHash", "tokenKey", "lastResetSentAt", "lastVerificationSentAt", "lastLoginAlertSentAt")
_LISTS = ("select", "relation", "file")


@dataclass(frozen=True)
class Collection:
    """A collection of records: its id, its name, and of each of its fields the type and whether it holds several values."""

    id: str
    name: str
    fields: Mapping[str, tuple[str, bool]]


class Database:
    """A `data.db` whose bytes come in chunks. Raises InvalidInput when they are none."""

    def __init__(self, open_chunks: Callable[[], Iterator[bytes]]) -> None:
        self._open_chunks = open_chunks

    @cached_property
    def collections(self) -> list[Collection]:
        try:
            with closing(self._connect()) as connection:
                columns = {row[1] for row in connection.execute("PRAGMA table_info(_collections)")}
                # Until version 0.22 it was called so.
                fields = "fields" if "fields" in columns else "schema"
                rows = connection.execute(sql.LIST_COLLECTIONS.format(fields=fields)).fetchall()
        except sqlite3.Error as error:
            raise InvalidInput(f"This is no database of PocketBase: {error}") from None
        return [Collection(str(row[0]), str(row[1]), _read_fields(row[2])) for row in rows]

    def records(self, collection: Collection) -> Iterator[dict[str, Any]]:
        """Its rows in the order of their ids. Raises Broken."""
        number = 0
        try:
            with closing(self._connect()) as connection:
                connection.row_factory = sqlite3.Row
                for row in connection.execute(sql.read_records(collection.name)):
                    number += 1
                    yield dict(row)
        except sqlite3.Error as error:
            raise Broken(f"record {number + 1:,} of {collection.name}", str(error)) from None

    @cached_property
    def _copy(self) -> Any:
        try:
            copy = tempfile.NamedTemporaryFile(prefix="homeport-import-", suffix=".db")  # noqa: SIM115 -- gone with this object
            for chunk in self._open_chunks():
                copy.write(chunk)
            copy.flush()
        except OSError as error:
            raise InvalidInput(f"The database cannot be unpacked here: {error.strerror}") from None
        return copy

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{self._copy.name}?mode=ro&immutable=1", uri=True)
        connection.execute(sql.DISTRUST)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
        return connection


@dataclass
class RecordItems:
    """The records of one collection as items."""

    collection: Collection
    entry: str
    size_bytes: int
    database: Database

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def told(self) -> str:
        return "PocketBase, a collection of records"

    def read(self, skip: int = 0) -> Iterator[Read]:
        """The items after the first `skip`. Raises Broken where the rest cannot be read."""
        for number, record in enumerate(self.database.records(self.collection), start=1):
            if number <= skip:
                continue
            spot = f"record {number:,}"
            try:
                item = {"key": str(record.pop("id", "")), **self._item(record)}
            except ValueError as error:
                yield Read(number, spot, None, 0, str(error), str(record.get("id", "")))
                continue
            yield Read(number, spot, item, sum(len(str(value)) for value in record.values()))

    def _item(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: _value_of(value, *self.collection.fields.get(name, ("", False)))
            for name, value in record.items()
            if name not in _SECRET and self.collection.fields.get(name, ("", False))[0] != "password"
        }


def _read_fields(text: Any) -> dict[str, tuple[str, bool]]:
    """By name: the type, and whether it holds several values."""
    try:
        fields = exact_json.parse(str(text).encode())
    except InvalidInput:
        return {}
    found = {}
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            inner = field.get("options")
            options = inner if isinstance(inner, dict) else field
            most = options.get("maxSelect")
            is_several = field.get("type") in _LISTS and (most is None or most != 1) and "maxSelect" in options
            found[field["name"]] = (str(field.get("type")), is_several)
    return found


def _value_of(value: Any, kind: str, is_several: bool) -> Any:
    """A column's value as JSON has it. Raises ValueError for what JSON has no form for."""
    if isinstance(value, bytes):
        raise ValueError("It holds bytes, which JSON has no form for")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("It holds a number that is none")
        return int(value) if value.is_integer() and abs(value) < 2**53 else Decimal(repr(value))
    if kind == "bool":
        return bool(value)
    if isinstance(value, str) and (is_several or kind in ("json", "geoPoint")):
        try:
            return exact_json.parse(value.encode()) if value else ([] if is_several else None)
        except (InvalidInput, UnicodeEncodeError):
            return value
    return value
