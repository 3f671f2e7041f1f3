"""A PDF is shown only when nothing in it can run or act by itself, however it is written."""

import io
import zlib

import pypdf
import pytest
from pypdf.actions import JavaScript

from console.drive import pdfs
from console.drive.pdf_verdicts import ACTS, TOO_MUCH, UNREADABLE
from storage import limits
from tests.pdfs import SCRIPT, make_packed_pdf, make_pdf


def written_by_pypdf(*, script: str = "", password: str = "") -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    if script:
        writer.add_open_action(JavaScript(script))
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


PLAIN = make_pdf()
PACKED_SCRIPT = zlib.compress(b"4 0 " + SCRIPT)
UNLISTED = b"\n9 0 obj\n%b\nendobj\n"
UNLISTED_STREAM = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        make_packed_pdf(),
        make_pdf(catalog=b"/OpenAction[3 0 R/Fit]"),
        make_pdf(b"<</S/GoTo/D[3 0 R/Fit]>>", catalog=b"/OpenAction 4 0 R"),
        make_packed_pdf(b"<</S/GoTo/D[3 0 R/Fit]>>", catalog=b"/OpenAction 4 0 R"),
        make_pdf(b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org/)>>>>"),
        make_pdf(b"<</Length 14>>\nstream\n/JS /AA Do (x)\nendstream"),
        written_by_pypdf(),
    ],
)
def test_a_pdf_without_scripts_may_be_shown(data: bytes) -> None:
    assert pdfs.judge_pdf(data) == ""


@pytest.mark.parametrize(
    "data",
    [
        make_pdf(SCRIPT, catalog=b"/OpenAction 4 0 R"),
        make_pdf(SCRIPT),
        make_pdf(b"<</S/J#61vaScript/#4aS(app.alert\\(1\\))>>"),
        make_pdf(b"<</S/#4:avaScript/JS(1)>>"),
        make_pdf(catalog=b"/AA<</WC 4 0 R>>"),
        make_pdf(catalog=b"/#41#41<</WC 4 0 R>>"),
        make_pdf(catalog=b"/OpenAction<</S/Named/N/Print>>"),
        make_pdf(catalog=b"/OpenAction<</S/GoTo/D[3 0 R/Fit]/Next<</S/URI/URI(https://example.org/)>>>>"),
        make_packed_pdf(catalog=b"/OpenAction<</S/URI/URI(https://example.org/)>>"),
        make_packed_pdf(SCRIPT, catalog=b"/OpenAction 4 0 R"),
        make_packed_pdf(catalog=b"/#41A<</WC 4 0 R>>"),
        make_pdf(b"<</S/Launch/F(x)>>"),
        make_pdf(b"<</S/SubmitForm/F(x)>>"),
        make_pdf(b"<</S/ImportData/F(x)>>"),
        make_pdf(b"<</Subtype/RichMedia>>"),
        make_pdf(catalog=b"/AcroForm<</XFA 4 0 R>>"),
        make_pdf(catalog=b"/Names<</EmbeddedFiles 4 0 R>>"),
        make_pdf(trailer=b"/X" + SCRIPT),
        PLAIN + UNLISTED % SCRIPT,
        PLAIN.replace(b"1 0 obj", b"9 0 obj\n<</AA 1>>\nendobj\n1 0 obj"),
        make_pdf(UNLISTED_STREAM % (len(PACKED_SCRIPT), PACKED_SCRIPT)),
        written_by_pypdf(script="app.alert('pwned')"),
    ],
)
def test_a_pdf_that_can_act_is_not_shown(data: bytes) -> None:
    assert pdfs.judge_pdf(data) in (ACTS, UNREADABLE)


def test_what_is_listed_is_told_apart_from_what_is_broken() -> None:
    assert pdfs.judge_pdf(make_packed_pdf(SCRIPT)) == ACTS
    assert pdfs.judge_pdf(make_pdf(b"<</S/J#61vaScript>>")) == ACTS
    assert pdfs.judge_pdf(written_by_pypdf(script="1")) == ACTS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.4\n",
        PLAIN[:-60],
        PLAIN.replace(b"startxref\n", b"startxref\n9"),
        make_pdf(b"<</A " + b"[" * 100_000),
        make_pdf(b"<</A#4: 1>>"),
        make_pdf(b"<</A 1/A 2>>"),
        make_pdf(b"1") + b"\n9 %\n0 obj\n1\nendobj\n",
        make_pdf(UNLISTED_STREAM % (20, PACKED_SCRIPT[:20])),
        make_pdf(b"<</Type/ObjStm/N 1/First 4/Length 7>>\nstream\n4 0 <<>>\nendstream"),
        written_by_pypdf(password="secret"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_not_shown(data: bytes) -> None:
    assert pdfs.judge_pdf(data) == UNREADABLE


def test_a_pdf_of_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(b" " * (limits.PREVIEW_PDF_UNPACKED_BYTES + 1))
    assert pdfs.judge_pdf(make_pdf(UNLISTED_STREAM % (len(bomb), bomb))) == TOO_MUCH
    monkeypatch.setattr(limits, "PREVIEW_PDF_OBJECTS", 2)
    assert pdfs.judge_pdf(PLAIN) == TOO_MUCH
