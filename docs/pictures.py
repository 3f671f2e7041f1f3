"""`python -m docs.pictures`: makes the pictures of this folder, `docs/pictures/*.png`.

It starts a server on a data folder of its own, fills it as an app and a person would (over HTTP and in a browser), and
photographs the pages: 1280 pixels wide, in light colours. It needs what the browser tests need: Chromium.
"""

import io
import json
import random
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Page, sync_playwright

from tests.serving import Server

FOLDER = Path(__file__).parent / "pictures"
COLOURS = 160
PASSWORD = "a garden full of beans"

PLANTS = [
    ("artichoke", "Artichoke", "Cynara cardunculus", 3, "A", ["perennial"], True),
    ("basil", "Basil", "Ocimum basilicum", 24, "greenhouse", ["herb", "tender"], True),
    ("bean-blauhilde", "Bean “Blauhilde”", "Phaseolus vulgaris", 18, "C", ["climber"], False),
    ("beetroot", "Beetroot", "Beta vulgaris", 40, "B", ["root"], True),
    ("chard", "Rainbow chard", "Beta vulgaris cicla", 15, "B", ["leaf"], True),
    ("chervil", "Chervil", "Anthriscus cerefolium", 10, "A", ["herb", "shade"], False),
    ("courgette", "Courgette", "Cucurbita pepo", 4, "C", ["fruit"], True),
    ("fennel", "Fennel", "Foeniculum vulgare", 12, "A", ["bulb"], True),
    ("kale", "Kale “Nero”", "Brassica oleracea", 20, "B", ["leaf", "winter"], True),
    ("leek", "Leek", "Allium porrum", 60, "B", ["winter"], True),
    ("lovage", "Lovage", "Levisticum officinale", 1, "A", ["herb", "perennial"], True),
    ("mint", "Mint", "Mentha spicata", 2, "pot", ["herb"], True),
    ("pea-kelvedon", "Pea “Kelvedon Wonder”", "Pisum sativum", 80, "C", ["climber"], False),
    ("potato-charlotte", "Potato “Charlotte”", "Solanum tuberosum", 30, "D", ["root"], True),
    ("pumpkin", "Pumpkin “Hokkaido”", "Cucurbita maxima", 3, "D", ["fruit"], True),
    ("rhubarb", "Rhubarb", "Rheum rhabarbarum", 2, "A", ["perennial"], True),
    ("sorrel", "Sorrel", "Rumex acetosa", 6, "A", ["leaf", "perennial"], True),
    ("tomato-black-cherry", "Tomato “Black Cherry”", "Solanum lycopersicum", 16, "greenhouse", ["fruit"], True),
]
PHOTOS = {
    "2026/spring/first-peas.jpg": (116, 154, 70),
    "2026/spring/rhubarb.jpg": (178, 78, 90),
    "2026/summer/greenhouse.jpg": (86, 130, 118),
    "2026/summer/open-day.jpg": (214, 160, 66),
    "cover.jpg": (120, 140, 92),
    "plan-of-the-beds.png": (226, 216, 190),
    "shed.jpg": (122, 100, 84),
}
NOTES = "# Open day\n\n- Gate opens at **10:00**\n- Tea and cake from 14:00, under the pear tree\n- Bring boots\n"


class App:
    """What an app does over the public API."""

    def __init__(self, server: Server, collection_id: str, key: str) -> None:
        self._http = urllib3.PoolManager()
        self._url = f"{server.url}/v1/{collection_id}"
        self._key = key

    def send(self, method: str, path: str, value: Any = None, *, body: bytes | None = None, kind: str = "") -> None:
        headers = {"X-API-Key": self._key, "User-Agent": "garden-app/2.1"} | ({"Content-Type": kind} if kind else {})
        self._http.request(
            method, f"{self._url}/{path}", body=body if value is None else json.dumps(value), headers=headers
        )


def fill(app: App) -> None:
    """Two Bases and a Drive with things in them."""
    rows = [
        {"key": key, "name": name, "latin": latin, "count": count, "bed": bed, "tags": tags, "planted": planted}
        | {"week": 9 + len(name) if planted else None}
        for key, name, latin, count, bed, tags, planted in PLANTS
    ]
    app.send("PUT", "plants/items", {"items": rows})
    visits = [
        {"guest": guest, "day": str(date(2026, 5, 2) + timedelta(days=index)), "people": 1 + index % 5}
        for index, guest in enumerate(["Amara", "Björn", "Chiyo", "Dilnoza", "Eero", "Fatou", "Goran", "Hana"])
    ]
    app.send("PUT", "visits/items", {"items": visits})
    for index, (name, colour) in enumerate(PHOTOS.items()):
        kind = "image/png" if name.endswith("png") else "image/jpeg"
        app.send("POST", f"photos/files?name={quote(name)}", body=draw(colour, index, kind), kind=kind)
    app.send("POST", "photos/files?name=open-day.md", body=NOTES.encode(), kind="text/markdown")


def draw(colour: tuple[int, int, int], seed: int, kind: str) -> bytes:
    """A picture that could be of a garden."""
    chance = random.Random(seed)
    image = Image.new("RGB", (900, 600), tuple(min(255, part + 90) for part in colour))
    pen = ImageDraw.Draw(image)
    for depth in range(6):
        shade = tuple(int(part * (1.25 - depth * 0.14)) % 256 for part in colour)
        top = 220 + depth * 65
        line = [(x, top + chance.randint(-28, 28)) for x in range(-60, 1000, 120)]
        pen.polygon([(-60, 600), *line, (1000, 600)], fill=shade)
    pen.ellipse((660, 60, 780, 180), fill=(250, 236, 190))
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "PNG" if kind.endswith("png") else "JPEG", quality=80)
    return out.getvalue()


def use(app: App) -> None:
    """The requests that the Visor shows."""
    for index in range(3):
        app.send("GET", "plants/items/kale")
        app.send("POST", "plants/query", {"query": {"bed": "A", "count?gt": index}, "limit": 20})
        app.send("GET", "photos/files?limit=100")
        time.sleep(0.4)
    app.send("PUT", "visits/items", {"items": [{"guest": "Imani", "day": "2026-05-11", "people": 4}]})
    app.send("GET", "plants/items/mandrake")
    app.send("POST", "plants/query", {"query": {"count?gtt": 3}})
    app.send("PATCH", "plants/items/mint", {"increment": {"count": 1}, "append": {"tags": ["spreads"]}})


class Camera:
    """A signed-in browser, and where its pictures go."""

    def __init__(self, page: Page, collection_id: str) -> None:
        self.page = page
        self.place = f"/collections/{collection_id}"

    def go(self, path: str) -> None:
        self.page.goto(self.place + path)

    def take(self, name: str, *, height: int = 760) -> None:
        self.page.set_viewport_size({"width": 1280, "height": height})
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


def _visor(page: Page, camera: Camera) -> None:
    camera.go("/visor/")
    camera.take("visor")
    page.get_by_role("link", name="query").first.click()
    page.wait_for_timeout(600)
    camera.take("request")
    camera.go("/visor/client/")
    camera.take("client")


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
            page = browser.new_page(base_url=server.url, color_scheme="light", viewport={"width": 1280, "height": 760})
            page.set_default_timeout(120_000)
            sign_in(server, page)
            photograph(server, page, Camera(page, collection_id), app)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
