"""Small PDFs, whole and with their tables, as programs write them."""

import struct
import zlib

PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"
SCRIPT = b"<</S/JavaScript/JS(app.alert\\('pwned'\\);this.submitForm\\('/?pwned'\\);)>>"


def make_pdf(*more: bytes, catalog: bytes = b"", trailer: bytes = b"") -> bytes:
    """A document of one empty page; further objects have the numbers from 4 on."""
    written, starts = b"%PDF-1.7\n", []
    for number, content in enumerate((b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog, PAGES, PAGE, *more), 1):
        starts.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    size = len(starts) + 1
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(written))
    return written + b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table) + end


def make_packed_pdf(*more: bytes, catalog: bytes = b"") -> bytes:
    """The same with its objects packed into an object stream."""
    contents = (b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog, PAGES, PAGE, *more)
    index, body = b"", b""
    for number, content in enumerate(contents, 1):
        index += b"%d %d " % (number, len(body))
        body += content + b"\n"
    packed, holder = zlib.compress(index + body), len(contents) + 1
    written = b"%PDF-1.7\n"
    rows = struct.pack(">BIH", 0, 0, 65_535)
    rows += b"".join(struct.pack(">BIH", 2, holder, at) for at in range(len(contents)))
    rows += struct.pack(">BIH", 1, len(written), 0)
    head = b"<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>" % (len(contents), len(index), len(packed))
    written += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (holder, head, packed)
    start = len(written)
    rows += struct.pack(">BIH", 1, start, 0)
    table = b"<</Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Length %d>>" % (holder + 2, len(rows))
    written += b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (holder + 1, table, rows)
    return written + b"startxref\n%d\n%%%%EOF\n" % start
