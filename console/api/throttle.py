"""Limits on wrong data keys per address. Valid keys are always served."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from storage.limits import WRONG_KEYS_PER_MINUTE

# Counted per process: guessing 62^32 secrets is hopeless anyway; the limit only keeps guesses from using up the server.
_limiter = FixedWindowRateLimiter(MemoryStorage())
_allowance = RateLimitItemPerMinute(WRONG_KEYS_PER_MINUTE)


def count_wrong_key(address: str) -> int:
    """Count one wrong key from this address; the seconds it should wait, 0 while it is within the allowance."""
    if _limiter.hit(_allowance, address):
        return 0
    return max(1, int(_limiter.get_window_stats(_allowance, address).reset_time - time.time()) + 1)
