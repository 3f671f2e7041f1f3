"""Ids of events: UUIDs of version 7, which hold the moment and sort by it (RFC 9562, section 5.7).

One value is the order of the list, the place to go on from, the address of a page and the key of the day's partition.
Of the bits behind the milliseconds, the first twelve go on with the time, so that order holds below a millisecond.
"""

import random
from datetime import UTC, datetime
from uuid import UUID

_MS_BITS, _FRACTION_BITS = 80, 12
_VERSION = 7 << 76
_VARIANT = 2 << 62


def new_event_id(at_ns: int) -> UUID:
    """An id for an event that began at this time, in nanoseconds since 1970."""
    ms, rest = divmod(at_ns, 1_000_000)
    fraction = (rest << _FRACTION_BITS) // 1_000_000
    # Only uniqueness is asked of these bits: an event is found within a collection that a gate has opened.
    return UUID(int=ms << _MS_BITS | _VERSION | fraction << 64 | _VARIANT | random.getrandbits(62))


def time_of(event_id: UUID) -> datetime:
    """When the event began, to the microsecond."""
    ms = event_id.int >> _MS_BITS
    fraction = event_id.int >> 64 & (1 << _FRACTION_BITS) - 1
    return datetime.fromtimestamp(ms // 1000, UTC).replace(
        microsecond=ms % 1000 * 1000 + (fraction * 1000 >> _FRACTION_BITS)
    )


def first_id_at(moment: datetime) -> UUID:
    """Not above the id of any event that began at this moment or later, above that of any earlier one."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << _MS_BITS)


LOWEST = UUID(int=0)
HIGHEST = UUID(int=(1 << 128) - 1)
