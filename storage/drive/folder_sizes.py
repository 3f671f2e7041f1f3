"""How much is in the folders that a page lists: counted when it is asked for, and no further than is quick."""

from dataclasses import dataclass

from storage import limits
from storage.drive import folders
from storage.drive.sql import folders as folders_sql
from storage.errors import InvalidInput
from storage.postgres.database import run


@dataclass(frozen=True, slots=True)
class FolderSize:
    """Files in a folder, at any depth, and their bytes; without `is_all` there are more than these."""

    files: int
    size_bytes: int
    is_all: bool


def measure_folders(*, drive_id: int, paths: list[object]) -> dict[str, FolderSize]:
    """The sizes of up to 100 folders by their paths; of more than 10,000 files in one, the first are counted.

    Raises InvalidInput for too many, or what is no folder's path.
    """
    if len(paths) > limits.ROWS_PER_PAGE:
        raise InvalidInput(f"At most {limits.ROWS_PER_PAGE} folders can be measured at once")
    checked = {folders.check_folder(path) for path in paths if isinstance(path, str) and path}
    if len(checked) != len(paths):
        raise InvalidInput("Bad folder", "A folder's path is a text that ends in `/`, each of them once")
    most = limits.FOLDER_COUNTED_FILES
    held = run(folders_sql.measure_folders(drive_id, [folders.range_of(path) for path in checked], most))
    return {row.path: FolderSize(row.files, row.size_bytes, row.files < most) for row in held}
