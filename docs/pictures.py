"""`python -m docs.pictures`: makes the pictures of this folder, `docs/pictures/*.png`.

It starts a server on a data folder of its own, fills it as an app and a person would (over HTTP and in a browser), and
photographs the pages: 1280 pixels wide, in light colours. It needs what the browser tests need: Chromium.
"""

import io
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from docs.garden import HARVEST, App, fill, use
from tests.serving import Server

FOLDER = Path(__file__).parent / "pictures"
COLOURS = 160
PASSWORD = "a garden full of beans"


class Camera:
    """A signed-in browser, and where its pictures go."""

    def __init__(self, page: Page, collection_id: str) -> None:
        self.page = page
        self.place = f"/collections/{collection_id}"

    def go(self, path: str) -> None:
        self.page.goto(self.place + path)

    def frame(self, *, height: int = 760, width: int = 1280) -> None:
        """As large as the next picture is to be: an open menu closes when its window changes."""
        self.page.set_viewport_size({"width": width, "height": height})

    def take(self, name: str, *, height: int = 760, width: int = 1280) -> None:
        self.frame(height=height, width=width)
        # Nothing looks pointed at.
        self.page.mouse.move(2, 2)
        # Icons, fonts and the moment after a change have to be there.
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(400)
        image = Image.open(io.BytesIO(self.page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
        few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        path = FOLDER / f"{name}.png"
        few.save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size // 1024} KB")


def sign_in(server: Server, page: Page) -> None:
    (link,) = re.findall(r"Sign-in link, works once: (\S+)", server.log)
    page.goto(link)
    page.get_by_label("Name").fill("ada")
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/")


def photograph(server: Server, page: Page, camera: Camera, app: App) -> None:
    camera.go("/visor/")
    page.get_by_role("button", name="Record requests").click()
    page.wait_for_timeout(2500)
    use(app)
    _collections(page, camera)
    _base(page, camera)
    _history(page, camera)
    _find_in_base(page, camera)
    _change_base(page, camera)
    _lists(page, camera)
    _drive(page, camera)
    _visor(page, camera)
    _micros(page, camera)
    for name in ("keys", "settings"):
        camera.go(f"/{name}/")
        camera.take(name)
    camera.go("/connect/")
    # A server of somebody's has neither this folder nor these ports.
    for here, there in ((str(server.data), "/srv/homeport"), (server.tls_url.rpartition(":")[2], "8443")):
        page.evaluate(
            "([here, there]) => document.querySelectorAll('pre code, p code').forEach("
            "(code) => { code.textContent = code.textContent.replaceAll(here, there) })",
            [here, there],
        )
    camera.take("connect")
    _archives(page, camera)
    _first_steps(page, camera)


def _collections(page: Page, camera: Camera) -> None:
    def counted() -> bool:
        page.goto("/")
        return "8 files" in page.locator("main").inner_text()

    wait_until(counted)
    camera.take("collections", height=520)
    page.keyboard.press("Control+k")
    page.keyboard.type("pl")
    camera.take("palette", height=520)


def _base(page: Page, camera: Camera) -> None:
    camera.go("/base/plants/")
    rows = page.locator("#grid-body")
    for key, name, text in (("beetroot", "count", "44"), ("chard", "name", "Chard"), ("fennel", "bed", "D")):
        rows.locator(f'[data-id="item:{key}"] > [data-name="{name}"]').click()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    rows.locator('[data-id="item:chervil"] > [data-name="name"]').click()
    page.keyboard.press("Control+Home")
    camera.take("base")
    rows.locator('[data-id="item:basil"] > [data-name="tags"]').click()
    page.keyboard.press("Shift+Enter")
    page.locator("#editor .ace_text-input").wait_for(state="attached")
    camera.take("editor")
    page.locator("#editor").get_by_role("button", name="Close without").click()
    page.get_by_role("button", name="Open basil").click()
    page.locator("#item-body .item-field").first.wait_for()
    camera.take("item")
    page.locator("#item-panel").get_by_role("button", name="Close without").click()
    page.locator("#undo-all").click()
    page.get_by_role("combobox", name="Search or query this Base").fill('{"bed": "A", "count?gt": 2}')
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)
    camera.take("query", height=520)


def _history(page: Page, camera: Camera) -> None:
    """An item that the app has changed, in the panel over the table."""
    camera.go("/base/plants/?history=mint")
    page.get_by_role("link", name="Request in Visor").first.wait_for()
    camera.take("history")


def _find_in_base(page: Page, camera: Camera) -> None:
    """By a value, by fields under the headers, by a word; and what is found kept as a view."""
    camera.go("/base/plants/")
    camera.frame(height=760)
    cell = page.locator('#grid-body [data-id="item:basil"] > [data-name="bed"]')
    cell.click(button="right")
    page.get_by_role("menuitem").first.wait_for()
    camera.take("cell-menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filters").click()
    for name, text in (("count", ">10"), ("bed", "B")):
        page.get_by_label(f"Filter by {name}").fill(text)
        page.get_by_label(f"Filter by {name}").press("Enter")
        page.wait_for_timeout(600)
    camera.take("filters", height=620)
    for name, query in (("Bed B", None), ("Greenhouse", '{"bed": "greenhouse"}'), ("Few", '{"count?lt": 4}')):
        if query:
            page.get_by_role("combobox", name="Search or query this Base").fill(query)
            page.keyboard.press("Enter")
            page.wait_for_timeout(600)
        page.get_by_role("button", name="Views").click()
        page.get_by_role("button", name="Save this view").click()
        dialog = page.get_by_role("dialog", name="Save this view")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name="Save view").click()
        dialog.wait_for(state="hidden")
    camera.go("/base/plants/")
    camera.frame(height=620)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="Bed B").click()
    page.locator("#base-count", has_text="of 18").wait_for()
    page.get_by_role("button", name="Views").click()
    camera.take("views", height=620)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filters").click()
    camera.go("/base/plants/")
    page.get_by_role("combobox", name="Search or query this Base").fill("climber")
    page.keyboard.press("Enter")
    page.locator("#grid-body mark").first.wait_for()
    camera.take("search", height=520)


