"""Statements on folders as the console shows them: folders first, then the files right in one, by pages.

A folder is the part of a file's name before a slash, or a path that somebody made by hand. The index
`file_folder` (see `storage/migrations/0002_raw_sql.py`) has every file under its innermost folder, so a page costs
the same whatever the folder holds. `FOLDER` must stay word for word what the index has.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from storage.postgres.statements import Affected, Params, Statement, Total, YesNo

FOLDER = "coalesce(substring(f.name from '^.*/'), '')"
_LABEL = "substring(f.name from '[^/]*$')"
_ROW = "f.name, f.size_bytes, f.content_type, f.changed_at"
_COLUMNS = {"name": "f.name", "size": "f.size_bytes", "type": "f.content_type", "modified": "f.changed_at"}

SortKey = Literal["name", "size", "type", "modified"]


class FolderPath(NamedTuple):
    path: str


class FileRow(NamedTuple):
    name: str
    size_bytes: int
    content_type: str
    changed_at: datetime


class Neighbours(NamedTuple):
    before: str | None
    after: str | None
    created_at: datetime | None


class FoundNames(NamedTuple):
    names: list[str]
    looked_at: str | None


class HeldIn(NamedTuple):
    path: str
    files: int
    size_bytes: int


def list_folders(
    drive_id: int, *, folder: str, end: str | None, last: str, limit: int, descending: bool = False
) -> Statement[FolderPath]:
    """Up to `limit` direct subfolders of `folder`, as whole paths in byte order, after `last`. Row: path.

    Every step of the recursion looks one entry up, below or above all that is in the folder before (`0` follows `/`).
    """
    params = Params()
    drive, depth = f"{params.add(drive_id)}::bigint", f"{params.add(len(folder))}::int"
    # No name holds a control character: this is below all that is in the folder, and above the folder itself.
    low = params.add(folder + "\x01" if descending or not last else last[:-1] + "0")
    high = last if descending and last else end
    bounds = [f"{{0}} >= {low}::text"] + ([] if high is None else [f"{{0}} < {params.add(high)}::text"])

    order = "DESC" if descending else "ASC"

    def find(further: str) -> str:
        """The next path, of a file's folder or of one made by hand."""

        def first(source: str, column: str) -> str:
            within = " AND ".join(bound.format(column) for bound in (*bounds, *([further] if further else [])))
            return f"""(SELECT {column} AS path FROM {source} f WHERE f.drive_id = {drive} AND {within}
                ORDER BY {column} {order} LIMIT 1)"""

        both = f"{first('storage_file', FOLDER)} UNION ALL {first('storage_folder', 'f.path')}"
        return f'(SELECT path FROM ({both}) either ORDER BY path COLLATE "C" {"DESC" if descending else "ASC"} LIMIT 1)'

    entry = f"left(n.path, {depth} + strpos(substr(n.path, {depth} + 1), '/'))"
    onward = "{0} < c.path" if descending else "{0} >= left(c.path, -1) || '0'"
    return Statement(
        f"""WITH RECURSIVE children (path, position) AS (
            SELECT {entry} COLLATE "C", 1 FROM {find("")} n
            UNION ALL
            SELECT {entry} COLLATE "C", c.position + 1
            FROM children c CROSS JOIN LATERAL {find(onward)} n WHERE c.position < {params.add(limit)}::int
        )
        SELECT path FROM children ORDER BY position
    """,
        params,
        FolderPath,
    )


def list_files_in(drive_id: int, folder: str, *, last: str, limit: int, descending: bool = False) -> Statement[FileRow]:
    """Up to `limit` files directly in a folder, by name, after `last`. Row: name, size in bytes, content type, changed_at."""
    order, comparison = ("DESC", "<") if descending else ("ASC", ">")
    behind = f"AND f.name {comparison} $4::text" if last else ""
    return Statement(
        f"""
        SELECT {_ROW} FROM storage_file f WHERE f.drive_id = $1 AND {FOLDER} = $2::text {behind}
        ORDER BY f.name {order} LIMIT $3
    """,
        [drive_id, folder, limit, *([last] if last else [])],
        FileRow,
    )


