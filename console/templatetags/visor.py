"""What the pages of recorded requests show: statuses, durations, moments, and texts from strangers."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from storage import micro_addresses

register = template.Library()

# What changes how the text around it is shown, or cannot be seen: told by its code point.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_CONTROL_PICTURES = 0x2400


@register.filter
def visible(text: str) -> str:
    """The text with a sign for each character that a terminal or a browser would act on: escape sequences, line ends but for
    LF, marks of direction."""
    shown = _CONTROL.sub(lambda found: chr(_CONTROL_PICTURES + ord(found.group())), text)
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", shown)


@register.filter
def decoded(text: str) -> str:
    """A path or query as it reads, where what its percent-codes stand for is text; else as it was written."""
    if "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


@register.filter
def micro_host(subdomain: str) -> str:
    """Where the Micro of this sub-domain is served; "" for none."""
    return micro_addresses.hostname(subdomain) if subdomain else ""


@register.filter
def moment_of(seconds: float) -> datetime:
    """Of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


@register.filter
def status_kind(status: int) -> str:
    """The kind of a status: done, known, refused or failed."""
    return "failed" if status >= 500 else "refused" if status >= 400 else "known" if status >= 300 else "done"


@register.filter
def duration(duration_ms: float) -> str:
    """A time in the unit that keeps it short."""
    if duration_ms < 10:
        return f"{duration_ms:.1f} ms"
    return f"{duration_ms:.0f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


@register.simple_tag
def clock(at: datetime, kind: str = "second") -> SafeString:
    """A time of day, with the day where the pointer is, and for machines. The browser shows its own time zone instead.

    `kind` is "second", "minute", or "day" for the day alone.
    """
    formats = {"second": "%H:%M:%S", "minute": "%H:%M", "day": "%b %d"}
    return format_html(
        '<time datetime="{}" title="{} UTC" data-clock="{}">{}</time>',
        at.isoformat(),
        f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
        kind,
        at.strftime(formats[kind]),
    )
