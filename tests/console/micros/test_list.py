"""The cards of Micros, and the first page of one."""

from typing import Any

import pytest

from storage.micros import figures
from storage.micros.figures import Counted
from storage.micros.host import Fault, FaultKind, State, Status
from storage.models import Micro
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.console.micros.conftest import ShownHost, make_deployment
from tests.matching import search
from tests.micros import make_micro
from tests.people import Cast

POLLED = {"HTTP_HX_REQUEST": "true"}


def test_empty_page_teaches_and_members_begin_there(people: Cast, browser: Browser, host: ShownHost) -> None:
    url = f"/collections/{people.collection.id}/micros/"
    text = browser(people.member).get(url).content.decode()
    assert "No Micro yet" in text
    assert "notes = Deta().Base" in text
    assert f'href="{url}new/"' in text

    assert f'href="{url}new/"' not in browser(people.reader).get(url).content.decode()


@pytest.mark.parametrize(
    "status, said",
    [
        (Status(State.ASLEEP), ["asleep"]),
        (Status(State.STARTING), ["starting"]),
        (Status(State.RUNNING, memory_bytes=43_000_000), ["running", "· 43.0 MB"]),
        (
            Status(State.FAILED, fault=Fault(FaultKind.CRASHED, "It ended while it started\nand more")),
            ["failed", ">It ended while it started<"],
        ),
    ],
)
def test_card_says_what_the_micro_is_doing(
    status: Status, said: list[str], people: Cast, browser: Browser, host: ShownHost, micro: Micro
) -> None:
    make_deployment(micro, serves=True)
    host.states[micro.id] = status
    minute = int(clock.now().timestamp()) // 60
    figures.add_figures([Counted(micro.id, minute, 1_204, 3)])

    text = browser(people.reader).get(f"/collections/{people.collection.id}/micros/").content.decode()

    for each in [*said, "1,204 requests", "3 errors", f"http://{micro.subdomain}.localhost"]:
        assert each in text


def test_card_tells_of_a_failed_deployment(people: Cast, browser: Browser, micro: Micro) -> None:
    make_deployment(micro, "failed")
    text = browser(people.reader).get(f"/collections/{people.collection.id}/micros/").content.decode()
    assert "deployment 1 failed" in text
    assert "never deployed" in text


@pytest.mark.parametrize("target", ["micros", "micro-live"])
def test_what_a_page_shows_already_is_not_sent_again(
    target: str, people: Cast, browser: Browser, host: ShownHost, micro: Micro, url: str
) -> None:
    deployment = make_deployment(micro, serves=True)
    asked = f"/collections/{people.collection.id}/micros/" if target == "micros" else url
    client = browser(people.reader)
    seen = search(r"\?seen=(\w+)", client.get(asked).content.decode())[1]
    polled: dict[str, Any] = {**POLLED, "HTTP_HX_TARGET": target}

    assert client.get(f"{asked}?seen={seen}", **polled).status_code == 204

    host.states[micro.id] = Status(State.RUNNING, deployment.id)
    again = client.get(f"{asked}?seen={seen}", **polled)
    assert again.status_code == 200
    assert "running" in again.content.decode()
    assert "<html" not in again.content.decode()


def test_where_none_can_run_every_page_says_why_and_is_there(
    people: Cast, browser: Browser, host: ShownHost, micro: Micro, url: str
) -> None:
    make_deployment(micro, serves=True)
    host.off = "Micros are off, because the kernel lets no process be walled off."
    client = browser(people.owner)
    for page in ("../", "../new/", "", "deployments/", "environment/", "domains/", "keys/", "logs/", "settings/"):
        answer = client.get(
            f"/collections/{people.collection.id}/micros/{page[3:]}" if page[:3] == "../" else url + page
        )
        assert answer.status_code == 200
        assert host.off in answer.content.decode(), page


def test_first_page_shows_the_fault_with_what_the_app_printed(
    people: Cast, browser: Browser, host: ShownHost, micro: Micro, url: str
) -> None:
    make_deployment(micro, serves=True)
    fault = Fault(FaultKind.CRASHED, "The app ended", "Traceback ...\nImportError: <no> module")
    host.states[micro.id] = Status(State.FAILED, fault=fault)
    text = browser(people.reader).get(url).content.decode()
    assert "ImportError: &lt;no&gt; module" in text


def test_micro_of_another_collection_is_not_there(people: Cast, browser: Browser, url: str, micro: Micro) -> None:
    other = make_micro("other")
    assert browser(people.owner).get(url.replace(micro.id, other.id)).status_code == 404
