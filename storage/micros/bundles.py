"""Bundles: what somebody wants deployed, as a zip, a tar or single files, looked through and made into one plain zip.

What is stored is never what was sent: a new zip of the files that count, by name, without links, dates or anything a directory
could lie about. Left out are dotfiles, `node_modules`, `__pycache__` and virtual environments, unless the sender has chosen
already what to send; and when all lies in one folder, that folder. What the app declares (`manifests/`) is read first:
a Spacefile says in which folder the code lies, and of other folders nothing is taken.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec

from storage import disk_space, limits, zip_reader
from storage.errors import BundleRefused, InvalidInput
from storage.micros.manifests.manifest import Manifest
from storage.micros.manifests.reading import NAMES as MANIFEST_NAMES
from storage.micros.manifests.reading import read_manifest
from storage.micros.runtimes import Kind
from storage.zip_reader import Archive, Damaged

_CHUNK_BYTES = 262_144
_IN_MEMORY_BYTES = 4_194_304
_LABEL_MAX_BYTES = 255
_NAME_MAX_BYTES = 1_024
_PACKAGE_MAX_BYTES = 1_048_576
_PROBLEMS_TOLD = 5
# What is left out of a tar has to be unpacked to get past it; so much of that is looked at.
_SKIPPED_MAX_BYTES = 4 * limits.MICRO_BUNDLE_MAX_BYTES
_LEFT_OUT = frozenset(["node_modules", "__pycache__", "venv", "virtualenv", "__MACOSX", "Thumbs.db", "desktop.ini"])
_LEVEL = 6

Files = Iterable[tuple[str, Iterable[bytes]]]


@dataclass
class Bundle:
    """A looked-through bundle. `zip` is the zip that is stored, at its beginning; `digest` is of its files' names and bytes."""

    zip: IO[bytes]
    size_bytes: int = 0
    code_bytes: int = 0
    files: int = 0
    digest: str = ""
    # What can run it, and by which file.
    entries: dict[Kind, str] = field(default_factory=dict)
    # What its deta.json or Spacefile says.
    manifest: Manifest = field(default_factory=Manifest)


@contextmanager
def open_bundle(stream: IO[bytes], *, size_bytes: int, keeps_all: bool = False, part: str = "") -> Iterator[Bundle]:
    """Look through a zip or a tar (also gzipped, bzip2ed or xzed) that can be read from anywhere.

    `keeps_all`: leave nothing out, as the sender has chosen. `part` names the Micro of a Spacefile that is meant. Raises
    BundleRefused when it can't be deployed as it is, with each reason; DiskFull; and what reading the stream does.
    """
    disk_space.check_space_for_files()
    if not 0 < size_bytes <= limits.MICRO_BUNDLE_MAX_BYTES:
        raise BundleRefused(f"A bundle has at most {_mb(limits.MICRO_BUNDLE_MAX_BYTES)} MB, and at least one byte")
    stream.seek(0)
    is_zip = zip_reader.is_zip(stream.read(4))
    stream.seek(0)
    if is_zip:
        with _normalised(stream, size_bytes, keeps_all=keeps_all, part=part) as bundle:
            yield bundle
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as plain:
        _copy_tar(stream, cast("IO[bytes]", plain), keeps_all=keeps_all)
        with _normalised(cast("IO[bytes]", plain), _size_of(plain), keeps_all=keeps_all, part=part) as bundle:
            yield bundle


@contextmanager
def collect_bundle(files: Files, *, keeps_all: bool = False, part: str = "") -> Iterator[Bundle]:
    """Look through files that come one by one: each one's path, with `/` between its steps, and its bytes in chunks.

    Raises as `open_bundle` does, and what the chunks do.
    """
    disk_space.check_space_for_files()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as plain:
        _copy_files(files, cast("IO[bytes]", plain))
        with _normalised(cast("IO[bytes]", plain), _size_of(plain), keeps_all=keeps_all, part=part) as bundle:
            yield bundle


def bundle_of(contents: Mapping[str, bytes]) -> Any:
    """As `collect_bundle`, of files that are in memory, such as a template's."""
    return collect_bundle((name, [content]) for name, content in contents.items())


