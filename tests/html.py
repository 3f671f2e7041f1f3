"""Pages as a browser shows them: white space that the layout of a template adds does not count."""

import re

_KEPT = re.compile(r"(<(?:pre|textarea|script|style)\b.*?</(?:pre|textarea|script|style)>)", re.S | re.I)
_INLINE = "a|abbr|b|code|em|kbd|small|span|strong|time"
_AT_A_BLOCK = re.compile(rf" ?(</?(?!(?:{_INLINE})\b)[a-zA-Z!][^>]*>) ?")


def squeezed(html: str) -> str:
    """The page with single spaces, and none beside the tags of blocks or inside of tags' ends."""
    return "".join(
        part if index % 2 else _AT_A_BLOCK.sub(r"\1", re.sub(r"\s+", " ", part).replace(" >", ">"))
        for index, part in enumerate(_KEPT.split(html))
    )
