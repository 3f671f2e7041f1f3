"""Files renamed and moved, with the folders they are in: rows change in one transaction, no byte travels.

The objects in S3 still say the names that their files were stored under, which is what rebuild.py would find after the
database was lost. Deleting is in `deletion.py`. The pages' gate has checked the person's access, and each transaction asks again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from storage import disk_space, limits, names
from storage.drive import folders
from storage.drive.files import IfExists
from storage.drive.folders import folder_of, label_of
from storage.drive.free_names import FreeNames
from storage.drive.sql import files as files_sql
from storage.drive.sql import folders as folders_sql
from storage.drive.sql import moves as moves_sql
from storage.errors import DriveNotFound, FileNotFound, InvalidInput, NamesTaken
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one, taking_time


@dataclass(frozen=True, slots=True)
class Chosen:
    """Chosen files and folders. No file is included twice: none of the files is in one of the folders."""

    names: list[str]
    folders: list[str]

    @property
    def ranges(self) -> list[tuple[str, str]]:
        return [folders.range_of(folder) for folder in self.folders]


@dataclass(frozen=True, slots=True)
class Held:
    """The number and size of chosen files."""

    files: int
    size_bytes: int


def choose(names_given: Iterable[object], folders_given: Iterable[object]) -> Chosen:
    """The chosen files and folders, without those inside another chosen folder. Raises InvalidInput."""
    chosen_folders: list[str] = []
    for path in sorted({folders.check_folder(_text(path)) for path in folders_given}, key=str.encode):
        if not any(path.startswith(outer) for outer in chosen_folders[-1:]):
            chosen_folders.append(path)
    inside = set(chosen_folders)
    chosen_names = [names.check_file_name(name) for name in dict.fromkeys(map(_text, names_given))]
    kept = [name for name in chosen_names if inside.isdisjoint(folders.all_folders_of(name))]
    if not kept and not chosen_folders:
        raise InvalidInput("Nothing was chosen")
    if len(kept) + len(chosen_folders) > limits.NAMES_PER_REQUEST:
        raise InvalidInput(f"At most {limits.NAMES_PER_REQUEST:,} files and folders can be chosen at once")
    return Chosen(kept, chosen_folders)


def count_chosen(*, drive_id: int, chosen: Chosen) -> Held:
    """How many files were chosen, those in subfolders included, and their total size."""
    return Held(*run_one(moves_sql.count_within(drive_id, chosen.names, chosen.ranges)))


def find_taken(*, drive_id: int, names_given: list[object]) -> list[str]:
    """Which of up to 10,000 names are files, in byte order. Raises InvalidInput."""
    if len(names_given) > limits.NAMES_PER_REQUEST:
        raise InvalidInput(f"At most {limits.NAMES_PER_REQUEST:,} names can be asked for at once")
    checked = [names.check_file_name(name) for name in names_given]
    return [name for (name,) in run(moves_sql.find_existing(drive_id, checked))]


def rename(*, access: Access, drive_id: int, old: str, new: str, if_exists: IfExists = "fail") -> int:
    """Rename a file, or a folder with its contents. Returns how many files changed.

    Raises as `move` does.
    """
    if old.endswith("/") != new.endswith("/"):
        raise InvalidInput("Bad name", "A folder's name ends in `/`, a file's does not")
    if new.endswith("/"):
        if not label_of(folders.check_folder(new)).strip("/ "):
            raise InvalidInput("Bad folder", "A folder's name is not blank")
        return _relabel(access, drive_id, Chosen([], [folders.check_folder(old)]), {old: new}, if_exists)
    return _relabel(
        access, drive_id, Chosen([names.check_file_name(old)], []), {old: names.check_file_name(new)}, if_exists
    )


def move(*, access: Access, drive_id: int, chosen: Chosen, to: str, if_exists: IfExists = "fail") -> int:
    """Move files and folders into the folder `to`. Returns how many files changed.

    Raises FileNotFound when nothing of it is there, NamesTaken, InvalidInput (a name that becomes too long, a folder
    into itself, two files to one name, too many), DriveNotFound, Unauthorized or Forbidden when the person may not write here
    (any more), EngineUnreachable, DiskFull; nothing has changed then.
    """
    folders.check_folder(to)
    targets = {path: to + label_of(path) for path in (*chosen.names, *chosen.folders)}
    return _relabel(access, drive_id, chosen, targets, if_exists)


def _relabel(access: Access, drive_id: int, chosen: Chosen, targets: dict[str, str], if_exists: IfExists) -> int:
    disk_space.check_space_for_items()
    for folder in chosen.folders:
        if targets[folder] != folder and targets[folder].startswith(folder):
            raise InvalidInput("Bad folder", "A folder cannot be moved into itself")
    with engine_errors(), transaction.atomic():
        lock_drive(drive_id)
        with taking_time(limits.MOVE_SECONDS):
            renames = _expand(drive_id, chosen, targets)
            moved_folders = _relabel_folders(drive_id, chosen, targets)
            if not renames and not moved_folders and any(old != new for old, new in targets.items()):
                raise FileNotFound("These files no longer exist")
            renames = _settle(drive_id, {old: new for old, new in renames.items() if old != new}, if_exists)
            _rename_all(drive_id, renames)
            keep_emptied(drive_id, chosen)
        rights.ask_again(access)
        return len(renames)


def lock_drive(drive_id: int) -> None:
    """In the caller's transaction: block all other writes to names of this Drive. Raises DriveNotFound."""
    run(moves_sql.lock_drive(drive_id))
    if not run(moves_sql.hold_drive(drive_id)):
        raise DriveNotFound()