# Looking through


@contextmanager
def _normalised(stream: IO[bytes], size_bytes: int, *, keeps_all: bool, part: str) -> Iterator[Bundle]:
    try:
        archive = zip_reader.open_zip(stream, size_bytes)
    except InvalidInput as error:
        raise BundleRefused(*error.messages) from None
    places = [_cleaned(entry.filename) for entry in archive.entries]
    top = _top_folder([*places, *(_cleaned(problem.place) for problem in archive.problems)])
    manifest = _read_manifest(archive, top, part)
    chosen = _choose(archive, top, manifest.folder, keeps_all=keeps_all)
    if not chosen:
        where = f" in {manifest.folder}, where {manifest.source} says the code of “{manifest.part}” is"
        raise BundleRefused(f"The bundle holds no files{where if manifest.folder else ''}")
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as made:
        bundle = Bundle(cast("IO[bytes]", made), manifest=manifest)
        _write(archive, chosen, bundle)
        bundle.size_bytes = _size_of(made)
        yield bundle


def _read_manifest(archive: Archive, top: str, part: str) -> Manifest:
    """What is declared at the top. Raises BundleRefused."""
    contents: dict[str, bytes] = {}
    for entry in archive.entries:
        name = _cleaned(entry.filename).removeprefix(top)
        if name not in MANIFEST_NAMES or name in contents:
            continue
        content = b""
        try:
            for chunk in archive.read(entry):
                content += chunk
                if len(content) > limits.MANIFEST_MAX_BYTES:
                    break
        except Damaged as error:
            raise BundleRefused("The bundle holds what can't be deployed", f"{name}: {error}") from None
        contents[name] = content
    return read_manifest(contents, wanted=part)


def _choose(archive: Archive, top: str, folder: str, *, keeps_all: bool) -> dict[str, ZipInfo]:
    """The entries to take, by the names they get, sorted: with a `folder` below the top, those in it. Raises BundleRefused."""
    top = f"{top}{folder}/" if folder else top
    everything = [_cleaned(entry.filename) for entry in archive.entries]
    environments = _find_environments(everything, top)

    def is_left_out(name: str) -> bool:
        if folder and not name.startswith(top) and not _find_fault(name):
            return True
        if keeps_all:
            return False
        return _is_left_out(name.removeprefix(top)) or any(name.startswith(folder) for folder in environments)

    faults = [
        f"{problem.place}: {problem.what}" for problem in archive.problems if not is_left_out(_cleaned(problem.place))
    ]
    chosen: dict[str, ZipInfo] = {}
    for name, entry in zip(everything, archive.entries, strict=True):
        if is_left_out(name):
            continue
        inside = name.removeprefix(top)
        if fault := _find_fault(inside) or ("another file has this name" if inside in chosen else ""):
            faults.append(f"{entry.filename[:300]}: {fault}")
        chosen[inside] = entry
    faults += [f"{name}: it is a file and a folder" for name in chosen if _is_folder_of_others(name, chosen)]
    if faults:
        more = [f"and {len(faults) - _PROBLEMS_TOLD:,} more"] if len(faults) > _PROBLEMS_TOLD else []
        raise BundleRefused("The bundle holds what can't be deployed", *faults[:_PROBLEMS_TOLD], *more)
    if len(chosen) > limits.MICRO_BUNDLE_MAX_FILES:
        raise BundleRefused(f"The bundle has more than {limits.MICRO_BUNDLE_MAX_FILES:,} files")
    if sum(entry.file_size for entry in chosen.values()) > limits.MICRO_BUNDLE_MAX_BYTES:
        raise _too_large()
    return dict(sorted(chosen.items()))