def _change_base(page: Page, camera: Camera) -> None:
    """Many items at once, and when an item expires."""
    camera.go("/base/plants/?q=%7B%22bed%22%3A%20%22A%22%7D")
    page.locator("#grid-body [data-id]").first.wait_for()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name="Change many items").click()
    dialog = page.get_by_role("dialog", name="Change many items")
    dialog.get_by_label("Attribute").fill("watered")
    dialog.get_by_label("Value").fill("every second day")
    camera.take("many")
    page.keyboard.press("Escape")
    camera.go("/base/visits/")
    camera.frame(height=620)
    page.locator('#grid-body [data-name="__expires"]').nth(2).dblclick()
    page.get_by_role("dialog", name="When the item expires").wait_for()
    camera.take("expiry", height=620)
    page.keyboard.press("Escape")


def _lists(page: Page, camera: Camera) -> None:
    """All Bases, and what is done to a whole one."""
    camera.go("/base/")
    camera.frame(height=620)
    page.get_by_role("button", name="What to do with plants", exact=True).click()
    camera.take("bases", height=620)
    page.keyboard.press("Escape")
    camera.go("/base/plants/")
    page.locator("#side-find").wait_for(state="attached")
    camera.take("side-list", width=1640, height=620)
    page.emulate_media(color_scheme="dark")
    camera.take("dark", height=620)
    page.emulate_media(color_scheme="light")


