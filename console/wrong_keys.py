"""Limits on wrong data keys, and wrong tokens of `/metrics`, per address. Valid ones are always served."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from console.client_addresses import network_of
from storage.limits import WRONG_KEYS_PER_MINUTE

# Counted in each process's memory, unlike passwords: guessing 62^32 secrets is hopeless however often it is tried, and a count
# in the database would be a write for every stranger's request. It tells a client that goes on and on with an old key.
_counts = MemoryStorage()
_limiter = FixedWindowRateLimiter(_counts)
_allowance = RateLimitItemPerMinute(WRONG_KEYS_PER_MINUTE)
# Whoever has more addresses than this begins anew sooner, instead of filling the memory.
_ADDRESSES_MAX = 20_000


def count_wrong_key(address: str) -> int:
    """Count one wrong key from this address, or its /64; the seconds it should wait, 0 while it is within the allowance."""
    address = network_of(address)
    if len(_counts.storage) >= _ADDRESSES_MAX:
        _counts.reset()
    if _limiter.hit(_allowance, address):
        return 0
    return max(1, int(_limiter.get_window_stats(_allowance, address).reset_time - time.time()) + 1)
