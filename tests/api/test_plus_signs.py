"""A `+` in `name=` and `prefix=`, as each client writes it (contract: Drive, "A plus sign")."""

import json

import pytest

from tests.drives import DriveClient
from tests.factories import RawConnection, raw_head

PLUS, BLANK = "a+b.txt", "a b.txt"
NODE, GO, CURL, BROWSER = "node-fetch/1.0", "Go-http-client/1.1", "curl/8.5.0", "Mozilla/5.0"
PYTHON = ""  # http.client names no agent

# The files that are there, the name as it was written, by whom, and which file is meant (None for none).
NAMES: list[tuple[list[str], str, str, str | None]] = [
    ([PLUS, BLANK], "a%2Bb.txt", NODE, PLUS),
    ([PLUS, BLANK], "a%20b.txt", NODE, BLANK),
    ([PLUS, BLANK], "a%2Bb.txt", PYTHON, PLUS),
    ([PLUS, BLANK], "a+b.txt", PYTHON, BLANK),
    ([PLUS], "a+b.txt", PYTHON, None),
    ([PLUS, BLANK], "a%2Bb.txt", GO, PLUS),
    ([PLUS, BLANK], "a+b.txt", GO, BLANK),
    ([PLUS], "a+b.txt", GO, None),
    ([PLUS, BLANK], "a+b.txt", CURL, BLANK),
    ([PLUS], "a+b.txt", CURL, PLUS),
    ([PLUS], "a+b.txt", BROWSER, PLUS),
    ([BLANK], "a%2Bb.txt", CURL, None),
    ([PLUS], "a%20b.txt", CURL, None),
    ([], "a+b.txt", CURL, None),
]
PREFIXES: list[tuple[list[str], str, str, list[str]]] = [
    ([PLUS, BLANK], "a+", NODE, [PLUS]),
    ([PLUS, BLANK], "a%20", NODE, [BLANK]),
    ([PLUS, BLANK], "a+", PYTHON, [PLUS]),
    ([PLUS, BLANK], "a%2B", GO, [PLUS]),
    ([PLUS, BLANK], "a+", GO, [BLANK]),
    ([PLUS], "a+", GO, []),
    ([PLUS, BLANK], "a%2B", CURL, [PLUS]),
    ([PLUS, BLANK], "a+", CURL, [PLUS]),
    ([BLANK], "a+", CURL, [BLANK]),
    ([BLANK], "a%2B", CURL, []),
    ([BLANK], "a+b.txt&last=a", CURL, [BLANK]),
    ([PLUS, BLANK], "a+&last=a+b.txt", PYTHON, []),
]


def ask(drive: DriveClient, query: str, agent: str) -> tuple[int, bytes]:
    header = [f"User-Agent: {agent}"] if agent else []
    with RawConnection(drive.server) as connection:
        connection.send(raw_head(drive.caller, "GET", query, *header))
        answer = connection.answer()
    assert answer is not None
    return answer.status, answer.body


@pytest.mark.parametrize("there, written, agent, meant", NAMES)
def test_a_name_finds_the_file_that_was_meant(
    drive: DriveClient, there: list[str], written: str, agent: str, meant: str | None
) -> None:
    for name in there:
        drive.put(name, name.encode())

    status, body = ask(drive, f"/files/download?name={written}", agent)

    assert (status, body) == (200, meant.encode()) if meant else status == 404


@pytest.mark.parametrize("there, written, agent, found", PREFIXES)
def test_a_prefix_finds_the_files_that_were_meant(
    drive: DriveClient, there: list[str], written: str, agent: str, found: list[str]
) -> None:
    for name in there:
        drive.put(name)

    status, body = ask(drive, f"/files?prefix={written}", agent)

    assert (status, json.loads(body)["names"]) == (200, found)


@pytest.mark.parametrize("agent", [NODE, CURL, BROWSER])
def test_what_was_stored_in_a_form_is_found_in_the_same_form(drive: DriveClient, agent: str) -> None:
    for written in ("x+y.txt", "x%2By.txt"):
        stored = drive.send("POST", f"/files?name={written}", content=written.encode(), headers={"User-Agent": agent})
        assert stored.status_code == 201

        assert ask(drive, f"/files/download?name={written}", agent) == (200, written.encode())
        assert b"txt" in ask(drive, f"/files?prefix={written}", agent)[1]
        drive.delete(stored.json()["name"])
