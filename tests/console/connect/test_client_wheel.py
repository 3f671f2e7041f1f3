"""The Python client that this server gives away: who may have it, how it is cached, and when it is built."""

import base64
import csv
import email
import hashlib
import io
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from console.connect import python_client
from tests.console.conftest import Browser
from tests.factories import shared_http


def url_and_hash(server: Any) -> tuple[str, str]:
    line = shared_http().get(f"{server.url}/clients/python.txt").text
    found = re.fullmatch(r"homeport-client @ (\S+)#sha256=([0-9a-f]{64})\n", line)
    assert found, line
    return found[1], found[2]


def test_anybody_may_have_it(server: Any) -> None:
    url, sha256 = url_and_hash(server)
    assert re.fullmatch(rf"{server.url}/clients/homeport_client-[0-9.]+-py3-none-any\.whl", url)
    answer = shared_http().get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert shared_http().head(url).headers["Content-Disposition"].endswith('.whl"')


def test_caches_ask_again_and_are_told_that_nothing_changed(server: Any) -> None:
    url, _ = url_and_hash(server)
    first = shared_http().get(url)
    assert "no-cache" in first.headers["Cache-Control"]
    again = shared_http().get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shared_http().get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["homeport_client-9.9-py3-none-any.whl", "x.whl", "source.sha256", "..%2Fserve.json"])
def test_there_is_nothing_else(server: Any, name: str) -> None:
    assert shared_http().get(f"{server.url}/clients/{name}").status_code == 404


def test_only_reading(server: Any) -> None:
    url, _ = url_and_hash(server)
    for address in (url, f"{server.url}/clients/python.txt"):
        assert shared_http().post(address).status_code in (403, 405)
        assert shared_http().delete(address).status_code in (403, 405)


def test_the_page_names_it(people: Any, browser: Browser) -> None:
    wheel = python_client.find_wheel()
    assert wheel
    page = f"/collections/{people.collection.id}/connect/?client=python"

    def text(**options: Any) -> str:
        return browser(people.reader).get(page, **options).content.decode()

    address = f"clients/{wheel.file_name}"
    # Over the network by http the line says which bytes are meant; on this machine and by https that is not needed.
    assert f'pip install "http://testserver/{address}#sha256={wheel.sha256}"' in text()
    assert f'pip install "http://localhost/{address}"' in text(headers={"host": "localhost"})
    assert f'pip install "http://127.0.0.1:8000/{address}"' in text(headers={"host": "127.0.0.1:8000"})
    assert f'pip install "https://testserver/{address}"' in text(secure=True)


def test_the_page_over_our_own_certificate_names_what_pip_trusts(people: Any, browser: Browser, settings: Any) -> None:
    page = f"/collections/{people.collection.id}/connect/?client=python"
    host = f"testserver:{settings.TLS_PORT}"
    text = browser(people.reader).get(page, secure=True, headers={"host": host}).content.decode()
    assert f'pip install "http://testserver:{settings.PORT}/clients/' in text
    assert f"HOMEPORT_URL=https://{host}" in text


