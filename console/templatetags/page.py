"""What templates need to show data: icons, the import map, and words for times, sizes and clients."""

import json
import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from console.icons import draw
from console.static_files.modules import find_imported, find_modules

register = template.Library()

_SPANS = ((60, "s"), (60, "min"), (24, "h"), (30, "d"), (12, "mo"))
_CLIENTS = (
    (re.compile(r"node-fetch|axios|undici|^node", re.I), "JavaScript"),
    (re.compile(r"mozilla", re.I), "Browser"),
    (re.compile(r"python|^$", re.I), "Python"),
    (re.compile(r"^go-http", re.I), "Go"),
    (re.compile(r"^curl", re.I), "curl"),
)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 18) -> SafeString:
    """An icon of Lucide's as inline SVG. It is decoration: what it means is said in words beside it."""
    size_px = {"width": str(size), "height": str(size)}
    return mark_safe(draw(name, **size_px, **{"aria-hidden": "true", "focusable": "false"}))  # noqa: S308 (a package's own drawing)


@register.simple_tag
def import_map() -> SafeString:
    """Where the browser finds the modules that others import: the path that these say, and the same file's name with its hash.

    The modules import each other by relative paths, which node and editors understand too.
    """
    return _import_map()


def _build_import_map() -> SafeString:
    root = Path(settings.BASE_DIR) / "static"
    texts = {path.relative_to(root).as_posix(): path.read_text() for path in (root / "js").rglob("*.js")}
    names = sorted(find_modules(texts)) if settings.DEBUG else find_imported(texts)
    urls = {f"{settings.STATIC_URL}{name}": static(name) for name in names}
    # `</script>` cannot end it early: the names are files of ours, and `<` is escaped all the same.
    return mark_safe(json.dumps({"imports": urls}).replace("<", "\\u003c"))  # noqa: S308 (JSON of our own names)


_import_map = _build_import_map if settings.DEBUG else lru_cache(maxsize=1)(_build_import_map)


@register.simple_block_tag
def code(content: SafeString, element_id: str, what: str) -> SafeString:
    """Lines to copy: `{% code "an-id" "what they are" %}<pre>...</pre>{% endcode %}`.

    Within `<pre>` the formatter of templates leaves them alone. Raises ValueError without it.
    """
    lines = content.strip()
    if not (lines.startswith("<pre>") and lines.endswith("</pre>")):
        raise ValueError(f"The lines of {element_id} do not stand in <pre>")
    text = lines.removeprefix("<pre>").removesuffix("</pre>").strip("\n")
    context = {"id": element_id, "what": what, "text": mark_safe(text)}  # noqa: S308 (a template's own output)
    return mark_safe(render_to_string("_code.html", context).rstrip())  # noqa: S308 (likewise)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in a word: "just now", "4 min ago", "2 y ago"."""
    if moment is None:
        return "never"
    amount = (timezone.now() - moment).total_seconds()
    if amount < 10:
        return "just now"
    for count, unit in _SPANS:
        if amount < count:
            return f"{int(amount)} {unit} ago"
        amount /= count
    return f"{int(amount)} y ago"


@register.simple_tag
def moment(at: datetime | None, otherwise: str = "never") -> SafeString | str:
    """A time as people say it, with the exact one (UTC) for pointers and machines."""
    if at is None:
        return otherwise
    exact = at.astimezone(timezone.get_default_timezone())
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S}", ago(at)
    )


@register.filter
def client_name(user_agent: str) -> str:
    """Which client a User-Agent means. The original Python client sends none."""
    for pattern, name in _CLIENTS:
        if pattern.search(user_agent):
            return name
    return user_agent.split("/")[0][:40]


@register.filter
def size(size_bytes: int) -> str:
    """Bytes in the unit that keeps them short, in powers of 1,000."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
