"""What is shown of a file in place: the right kind, cut where it grows long, and nothing of it live."""

import html
import json
import re
import struct
from collections.abc import Iterator

import pytest

from console.drive.content_sniffing import judge, read_text
from console.drive.highlight import highlight
from console.drive.kinds import kind_label, kind_of
from console.drive.markdown import render_markdown
from storage import limits
from tests.console.drive.test_files import PDF, SCRIPTED_PDF, SVG, png
from tests.console.drive.visitor import Visitor, visiting
from tests.html import squeezed
from tests.matching import search
from tests.serving import Server


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        yield one


def shown(visitor: Visitor, name: str, content: bytes, content_type: str = "") -> str:
    assert visitor.put(name, content, content_type=content_type, if_exists="replace").status_code == 201
    answer = visitor.preview(name)
    assert answer.status_code == 200, answer.text
    return squeezed(answer.text)


def kind_in(page: str) -> str:
    return search(r'data-kind="([^"]*)"', page)[1]


def text_in(page: str) -> str:
    """What the text area shows, without its colours."""
    code = search(r'<code class="highlight">(.*?)</code>', page, re.S)[1]
    return html.unescape(re.sub(r"<[^>]+>", "", code))


@pytest.mark.parametrize(
    "name, content, content_type, kind",
    [
        ("a.png", png(3, 2), "", "image"),
        ("a.svg", SVG, "", "svg"),
        ("a.pdf", PDF, "", "pdf"),
        ("scripted.pdf", SCRIPTED_PDF, "", "other"),
        ("broken.pdf", PDF[:-30], "", "other"),
        ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "", "audio"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "", "video"),
        ("a.json", b'{"a": 1}', "", "json"),
        ("a.csv", b"a,b\n1,2\n", "", "csv"),
        ("a.md", b"# Title", "", "markdown"),
        ("a.py", b"print(1)", "", "text"),
        ("Makefile", b"all:\n", "", "text"),
        ("a.html", b"<h1>x</h1>", "text/html", "text"),
        ("no ending", b"some words", "", "text"),
        ("no ending 2", b"{}", "application/json", "json"),
        ("a.zip", b"PK\x03\x04\x14\x00", "", "other"),
        ("a.bin", b"\x00\x01", "", "other"),
        ("empty.png", b"", "", "other"),
        ("empty.txt", b"", "", "text"),
        ("huge.png", png(50_000, 50_000), "image/png", "other"),
    ],
)
def test_each_kind(visitor: Visitor, name: str, content: bytes, content_type: str, kind: str) -> None:
    page = shown(visitor, name, content, content_type)
    assert kind_in(page) == kind
    assert "MD5" in page
    assert f"<dd>{len(content)} B</dd>" in page


def test_details_and_neighbours(visitor: Visitor) -> None:
    for name in ("row/1.txt", "row/2.txt", "row/3.txt", "row/2.txt/inner"):
        visitor.put(name, b"x")
    page = shown(visitor, "row/2.txt", b"hello", "text/x-special")
    assert 'data-previous="row/1.txt"' in page
    assert 'data-next="row/3.txt"' in page
    for detail in ("text/x-special", "text/plain", "5d41402abc4b2a76b9719d911017c592", "5 B"):
        assert detail in page
    assert 'width="3" height="2"' in shown(visitor, "row/size.png", png(3, 2))
    assert "50,000 by 50,000" in shown(visitor, "row/huge.png", png(50_000, 50_000))


def test_a_pdf_that_is_not_shown_says_why_and_is_downloaded(visitor: Visitor) -> None:
    page = shown(visitor, "why/scripted.pdf", SCRIPTED_PDF)
    assert "This PDF contains scripts or actions, so it is not shown here. Download it to read it." in page
    assert "<iframe" not in page
    assert re.search(r'<a class="button" href="[^"]*why%2Fscripted.pdf" download>', page)
    assert "could not be checked for scripts" in shown(visitor, "why/broken.pdf", PDF[:-30])
    assert "<iframe" in shown(visitor, "why/plain.pdf", PDF)
    assert "<iframe" not in shown(visitor, "why/plain.pdf", SCRIPTED_PDF)