def lines_of(server: Any, name: str) -> list[str]:
    answer = shared_http().get(f"{server.url}/clients/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert "no-cache" in answer.headers["Cache-Control"]
    assert shared_http().head(f"{server.url}/clients/{name}").status_code == 200
    return answer.text.splitlines()


@pytest.mark.parametrize(
    "name, version",
    [("constraints.txt", "1.2.0"), ("constraints-1.2.0.txt", "1.2.0"), ("constraints-1.1.0.txt", "1.1.0")],
)
def test_constraints_pin_deta_to_a_wheel_of_this_server(server: Any, name: str, version: str) -> None:
    found, pin = lines_of(server, name)
    assert pin == f"deta=={version}+homeport"
    url, _, sha256 = found.removeprefix("--find-links ").partition("#sha256=")
    assert url == f"{server.url}/clients/deta-{version}+homeport-py3-none-any.whl"
    answer = shared_http().get(url)
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert shared_http().head(url).headers["Content-Length"] == str(len(answer.content))
    assert shared_http().get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert shared_http().get(url.replace("+", "%2B")).content == answer.content

    folder = f"deta-{version}+homeport.dist-info"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as wheel:
        held = {entry: wheel.read(entry).decode() for entry in wheel.namelist()}
    assert sorted(held) == [f"{folder}/{each}" for each in ("METADATA", "RECORD", "WHEEL")]
    told = email.message_from_string(held[f"{folder}/METADATA"])
    assert (told["Name"], told["Version"]) == ("deta", f"{version}+homeport")
    assert told.get_all("Provides-Extra") == ["async"]
    client = "#sha256=".join(url_and_hash(server))
    assert told.get_all("Requires-Dist") == [f"homeport-client @ {client}", 'aiohttp<4,>=3; extra == "async"']
    for line in csv.reader(held[f"{folder}/RECORD"].splitlines()[:-1]):
        digest = base64.urlsafe_b64encode(hashlib.sha256(held[line[0]].encode()).digest()).decode().rstrip("=")
        assert line[1:] == [f"sha256={digest}", str(len(held[line[0]].encode()))]


def test_constraints_for_uv_name_both_addresses(server: Any) -> None:
    deta, client = lines_of(server, "constraints-uv.txt")
    assert client == "homeport-client @ " + "#sha256=".join(url_and_hash(server))
    assert deta == "deta @ " + lines_of(server, "constraints.txt")[0].removeprefix("--find-links ")


@pytest.mark.parametrize(
    "options, start",
    [
        (
            {"headers": {"host": "testserver:8000"}},
            ["--trusted-host testserver:8000", "--find-links http://testserver:8000/clients/deta-"],
        ),
        ({"secure": True}, ["--find-links https://testserver/clients/deta-"]),
    ],
    ids=["http", "https"],
)
def test_constraints_name_the_server_as_it_was_reached(
    people: Any, browser: Browser, options: Any, start: list[str]
) -> None:
    lines = browser(None).get("/clients/constraints.txt", **options).content.decode().splitlines()
    assert len(lines) == len(start) + 1
    assert all(line.startswith(begin) for line, begin in zip(lines, start, strict=False))


def test_no_other_versions(server: Any) -> None:
    for name in ("constraints-1.0.0.txt", "deta-1.2.0-py3-none-any.whl", "deta-1.3.0+homeport-py3-none-any.whl"):
        assert shared_http().get(f"{server.url}/clients/{name}").status_code == 404


def test_the_page_says_how_libraries_get_it(people: Any, browser: Browser) -> None:
    page = f"/collections/{people.collection.id}/connect/?client=python"

    def text(host: str, **options: Any) -> str:
        return browser(people.reader).get(page, headers={"host": host}, **options).content.decode()

    assert "pip install -c http://localhost:8000/clients/constraints.txt odetam" in text("localhost:8000")
    assert (
        "pip install --trusted-host testserver:8000 -c http://testserver:8000/clients/constraints.txt odetam"
        in text("testserver:8000")
    )
    assert "pip install -c https://testserver/clients/constraints.txt odetam" in text("testserver", secure=True)


def test_it_is_built_again_only_when_the_source_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "python"
    shutil.copytree(python_client.SOURCE, source, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*"))
    monkeypatch.setattr(python_client, "SOURCE", source)
    monkeypatch.setattr(python_client, "_FOLDER", tmp_path / "built")
    assert python_client.build_wheel_if_changed()
    first = python_client.find_wheel()
    assert not python_client.build_wheel_if_changed()

    init = source / "src" / "deta" / "__init__.py"
    init.write_text(init.read_text().replace('__version__ = "0.1.0"', '__version__ = "0.1.1"'))
    assert python_client.build_wheel_if_changed()
    second = python_client.find_wheel()
    assert first
    assert second
    assert second.file_name == "homeport_client-0.1.1-py3-none-any.whl"
    assert [path.name for path in (tmp_path / "built").glob("*.whl")] == [second.file_name]

    init.write_text(init.read_text().replace("0.1.1", "0.1.0"))
    init.touch()
    assert python_client.build_wheel_if_changed()
    again = python_client.find_wheel()
    assert again
    assert again.sha256 == first.sha256
