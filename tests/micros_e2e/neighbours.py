"""What the server serves beside a Micro that misbehaves: another Micro, the console, the API."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import urllib3

from tests.running_micros import MicroClient, told
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

# Two seconds each, with the slack that a busy machine needs.
SERVED_SECONDS = 8.0
_PAUSE_SECONDS = 0.1


def run_inside(client: MicroClient, code: str) -> Any:
    """What an obedient Micro's code leaves in `found`; fails with what it raised."""
    answer = client.ask("/", "POST", body=code)
    assert answer.status == 200, answer.data.decode()
    return told(answer)


# The loaded modules whose compiled code is missing or of another source: each start would compile them anew.
COMPILED_ANEW = """
import os, struct, sys
def is_good(module):
    source, compiled = module.__spec__.origin, module.__spec__.cached
    try:
        with open(compiled, "rb") as file:
            flags, time, size = struct.unpack("<III", file.read(16)[4:])
    except OSError:
        return False
    about = os.stat(source)
    return bool(flags) or (time, size) == (int(about.st_mtime), about.st_size)
found = sorted(
    name
    for name, module in sys.modules.items()
    if getattr(module, "__spec__", None)
    and module.__spec__.cached
    and module.__spec__.origin.startswith(("/deps", "/homeport", sys.prefix))
    and not module.__spec__.origin.endswith("/start.py")
    and not is_good(module)
)
"""


@dataclass(frozen=True)
class Neighbours:
    """All that has to go on."""

    server: Server
    micro: MicroClient
    collection_id: str
    data_key: str

    @contextmanager
    def served_meanwhile(self) -> Iterator[None]:
        """Ask each of them again and again as long as the block lasts; each answer has to be a good one, and in time."""
        late: list[str] = []
        over = Event()
        asking = Thread(target=self._ask_on, args=(over, late))
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join(MOMENT_SECONDS)
        assert late == []

    def _ask_on(self, over: Event, late: list[str]) -> None:
        while not over.is_set():
            for what, url, options in self._requests():
                began = time.monotonic()
                try:
                    status: object = urllib3.request(url=url, retries=False, timeout=MOMENT_SECONDS, **options).status
                except urllib3.exceptions.HTTPError as error:
                    status = repr(error)
                took = time.monotonic() - began
                if status != 200 or took > SERVED_SECONDS:
                    late.append(f"{what}: {status} after {took:.1f} s")
            over.wait(_PAUSE_SECONDS)

    def _requests(self) -> list[tuple[str, str, dict[str, Any]]]:
        query = f"{self.server.url}/v1/{self.collection_id}/calm/query"
        return [
            ("Micro", f"{self.server.url}/", {"method": "GET", "headers": {"Host": self.micro.host}}),
            ("console", f"{self.server.url}/sign-in/", {"method": "GET"}),
            ("API", query, {"method": "POST", "headers": {"X-API-Key": self.data_key}, "body": b"{}"}),
        ]
