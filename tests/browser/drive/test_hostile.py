"""Names and files made to do harm. Whatever a file holds, nothing runs in the console's name, and every name is only a name."""

import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Set
from contextlib import suppress
from pathlib import Path, PurePosixPath

import playwright.sync_api
import pytest
from playwright.sync_api import BrowserContext, Dialog, Frame, Page, expect

from tests.browser.conftest import Pages, eventually_on
from tests.browser.drive.page import PDF, DrivePage, escaped, open_drive
from tests.pdfs import SCRIPT, make_packed_pdf, make_pdf
from tests.people import Cast
from tests.serving import Server
from tests.waiting import NOTHING_SECONDS

ATTACK = "fetch('/?pwned');document.title='pwned';alert('pwned');top.name='pwned';parent.document.title='pwned'"
HTML = f'<!doctype html><html><body><img src=x onerror="{ATTACK}"><script>{ATTACK}</script></body></html>'.encode()
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" onload="{ATTACK}"><script>{ATTACK}</script>'
    f'<foreignObject width="10" height="10"><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="{ATTACK}"/>'
    '</body></foreignObject><image href="/?pwned"/><rect width="10" height="10"/></svg>'
).encode()
XHTML = f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{ATTACK}</script></html>'.encode()
XSLT = b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/?pwned"?><a/>'
GIF_SCRIPT = b"GIF89a/*" + b"\x00" * 20 + f"*/=1;{ATTACK}".encode()
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG_HEAD + header + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


FILES = {
    "page.html": HTML,
    "page.xhtml": XHTML,
    "drawing.svg": SVG,
    "drawing-as.png": SVG,
    "style.xml": XSLT,
    "html-as.png": HTML,
    "html-as.jpg": HTML,
    "html-as.pdf": HTML,
    "html-as.mp4": HTML,
    "html-as.txt": HTML,
    "script.pdf": make_pdf(SCRIPT, catalog=b"/OpenAction 4 0 R"),
    "escaped.pdf": make_pdf(SCRIPT.replace(b"/JavaScript/JS", b"/J#61vaScript/#4aS"), catalog=b"/OpenAction 4 0 R"),
    "packed.pdf": make_packed_pdf(SCRIPT, catalog=b"/OpenAction 4 0 R"),
    "png-as.html": PNG_HEAD + HTML,
    "polyglot.gif": GIF_SCRIPT,
    "polyglot.js": GIF_SCRIPT,
    "png-with-html.png": png(1, 1, zlib.compress(b"\0\0")) + HTML,
    "evil.md": HTML + b"\n\n[x](javascript:fetch('/?pwned')) ![x](/?pwned) <a href='//evil.example/?pwned'>x</a>",
    "evil.csv": b'a,"<img src=x onerror=fetch(\'/?pwned\')>"\n=HYPERLINK("/?pwned"),b\n',
    "evil.json": b"{\"</code><script>fetch('/?pwned')</script>\": \"<img src=x onerror=fetch('/?pwned')>\"}",
    "no-ending": HTML,
}
# What browsers are told about a file when it is stored; the console believes none of it.
LIE = "text/html"


class Alarm:
    """Goes off when anything of the above has come to run: a request, a dialog, a title, a name."""

    def __init__(self, context: BrowserContext) -> None:
        self.seen: list[str] = []
        context.on("request", lambda request: self.seen.append(request.url) if "?pwned" in request.url else None)
        context.on("page", self.watch)
        for page in context.pages:
            self.watch(page)

    def watch(self, page: Page) -> None:
        page.on("dialog", self.note)

    def note(self, dialog: Dialog) -> None:
        self.seen.append(dialog.message)
        dialog.dismiss()

    def check(self, page: Page, what: str) -> None:
        assert self.seen == [], what
        assert page.evaluate("[document.title, window.name].join()").find("pwned") < 0, what


# One of each way in: marked up, drawn, named as another kind, two kinds at once, and what the console lays out itself.
OFTEN = {"page.html", "drawing.svg", "html-as.png", "png-as.html", "polyglot.js", "evil.md", "evil.json", "no-ending"}


