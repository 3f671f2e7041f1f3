"""Thumbnails: small pictures of a Drive's pictures, wanted by a page and made later by the job worker.

A thumbnail is an object like any other, so that the sweeper and `reconcile` know it; its metadata name no Drive, so `rebuild`
takes it for no file. It belongs to the file's bytes: a file that is renamed keeps it, one that is replaced gets another, and it
goes when the bytes go. How one is made, see `making.py`.
"""

from storage import disk_space, limits, names
from storage.drive.files import StoredFile
from storage.errors import FileNotFound, InvalidInput
from storage.postgres.database import run
from storage.thumbnails import sql as thumbnails_sql

CONTENT_TYPE = "image/webp"


def want_thumbnails(*, drive_id: int, names_given: list[object]) -> dict[str, str]:
    """Ask for the thumbnails of up to 100 files. For each picture among them, by its name: "made", "wanted" or "none".

    Others are left out: what is no picture by its type, too large, or not to be had now as the disk is too full or too many wait.
    Raises InvalidInput, EngineUnreachable.
    """
    if len(names_given) > limits.ROWS_PER_PAGE:
        raise InvalidInput(f"At most {limits.ROWS_PER_PAGE} thumbnails can be asked for at once")
    checked = [names.check_file_name(name) for name in names_given]
    statement = thumbnails_sql.want_thumbnails(
        drive_id,
        checked,
        size_max=limits.THUMBNAIL_SOURCE_MAX_BYTES,
        waiting_max=0 if disk_space.is_short_for_files() else limits.THUMBNAILS_WAITING_MAX,
    )
    return {row.name: row.state for row in run(statement) if row.state}


def find_thumbnail(file: StoredFile) -> StoredFile:
    """The small picture of a file, itself as a file. Raises FileNotFound when there is none (yet)."""
    made = run(thumbnails_sql.find_made(file.blob_ids[0])) if file.blob_ids else []
    if not made:
        raise FileNotFound()
    ((thumb_id, size_bytes),) = made
    return StoredFile(size_bytes, CONTENT_TYPE, thumb_id.hex, file.changed_at, [thumb_id], [size_bytes])
