"""Code with colours: Pygments finds the words, a few classes of our own name them, and the page's stylesheet colours them.

Its patterns can take very long on text made for that: a line that is too long, or a budget of processor time that is spent,
ends the colouring, and the rest of the text follows without. A single word may still take longer than all of it: that is
why it runs in a helper.
"""

import time

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename, get_lexer_for_mimetype
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, _TokenType
from pygments.util import ClassNotFound

from storage import limits

_CLASSES: list[tuple[_TokenType, str]] = [
    (Comment, "hl-comment"),
    (Keyword, "hl-keyword"),
    (String, "hl-string"),
    (Number, "hl-number"),
    (Name.Tag, "hl-tag"),
    (Name.Attribute, "hl-name"),
    (Name.Function, "hl-name"),
    (Name.Class, "hl-name"),
    (Name.Decorator, "hl-name"),
    (Name.Builtin, "hl-keyword"),
    (Operator.Word, "hl-keyword"),
    (Punctuation, "hl-punct"),
]
_LINE_MAX_CHARACTERS = 2_000


def highlight(text: str, *, name: str, content_type: str) -> SafeString:
    """The text as HTML: every character of it escaped, words in `<span class="hl-...">`."""
    lexer = _find_lexer(name, content_type)
    if lexer is None or any(len(line) > _LINE_MAX_CHARACTERS for line in text.splitlines()):
        return escape(text)
    ends_at = time.thread_time() + limits.PREVIEW_HIGHLIGHT_SECONDS
    made: list[str] = []
    reached = 0
    for position, token, value in lexer.get_tokens_unprocessed(text):
        made.append(_span(token, value))
        reached = position + len(value)
        if time.thread_time() > ends_at:
            break
    return mark_safe("".join(made) + escape(text[reached:]))  # noqa: S308 (every piece was escaped)


def _find_lexer(name: str, content_type: str) -> Lexer | None:
    """The lexer for a file, by its name alone: guessing by content runs every pattern there is."""
    found = find_lexer_class_for_filename(name.rsplit("/", 1)[-1])
    if found is not None:
        return found()
    try:
        return get_lexer_for_mimetype(content_type.partition(";")[0].strip())
    except ClassNotFound:
        return None


def _span(token: _TokenType, value: str) -> str:
    for kind, css_class in _CLASSES:
        if token in kind:
            return f'<span class="{css_class}">{escape(value)}</span>'
    return str(escape(value))
