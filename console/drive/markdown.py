"""Markdown as HTML that is safe: of allowed tags alone, without pictures, its links leading out of the console. Pure."""

from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_BLOCKS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_WORDS = {"a", "br", "code", "del", "em", "s", "strong"}
_SCHEMES = {"http", "https", "mailto"}


def render_markdown(text: str) -> SafeString:
    """Markdown as HTML of the allowed tags alone; a picture becomes its description."""
    html = nh3.clean(
        _markdown().render(text),
        tags=_BLOCKS | _TABLES | _WORDS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        attribute_filter=_keep_attribute,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(html)  # noqa: S308 (made safe by an allow-list)


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
