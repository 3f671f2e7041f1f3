"""The log of a Micro: what is found in it, its pages, and how it goes on."""

import re

import pytest

from storage import limits
from storage.models import Micro, MicroLine
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.console.micros.conftest import make_deployment
from tests.html import squeezed
from tests.matching import search
from tests.people import Cast


def print_lines(micro: Micro, *texts: str, **more: object) -> None:
    given = {"micro_id": micro.id, "at": clock.now(), "source": MicroLine.Source.OUTPUT, **more}
    MicroLine.objects.bulk_create(MicroLine(text=text, **given) for text in texts)


def lines(text: str) -> list[str]:
    return re.findall(r'class="log-text"\s*>([^<]*)</span>', squeezed(text))


def test_empty_log_says_what_will_stand_there(people: Cast, browser: Browser, url: str) -> None:
    text = browser(people.reader).get(f"{url}logs/").content.decode()
    assert "What the app prints stands here as it comes." in re.sub(r"\s+", " ", text)
    assert "No line matches." in browser(people.reader).get(f"{url}logs/?q=x").content.decode()


@pytest.mark.parametrize(
    "query, found",
    [
        ("", ["one &lt;b&gt;", "TWO", "oops", "woken", "installed"]),
        ("?q=two", ["TWO"]),
        ("?from=app", ["one &lt;b&gt;", "TWO", "oops"]),
        ("?from=errors", ["oops"]),
        ("?from=server", ["woken"]),
        ("?from=build", ["installed"]),
        ("?from=nobody", ["one &lt;b&gt;", "TWO", "oops", "woken", "installed"]),
        ("?deployment=1", ["installed"]),
        ("?deployment=9", ["one &lt;b&gt;", "TWO", "oops", "woken", "installed"]),
    ],
)
def test_lines_are_found(query: str, found: list[str], people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    deployment = make_deployment(micro)
    print_lines(micro, "one <b>", "TWO")
    print_lines(micro, "oops", source=MicroLine.Source.ERROR)
    print_lines(micro, "woken", source=MicroLine.Source.SERVER)
    print_lines(micro, "installed", source=MicroLine.Source.BUILD, deployment_id=deployment.id)
    assert lines(browser(people.reader).get(f"{url}logs/{query}").content.decode()) == found


def test_newest_page_goes_on_from_its_last_line(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    print_lines(micro, "first")
    client = browser(people.reader)
    more = search(r'hx-get="([^"]*live=\d+)"', client.get(f"{url}logs/?q=r").content.decode())[1].replace("&amp;", "&")
    assert client.get(more).status_code == 204

    print_lines(micro, "third", "no match", "fourth")
    text = client.get(more).content.decode()
    assert lines(text) == ["third", "fourth"]
    onwards = search(r'hx-get="([^"]*live=\d+)"', text)[1].replace("&amp;", "&")
    assert client.get(onwards).status_code == 204


def test_pages_lead_back_and_forth_without_a_gap(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    most = limits.MICRO_LINES_PER_LIST
    print_lines(micro, *(f"line {number}" for number in range(2 * most)))
    client = browser(people.reader)
    newest = client.get(f"{url}logs/").content.decode()
    older = search(r'href="([^"]*before=\d+)"', newest)[1]
    middle = client.get(older).content.decode()

    assert lines(middle)[-1] == f"line {most - 1}"
    assert lines(newest)[0] == f"line {most}"
    assert "live=" not in middle
    newer = search(r'href="([^"]*after=\d+)"', middle)[1]
    assert lines(client.get(newer).content.decode()) == lines(newest)
