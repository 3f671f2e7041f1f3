"""A file's bytes as the console hands them out: under its own name, in ranges, and shown only where that is safe."""

import re
import struct
import zlib
from collections.abc import Iterator
from urllib.parse import quote, unquote

import pytest

from storage import limits
from storage.models import Drive, File
from tests.console.drive.visitor import Visitor, visiting
from tests.drives import md5, noise
from tests.matching import search
from tests.pdfs import SCRIPT, make_packed_pdf, make_pdf
from tests.serving import Server

HTML = b"<!doctype html><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script><rect width="9" height="9"/></svg>'
PDF = make_pdf()
SCRIPTED_PDF = make_pdf(SCRIPT, catalog=b"/OpenAction 4 0 R")


def png(width: int, height: int) -> bytes:
    """A real image whose header says this size; only small ones hold their pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\xff\x00\x00" * width for _ in range(height)) if width < 100 else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        yield one


@pytest.mark.parametrize(
    "name",
    [
        "plain.txt",
        'it\'s "quoted".txt',
        "100%25 #1?a=b&c=d+e;f.txt",
        "<b>bold</b>.html",
        "back\\slash.txt",
        "\u00e9t\u00e9 \u65e5\u672c\u8a9e.txt",
        "e\u0301\u05d0\u202etxt.exe",
        "x" * 1020 + ".txt",
        "/lead.txt",
        "a//b.txt",
        "../up.txt",
        "..",
        "50%25.txt",
    ],
)
def test_a_file_is_downloaded_under_its_own_name(visitor: Visitor, name: str) -> None:
    assert visitor.put(name, name.encode(), content_type="text/html").status_code == 201
    answer = visitor.file(name)
    assert answer.content == name.encode()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert name_in(answer.headers["Content-Disposition"]) == name.rsplit("/", 1)[-1]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def name_in(disposition: str) -> str:
    """What a browser makes of the header (RFC 6266, RFC 8187)."""
    kind, _, parameter = disposition.partition("; ")
    assert kind == "attachment"
    if encoded := re.fullmatch(r"filename\*=utf-8''(\S+)", parameter):
        return unquote(encoded[1])
    return re.sub(r"\\(.)", r"\1", search(r'^filename="(.*)"$', parameter)[1])


def test_ranges_seek_and_what_is_known_is_not_sent_again(visitor: Visitor) -> None:
    content = noise(3_000_000)
    visitor.put("large.bin", content)
    whole = visitor.file("large.bin")
    assert (md5(whole.content), whole.headers["Content-Length"]) == (md5(content), "3000000")
    assert "Content-Encoding" not in whole.headers
    part = visitor.file("large.bin", headers={"Range": "bytes=2000000-2000009"})
    assert (part.status_code, part.content) == (206, content[2_000_000:2_000_010])
    assert part.headers["Content-Range"] == "bytes 2000000-2000009/3000000"
    assert visitor.file("large.bin", headers={"Range": "bytes=-5"}).content == content[-5:]
    behind = visitor.file("large.bin", headers={"Range": "bytes=3000000-"})
    assert (behind.status_code, behind.headers["Content-Range"]) == (416, "bytes */3000000")
    again = visitor.file("large.bin", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = visitor.http.head(f"{visitor.path}file/?name=large.bin")
    assert (head.content, head.headers["Content-Length"]) == (b"", "3000000")


def test_text_that_would_compress_still_has_its_length(visitor: Visitor) -> None:
    visitor.put("long.txt", b"word " * 10_000)
    answer = visitor.file("long.txt", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-4999"})
    assert (answer.status_code, len(answer.content)) == (206, 5000)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "name, content, declared, shown_as",
    [
        ("a.png", png(3, 2), "image/png", "image/png"),
        ("a.jpg", png(3, 2), "image/jpeg", "image/png"),  # what it is counts, not what it is called
        ("picture", png(3, 2), "", "image/png"),
        ("a.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;<script>alert(1)</script>", "text/html", "image/gif"),
        ("a.pdf", PDF, "application/pdf", "application/pdf"),
        ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00", "", "audio/wav"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2", "", "video/mp4"),
        ("a.webm", b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1fB\x86\x81\x01B\x82\x84webm", "", "video/webm"),
        ("a.mp3", b"ID3\x03\x00\x00\x00\x00\x00\x00", "", "audio/mpeg"),
        ("a.ogg", b"OggS\x00\x02" + b"\x00" * 20 + b"\x01vorbis", "", "audio/ogg"),
        ("a.flac", b"fLaC\x00\x00\x00\x22", "", "audio/flac"),
    ],
)
def test_what_is_shown_goes_out_as_what_it_is(
    visitor: Visitor, name: str, content: bytes, declared: str, shown_as: str
) -> None:
    visitor.put(f"shown/{name}", content, content_type=declared)
    answer = visitor.file(f"shown/{name}", inline=True)
    assert answer.headers["Content-Type"] == shown_as
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.startswith("sandbox; ")


@pytest.mark.parametrize(
    "name, content, declared",
    [
        ("a.html", HTML, "text/html"),
        ("a.png", HTML, "image/png"),
        ("a.pdf", HTML, "application/pdf"),
        ("a.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>1</script></html>', ""),
        ("a.xml", b'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><a/>', "text/xml"),
        ("a.js", b"alert(1)", "text/javascript"),
        ("a.css", b"body{}", "text/css"),
        ("a.html", png(3, 2), "text/html"),
        ("a.pdf", png(3, 2), "application/pdf"),
        ("a.png", b"%PDF-1.4\n<script>alert(1)</script>", "image/png"),
        ("scripted.pdf", SCRIPTED_PDF, "application/pdf"),
        ("scripted", SCRIPTED_PDF, ""),
        ("packed.pdf", make_packed_pdf(SCRIPT), "application/pdf"),
        ("broken.pdf", PDF[:-30], "application/pdf"),
        ("a.swf", b"FWS\x09\x00\x00\x00\x00", "application/x-shockwave-flash"),
        ("a.bin", b"\x00\x01\x02", ""),
        ("huge.png", png(50_000, 50_000), "image/png"),
        ("broken.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("empty.png", b"", "image/png"),
        ("a.svgz", zlib.compress(SVG), "image/svg+xml"),
    ],
)
def test_everything_else_is_stored_and_never_shown(visitor: Visitor, name: str, content: bytes, declared: str) -> None:
    visitor.put(f"hostile/{name}", content, content_type=declared, if_exists="replace")
    answer = visitor.file(f"hostile/{name}", inline=True)
    assert answer.content == content
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_an_svg_is_an_image_for_the_page_and_a_download_for_a_visit(visitor: Visitor) -> None:
    visitor.put("a.svg", SVG, content_type="image/svg+xml")
    answer = visitor.file("a.svg", inline=True)
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_pdf_is_shown_in_the_page_and_stored_by_a_visit(visitor: Visitor) -> None:
    visitor.put("visited.pdf", PDF)
    for dest, kind in (("iframe", "inline"), ("document", "attachment"), ("embed", "inline")):
        answer = visitor.file("visited.pdf", inline=True, headers={"Sec-Fetch-Dest": dest})
        assert answer.headers["Content-Disposition"].startswith(kind)
        known = {"Sec-Fetch-Dest": dest, "If-None-Match": answer.headers["ETag"]}
        again = visitor.file("visited.pdf", inline=True, headers=known)
        assert again.status_code == 304
        assert "Sec-Fetch-Dest" in again.headers["Vary"]
        assert again.headers["Content-Disposition"].startswith(kind)


def test_what_was_replaced_is_judged_anew(visitor: Visitor) -> None:
    visitor.put("turns.png", png(3, 2))
    assert visitor.file("turns.png", inline=True).headers["Content-Type"] == "image/png"
    visitor.put("turns.png", HTML, if_exists="replace")
    assert visitor.file("turns.png", inline=True).headers["Content-Type"] == "application/octet-stream"


def test_a_name_that_is_not_there(visitor: Visitor) -> None:
    for path in ("file/", "preview/", "copy/"):
        for query in ("", "?name=", "?name=none.txt", "?name=a/"):
            assert visitor.get(path + query).status_code == 404, path + query
        for query in ("?name=%00", "?name=%FF"):
            assert visitor.get(path + query).status_code == 400, path + query


def test_a_small_file_in_one_request(visitor: Visitor) -> None:
    assert visitor.put("one/small.txt", b"1", content_type="text/x-special").json() == {
        "name": "one/small.txt",
        "size": 1,
    }
    drive_id = Drive.objects.get(collection_id=visitor.path.split("/")[2]).pk
    stored = File.objects.get(drive_id=drive_id, name="one/small.txt")
    assert (stored.content_type, stored.etag) == ("text/x-special", md5(b"1"))
    refused = visitor.put("one/small.txt", b"2")
    assert (refused.status_code, refused.json()["exists"]) == (409, True)
    assert visitor.put("one/small.txt", b"3", if_exists="keep-both").json()["name"] == "one/small (2).txt"
    assert visitor.put("one/small.txt", b"4", if_exists="replace").status_code == 201
    assert visitor.file("one/small.txt").content == b"4"
    assert visitor.put("one/empty", b"").status_code == 201
    assert visitor.put("one/bad/", b"1").status_code == 400
    assert visitor.put("one/x", b"1", if_exists="nonsense").status_code == 400
    assert visitor.put("one/large", noise(limits.FILE_BODY_MAX_BYTES)).status_code == 201
    assert visitor.put("one/larger", noise(limits.FILE_BODY_MAX_BYTES + 1)).status_code == 413
    assert visitor.file("one/larger").status_code == 404


def test_lines_to_fetch_a_file(visitor: Visitor) -> None:
    name = 'it\'s "a" $(file) é.txt'
    visitor.put(name, b"x")
    lines = visitor.get(f"copy/?name={quote(name)}").json()
    assert set(lines) == {"curl", "python", "javascript"}
    assert "$DETA_PROJECT_KEY" in lines["curl"]
    assert "%24%28file%29" in lines["curl"]
    compile(lines["python"], "lines", "exec")
