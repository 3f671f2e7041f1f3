"""A Drive's page in a real browser: opened on files that are there, dropped onto, and compared with what is stored."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from storage.drive import drives
from storage.models import Drive, File
from storage.s3 import blobs
from tests.browser.conftest import Pages
from tests.browser.dropping import MIDDLE, drag_files, drop_files
from tests.drives import DriveClient, make_drive
from tests.failpoints import once_back
from tests.pdfs import make_pdf
from tests.people import Cast

DRIVE = "photos"


class DrivePage:
    """The page of one Drive, and the same Drive through the public API."""

    def __init__(self, page: Page, client: DriveClient, cast: Cast) -> None:
        self.page = page
        self.client = client
        self.cast = cast
        self.base = f"/collections/{cast.collection.id}/drive/{client.name}/"

    def go(self, **look: str) -> None:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in look.items())
        self.page.goto(f"{self.base}?{query}" if query else self.base)

    def row(self, label: str) -> Locator:
        return self.page.locator(f'.drive-row[data-label="{escaped(label)}"]')

    @property
    def rows(self) -> Locator:
        return self.page.locator(".drive-row")

    def expect_labels(self, *labels: str) -> None:
        """These are listed, in this order."""
        expect(self.page.locator(".drive-row [data-open]")).to_have_text(list(labels))

    def expect_crumbs(self, *labels: str) -> None:
        expect(self.page.locator("#drive-view .drive-crumbs bdi")).to_have_text(list(labels))

    def choose(self, *paths: Path) -> None:
        """By the button, as `choose_folder` does for a folder with all that is in it."""
        self.page.locator("#choose-files").set_input_files([str(path) for path in paths])

    def choose_folder(self, path: Path) -> None:
        self.page.locator("#choose-folder").set_input_files(str(path))

    def drop(self, *paths: Path) -> None:
        drop_files(self.page, *paths)

    def drag_over(
        self, *paths: Path, steps: tuple[str, ...] = ("dragEnter", "dragOver"), on: Locator | None = None
    ) -> None:
        """Files from outside, over the middle of the page or of an element."""
        drag_files(self.page, *paths, steps=steps, at=middle_of(on) if on else MIDDLE)

    def pick_up(self, label: str) -> None:
        """Begin to drag a row."""
        self.page.mouse.move(*middle_of(self.row(label)))
        self.page.mouse.down()

    def hold_over(self, element: Locator) -> None:
        """Bring there what is dragged, and hold it."""
        x, y = middle_of(element)
        self.page.mouse.move(x, y, steps=4)
        # To have come there is one event; that it stays there is told of by the next movement.
        self.page.mouse.move(x + 1, y)

    def upload_row(self, label: str) -> Locator:
        return self.page.locator(".tray-row").filter(has=self.page.get_by_text(label, exact=True))

    def expect_uploaded(self, *labels: str) -> None:
        for label in labels:
            expect(self.upload_row(label).last).to_have_attribute("data-state", "done")

    def stored(self, name: str) -> bytes | None:
        """What Postgres and S3 hold under a name, each asked by itself; None when there is no such file."""
        file = File.objects.filter(drive_id=self.drive_id, name=name).first()
        if file is None:
            return None
        content = b"".join(
            b"".join(blobs.read(blob_id, start=0, length=size, size_bytes=size))
            for blob_id, size in zip(file.blob_ids, file.blob_sizes, strict=True)
            if size
        )
        assert len(content) == file.size_bytes
        return content

    def stored_names(self) -> list[str]:
        return list(File.objects.filter(drive_id=self.drive_id).order_by("name").values_list("name", flat=True))

    @property
    def drive_id(self) -> int:
        return Drive.objects.get(collection_id=self.cast.collection.id, name=self.client.name).id


def open_drive(
    pages: Pages,
    server: Any,
    cast: Cast,
    files: Mapping[str, bytes] | Iterable[str] = (),
    *,
    person: str = "member",
    drive: str = DRIVE,
    look: Mapping[str, str] | None = None,
    **options: Any,
) -> DrivePage:
    """The page of a Drive with these files in it, stored through the public API."""
    drives.ensure_drive(collection_id=cast.collection.id, name=drive)
    client = make_drive(server, drive, collection_id=cast.collection.id)
    contents = files if isinstance(files, Mapping) else {name: name.encode() for name in files}
    for name, content in contents.items():
        # S3 has a few seconds for an answer, which may not do on a busy machine: as clients, this tries again then.
        assert once_back(partial(client.put, name, content)).status_code == 201, name
    opened = DrivePage(pages(cast[person], "/", **options), client, cast)
    opened.go(**(look or {}))
    return opened


def middle_of(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def write_tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files on the disk of the person who uploads them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def sha256(content: bytes | None) -> str:
    return hashlib.sha256(content or b"").hexdigest()


def escaped(text: str) -> str:
    """For a quoted value in a CSS selector."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


# A red and a transparent pixel as PNG, and a document of one empty page.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="teal"/></svg>'
PDF = make_pdf()
