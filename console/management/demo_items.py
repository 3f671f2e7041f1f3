"""A messy data set: mixed types, missing and null attributes, nested lists, markup, right-to-left script, odd keys.

Made by rule, so that it is the same every time. `manage.py demo` brings it along, and the tests of the table work on it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

COUNT = 3_000
EXPIRES = 4_102_444_800  # the year 2100
_NAMES = [
    "Ada Lovelace", "Grace Hopper", "Zoë Müller", "Søren Kierkegaard", "Łukasz Żółty", "Đặng Thị Hà", "山田 太郎", "김민준",
    "محمد الفارابي", "רחל המשוררת", "Владимир Ильин", "नरेंद्र कुमार", "O'Brien, \"Pat\"", "José  Núñez", "🦊 Fox", "null",
]  # fmt: skip
_TOWNS = ["London", "Köln", "القاهرة", "ירושלים", "São Paulo", "東京", "Paris", ""]
_NOTES = [
    "Came back twice",
    "<b>bold</b> & <script>alert('x')</script>",
    '<img src=x onerror="alert(1)">',
    "line one\nline two\ttabbed",
    "مرحبا بالعالم",
    "שלום, world",
    "a\u202eevil\u202c right-to-left mark",
    '{"looks": "like JSON"}',
    "=SUM(A1:A9)",
    "C:\\path\\to\\file",
    "100 % _of_ what?",
    "x" * 400,
]
_NUMBERS = [
    0, 1, -7, Decimal("1.0"), Decimal("0.1234567890123456789"), 12345678901234567890, Decimal("1e21"), Decimal("-0.50"),
]  # fmt: skip


def messy_items(count: int = COUNT) -> Iterator[dict[str, Any]]:
    """`count` items, the same every time; numbers are `int` or `Decimal`."""
    for number in range(count):
        yield _item(number)


def _item(number: int) -> dict[str, Any]:
    item: dict[str, Any] = {"key": _key(number), "name": _NAMES[number % len(_NAMES)]}
    # Prime steps, so that no two attributes keep pace.
    if number % 3:
        item["age"] = 18 + number * 7 % 60 if number % 11 else str(18 + number % 60)
    if number % 5 == 0:
        item["age"] = None
    if number % 7:
        item["active"] = number % 2 == 0 if number % 13 else "yes"
    if number % 2:
        item["home"] = {"town": _TOWNS[number % len(_TOWNS)], "at": [number % 180 - 90, Decimal(number % 360) / 4]}
    if number % 4:
        item["tags"] = ["new", "vip", "überall", "<i>"][: number % 5]
    if number % 17 == 0:
        item["tags"] = "new"
    if number % 6 == 0:
        item["note"] = _NOTES[number // 6 % len(_NOTES)]
    if number % 8 == 0:
        item["score"] = _NUMBERS[number // 8 % len(_NUMBERS)]
    if number % 19 == 0:
        item["history"] = [[number, None], [], {"then": [{"deep": [1, [2, [3]]]}]}]
    if number % 23 == 0:
        item["joined?"] = str(date(2020, 1, 1) + timedelta(days=number % 1_500))
    if number % 29 == 0:
        item["home.town"] = "an attribute with a dot in its name"
    if number % 31 == 0:
        item["nick name"] = ""
    if number % 37 == 0:
        item["__expires"] = EXPIRES + number
    if number % 997 == 0:
        item["essay"] = "Lorem ipsum dolor sit amet. " * 400
    return item


def _key(number: int) -> str:
    """Most are plain; some are paths, need escaping, or look alike."""
    plain = f"guest-{number:05}"
    match number % 40:
        case 3:
            return f"2024/{number % 12 + 1:02}/{plain}"
        case 13:
            return f"{plain} & co?#%20"
        case 23:
            return f"ضيف-{number:05}"
        case 33:
            return f"../{plain}//<b>"
        case _:
            return plain
