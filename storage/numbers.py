"""Whole numbers from text that a client sent: a header, a query string, a cursor."""

# The value for a number with too many digits. It is above every limit, so the caller refuses or clips it.
BEYOND = 10**18


def read_number(text: str) -> int | None:
    """The number that ASCII digits alone write, BEYOND for one that is too long; None for anything else.

    Python's own `int` takes more: signs, blanks, underscores and the digits of every script. `str.isdigit` holds for `²`,
    which `int` then raises on, and thousands of digits make `int` slow and then raise.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else BEYOND
