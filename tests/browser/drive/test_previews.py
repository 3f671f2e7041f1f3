"""Previews of each kind of file, in place, with their neighbours; players that seek by ranges."""

import io
import wave
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Pages
from tests.browser.drive.page import PDF, PNG, SVG, open_drive
from tests.browser.drive.video import record_video
from tests.drives import noise
from tests.people import Cast
from tests.serving import Server

MARKDOWN = b"# Plan\n\nA **list**:\n\n- [pack](https://example.org/)\n\n<script>x</script>\n\n![a picture](https://example.org/p.png)\n"


def sound(seconds: int) -> bytes:
    """A WAV of noise: eight kilobytes a second."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(noise(8000 * seconds))
    return written.getvalue()


FILES = {
    "1.png": PNG,
    "2.svg": SVG,
    "3.pdf": PDF,
    "4.wav": sound(2),
    "5.txt": "Grüße,\nzweite Zeile".encode(),
    "6.py": b"def answer():\n    return 42  # of course\n",
    "7.json": b'{"big":12345678901234567890123,"list":[1,2]}',
    "8.csv": b'name,amount\nAda,"1,204"\n"<b>Bob</b>",3\n',
    "9.md": MARKDOWN,
    "a.bin": b"\x00\x01\x02\xff" * 99,
    "b-empty.txt": b"",
}


def test_every_kind_one_after_the_other_by_arrow_keys(server: Server, cast: Cast, whole_pages: Pages) -> None:
    drive = open_drive(whole_pages, server, cast, FILES)
    page, preview = drive.page, drive.page.locator("#preview")
    page.get_by_role("link", name="1.png", exact=True).click()
    expect(page.get_by_role("dialog", name="1.png")).to_be_visible()
    expect(page.get_by_role("button", name="Previous file")).to_be_disabled()

    def next_is(name: str) -> Locator:
        page.keyboard.press("ArrowRight")
        expect(page.locator("#preview-title")).to_have_text(name)
        expect(preview).to_have_attribute("data-name", name)
        return preview

    expect(preview.locator("img")).to_have_js_property("naturalWidth", 1)
    expect(next_is("2.svg").locator("img")).to_have_js_property("complete", True)
    assert preview.locator("img").evaluate("image => image.naturalWidth") > 0
    expect(next_is("3.pdf").locator("iframe, embed, object")).to_have_count(1)
    audio = next_is("4.wav").locator("audio")
    expect(audio).to_have_js_property("duration", 2)
    expect(next_is("5.txt").locator("pre")).to_have_text("Grüße,\nzweite Zeile")
    expect(next_is("6.py").locator(".hl-keyword").first).to_have_text("def")
    expect(next_is("7.json").locator("pre")).to_contain_text('"big": 12345678901234567890123,')
    table = next_is("8.csv").get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["name", "amount"])
    expect(table.get_by_role("cell")).to_have_text(["Ada", "1,204", "<b>Bob</b>", "3"])
    prose = next_is("9.md").locator(".prose")
    expect(prose.locator("h1")).to_have_text("Plan")
    expect(prose.locator("img, script")).to_have_count(0)
    expect(prose.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(next_is("a.bin").get_by_role("heading")).to_have_text("No preview for this file")
    next_is("b-empty.txt")
    expect(page.get_by_role("button", name="Next file")).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(preview).to_have_attribute("data-name", "a.bin")


def test_closing_twice_at_once_is_one_step_back(server: Server, cast: Cast, whole_pages: Pages) -> None:
    """The browser needs a moment for a step back, and a second Escape or click may come within it."""
    drive = open_drive(whole_pages, server, cast, {"1.png": PNG})
    page = drive.page
    listed = page.url
    page.get_by_role("link", name="1.png", exact=True).click()
    expect(page.get_by_role("dialog", name="1.png")).to_be_visible()
    page.evaluate("""() => new Promise((resolve) => {
        const close = document.querySelector("[data-command=close-preview]");
        close.click();
        close.click();
        setTimeout(resolve, 500);
    })""")
    assert page.url == listed
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="1.png", exact=True).click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(listed)


def picture(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, "PNG")
    return made.getvalue()


def drawing(size: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><circle cx="50" cy="50" r="40"/></svg>'.encode()


PICTURES = {
    "1-wide.png": picture(3000, 90),
    "2-tall.png": picture(90, 3000),
    "3-large.png": picture(2400, 1800),
    "4-icon.png": picture(16, 16),
    "5-huge.svg": drawing('width="5000" height="7000" viewBox="0 0 100 100"'),
    "6-tiny.svg": drawing('width="8" height="8" viewBox="0 0 100 100"'),
    "7-sizeless.svg": drawing(""),
}
# Whether the picture is within its pane, how far its middle is from the pane's, and its size.
_LAID_OUT = """image => {
  const pane = image.closest(".preview-body"), shown = image.getBoundingClientRect(), room = pane.getBoundingClientRect();
  return {
    fits: shown.left >= room.left && shown.right <= room.right && shown.top >= room.top && shown.bottom <= room.bottom
      && pane.scrollWidth <= pane.clientWidth && pane.scrollHeight <= pane.clientHeight,
    off: Math.max(Math.abs(shown.left + shown.right - room.left - room.right) / 2,
      Math.abs(shown.top + shown.bottom - room.top - room.bottom) / 2),
    width: shown.width, height: shown.height,
  };
}"""


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.slow), 390])
def test_pictures_fit_their_pane_and_zoom_by_click_and_keys(
    server: Server, cast: Cast, pages: Pages, width: int
) -> None:
    drive = open_drive(pages, server, cast, PICTURES, look={"file": "1-wide.png"}, width=width)
    page, image = drive.page, drive.page.locator("#preview img")
    for name in PICTURES:
        expect(page.locator("#preview")).to_have_attribute("data-name", name)
        expect(image).to_have_js_property("complete", True)
        before = image.evaluate(_LAID_OUT)
        assert before["fits"], (name, before)
        assert before["off"] <= 1, (name, before)
        assert min(before["width"], before["height"]) >= 1, (name, before)
        zoom = page.get_by_role("button", name=f"{name}: zoom")
        zoom.click()
        expect(zoom).to_have_attribute("aria-pressed", "true")
        larger = image.evaluate(_LAID_OUT)
        assert larger["width"] > before["width"], name
        zoom.press("Enter")
        expect(zoom).to_have_attribute("aria-pressed", "false")
        assert image.evaluate(_LAID_OUT) == before
        page.keyboard.press("ArrowRight")
    # Zoomed, the arrows move the picture, and lead to no other.
    page.goto(f"{drive.base}?file=3-large.png")
    zoom = page.get_by_role("button", name="3-large.png: zoom")
    zoom.click(position={"x": 5, "y": 5})
    page.keyboard.press("ArrowRight")
    expect(page.locator(".preview-body")).to_have_js_property("scrollLeft", 80)
    expect(page.locator("#preview")).to_have_attribute("data-name", "3-large.png")


@pytest.mark.slow
def test_details_say_what_the_file_is(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"5.txt": FILES["5.txt"]}, look={"file": "5.txt"})
    details = drive.page.locator(".preview-details")
    etag = drive.client.get("5.txt").headers["ETag"].strip('"')
    for text in ("5.txt", "21 B", "text/plain", etag, "Created", "Modified"):
        expect(details).to_contain_text(text)


@pytest.mark.slow
def test_long_text_shows_its_beginning_and_says_so(server: Server, cast: Cast, pages: Pages) -> None:
    text = b"".join(b"line %06d\n" % number for number in range(100_000))
    drive = open_drive(pages, server, cast, {"long.log": text}, look={"file": "long.log"})
    expect(drive.page.locator(".preview-note")).to_contain_text("Only the first 256 KB are shown")
    expect(drive.page.locator("#preview pre")).to_contain_text("line 000000")
    assert len(drive.page.locator("#preview pre").inner_text()) <= 256 * 1024


@pytest.mark.slow
def test_the_order_of_the_list_is_that_of_the_previews(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"a.txt": b"1", "b.txt": b"333", "c.txt": b"22"}, look={"sort": "-size"})
    drive.page.get_by_role("link", name="b.txt", exact=True).click()
    for name in ("c.txt", "a.txt"):
        drive.page.keyboard.press("ArrowRight")
        expect(drive.page.locator("#preview")).to_have_attribute("data-name", name)


def test_deep_link_reload_back_and_escape(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES, look={"file": "6.py"})
    page = drive.page
    expect(page.get_by_role("dialog", name="6.py")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#preview-dialog")).to_be_hidden()
    assert "file=" not in page.url
    expect(drive.row("6.py")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="6.py")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#preview")).to_have_attribute("data-name", "7.json")
    page.reload()
    expect(page.locator("#preview")).to_have_attribute("data-name", "7.json")
    page.go_back()
    expect(page.locator("#preview-dialog")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#preview")).to_have_attribute("data-name", "7.json")
    page.get_by_role("button", name="Close the preview").click()
    expect(page.locator("#preview-dialog")).to_be_hidden()


@pytest.mark.slow
def test_a_file_that_is_gone_says_so(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, FILES)
    drive.client.delete("5.txt")
    drive.page.get_by_role("link", name="5.txt", exact=True).click()
    expect(drive.page.get_by_role("alert")).to_have_text("This file no longer exists.")


def test_delete_and_rename_from_the_preview(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"a.txt": b"a", "b.txt": b"b"}, look={"file": "a.txt"})
    page = drive.page
    page.get_by_role("button", name="More about this file").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("aa.txt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="aa.txt")).to_be_visible()
    assert drive.stored("aa.txt") == b"a"
    page.keyboard.press("Delete")
    page.locator("#dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog", name="b.txt")).to_be_visible()
    assert drive.stored_names() == ["b.txt"]
    page.keyboard.press("Escape")
    drive.expect_labels("b.txt")


@pytest.mark.parametrize("kind", ["audio", pytest.param("video", marks=pytest.mark.slow)])
def test_seeking_asks_for_the_range_it_needs(
    server: Server, cast: Cast, pages: Pages, kind: str, chromium: Any
) -> None:
    """Far ahead in a long file: only what is played there travels."""
    seconds, to = (1500, 1400) if kind == "audio" else (20, 18)
    name = "long.wav" if kind == "audio" else "long.webm"
    content = sound(seconds) if kind == "audio" else record_video(chromium, server.url, seconds)
    assert content
    drive = open_drive(pages, server, cast)
    parts = [content[start : start + 10_000_000] for start in range(0, len(content), 10_000_000)]
    drive.client.end(drive.client.begin(name, *parts), name)
    answers: list[Any] = []
    drive.page.on("response", lambda answer: answers.append(answer) if "inline=1" in answer.url else None)
    drive.go(file=name)
    player = drive.page.locator(f"#preview {kind}")
    expect(player).to_have_js_property("readyState", 4)
    assert abs(player.evaluate("media => media.duration") - seconds) < 1
    reached = player.evaluate(
        """(media, to) => new Promise((resolve) => {
          media.addEventListener("seeked", () => resolve(media.currentTime), { once: true });
          media.currentTime = to;
        })""",
        to,
    )
    assert abs(reached - to) < 1
    assert {answer.status for answer in answers} == {206}
    starts = [int(answer.headers["content-range"].removeprefix("bytes ").split("-")[0]) for answer in answers]
    assert max(starts) > len(content) // 2, starts


@pytest.mark.slow
def test_a_sound_ends_with_its_preview(server: Server, cast: Cast, pages: Pages) -> None:
    drive = open_drive(pages, server, cast, {"4.wav": sound(30)}, look={"file": "4.wav"})
    player = drive.page.locator("#preview audio").element_handle()
    player.evaluate("media => { media.muted = true; return media.play(); }")
    assert not player.evaluate("media => media.paused")
    drive.page.keyboard.press("Escape")
    expect(drive.page.locator("#preview-dialog")).to_be_hidden()
    assert player.evaluate("media => media.paused")