def test_text_is_text(visitor: Visitor) -> None:
    hostile = "</code></pre><script>alert(1)</script>\n<img src=x onerror=alert(1)> {{ 1|add:1 }} &lt; \u202e é"
    for name in ("a.html", "a.js", "a.txt", "a.xml", "a.svg.txt", "unknown.zzz", "a.php"):
        page = shown(visitor, f"text/{name}", hostile.encode())
        assert text_in(page).rstrip("\n") == hostile, name
        assert "<script" not in page
        assert "<img" not in page


@pytest.mark.parametrize(
    "data, text",
    [
        ("é".encode(), "é"),
        ("é".encode()[:1], "Ã"),
        ("aé".encode()[:2], "a"),
        ("\ufeffbom".encode(), "bom"),
        ("utf-16 é".encode("utf-16"), "utf-16 é"),
        ("naïve".encode("cp1252"), "naïve"),
        (b"\x00abc", None),
        (b"a\x01b", None),
        (b"\x81\x8d\x8f", None),
        (b"\x1b[31mred", "\x1b[31mred"),
    ],
)
def test_bytes_as_text(data: bytes, text: str | None) -> None:
    assert read_text(data) == text


def test_long_texts_are_cut_and_say_so(visitor: Visitor) -> None:
    content = b"".join(b"line %06d\n" % number for number in range(40_000))
    page = shown(visitor, "long.txt", content)
    assert text_in(page).encode() == content[: limits.PREVIEW_TEXT_BYTES]
    assert "Only the first 256 KB are shown" in page
    assert "Only the first" not in shown(visitor, "short.txt", content[: limits.PREVIEW_TEXT_BYTES])


def test_json_keeps_its_digits_and_order(visitor: Visitor) -> None:
    source = '{"b":1.10,"a":123456789012345678901234567890,"c":[1e400,{"x":"</script>"}]}'
    text = text_in(shown(visitor, "a.json", source.encode()))
    assert text.split() == [
        *("{", '"b":', "1.10,", '"a":', "123456789012345678901234567890,", '"c":', "[", "1e400,", "{", '"x":'),
        *('"</script>"', "}", "]", "}"),
    ]
    assert text.startswith('{\n  "b"')
    for broken in (b'{"a":', b"[" * 200_000, b"{'a': 1}"):
        page = shown(visitor, "broken.json", broken)
        assert "not valid JSON" in page
        assert text_in(page).strip().encode() == broken


def test_tables(visitor: Visitor) -> None:
    page = shown(visitor, "a.csv", b'name,"quoted, ""x"""\n<b>,=1+1\nshort\n')
    assert re.findall(r"<th scope=\"col\">(.*?)</th>", page) == ["name", "quoted, &quot;x&quot;"]
    assert re.findall(r"<td>(.*?)</td>", page) == ["&lt;b&gt;", "=1+1", "short", ""]
    assert "<td>2</td>" in shown(visitor, "b.csv", b"a;b\n1;2\n")
    assert "<td>2</td>" in shown(visitor, "a.tsv", b"a\tb\n1\t2\n")
    many = "\n".join(",".join(str(column) for column in range(60)) for _ in range(300))
    page = shown(visitor, "many.csv", many.encode())
    assert page.count("<tr>") == limits.PREVIEW_ROWS
    assert "first 200 rows" in page
    assert "first 50 of 60 columns" in page
    assert kind_in(shown(visitor, "field.csv", b"a," + b"x" * 200_000)) == "csv"


