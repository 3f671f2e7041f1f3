"""Every test of the public API gets a collection of its own; the connections are shared."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.described import check_answer
from tests.drives import DriveClient, make_drive
from tests.factories import BaseClient, close_connections, make_client
from tests.sweeping import repair_now


@pytest.fixture
def client(server: Any, database: None) -> BaseClient:
    """A client of a Base that does not exist yet, with a key that may do everything in its collection."""
    return make_client(server)


@pytest.fixture(scope="package", autouse=True)
def _answers_are_described() -> Iterator[None]:
    """Whatever a test asks the API for, the answer is as the description says, and what was accepted as well."""
    ask = BaseClient.send

    def send(self: BaseClient, method: str, path: str, *given: Any, **options: Any) -> httpx.Response:
        response = ask(self, method, path, *given, **options)
        request = response.request
        # What is sent piece by piece is a file, or broken on purpose.
        sent = request.content if isinstance(request.stream, httpx.ByteStream) else b""
        # Dialects are not described (contract: Dialects).
        if not (method == "OPTIONS" or "Authorization" in request.headers or sent.startswith(b'{"updates":')):
            below = f"/{self.collection_id}/{self.name}{path.partition('?')[0]}"
            check_answer(
                method,
                below,
                status=response.status_code,
                headers=response.headers,
                body=response.content,
                sent=sent,
            )
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "send", send)
        yield


@pytest.fixture(scope="session", autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


@pytest.fixture
def drive(server: Any, database: None) -> DriveClient:
    """A client of a Drive that does not exist yet, with a key that may do everything in its collection."""
    return make_drive(server)


@pytest.fixture(scope="module")
def clean_bucket(server: Any) -> None:
    """Whatever ran before, on this run's server: those who write without a commit leave their bytes behind."""
    repair_now()


@pytest.fixture
def without_s3(server: Any) -> Iterator[None]:
    """SeaweedFS killed, and nobody there to start it again until the test is over."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        for engine in server.children("weed"):
            engine.kill()  # and not waited for: who would take note of its end is stopped
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    server.wait_ready()


@pytest.fixture
def with_frozen_s3(server: Any) -> Iterator[None]:
    """SeaweedFS takes connections and says nothing."""
    engines = server.children("weed")
    for engine in engines:
        engine.suspend()
    try:
        yield
    finally:
        for engine in engines:
            engine.resume()
    server.wait_ready()
