"""Limits on wrong passwords from one address, per name and in total.

Counted in each worker's memory, so that no try is ever kept: people type passwords into the field for the name. With a few
workers an address gets a few times as many tries, which is still nothing against ten characters; a lock on the name
alone would let anybody lock its owner out.
"""

from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

TRIES_FOR_ONE_NAME = parse("5 per 5 minutes")
TRIES_FROM_ONE_ADDRESS = parse("50 per 5 minutes")
WAIT_SECONDS = 300

_limiter = FixedWindowRateLimiter(MemoryStorage())


@dataclass(frozen=True, slots=True)
class Attempt:
    """An address, and the name it tries to sign in with."""

    address: str
    name: str

    def may_try(self) -> bool:
        """Whether another try is allowed."""
        return all(_limiter.test(limit, *who) for limit, who in self._counted())

    def count_failure(self) -> None:
        for limit, who in self._counted():
            _limiter.hit(limit, *who)

    def forget(self) -> None:
        """The password was right: forget the failed tries for this name."""
        _limiter.clear(TRIES_FOR_ONE_NAME, self.address, self.name.lower())

    def _counted(self) -> tuple[tuple[RateLimitItem, tuple[str, ...]], ...]:
        return (TRIES_FOR_ONE_NAME, (self.address, self.name.lower())), (TRIES_FROM_ONE_ADDRESS, (self.address,))
