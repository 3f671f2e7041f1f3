"""The Python client that this server gives away: who may have it, how it is cached, and when it is built."""

import hashlib
import re
import shutil
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
