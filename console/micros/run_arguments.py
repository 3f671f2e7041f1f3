"""What a person types as a run's input: JSON, or the words that `deta run ... -- WORDS` takes."""

import json
import shlex

from storage.errors import InvalidInput

_JSON_BEGINS = ("{", "[", '"')


def read_input(text: str) -> bytes:
    """The input as JSON: `--name x` is a text, a name that comes again makes a list, `-flag` is true. Nothing is `{}`.

    Raises InvalidInput.
    """
    text = text.strip()
    if text.startswith(_JSON_BEGINS):
        return text.encode()
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"The words can't be told apart: {str(error).lower()}") from None
    return json.dumps(read_words(words), ensure_ascii=False).encode()


def read_words(words: list[str]) -> dict[str, object]:
    """As `read_input`, of words that are told apart. Raises InvalidInput."""
    found: dict[str, object] = {}
    left = iter(words)
    for word in left:
        name = word[2:] if word.startswith("--") else word[1:]
        if not word.startswith("-") or not name or name.startswith("-"):
            raise InvalidInput(f"“{word}” is no name: write --name value, or -name for what is only true")
        if not word.startswith("--"):
            found[name] = True
            continue
        name, is_joined, value = name.partition("=")
        if not is_joined and (following := next(left, None)) is not None:
            value, is_joined = following, "="
        if not is_joined:
            raise InvalidInput(f"“{word}” has no value: write --{name} value, or -{name} for what is only true")
        _add(found, name, value)
    return found


def _add(found: dict[str, object], name: str, value: str) -> None:
    if name not in found:
        found[name] = value
    elif isinstance(before := found[name], list):
        before.append(value)
    else:
        found[name] = [before, value]
