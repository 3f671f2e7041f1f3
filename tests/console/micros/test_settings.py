"""A Micro's settings: how it runs, its name, its address, its end."""

from typing import Any

import pytest

from storage.micros import micros
from storage.models import Micro
from tests.console.conftest import Browser
from tests.console.micros.conftest import ShownHost, make_deployment
from tests.people import Cast

RUNNING = {"has_sign_in": "on", "idle_minutes": "5", "runtime": ""}


def test_settings_are_kept_as_they_are_sent(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    form = {"is_recorded": "on", "is_kept_warm": "on", "idle_minutes": "60", "runtime": "NodeJS14.x"}
    browser(people.member).post(f"{url}settings/", form)
    micro.refresh_from_db()
    assert (micro.has_sign_in, micro.is_recorded, micro.is_kept_warm) == (False, True, True)
    assert (micro.idle_minutes, micro.runtime, micro.name) == (60, "nodejs14.x", "hello")


@pytest.mark.parametrize(
    "change, field",
    [
        ({"idle_minutes": "0"}, "idle_minutes"),
        ({"idle_minutes": "99999"}, "idle_minutes"),
        ({"runtime": "ruby"}, "runtime"),
    ],
)
def test_setting_that_can_not_be_is_refused_at_its_field(
    change: dict[str, str], field: str, people: Cast, browser: Browser, url: str
) -> None:
    answer = browser(people.member).post(f"{url}settings/", RUNNING | change)
    assert answer.status_code == 422
    assert answer.context["running"].errors[field]


def test_micro_is_renamed_and_nothing_else(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    subdomain = micro.subdomain
    browser(people.member).post(f"{url}settings/", {"what": "name", "name": "Another"})
    micro.refresh_from_db()
    assert (micro.name, micro.subdomain, micro.has_sign_in) == ("Another", subdomain, True)

    micros.create_micro(collection_id=people.collection.id, name="taken")
    answer = browser(people.member).post(f"{url}settings/", {"what": "name", "name": "taken"})
    assert answer.status_code == 422
    assert answer.context["naming"].errors["name"]


def test_sub_domain_is_changed_or_refused(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    client = browser(people.member)
    assert client.post(f"{url}settings/address/", {"subdomain": "console"}).status_code == 422
    client.post(f"{url}settings/address/", {"subdomain": "Other_Name"})
    micro.refresh_from_db()
    assert micro.subdomain == "other-name"


def test_limits_are_shown(people: Cast, browser: Browser, url: str, settings: Any) -> None:
    settings.MICRO_MEMORY_MB = 2_048
    text = browser(people.member).get(f"{url}settings/").content.decode()
    assert "2,048 MB" in text
    assert "Python 3.11.7, Node.js 24.1.0" in text


def test_restart_ends_what_runs(people: Cast, browser: Browser, host: ShownHost, micro: Micro, url: str) -> None:
    assert browser(people.reader).post(f"{url}settings/restart/").status_code == 403
    browser(people.member).post(f"{url}settings/restart/")
    assert host.told == [("stop", micro.id)]


def test_deletion_wants_the_name(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    make_deployment(micro)
    client = browser(people.member)
    assert "1 deployment" in client.get(f"{url}settings/delete/").content.decode()
    assert client.post(f"{url}settings/delete/", {"typed_name": "other"}).status_code == 422
    assert browser(people.reader).post(f"{url}settings/delete/", {"typed_name": "hello"}).status_code == 403

    answer = client.post(f"{url}settings/delete/", {"typed_name": "hello"}, follow=True)
    assert "Micro “hello” deleted." in answer.content.decode()
    assert not Micro.objects.filter(id=micro.id).exists()