def _drive(page: Page, camera: Camera) -> None:
    camera.go("/drive/photos/")
    camera.take("drive")
    camera.go("/drive/photos/?file=cover.jpg")
    page.wait_for_timeout(800)
    camera.take("preview")
    camera.go("/drive/photos/")
    page.get_by_role("button", name="Tiles", exact=True).click()
    page.locator(".drive-thumbnail").nth(2).wait_for()
    page.wait_for_timeout(800)
    camera.take("tiles", height=620)
    page.get_by_role("button", name="Tiles", exact=True).click()
    page.locator('[data-name="cover.jpg"]').click(button="right")
    page.get_by_role("menuitem", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    page.locator("#dialog pre").wait_for()
    # A server of somebody's has another address.
    page.locator("#dialog pre").evaluate(
        "(link) => { link.textContent = link.textContent.replace(location.origin, 'https://homeport.example.org') }"
    )
    camera.take("share-link", height=620)
    page.keyboard.press("Escape")
    camera.go("/drive/photos/links/")
    camera.take("share-links", height=520)


def _visor(page: Page, camera: Camera) -> None:
    camera.go("/visor/")
    camera.take("visor")
    page.get_by_role("link", name="query").first.click()
    page.wait_for_timeout(600)
    camera.take("request")
    camera.go("/visor/client/")
    camera.take("client")
    camera.go("/visor/?method=GET")
    page.get_by_role("link", name="mint").first.click()
    page.locator("#event").get_by_role("button", name="Redo").click()
    page.wait_for_timeout(1500)
    camera.take("redo", width=1640, height=700)


def _micros(page: Page, camera: Camera) -> None:
    """Two of the templates; one of them is visited."""
    for starter, name in (("express", "Opening hours"), ("form", "Guest book")):
        camera.go(f"/micros/new/starters/{starter}/")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Create and deploy").click()
        page.locator("#deployment .dot", has_text="serves").wait_for()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the Micro").click()
    opened.value.locator("form").wait_for()
    for _ in range(3):
        opened.value.reload()
    opened.value.close()
    page.get_by_role("link", name="Overview").click()
    wait_until(lambda: page.locator(".figures dd").nth(1).inner_text() != "0")
    camera.take("micro", height=860)


def _archives(page: Page, camera: Camera) -> None:
    camera.go("/exports/")
    page.get_by_role("button", name="Export now").click()
    page.locator("a[aria-label^=Download]").wait_for(timeout=120_000)
    camera.take("exports", height=520)
    camera.go("/imports/new/")
    page.locator("#sender-file").set_input_files(
        {"name": "plants.csv", "mimeType": "text/csv", "buffer": HARVEST},
    )
    page.get_by_label("Type of picked").wait_for()
    camera.take("import", height=980)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("1 new, 4 updated").wait_for()
    camera.take("import-report", height=520)


def _first_steps(page: Page, camera: Camera) -> None:
    page.goto("/")
    page.get_by_role("link", name="New collection").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Seed swap")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/start/")
    camera.take("doors", height=520)
    page.get_by_role("button", name="Enter data").click()
    page.wait_for_url("**/base/data/")
    page.locator("#item-panel").wait_for()
    camera.take("new-item", height=620)
    page.context.clear_cookies()
    page.goto("/sign-in/")
    camera.take("sign-in", height=620)


def wait_until(holds: Callable[[], bool], seconds: float = 150.0) -> None:
    """As long as the background work needs that counts every minute."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("What a picture waits for did not come.")
        time.sleep(2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="homeport-pictures-") as folder, sync_playwright() as playwright:
        Path(folder).chmod(0o711)
        server = Server(Path(folder) / "data", free_port(), free_port()).start()
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        try:
            server.wait_ready()
            collection_id = server.run("collection", "create", "Garden club").stdout.split()[-1]
            key = server.run("datakey", "create", collection_id, "garden app").stdout.split()[-1]
            server.run(
                "datakey", "create", collection_id, "website", "--read-only", "--base", "plants", "--drive", "photos"
            )
            server.run("collection", "create", "Choir")
            app = App(server, collection_id, key)
            fill(app)
            page = browser.new_page(
                base_url=server.url,
                color_scheme="light",
                timezone_id="Europe/Berlin",
                viewport={"width": 1280, "height": 760},
            )
            page.set_default_timeout(120_000)
            sign_in(server, page)
            photograph(server, page, Camera(page, collection_id), app)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