def list_sorted_files_in(
    drive_id: int, folder: str, *, key: SortKey, descending: bool, offset: int, limit: int
) -> Statement[FileRow]:
    """As `list_files_in`, sorted by something else, from the `offset`th on. All of the folder's files are looked at."""
    order = "DESC" if descending else "ASC"
    return Statement(
        f"""
        SELECT {_ROW} FROM storage_file f WHERE f.drive_id = $1 AND {FOLDER} = $2::text
        ORDER BY {_COLUMNS[key]} {order}, f.name OFFSET $3 LIMIT $4
    """,
        [drive_id, folder, offset, limit],
        FileRow,
    )


def count_files_in(drive_id: int, folder: str, limit: int) -> Statement[Total]:
    """Row: how many files are right in a folder, counted up to `limit`."""
    return Statement(
        f"SELECT count(*) FROM (SELECT FROM storage_file f WHERE f.drive_id = $1 AND {FOLDER} = $2::text LIMIT $3) counted",
        [drive_id, folder, limit],
        Total,
    )


def measure_folders(drive_id: int, ranges: list[tuple[str, str]], limit: int) -> Statement[HeldIn]:
    """What is in each of these ranges of names, of which up to `limit` files are counted. Row: its start, files, bytes."""
    return Statement(
        """
        SELECT r.low, held.files, held.size_bytes FROM unnest($2::text[], $3::text[]) AS r(low, high) CROSS JOIN LATERAL (
            SELECT count(*) AS files, coalesce(sum(within.size_bytes), 0)::bigint AS size_bytes FROM (
                SELECT f.size_bytes FROM storage_file f
                WHERE f.drive_id = $1 AND f.name >= r.low AND f.name < r.high ORDER BY f.name LIMIT $4
            ) within
        ) held
    """,
        [drive_id, [low for low, _ in ranges], [high for _, high in ranges], limit],
        HeldIn,
    )


def find_neighbours(drive_id: int, folder: str, name: str) -> Statement[Neighbours]:
    """Row: the names of the files before and after this one in its folder, or NULL; when the file came to exist, or NULL."""
    return Statement(
        f"""
        SELECT (SELECT f.name FROM storage_file f WHERE f.drive_id = $1 AND {FOLDER} = $2::text AND f.name < $3::text
                ORDER BY f.name DESC LIMIT 1),
               (SELECT f.name FROM storage_file f WHERE f.drive_id = $1 AND {FOLDER} = $2::text AND f.name > $3::text
                ORDER BY f.name LIMIT 1),
               (SELECT created_at FROM storage_file WHERE drive_id = $1 AND name = $3::text)
    """,
        [drive_id, folder, name],
        Neighbours,
    )


def search_files(
    drive_id: int, text: str, *, start: str, end: str | None, look_at: int, limit: int
) -> Statement[FoundNames]:
    """Files from `start` (included) to `end` (not) whose name without its folder contains `text` in any case.

    Row: up to `limit` names, and the last name looked at or NULL when that was the last there is. The whole name is looked
    at first, as cutting it costs more; and only a text that has accents needs names in one way of writing them.
    """
    upper = "" if end is None else "AND f.name < $6::text"

    def holds(column: str) -> str:
        folded = column if text.isascii() else f"normalize({column}, NFC)"
        return f'strpos(lower({folded} COLLATE "default"), $2::text) > 0'

    return Statement(
        f"""
        WITH seen AS MATERIALIZED (
            SELECT f.name FROM storage_file f
            WHERE f.drive_id = $1 AND f.name >= $3::text {upper} ORDER BY f.name LIMIT $4
        )
        SELECT ARRAY(
            SELECT f.name FROM seen f WHERE CASE WHEN {holds("f.name")} THEN {holds(_LABEL)} ELSE false END
            ORDER BY f.name LIMIT $5),
            CASE WHEN (SELECT count(*) FROM seen) = $4::int THEN (SELECT max(name) FROM seen) END
    """,
        [drive_id, text, start, look_at, limit, *([] if end is None else [end])],
        FoundNames,
    )