def keep_emptied(drive_id: int, chosen: Chosen) -> None:
    """Keep the folders that chosen files and folders were in, as they may be empty now."""
    parents = {folder_of(path) for path in (*chosen.names, *chosen.folders)} - {""}
    if parents:
        run(folders_sql.keep_folders(drive_id, sorted(parents)))


def _expand(drive_id: int, chosen: Chosen, targets: dict[str, str]) -> dict[str, str]:
    """Each file's old name and new."""
    renames = {name: targets[name] for (name,) in run(moves_sql.find_existing(drive_id, chosen.names))}
    for folder in chosen.folders:
        start, end = folders.range_of(folder)
        found = run(moves_sql.list_names_within(drive_id, start, end, limits.MOVE_MAX_FILES + 1))
        renames |= {name: targets[folder] + name[len(folder) :] for (name,) in found}
        if len(renames) > limits.MOVE_MAX_FILES:
            raise InvalidInput(
                f"That is more than {limits.MOVE_MAX_FILES:,} files, the most that can be moved at once: "
                "move its folders one by one"
            )
    return renames


def _settle(drive_id: int, renames: dict[str, str], if_exists: IfExists) -> dict[str, str]:
    """The renames as they can be done: no two to one name, and none to the name of a file that stays."""
    for new in renames.values():
        names.check_file_name(new)
    wanted = Counter(renames.values())
    existing = {name for (name,) in run(moves_sql.find_existing(drive_id, list(wanted)))}
    taken = existing - renames.keys()
    if if_exists == "keep-both":
        return _apart(drive_id, renames, taken)
    doubles = sorted(name for name, number in wanted.items() if number > 1)
    if doubles:
        raise InvalidInput(f"Two of the files would both be called “{doubles[0]}”")
    if taken and if_exists == "fail":
        raise NamesTaken(sorted(taken, key=str.encode)[: limits.CLASHES_SHOWN], len(taken))
    if taken:
        run(files_sql.delete_files(drive_id, sorted(taken)))
    return renames


def _apart(drive_id: int, renames: dict[str, str], taken: set[str]) -> dict[str, str]:
    """The renames with other names for those that are taken, or meant for a second file."""
    free = FreeNames(drive_id, besides={*taken, *renames.values()})
    given = set(taken)
    settled: dict[str, str] = {}
    for old, new in renames.items():
        settled[old] = names.check_file_name(free.find(new) if new in given else new)
        given.add(new)
    return settled


def _rename_all(drive_id: int, renames: dict[str, str]) -> None:
    """When a name is both an old and a new one, all renames go through temporary names with a character that no name contains."""
    old, new = list(renames), list(renames.values())
    if not old:
        return
    if renames.keys() & set(new):
        passing = [f"\x01{name}" for name in new]
        run(moves_sql.rename_files(drive_id, old, passing))
        old = passing
    run(moves_sql.rename_files(drive_id, old, new))


def _relabel_folders(drive_id: int, chosen: Chosen, targets: dict[str, str]) -> bool:
    """The folders made by hand among those that move; whether there were any."""
    moved = []
    for folder in chosen.folders:
        found = run(folders_sql.forget_folders(drive_id, folder, folders.end_of_folder(folder)))
        moved += [targets[folder] + path[len(folder) :] for (path,) in found]
    for path in moved:
        if len(path.encode()) >= limits.FILE_NAME_MAX_BYTES:
            raise InvalidInput("Bad folder", "The name is too long: no file could be in this folder")
    if moved:
        run(folders_sql.keep_folders(drive_id, moved))
    return bool(moved)


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidInput("A name is not a text")
    return given