@pytest.mark.parametrize(
    "declared, names",
    [
        pytest.param("by its name", FILES.keys(), marks=pytest.mark.slow, id="by its name"),
        pytest.param(LIE, FILES.keys(), marks=pytest.mark.slow, id=LIE),
        pytest.param(LIE, OFTEN, id="some"),
    ],
)
def test_nothing_runs_in_the_console_s_name(
    server: Server, cast: Cast, pages: Pages, declared: str, names: Set[str]
) -> None:
    assert names <= FILES.keys()
    files = {name: content for name, content in FILES.items() if name in names and not name.endswith(".pdf")}
    look_at_all(open_drive(pages, server, cast), files, declared)


@pytest.mark.slow
@pytest.mark.parametrize("declared", ["by its name", LIE])
def test_nothing_runs_in_the_viewer_of_pdfs(server: Server, cast: Cast, whole_pages: Pages, declared: str) -> None:
    files = {name: content for name, content in FILES.items() if name.endswith(".pdf")}
    look_at_all(open_drive(whole_pages, server, cast), files, declared)


def look_at_all(drive: DrivePage, files: dict[str, bytes], declared: str) -> None:
    """In the preview, and at each address that a link may lead to."""
    for name, content in files.items():
        headers = {} if declared == "by its name" else {"Content-Type": declared}
        assert drive.client.put(name, content, headers=headers).status_code == 201
    page = drive.page
    alarm, tab = Alarm(page.context), page.context.new_page()
    for name in files:
        drive.go(file=name)
        expect(page.locator("#preview")).to_have_attribute("data-name", name)
        alarm.check(page, f"preview of {name}")
        for address in (f"file/?name={name}", f"file/?inline=1&name={name}", f"preview/?name={name}"):
            visit(tab, drive.base + address)
            alarm.check(tab, address)
    page.wait_for_timeout(NOTHING_SECONDS * 1000)  # what begins late is heard as well
    alarm.check(page, "all of it")


def visit(tab: Page, address: str) -> None:
    """As a link from anywhere would: straight to it. A download is no page, which playwright calls an error."""
    with suppress(playwright.sync_api.Error):
        tab.goto(address, wait_until="load")


def test_a_pdf_with_a_script_is_not_shown(server: Server, cast: Cast, whole_pages: Pages) -> None:
    """The browser's own viewer would run its script, whatever the policy says: it never starts."""
    drive = open_drive(whole_pages, server, cast, {"script.pdf": FILES["script.pdf"], "plain.pdf": PDF})
    page = drive.page
    alarm = Alarm(page.context)
    drive.go(file="plain.pdf")

    def viewers() -> list[Frame]:
        return [frame for frame in page.frames if frame.url.startswith("chrome-extension:")]

    eventually_on(page, viewers, what="the viewer did not start")
    drive.go(file="script.pdf")
    expect(page.locator("#preview")).to_contain_text("This PDF contains scripts or actions")
    expect(page.locator("#preview iframe")).to_have_count(0)
    page.wait_for_timeout(3 * NOTHING_SECONDS * 1000)
    assert viewers() == []
    alarm.check(page, "script.pdf")
    tab = page.context.new_page()
    with tab.expect_download() as started, suppress(playwright.sync_api.Error):
        tab.goto(f"{drive.base}file/?inline=1&name=script.pdf")
    assert started.value.suggested_filename == "script.pdf"


def test_an_image_that_would_fill_all_memory_is_not_shown(server: Server, cast: Cast, pages: Pages) -> None:
    huge = png(50_000, 50_000, zlib.compress(b"\0" * 50_001))
    drive = open_drive(pages, server, cast, {"huge.png": huge}, look={"file": "huge.png"})
    preview = drive.page.locator("#preview")
    expect(preview).to_contain_text("50,000 by 50,000 pixels")
    expect(preview.locator("img")).to_have_count(0)
    with drive.page.expect_download() as started:
        preview.get_by_role("link", name="Download it").click()
    assert Path(started.value.path()).read_bytes() == huge


NAMES = [
    "\"double\" and 'single'.txt",
    "<img src=x onerror=fetch('?pwned')>.txt",
    "{{ 7*7 }} {% now %} ${x}.txt",
    "100%.txt",
    "50%25.txt",
    "a#b?c&d=e+f;g.txt",
    "back\\slash.txt",
    "/leading.txt",
    "double//slash.txt",
    "../up.txt",
    "a/../b.txt",
    "./here.txt",
    " spaces .txt",
    "\u202egpj.exe",
    "عربى.txt",
    "e\u0301\u0327\u0315 combined.txt",
    "😀 family 👨‍👩‍👧.txt",
    "CON",
    "x" * 1024,
    "ü" * 512,
]


