"""Which ids the name of a Base had in the course of time: history is of an id, and a Base that is emptied gets a new one."""

from dataclasses import dataclass
from datetime import datetime

from storage.history.sql import turns as turns_sql
from storage.postgres.caller import Access, allowed
from storage.postgres.database import run

# Above every version's id.
NO_END = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Turn:
    """The name's items hung on `base_id` until this version and moment, 0 for none, and on `next_id` from then on."""

    version_id: int
    at: datetime
    base_id: int
    next_id: int | None
    by_person: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The id of a Base, None where there is none of its name, its turns in the order of time, and the time by the database's
    clock."""

    base_id: int | None
    turns: list[Turn]
    now: datetime

    def id_at(self, moment: datetime) -> int | None:
        """The id that it had at a moment; None or 0 for none."""
        return next((turn.base_id for turn in self.turns if turn.at > moment), self.base_id)

    def ends(self) -> dict[int, int]:
        """The ids that it ever had, each with the version before which it counts."""
        ends = {turn.base_id: turn.version_id for turn in self.turns if turn.base_id}
        return ends if self.base_id is None else ends | {self.base_id: NO_END}


def find_timeline(access: Access, base: str) -> Timeline:
    """Raises Unauthorized or Forbidden unless the caller may read this Base, which need not exist."""
    rows = run(turns_sql.find_turns(access, base))
    now, current_id = allowed(rows).now, rows[0].current_id
    turns = [
        Turn(row.version_id, row.at, row.base_id, row.next_id, row.by_person)
        for row in rows
        if row.version_id is not None
    ]
    return Timeline(current_id, turns, now)


def note_turn(*, base_id: int, next_id: int | None, collection_id: str, name: str, by_person: int | None) -> None:
    """In the transaction that gives a name another id; 0 for none before, None for none from now on."""
    run(
        turns_sql.note_turn(
            base_id=base_id, next_id=next_id, collection_id=collection_id, name=name, by_person=by_person
        )
    )