def list_folders_below(drive_id: int, *, start: str, end: str | None, limit: int) -> Statement[FolderPath]:
    """Up to `limit` folders from `start` to `end` that files are right in, or that were made by hand. Row: path."""
    upper = "" if end is None else "AND {0} < $4::text"

    def first(source: str, column: str, comparison: str) -> str:
        return f"""(SELECT {column} AS path FROM {source} f WHERE f.drive_id = $1 AND {column} {comparison}
            {upper.format(column)} ORDER BY {column} LIMIT 1)"""

    def find(comparison: str) -> str:
        both = f"{first('storage_file', FOLDER, comparison)} UNION ALL {first('storage_folder', 'f.path', comparison)}"
        return f'(SELECT path FROM ({both}) either ORDER BY path COLLATE "C" LIMIT 1)'

    return Statement(
        f"""WITH RECURSIVE below (path, position) AS (
            SELECT n.path COLLATE "C", 1 FROM {find(">= $2::text")} n
            UNION ALL
            SELECT n.path COLLATE "C", b.position + 1 FROM below b CROSS JOIN LATERAL {find("> b.path")} n
            WHERE b.position < $3::int
        )
        SELECT path FROM below ORDER BY position
    """,
        [drive_id, start, limit, *([] if end is None else [end])],
        FolderPath,
    )


def get_rows(drive_id: int, names: list[str]) -> Statement[FileRow]:
    """The rows of files by their names, those that exist. Row: name, size in bytes, content type, changed_at."""
    return Statement(
        f"SELECT {_ROW} FROM storage_file f WHERE f.drive_id = $1 AND f.name = ANY ($2::text[]) ORDER BY f.name",
        [drive_id, names],
        FileRow,
    )


def folder_exists(drive_id: int, path: str, end: str | None) -> Statement[YesNo]:
    """Row: whether the folder exists: a file is anywhere in it, or it or a subfolder was made by hand."""
    upper = "" if end is None else "AND {0} < $3::text"
    return Statement(
        f"""
        SELECT EXISTS (SELECT FROM storage_file f WHERE f.drive_id = $1 AND f.name >= $2::text {upper.format("f.name")})
        OR EXISTS (SELECT FROM storage_folder f WHERE f.drive_id = $1 AND f.path >= $2::text {upper.format("f.path")})
    """,
        [drive_id, path, *([] if end is None else [end])],
        YesNo,
    )


def keep_folders(drive_id: int, paths: list[str]) -> Statement[Affected]:
    """Store folders that may be empty. A row for each that was not remembered before."""
    return Statement(
        """
        INSERT INTO storage_folder (drive_id, path, created_at) SELECT $1, path, now() FROM unnest($2::text[]) AS path
        ON CONFLICT DO NOTHING RETURNING 1
    """,
        [drive_id, paths],
        Affected,
    )


def forget_folders(drive_id: int, path: str, end: str | None) -> Statement[FolderPath]:
    """Forget the folder, and those in it, that were made by hand. Row: path of each."""
    upper = "" if end is None else "AND path < $3::text"
    return Statement(
        f"DELETE FROM storage_folder WHERE drive_id = $1 AND path >= $2::text {upper} RETURNING path",
        [drive_id, path, *([] if end is None else [end])],
        FolderPath,
    )


def forget_filled_folders(limit: int) -> Statement[Affected]:
    """Forget folders made by hand that a file is in by now. A row for each."""
    return Statement(
        """
        DELETE FROM storage_folder WHERE (drive_id, path) IN (
            SELECT d.drive_id, d.path FROM storage_folder d
            WHERE EXISTS (
                SELECT FROM storage_file f
                WHERE f.drive_id = d.drive_id AND f.name >= d.path AND f.name < left(d.path, -1) || '0')
            LIMIT $1)
        RETURNING 1
    """,
        [limit],
        Affected,
    )
