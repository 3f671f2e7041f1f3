"""The S3s that the storage tests run against: the bundled one, and another."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

from storage.s3 import blobs
from tests.second_s3 import serve_second_s3
from tests.sweeping import sweep_now

_CACHED = (blobs._signer, blobs._pool, blobs._listing_client)


@pytest.fixture(scope="session")
def second_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of a second S3, empty but for its bucket."""
    with serve_second_s3(tmp_path_factory.mktemp("s3") / "data") as found:
        yield found


@pytest.fixture(params=["seaweedfs", "rclone"])
def s3(request: pytest.FixtureRequest, database: None) -> Iterator[str]:
    """Each S3 in turn, as the one that this process stores blobs in; its name.

    What earlier tests let go of is swept before, while their S3 is the one to sweep it from.
    """
    if request.param != "seaweedfs":
        sweep_now()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.callback(forget_clients)
        if request.param == "rclone":
            for name, value in request.getfixturevalue("second_s3").items():
                patch.setattr(settings, name, value)
            patch.setattr(settings, "S3_SOCKET", "")
            patch.setattr(settings, "S3_TLS", None)
        forget_clients()
        yield request.param


def forget_clients() -> None:
    """What was made with other settings."""
    if blobs._pool.cache_info().currsize:
        blobs._pool().close()
    for cached in _CACHED:
        cached.cache_clear()
