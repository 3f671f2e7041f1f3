"""The variables of a Micro: set, replaced, removed, pasted, and never shown."""

import pytest

from console.micros.env_lines import read_env_lines
from storage.errors import InvalidInput
from storage.micros import micros, variables
from storage.models import Micro
from tests.console.conftest import Browser
from tests.people import Cast


def values(micro: Micro) -> dict[str, str]:
    found = micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)
    return variables.read_variables(found)


def put(micro: Micro, **given: str) -> None:
    variables.set_variables(collection_id=micro.collection_id, micro_id=micro.id, values=given)


def test_variable_is_set_changed_and_removed_and_its_value_shown_nowhere(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    client = browser(people.member)
    page = f"{url}environment/"
    assert "No variables yet" in client.get(page).content.decode()

    # A browser ends lines as on Windows; an app wants them as they were pasted.
    text = client.post(page, {"name": " TOKEN ", "value": "se\r\ncret "}, follow=True).content.decode()
    assert values(micro) == {"TOKEN": "se\ncret "}
    assert "TOKEN" in text
    assert "cret" not in text

    assert "cret" not in client.get(f"{page}TOKEN/set/").content.decode()
    client.post(f"{page}TOKEN/set/", {"value": ""})
    assert values(micro) == {"TOKEN": ""}

    client.post(f"{page}TOKEN/remove/")
    assert values(micro) == {}
    assert client.get(f"{page}TOKEN/remove/").status_code == 404


@pytest.mark.parametrize(
    "form, field",
    [
        ({"name": "1ST", "value": "x"}, "name"),
        ({"name": "DETA_PROJECT_KEY", "value": "x"}, None),
        ({"value": "x"}, "name"),
    ],
)
def test_variable_that_can_not_be_is_refused_in_words(
    form: dict[str, str], field: str | None, people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    answer = browser(people.member).post(f"{url}environment/", form)
    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert values(micro) == {}
    if field:
        assert field in answer.context["form"].errors


def test_pasted_lines_are_set_beside_the_others_or_in_their_place(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    put(micro, KEPT="1", CHANGED="1")
    client = browser(people.member)
    client.post(f"{url}environment/paste/", {"lines": "CHANGED=2\nNEW='a b'\n"})
    assert values(micro) == {"KEPT": "1", "CHANGED": "2", "NEW": "a b"}

    client.post(f"{url}environment/paste/", {"lines": "ONLY=1", "replaces": "on"})
    assert values(micro) == {"ONLY": "1"}


@pytest.mark.parametrize(
    "lines, found",
    [
        ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
        ("# about\n\nexport A=1 # and more\n", {"A": "1"}),
        ("A='$HOME ${B}'\nB=${A}\n", {"A": "$HOME ${B}", "B": "${A}"}),
        ('A="first\nsecond"\n', {"A": "first\nsecond"}),
        ("A=1\r\nB=\r\n", {"A": "1", "B": ""}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("", {}),
    ],
)
def test_lines_are_read_as_people_write_them(lines: str, found: dict[str, str]) -> None:
    assert read_env_lines(lines) == found


@pytest.mark.parametrize("lines, number", [("A=1\nno sign\n", 2), ("A=1\n\nB\n", 3), ("A='open\n", 1)])
def test_line_that_is_none_is_named(lines: str, number: int) -> None:
    with pytest.raises(InvalidInput, match=f"Line {number} is not NAME=value"):
        read_env_lines(lines)