def test_markdown_is_made_safe() -> None:
    made = render_markdown(
        "# Title\n\n**bold** `code` ~~gone~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "[out](https://example.org/) [in](/settings/) [up](../x) [js](javascript:alert(1)) [data](data:text/html,x)\n\n"
        "![a picture](https://example.org/track.png) ![](x.png)\n\n"
        "<script>alert(1)</script><img src=x onerror=alert(1)><iframe src=/></iframe>\n\n"
        '<a href="https://x" id="dialog" onclick="x()">raw</a>\n\n<style>*{display:none}</style>'
    )
    for expected in (
        "<h1>Title</h1>",
        "<strong>bold</strong>",
        "<s>gone</s>",
        "<td>1</td>",
        "[a picture]",
        "[picture]",
    ):
        assert expected in made
    (link,) = re.findall(r"<a [^>]*href[^>]*>", made)
    assert 'href="https://example.org/"' in link
    assert 'rel="noopener noreferrer nofollow"' in link
    for forbidden in ("<script", "<img", "<iframe", "<style", 'href="/', 'href="j', 'href="d', 'href="."'):
        assert forbidden not in made, forbidden


def test_code_has_colours() -> None:
    made = highlight("def f():\n    return 'x' # why\n", name="a.py", content_type="")
    assert '<span class="hl-keyword">def</span>' in made
    assert '<span class="hl-comment"># why</span>' in made
    assert set(re.findall(r'class="([^"]*)"', made)) <= {
        f"hl-{name}" for name in ("keyword", "name", "string", "comment", "punct")
    }


@pytest.mark.parametrize("text", ["x" * 5_000, "(" * 1_999 + "\n", "\\" * 200_000])
def test_text_without_colours_is_whole(text: str) -> None:
    for name in ("a.py", "a.js", "a.html", "a.zzz"):
        assert html.unescape(re.sub(r"<[^>]+>", "", highlight(text, name=name, content_type=""))) == text


def test_colours_end_with_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PREVIEW_HIGHLIGHT_SECONDS", 0)
    text = "a = '<1>'\n" * 1000
    made = highlight(text, name="a.py", content_type="")
    assert html.unescape(re.sub(r"<[^>]+>", "", made)) == text
    assert made.count("<span") < 10


@pytest.mark.parametrize(
    "name, content_type, kind, label",
    [
        ("a.JPG", "", "image", "JPG image"),
        ("a.heic", "image/heic", "other", "HEIC file"),
        ("a.svg", "", "svg", "SVG image"),
        ("a.tar.gz", "", "other", "GZ file"),
        ("dir.png/a", "image/png", "image", "Image"),
        ("a", "", "other", "File"),
        ("a.py", "", "text", "PY file"),
        ("Dockerfile", "", "text", "Text"),
        ("a.verylongending", "", "other", "File"),
        ("a.<b>", "", "other", "File"),
        ("a.png", "text/html", "image", "PNG image"),
        ("x.mkv", "", "video", "MKV video"),
        ("README.md", "", "markdown", "Markdown text"),
    ],
)
def test_kinds_by_name(name: str, content_type: str, kind: str, label: str) -> None:
    assert (kind_of(name, content_type), kind_label(name, content_type)) == (kind, label)


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff\xe0" + b"\x00" * 40, b"GIF89a", b"RIFF\x00\x00\x00\x00WEBPVP8 ", b"\x89PNG\r\n\x1a\n"]
)
def test_a_name_that_promises_something_else_keeps_an_image_from_being_shown(head: bytes) -> None:
    assert judge(head, "image").inline_type.startswith("image/")
    for promised in ("text", "pdf", "audio", "markdown"):
        policy = judge(head, promised)
        assert (policy.kind, policy.inline_type) == ("other", "")
        assert policy.why_not


def test_an_image_whose_size_is_behind_a_long_preface(visitor: Visitor) -> None:
    preface = b"".join(b"\xff\xe1" + struct.pack(">H", 65_535) + b"\x00" * 65_533 for _ in range(2))
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 20, 30, 1) + b"\x01\x11\x00"
    page = shown(visitor, "long.jpg", b"\xff\xd8" + preface + frame + b"\xff\xd9")
    assert 'width="30" height="20"' in page


def test_odd_names_are_quoted_wherever_they_stand(visitor: Visitor) -> None:
    name = "a \"b' <c>&d=1#?%2F+é.png"
    page = shown(visitor, name, png(3, 2))
    assert html.unescape(search(r'data-name="([^"]*)"', page)[1]) == name
    source = html.unescape(search(r'<img [^>]*src="([^"]*)"', page)[1])
    answer = visitor.http.get(source)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert json.dumps(name)