def _write(archive: Archive, chosen: Mapping[str, ZipInfo], bundle: Bundle) -> None:
    whole = hashlib.sha256()
    package = b""
    with ZipFile(bundle.zip, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as made:
        for name, entry in chosen.items():
            one = hashlib.sha256()
            about = ZipInfo(name)
            about.compress_type, about.external_attr = ZIP_DEFLATED, 0o100644 << 16
            try:
                with made.open(about, "w", force_zip64=False) as file:
                    for chunk in archive.read(entry):
                        bundle.code_bytes += len(chunk)
                        if bundle.code_bytes > limits.MICRO_BUNDLE_MAX_BYTES:
                            raise _too_large()
                        one.update(chunk)
                        file.write(chunk)
                        if name == "package.json" and len(package) <= _PACKAGE_MAX_BYTES:
                            package += chunk
            except Damaged as error:
                raise BundleRefused("The bundle holds what can't be deployed", f"{name}: {error}") from None
            bundle.files += 1
            whole.update(f"{name}\n".encode() + one.digest())
    bundle.digest = whole.hexdigest()
    bundle.entries = _find_entries(chosen, package)
    if not bundle.entries:
        raise BundleRefused(
            "There is nothing to start",
            "A Python Micro has a main.py at its top, a Node Micro an index.js or the file that its package.json calls `main`",
        )


def _find_entries(chosen: Mapping[str, ZipInfo], package: bytes) -> dict[Kind, str]:
    entries: dict[Kind, str] = {}
    if "main.py" in chosen:
        entries["python"] = "main.py"
    main = _main_of(package) if package else ""
    for name in (main, f"{main}.js", f"{main}/index.js", "index.js"):
        if name in chosen:
            entries["node"] = name
            break
    return entries


def _main_of(package: bytes) -> str:
    try:
        read = msgspec.json.decode(package)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BundleRefused("The bundle's package.json is no JSON") from None
    main = read.get("main") if isinstance(read, dict) else None
    return _cleaned(main) if isinstance(main, str) else ""


def _cleaned(name: str) -> str:
    """The name without steps that lead nowhere."""
    if name.startswith("/"):
        return name
    return "/".join(step for step in name.split("/") if step not in ("", "."))


def _top_folder(everything: list[str]) -> str:
    """`app/` when all that counts lies in one folder `app`; empty otherwise."""
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in everything if not _is_left_out(name)}
    only = tops.pop() if len(tops) == 1 else ""
    return f"{only}/" if only and only != ".." else ""


def _find_environments(everything: list[str], top: str) -> list[str]:
    """The folders of virtual environments, whatever they are called."""
    marked = [name.removesuffix("pyvenv.cfg") for name in everything if name.endswith("/pyvenv.cfg")]
    return [folder for folder in marked if folder != top]


def _is_left_out(name: str) -> bool:
    return name.endswith(".pyc") or any(
        step in _LEFT_OUT or (step.startswith(".") and step != "..") for step in name.split("/")
    )


def _find_fault(name: str) -> str:
    """Why no file can have this name; empty when one can."""
    if not name:
        return "it has no name"
    if name.startswith("/") or ".." in name.split("/"):
        return "its name leads out of its folder"
    if not name.isprintable():
        return "its name holds invisible characters"
    if len(name.encode()) > _NAME_MAX_BYTES or any(len(step.encode()) > _LABEL_MAX_BYTES for step in name.split("/")):
        return "its name is too long"
    return ""


def _is_folder_of_others(name: str, chosen: Mapping[str, ZipInfo]) -> bool:
    """Whether a step on the way to this file is another file."""
    at = name.find("/")
    while at >= 0:
        if name[:at] in chosen:
            return True
        at = name.find("/", at + 1)
    return False


# Tars and single files become a zip first, so that there is one way to look through


def _copy_tar(stream: IO[bytes], plain: IO[bytes], *, keeps_all: bool) -> None:
    """Raises BundleRefused for what is no tar, and for what a zip of ours could not hold."""
    faults: list[str] = []
    try:
        with (
            _unpacked(stream) as unpacked,
            tarfile.open(fileobj=unpacked, mode="r|") as tar,
            ZipFile(plain, "w", ZIP_STORED) as made,
        ):
            _copy_members(tar, made, faults, keeps_all=keeps_all)
            _read_to_end(unpacked)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, UnicodeError) as error:
        raise BundleRefused(f"This is neither a zip nor a tar that can be read: {str(error)[:200]}") from None
    if faults:
        raise BundleRefused("The bundle holds what can't be deployed", *faults[:_PROBLEMS_TOLD])


