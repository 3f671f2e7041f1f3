"""Files made to hold up whoever looks at them: the page says a sentence, and the worker goes on answering others."""

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from console.drive.content_sniffing import judge, measure
from storage import limits
from tests.console.drive.visitor import Visitor, visiting
from tests.html import squeezed
from tests.pdfs import make_pdf
from tests.processor_time import call_within, used_by
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

TEXT_BYTES = limits.PREVIEW_TEXT_BYTES
AS_IT_IS = "It would take too long to lay out this text, so it is shown as it is."
TOO_LARGE = "This PDF is too large to be checked for scripts"
EITHER = "preview-body"  # laid out or not, by how fast this machine is
NO_PREVIEW = "No preview for this file"

DEEP_JSON = b"[" * 900 + b"1," * 120_000 + b"1" + b"]" * 900
# Names between slashes are read one by one, in Python.
SLOW_PDF = make_pdf(b"[" + b"/A" * 1_500_000 + b"]")
HOSTILE = {
    "comments.svg": (b"<!---->" * 27 + b"x", "<code"),
    "comments.html": (b"<!---->" * 1_000 + b"x", "<code"),
    "pictures.md": (b"![" * 40_000, AS_IT_IS),
    "brackets.md": (b"[" * TEXT_BYTES, EITHER),
    "links.md": (b"[a](" * (TEXT_BYTES // 4), AS_IT_IS),
    "quotes.md": (b"> " * (TEXT_BYTES // 2), EITHER),
    "stars.md": (b"*a **a " * (TEXT_BYTES // 7), AS_IT_IS),
    "references.md": (b"[a]: " + b"x" * 130_000 + b"\n\n" + b"[a] " * 30_000, AS_IT_IS),
    "deep.json": (DEEP_JSON, AS_IT_IS),
    "slow.pdf": (SLOW_PDF, TOO_LARGE),
    "bomb.pdf": (
        make_pdf(
            b"<</Type/ObjStm/N 1/First 4/Length 9/Filter/FlateDecode>>\nstream\n"
            + zlib.compress(b" " * 33_554_433)
            + b"\nendstream"
        ),
        NO_PREVIEW,
    ),
    "wide.csv": (b"," * TEXT_BYTES, "<table"),
    "quotes.csv": (b'"' * TEXT_BYTES, "preview"),
    "boxes.avif": (
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1" + b"\x00\x00\x00\x08free" * 30_000,
        "size cannot be read",
    ),
}


@pytest.fixture(scope="module")
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        for name, (content, _) in HOSTILE.items():
            assert one.put(name, content).status_code == 201
        yield one


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little_and_is_spoken_of(visitor: Visitor, server: Server, name: str) -> None:
    workers = server.children("console.listener")
    before = used_by(workers)
    answer = visitor.preview(name)
    assert answer.status_code == 200
    assert HOSTILE[name][1] in squeezed(answer.text)
    if HOSTILE[name][1] == AS_IT_IS:
        assert '<code class="highlight">' in answer.text  # with the lines that it has
    assert used_by(workers) - before < 2
    assert visitor.get(f"?file={name}").status_code == 200
    assert visitor.file(name, inline=True).status_code == 200


@pytest.mark.slow
def test_others_are_answered_while_hostile_files_are_looked_at(visitor: Visitor, server: Server) -> None:
    with ThreadPoolExecutor(16) as threads:
        looking = [threads.submit(visitor.preview, name) for name in ("pictures.md", "links.md", "references.md") * 8]
        with httpx.Client(base_url=server.url, trust_env=False, timeout=MOMENT_SECONDS) as other:
            while not all(each.done() for each in looking):
                assert other.get("/readyz").status_code == 200
        for each in looking:
            assert each.result().status_code == 200
            assert "shown as it is" in each.result().text


@pytest.mark.parametrize(
    "head",
    [
        "<!---->" * 1_170 + "x",
        "<!--" * 2_048,
        " " * 8_191 + "x",
        "<!DOCTYPE>" * 819,
        "<?xml?>" + "<!---->\n" * 1_000 + "<sv",
        "<?xml " + "?" * 8_000,
    ],
)
def test_the_first_bytes_are_judged_in_no_time(head: str) -> None:
    assert call_within(2, judge, head.encode(), "svg").kind == "text"


@pytest.mark.parametrize(
    "head, kind",
    [
        ('<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC "x" "y">\n<!-- b --><svg/>', "text"),
        ('<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC "x" "y">\n<!-- b --><svg >', "svg"),
        ("  <!-- a > <svg> --> <SVG\n", "svg"),
        ("<!-- <svg>", "text"),
        ("<?xml><svg>", "text"),
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>", "text"),
        ("<svg>", "svg"),
        ("<svgx>", "text"),
    ],
)
def test_what_an_svg_is(head: str, kind: str) -> None:
    assert judge(head.encode(), "svg").kind == kind


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\xd8" + b"\xff\xe1\x00\x02" * (limits.PREVIEW_HEAD_BYTES // 4),
        b"\xff\xd8" + b"\xff" * limits.PREVIEW_HEAD_BYTES,
        b"\xff\xd8" + b"\x00" * limits.PREVIEW_HEAD_BYTES,
        b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x00abcd\x00\x00\x00\x00" * (limits.PREVIEW_HEAD_BYTES // 12),
        b"RIFF\xff\xff\xff\x00WEBP" + b"ABCD\x00\x00\x00\x00" * (limits.PREVIEW_HEAD_BYTES // 8),
        b"GIF89a" + b"!\xfe\x01a\x00" * (limits.PREVIEW_HEAD_BYTES // 5),
    ],
)
def test_images_are_measured_in_no_time(head: bytes) -> None:
    call_within(2, measure, head)
