"""A Micro's deployments: a bundle on its way in, the list, the page of one, and the way back."""

import http.client
import io
import json
import zipfile
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storage.models import Deployment, Micro, MicroLine
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.console.micros.conftest import make_deployment
from tests.matching import search
from tests.micros import make_micro, zip_of
from tests.people import Cast, make_cast, make_session
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

Sent = tuple[httpx.Client, Micro]
# It asks for no package, so that nothing is fetched when the server's worker makes it.
PLAIN = {"main.py": b"async def app(scope, receive, send):\n    pass\n"}


@pytest.fixture(scope="module")
def sent_to(server: Server, django_db_setup: None) -> Sent:
    """A member's browser at the real server, where the way of a large body begins, and a Micro."""
    cast = make_cast()
    micro = make_micro("sent", collection_id=cast.collection.id)
    cookies = {"sessionid": make_session(cast.member), "csrftoken": "x" * 32}
    headers = {"X-CSRFToken": "x" * 32, "X-Requested-With": "fetch", "Content-Type": "application/octet-stream"}
    client = httpx.Client(
        base_url=f"{server.url}/collections/{micro.collection_id}/micros/{micro.id}/",
        cookies=cookies,
        headers=headers,
        timeout=MOMENT_SECONDS,
        trust_env=False,
    )
    return client, micro


def test_bundle_that_no_other_body_could_be_becomes_a_deployment(sent_to: Sent) -> None:
    client, micro = sent_to
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**PLAIN, "large.bin": bytes(20_971_520)}.items():
            archive.writestr(f"app/{name}", content)

    answer = client.post("bundle/", content=made.getvalue())

    deployment = Deployment.objects.get(micro=micro)
    assert answer.json() == {"page": f"{client.base_url.path}deployments/{deployment.id}/"}
    assert (deployment.files, deployment.code_bytes) == (2, 20_971_520 + len(PLAIN["main.py"]))


@pytest.mark.parametrize(
    "content, fault",
    [
        (b"", "Nothing was sent"),
        (b"no archive at all", "neither a zip nor a tar"),
        (zip_of({"readme.txt": b"x"}), "There is nothing to start"),
        (zip_of({"main.py": b"x", "../out.py": b"x"}), "The bundle holds what can't be deployed"),
    ],
)
def test_what_can_not_be_deployed_is_refused_in_words(content: bytes, fault: str, sent_to: Sent) -> None:
    client, _ = sent_to
    answer = client.post("bundle/", content=content)
    assert answer.status_code == 400
    assert fault in answer.json()["errors"][0]


def test_bundle_over_the_limit_is_refused_before_it_is_taken_in(sent_to: Sent) -> None:
    client, _ = sent_to
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=MOMENT_SECONDS)
    with closing(connection):
        connection.putrequest("POST", f"{client.base_url.path}bundle/")
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        for name, value in {**client.headers, "Cookie": cookies, "Content-Length": "400000000"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 413
        assert "at most" in json.loads(answer.read())["errors"][0]


def test_list_names_what_serves_and_offers_the_way_back(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    old = make_deployment(micro, runs_on="Python 3.11.7")
    serving = make_deployment(micro, serves=True)
    make_deployment(micro, "failed")
    make_deployment(micro, is_kept=False)

    text = browser(people.member).get(f"{url}deployments/").content.decode()

    assert text.count("roll-back/") == 1
    assert f"{url}deployments/{old.id}/roll-back/" in text
    assert "done, code no longer kept" in text
    assert "roll-back/" not in browser(people.reader).get(f"{url}deployments/").content.decode()

    answer = browser(people.member).post(f"{url}deployments/{old.id}/roll-back/", follow=True)
    assert "Deployment 1 serves now." in answer.content.decode()
    micro.refresh_from_db()
    assert micro.deployment_id == old.id != serving.id


def test_page_of_a_failed_one_shows_its_traceback_and_what_serves(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    make_deployment(micro, serves=True)
    failed = make_deployment(micro, "failed", reason="Traceback\nNameError: name 'appp' is not defined <here>")
    text = browser(people.reader).get(f"{url}deployments/{failed.id}/").content.decode()
    assert "name &#x27;appp&#x27; is not defined &lt;here&gt;" in text
    assert "deployment 1 still does" in text


def test_page_follows_the_log_while_it_is_made(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    moving = make_deployment(micro, "building", heartbeat_at=clock.now())
    page, client = f"{url}deployments/{moving.id}/", browser(people.reader)
    polled: dict[str, Any] = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "deployment"}
    seen = search(r"\?seen=(\w+)", client.get(page).content.decode())[1]
    assert client.get(f"{page}?seen={seen}", **polled).status_code == 204

    about = {"micro_id": micro.id, "deployment_id": moving.id, "at": clock.now()}
    MicroLine.objects.create(source=MicroLine.Source.BUILD, text="Resolved <7> packages", **about)
    again = client.get(f"{page}?seen={seen}", **polled).content.decode()
    assert "Resolved &lt;7&gt; packages" in again

    Deployment.objects.filter(id=moving.id).update(state="done")
    assert "?seen=" not in client.get(f"{page}?seen={seen}", **polled).content.decode()


@pytest.mark.parametrize("page", ["", "roll-back/", "download/"])
def test_deployment_of_another_micro_is_not_there(
    page: str, people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    other = make_deployment(make_micro("other"))
    client = browser(people.owner)
    ask = client.post if page == "roll-back/" else client.get
    for deployment_id in (other.id, uuid4()):
        assert ask(f"{url}deployments/{deployment_id}/{page}").status_code == 404
