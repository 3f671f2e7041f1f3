"""Files and folders dropped onto a page, as the desktop does it: the browser sees real directories."""

from pathlib import Path

from playwright.sync_api import Page

MIDDLE = (600, 400)


def drag_files(
    page: Page,
    *paths: Path,
    steps: tuple[str, ...] = ("dragEnter", "dragOver"),
    at: tuple[float, float] = MIDDLE,
) -> None:
    """Hold them over a point of the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in steps:
        session.send("Input.dispatchDragEvent", {"type": step, "x": at[0], "y": at[1], "data": data})


def drop_files(page: Page, *paths: Path) -> None:
    """Drop them there."""
    drag_files(page, *paths, steps=("dragEnter", "dragOver", "drop"))
