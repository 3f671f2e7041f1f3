"""Files and folders dropped onto a page, as the desktop does it: the browser sees real directories."""

from pathlib import Path

from playwright.sync_api import Page


def drag_files(page: Page, *paths: Path, steps: tuple[str, ...] = ("dragEnter", "dragOver")) -> None:
    """Hold them over the middle of the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in steps:
        session.send("Input.dispatchDragEvent", {"type": step, "x": 600, "y": 400, "data": data})


def drop_files(page: Page, *paths: Path) -> None:
    """Drop them there."""
    drag_files(page, *paths, steps=("dragEnter", "dragOver", "drop"))
