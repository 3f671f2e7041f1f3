"""What the pictures of this folder show: a garden club's plants, visits and photographs, stored as an app stores them."""

import io
import json
import random
import time
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import urllib3
from PIL import Image, ImageDraw, ImageFilter

from tests.serving import Server

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
SEASON_ENDS = 1_825_351_200  # 2027-11-04
# As a German spreadsheet writes it, in Windows-1252.
HARVEST = """key;count;picked;weight kg;colour;sold
basil;24;2026-06-14;1,5;314e59;WAHR
chard;12;2026-06-14;4,25;7e9022;FALSCH
kale;20;2026-07-02;12;2f5d3a;WAHR
potato-charlotte;30;2026-08-20;31,4;d9b36c;FALSCH
käferbohne;8;2026-09-01;0,75;5b2a3f;WAHR
""".encode("cp1252")
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
        | {"__expires": SEASON_ENDS + index * 86_400}
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
        shade = tuple(min(255, int(part * (1.25 - depth * 0.14))) for part in colour)
        top = 220 + depth * 65
        line = [(x, top + chance.randint(-28, 28)) for x in range(-60, 1000, 120)]
        pen.polygon([(-60, 600), *line, (1000, 600)], fill=shade)
    pen.ellipse((660, 60, 780, 180), fill=(250, 236, 190))
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "PNG" if kind.endswith("png") else "JPEG", quality=80)
    return out.getvalue()


def use(app: App) -> None:
    """The requests that the Visor shows."""
    app.send("GET", "plants/items/mint")
    for index in range(3):
        app.send("GET", "plants/items/kale")
        app.send("POST", "plants/query", {"query": {"bed": "A", "count?gt": index}, "limit": 20})
        app.send("GET", "photos/files?limit=100")
        time.sleep(0.4)
    app.send("PUT", "visits/items", {"items": [{"guest": "Imani", "day": "2026-05-11", "people": 4}]})
    app.send("GET", "plants/items/mandrake")
    app.send("POST", "plants/query", {"query": {"count?gtt": 3}})
    app.send("PATCH", "plants/items/mint", {"increment": {"count": 1}, "append": {"tags": ["spreads"]}})
