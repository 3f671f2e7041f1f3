"""What a room of the server says when something is wrong with it: the word that all rooms have for it.

A room that can be ill has a function `find_problems() -> list[Finding]`; `storage/monitoring/problems.py` asks all of them.
"""

from typing import Literal, NamedTuple

Level = Literal["bad", "warn"]


class Finding(NamedTuple):
    """One thing that is wrong.

    `key` names its kind in `/metrics`: lower-case words with underscores, from a fixed set, never made of data. `level` is
    "bad" where something does not work or data is in danger, "warn" where it soon will be. `title` is one sentence about
    what is wrong, `what_to_do` one about what mends it; both are for people, and hold no secrets.
    """

    key: str
    level: Level
    title: str
    what_to_do: str
