"""What there is on the server of a soak: a collection with everything in it, whose requests are recorded, and the ways to it."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from django.urls import reverse

from storage.base import bases
from storage.collections import keys
from storage.drive import drives
from storage.events import recording
from storage.models import MicroSchedule
from storage.postgres import clock
from tests.console.test_routes import OPEN, POST_ONLY, PUT_ONLY, ROUTES, url_of
from tests.people import PASSWORD, Cast, make_cast, make_session
from tests.running_micros import MicroClient, run_micro
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

_APP = """
from deta import App

def answer(environ, start_response):
    print("asked for", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 2000]

app = App(answer)

@app.lib.run()
@app.lib.cron()
def tick(event):
    print("ticked")
    return "ticked"
"""
# A download of all of a Drive, and what lets somebody else in, are no pages.
_NOT_LOOKED_AT = {"drive-zip", "export-audit", "export-collection-audit"}


@dataclass
class World:
    """A collection, one who owns the server, one who signs in and out, an app with a key, a Micro; and a folder for backups."""

    server: Server
    backups: Path
    cast: Cast = field(default_factory=lambda: make_cast("Soak"))
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        collection_id = self.cast.collection.id
        bases.ensure_base(collection_id=collection_id, name="things")
        drives.ensure_drive(collection_id=collection_id, name="files")
        recording.start_recording(collection_id)
        self.key = keys.create_key(collection_id=collection_id, name="soak").text
        self.session = make_session(self.cast.server_owner)
        self.micro: MicroClient = run_micro(self.server.url, collection_id, {"main.py": _APP}, name="soak")
        MicroSchedule.objects.create(micro=self.micro.micro, expression="0/1 * * * ? *", next_at=clock.now())
        looked_at = sorted(set(ROUTES) - OPEN - POST_ONLY - PUT_ONLY - _NOT_LOOKED_AT)
        self.pages = [url_of(name, self.cast) for name in looked_at]

    @property
    def api(self) -> str:
        """Where the API of the collection is."""
        return f"/v1/{self.cast.collection.id}"

    def page(self, route: str, **named: object) -> str:
        """The address of a page of the collection."""
        return reverse(route, kwargs={"collection_id": self.cast.collection.id, **named})

    @property
    def sign_in_form(self) -> dict[str, str]:
        return {"username": self.cast.member.username, "password": PASSWORD}

    def client(self, *, is_signed_in: bool = True) -> httpx.Client:
        """A browser, or one before it has signed in."""
        cookies = {"csrftoken": self.token} | ({"sessionid": self.session} if is_signed_in else {})
        headers = {"X-CSRFToken": self.token}
        return httpx.Client(
            base_url=self.server.url, headers=headers, cookies=cookies, timeout=MOMENT_SECONDS, trust_env=False
        )

    def app(self) -> httpx.Client:
        """An app that speaks to the API."""
        return httpx.Client(
            base_url=self.server.url + self.api,
            headers={"X-API-Key": self.key},
            timeout=MOMENT_SECONDS,
            trust_env=False,
        )