@pytest.mark.slow
def test_odd_names_are_listed_opened_and_downloaded(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, NAMES)
    page = drive.page
    alarm = Alarm(page.context)
    for name in NAMES:
        drive.go()
        for folder in folders_of(name):
            page.locator(f'.drive-row[data-name="{escaped(folder)}"] [data-open]').click()
            expect(page.locator("#drive-view")).to_have_attribute("data-folder", folder)
        label = name.rsplit("/", 1)[-1]
        link = page.locator(f'.drive-row[data-name="{escaped(name)}"] [data-open]')
        expect(link).to_have_text(label.replace("\u202e", "[U+202E]"))
        link.click()
        expect(page.locator("#preview")).to_have_attribute("data-name", name)
        with page.expect_download() as started:
            page.locator("#preview-download").click()
        assert Path(started.value.path()).read_bytes() == name.encode()
        assert is_own_name(started.value.suggested_filename, label), (started.value.suggested_filename, label)
        page.reload()
        expect(page.locator("#preview")).to_have_attribute("data-name", name)
    page.wait_for_timeout(NOTHING_SECONDS * 1000)
    alarm.check(page, "names")


def test_odd_names_unpack_safely(server: Server, cast: Cast, pages: Pages, tmp_path: Path) -> None:
    drive = open_drive(pages, server, cast, NAMES)
    drive.rows.first.focus()
    drive.page.keyboard.press("Control+a")
    with drive.page.expect_download() as started:
        drive.page.locator("#drive-selected").get_by_role("button", name="Download").click()
    with zipfile.ZipFile(io.BytesIO(Path(started.value.path()).read_bytes())) as archive:
        entries = [info.filename for info in archive.infolist()]
        contents = {archive.read(info) for info in archive.infolist()}
    assert {name.encode() for name in NAMES} <= contents
    for entry in entries:
        path = PurePosixPath(entry)
        assert not path.is_absolute(), entry
        assert ".." not in path.parts, entry
        assert not set("\\:") & set(entry), entry
        assert all(len(part.encode()) <= 255 for part in path.parts), entry
    assert len({entry.casefold() for entry in entries}) == len(entries)


@pytest.mark.slow
def test_odd_names_are_renamed_moved_and_deleted(server: Server, cast: Cast, pages: Pages) -> None:
    names = [name for name in NAMES if "/" not in name and len(name.encode()) < 200]
    drive = open_drive(pages, server, cast, [*names, "target/x"])
    page = drive.page
    for name in names:
        page.locator(f'.drive-row[data-name="{escaped(name)}"]').focus()
        page.keyboard.press("F2")
        page.keyboard.press("End")
        page.keyboard.type("~")
        page.keyboard.press("Enter")
        expect(page.locator(f'.drive-row[data-name="{escaped(name)}~"]')).to_be_focused()
    assert drive.stored_names() == sorted([*(f"{name}~" for name in names), "target/x"], key=str.encode)
    expect(page.locator(".toast")).to_have_count(3)  # one for each would cover the buttons
    page.keyboard.press("Control+a")
    drive.row("target").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Move …").click()
    page.get_by_role("dialog").get_by_role("button", name="target", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Move to target").click()
    drive.expect_labels("target")
    assert drive.stored_names() == sorted([*(f"target/{name}~" for name in names), "target/x"], key=str.encode)


def folders_of(name: str) -> list[str]:
    """The folders on the way to a name."""
    return [name[: at + 1] for at, character in enumerate(name) if character == "/"]


def is_own_name(suggested: str, label: str) -> bool:
    """A browser composes letters, replaces what its system's file names cannot hold, and cuts what is too long; no more."""
    kept = [character for character in unicodedata.normalize("NFC", label) if character.isalnum()]
    found = [character for character in unicodedata.normalize("NFC", suggested) if character.isalnum()]
    return found == kept or (len(label.encode()) > 200 and "".join(kept).startswith("".join(found[:50])))
