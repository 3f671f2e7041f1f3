"""An entry of the audit log in words, as a page shows it. Pure."""

from typing import NamedTuple

from storage.audit.log import Entry, Verb
from storage.models import Role

_COUNTED: dict[str, str] = {
    Verb.ITEMS_DELETED: "item",
    Verb.FILES_DELETED: "file",
    Verb.FILES_RESTORED: "file",
    Verb.FILES_ZIPPED: "file",
}
# Ids are for the file: on the page they say nothing.
_HIDDEN = {"key", "person", "invitation", "export", "import", "deletion", "token"}
_BEFORE = "_before"
_WORDS = {
    "role": "as {}",
    "size_bytes": "{} bytes",
    "expires_at": "until {}",
    "rights": "to {}",
    "requests_per_second": "{} requests a second",
    "bytes_per_day": "{} bytes a day",
    "format": "as {}",
    "by_token": "with the access token {}",
    "from": "from {}",
    "for": "for {}",
}


_ACTORS = {"command": "command line", "nobody": "not signed in", "server": "the server"}


class Line(NamedTuple):
    """An entry, who did it, what it was, and what else is to be said."""

    entry: Entry
    who: str
    what: str
    more: str


def describe(entry: Entry) -> Line:
    """The line of an entry. A verb of another version of Homeport stands for itself."""
    is_known = entry.verb in Verb.__members__.values()
    who = entry.name if entry.actor == "person" else _ACTORS.get(entry.actor, entry.actor)
    if entry.actor == "command" and entry.name:
        who = f"{who} ({entry.name})"
    return Line(entry, who, Verb(entry.verb).label if is_known else entry.verb, _say_more(entry))


def _say_more(entry: Entry) -> str:
    parts = []
    noun = _COUNTED.get(entry.verb)
    if noun:
        parts.append(f"{entry.amount:,} {noun}{'' if entry.amount == 1 else 's'}")
    elif entry.amount > 1:
        parts.append(f"{entry.amount:,} times")
    details = entry.details
    before = {name: details.pop(name) for name in list(details) if name.endswith(_BEFORE)}
    for name, value in details.items():
        if name not in _HIDDEN:
            was = before.pop(f"{name}{_BEFORE}", details)
            parts.append(_say(name, value) + ("" if was is details else f" (before: {_word(was)})"))
    parts += [f"before: {_word(was)}" for was in before.values()]
    return ", ".join(parts)


def _word(value: object) -> str:
    """A value by itself."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return Role(str(value)).label if value in Role.values else str("none" if value is None else value)


def _say(name: str, value: object) -> str:
    word = name.replace("_", " ")
    if value is True:
        return word
    if isinstance(value, list):
        return f"{word}: {', '.join(map(str, value)) or 'none'}"
    if name in _WORDS and value is not None:
        return _WORDS[name].format(_word(value))
    return f"{word}: {_word(value)}"
