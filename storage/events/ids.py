"""Ids of events: UUIDs of version 7 as 32 hexadecimal digits, which hold the moment and sort by it (RFC 9562, section 5.7).

One value is the order of the list, the place to go on from, the address of a page and the key of the day's partition.
Of the bits behind the milliseconds, the first twelve go on with the time, so that order holds below a millisecond.
"""

import random
from datetime import UTC, datetime, timedelta

_FRACTION_BITS = 12
_FRACTION = (1 << _FRACTION_BITS) - 1
_LAST_MS = (1 << 48) - 1
_LAST_SECOND = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())
_FIXED = 7 << 76 | 2 << 62  # version and variant

LOWEST = "0" * 32
HIGHEST = "f" * 32


def new_event_id(at_ns: int) -> str:
    """An id for an event of this time, in nanoseconds since 1970."""
    # Milliseconds, and behind them their 4,096 parts.
    part = (at_ns << _FRACTION_BITS) // 1_000_000
    # The last bits only need to be unique, not secret: an event is only found within a collection that the gate allows.
    bits = part >> _FRACTION_BITS << 80 | (part & _FRACTION) << 64 | _FIXED | random.getrandbits(62)
    return bits.to_bytes(16, "big").hex()


def time_of(event_id: str) -> datetime:
    """The event's time, to the microsecond; within the last second that there is, of one that names a later time.

    Anybody can write an id, and most of them name no time that a `datetime` can hold.
    """
    ms, fraction = int(event_id[:12], 16), int(event_id[13:16], 16)
    whole = datetime.fromtimestamp(min(ms // 1000, _LAST_SECOND), UTC)
    return whole.replace(microsecond=ms % 1000 * 1000 + (fraction * 1000 >> _FRACTION_BITS))


def ms_of(event_id: str) -> int:
    """The event's millisecond since 1970."""
    return int(event_id[:12], 16)


def minute_of(event_id: str) -> int:
    """The event's minute since 1970."""
    return ms_of(event_id) // 60_000


def first_id_at(moment: datetime) -> str:
    """Not above the id of any event of this moment or later, above that of any earlier one."""
    return f"{max(0, int(moment.timestamp() * 1000)):012x}" + "0" * 20


def later(event_id: str, span: timedelta) -> str:
    """The first id so much later than this one's time; the last there is at the end of all times."""
    return f"{min(ms_of(event_id) + span // timedelta(milliseconds=1), _LAST_MS):012x}" + "0" * 20


def bounds_of_minute(event_id: str) -> tuple[str, str]:
    """The lowest id that the event's minute may have, and the lowest of the next one's."""
    first_ms = minute_of(event_id) * 60_000
    return f"{first_ms:012x}{'0' * 20}", f"{first_ms + 60_000:012x}{'0' * 20}"
