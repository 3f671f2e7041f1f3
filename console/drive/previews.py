"""Previews of files: media by address, text as sanitised HTML. Nothing is unpacked or run.

Files are untrusted. Text is escaped, Markdown goes through an allow-list, its pictures and links never point into
the console, and long tables and texts are cut.
"""

import csv
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from urllib.parse import urlsplit

import msgspec
import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from console.drive.content_sniffing import DisplayPolicy, display_policy_of, read_text
from console.drive.highlight import highlight
from storage import limits
from storage.drive import files, folders
from storage.drive.files import StoredFile
from storage.drive.folders import Neighbours

_DELIMITERS = ",;\t|"
_TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
    ),
    *("strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_SCHEMES = {"http", "https", "mailto"}


@dataclass(frozen=True, slots=True)
class Preview:
    """One file as it is shown: `html` of a text, `rows` of a table, or neither for what the browser shows by itself.

    `notes` say what is left out, or why nothing is shown.
    """

    name: str
    file: StoredFile
    policy: DisplayPolicy
    neighbours: Neighbours
    html: SafeString | str = ""
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return folders.label_of(self.name)


def make_preview(*, drive_id: int, name: str, file: StoredFile) -> Preview:
    """Raises EngineUnreachable and BlobMissing."""
    policy = display_policy_of(file, name)
    neighbours = folders.find_neighbours(drive_id=drive_id, name=name)
    notes = [policy.why_not] if policy.why_not else []
    if policy.kind not in ("text", "json", "csv", "markdown"):
        return Preview(name, file, policy, neighbours, notes=notes)
    data = files.read_start(file, limits.PREVIEW_TEXT_BYTES)
    is_cut = file.size_bytes > len(data)
    text = read_text(data)
    if text is None:
        # Its beginning is text, what follows is not.
        return Preview(name, file, DisplayPolicy("other", policy.sniffed), neighbours, notes=notes)
    if is_cut:
        notes.append(f"Only the first {limits.PREVIEW_TEXT_BYTES // 1024} KB are shown.")
    if policy.kind == "csv":
        rows, more = _read_table(text, notes)
        return Preview(name, file, policy, neighbours, rows=rows, notes=notes + more)
    html = _make_html(policy, text, name, file, notes, is_cut=is_cut)
    return Preview(name, file, policy, neighbours, html=html, notes=notes)


def render_markdown(text: str) -> SafeString:
    """Markdown as HTML of the allowed tags alone; a picture becomes its description."""
    html = nh3.clean(
        _markdown().render(text),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        attribute_filter=_keep_attribute,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(html)  # noqa: S308 (made safe by an allow-list)


def _make_html(
    policy: DisplayPolicy, text: str, name: str, file: StoredFile, notes: list[str], *, is_cut: bool
) -> SafeString | str:
    if policy.kind == "markdown":
        return render_markdown(text)
    if policy.kind == "json" and not is_cut:
        try:
            # Digits and the order of attributes stay as they are.
            text = msgspec.json.format(text.encode(), indent=2).decode()
        except (msgspec.DecodeError, RecursionError):
            notes.append("This is not valid JSON, so it is shown as plain text.")
    kind = "application/json" if policy.kind == "json" else file.content_type
    return highlight(text, name=name, content_type=kind)


def _read_table(text: str, notes: list[str]) -> tuple[list[list[str]], list[str]]:
    """The first rows of a table, all of one length, and what has to be said of it."""
    first_line = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        found = list(islice(csv.reader(StringIO(text, newline=""), delimiter=delimiter), limits.PREVIEW_ROWS + 1))
    except csv.Error as error:
        return [[line] for line in text.splitlines()[: limits.PREVIEW_ROWS]], [f"This is not a valid table: {error}."]
    said = []
    if len(found) > limits.PREVIEW_ROWS:
        said.append(f"Only the first {limits.PREVIEW_ROWS} rows are shown.")
    width = max(map(len, found), default=0)
    if width > limits.PREVIEW_COLUMNS:
        said.append(f"Only the first {limits.PREVIEW_COLUMNS} of {width} columns are shown.")
    width = min(width, limits.PREVIEW_COLUMNS)
    return [row[:width] + [""] * (width - len(row)) for row in found[: limits.PREVIEW_ROWS]], said


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", _describe_image)
    return parser


def _describe_image(renderer: RendererHTML, tokens: list[Token], index: int, options: object, env: object) -> str:
    """Its text instead of it: a picture from elsewhere would tell its server who looks at this file, and when."""
    return f"<em>[{escape(tokens[index].content or 'picture')}]</em>"


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    """Links that lead out stay; a relative one would lead to a page of the console."""
    if attribute == "href":
        try:
            return value if urlsplit(value).scheme.lower() in _SCHEMES else None
        except ValueError:
            return None
    return value