def _unpacked(stream: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """The tar itself. What comes out is checked against its checksum, if it has one, when it is read to its end."""
    beginning = stream.read(6)
    stream.seek(0)
    if beginning.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if beginning.startswith(b"BZh"):
        return cast("IO[bytes]", bz2.BZ2File(stream))
    if beginning.startswith(b"\xfd7zXZ\x00"):
        return cast("IO[bytes]", lzma.LZMAFile(stream))
    return nullcontext(stream)


def _read_to_end(unpacked: IO[bytes]) -> None:
    """Raises what tells that it was cut off or changed."""
    left_bytes = _SKIPPED_MAX_BYTES
    while chunk := unpacked.read(_CHUNK_BYTES):
        left_bytes -= len(chunk)
        if left_bytes < 0:
            raise _too_large()


def _copy_members(tar: tarfile.TarFile, made: ZipFile, faults: list[str], *, keeps_all: bool) -> None:
    seen: set[str] = set()
    taken_bytes = skipped_bytes = members = 0
    for member in tar:
        members += 1
        # The tar remembers each member; nobody asks it again.
        tar.members = []  # type: ignore[attr-defined]
        name = _cleaned(member.name)
        is_left_out = not keeps_all and _is_left_out(name)
        if members > limits.ARCHIVE_ENTRIES_MAX or skipped_bytes > _SKIPPED_MAX_BYTES:
            raise _too_large()
        if is_left_out:
            skipped_bytes += member.size
        elif member.isdir():
            continue
        elif not member.isreg():
            # A link in a virtual environment, which is known by what comes later, is left out with it.
            seen.add(name)
            _add_marker(made, name)
        elif name in seen:
            faults.append(f"{name[:300]}: another file has this name")
        else:
            seen.add(name)
            taken_bytes += member.size
            if taken_bytes > limits.MICRO_BUNDLE_MAX_BYTES + _SKIPPED_MAX_BYTES:
                raise _too_large()
            if content := tar.extractfile(member):
                _add(made, name, iter(lambda content=content: content.read(_CHUNK_BYTES), b""))  # type: ignore[misc]


def _copy_files(files: Files, plain: IO[bytes]) -> None:
    seen: set[str] = set()
    total_bytes = 0

    def counted(chunks: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal total_bytes
        for chunk in chunks:
            total_bytes += len(chunk)
            if total_bytes > limits.MICRO_BUNDLE_MAX_BYTES + _SKIPPED_MAX_BYTES:
                raise _too_large()
            yield chunk

    with ZipFile(plain, "w", ZIP_STORED) as made:
        for path, chunks in files:
            if "\\" in path or path in seen:
                why = "another file has this name" if path in seen else "its name is a Windows path with backslashes"
                raise BundleRefused("The bundle holds what can't be deployed", f"{path[:300]}: {why}")
            seen.add(path)
            if len(seen) > limits.ARCHIVE_ENTRIES_MAX:
                raise _too_large()
            _add(made, path, counted(chunks))


def _add(made: ZipFile, name: str, chunks: Iterable[bytes]) -> None:
    about = ZipInfo(_storable(name))
    about.external_attr = 0o100644 << 16
    with made.open(about, "w", force_zip64=True) as file:
        for chunk in chunks:
            file.write(chunk)


def _add_marker(made: ZipFile, name: str) -> None:
    """A link, which looking through finds and tells."""
    about = ZipInfo(_storable(name))
    about.external_attr = 0o120777 << 16
    made.writestr(about, b"")


def _storable(name: str) -> str:
    """What a zip can hold of a name: it would end at NUL, and lone surrogates are no characters."""
    if not name or "\x00" in name or len(name.encode(errors="replace")) > 60_000:
        raise BundleRefused("The bundle holds a file without a name that can be used")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BundleRefused("The bundle holds a file whose name is not in UTF-8") from None
    return name


def _size_of(file: Any) -> int:
    size_bytes: int = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size_bytes


def _too_large() -> BundleRefused:
    return BundleRefused(f"The bundle has more than {_mb(limits.MICRO_BUNDLE_MAX_BYTES)} MB of files")


def _mb(size_bytes: int) -> int:
    return size_bytes // 1_048_576
