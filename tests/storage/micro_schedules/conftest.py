"""The host that these tests' operations ask: the one of the tests of Micros."""

from tests.storage.micros.conftest import host, places

__all__ = ["host", "places"]
