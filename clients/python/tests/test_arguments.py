"""Calls that make no sense: they are refused before anything is sent, with the classes that old code catches."""

import datetime
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Callable, cast

import pytest

import deta as package
from deta import Deta, DetaError, InvalidArgument, InvalidType
from deta.config import read_key, service_root
from deta.items import batches, to_expires, to_patch

KEY = "abcdefghij_notarealsecret"
# Nobody answers there, so a request that was sent would fail otherwise.
NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "call, caught",
    [
        (lambda d: d.Base(""), AssertionError),
        (lambda d: d.Drive(""), AssertionError),
        (lambda d: d.Base("b", NOWHERE).get(""), ValueError),
        (lambda d: d.Base("b", NOWHERE).get(5), ValueError),
        (lambda d: d.Base("b", NOWHERE).get(None), TypeError),
        (lambda d: d.Base("b", NOWHERE).delete(""), ValueError),
        (lambda d: d.Base("b", NOWHERE).put({}, 1), ValueError),
        (lambda d: d.Base("b", NOWHERE).update({"a": 1}, ""), ValueError),
        (lambda d: d.Base("b", NOWHERE).update([1], "a"), TypeError),
        (lambda d: d.Base("b", NOWHERE).put(object()), TypeError),
        (lambda d: d.Base("b", NOWHERE).put({"a": {1, 2}}), TypeError),
        (lambda d: d.Base("b", NOWHERE).put(float("nan")), ValueError),
        (lambda d: d.Base("b", NOWHERE).put("\ud800"), ValueError),
        (lambda d: d.Base("b", NOWHERE).get("\ud800"), ValueError),
        (lambda d: d.Base("b", NOWHERE).put(1, "k", expire_in=1, expire_at=1), ValueError),
        (lambda d: d.Base("b", NOWHERE).put(1, "k", expire_in="1"), TypeError),
        (lambda d: d.Base("b", NOWHERE).put(1, "k", expire_at="2023-01-01"), TypeError),
        (lambda d: d.Base("b", NOWHERE).put(1, "k", expire_at=float("inf")), ValueError),
        (lambda d: d.Base("b", NOWHERE).put_many([]), ValueError),
        (lambda d: d.Base("b", NOWHERE).put_many(range(26)), AssertionError),
        (lambda d: d.Base("b", NOWHERE).put_many("abc"), TypeError),
        (lambda d: d.Base("b", NOWHERE).put_many({"a": 1}), TypeError),
        (lambda d: d.Base("b", NOWHERE).put_all(7), TypeError),
        (lambda d: d.Drive("d", NOWHERE).put("", "x"), ValueError),
        (lambda d: d.Drive("d", NOWHERE).put(7, "x"), ValueError),
        (lambda d: d.Drive("d", NOWHERE).put("a"), ValueError),
        (lambda d: d.Drive("d", NOWHERE).put("a", "x", path="y"), AssertionError),
        (lambda d: d.Drive("d", NOWHERE).put("a", 7), TypeError),
        (lambda d: d.Drive("d", NOWHERE).put("a", "x", content_type="a\r\nb: c"), ValueError),
        (lambda d: d.Drive("d", NOWHERE).put("a", "x", parallel=0), ValueError),
        (lambda d: d.Drive("d", NOWHERE).put(b"\xff", "x"), ValueError),
        (lambda d: d.Drive("d", NOWHERE).get(""), ValueError),
        (lambda d: d.Drive("d", NOWHERE).delete(""), ValueError),
        (lambda d: d.Drive("d", NOWHERE).delete_many([]), ValueError),
        (lambda d: d.Drive("d", NOWHERE).delete_many(["x"] * 1001), AssertionError),
        (lambda d: d.Drive("d", NOWHERE).delete_many("x"), TypeError),
    ],
)
def test_is_refused(call: Callable[[Deta], object], caught: type[Exception]) -> None:
    with pytest.raises(caught) as error:
        call(Deta(KEY, retries=0))
    assert isinstance(error.value, InvalidArgument)
    assert isinstance(error.value, DetaError)


def test_a_missing_local_file_is_the_usual_error() -> None:
    with pytest.raises(FileNotFoundError):
        Deta(KEY).Drive("d", NOWHERE).put("a", path="does/not/exist")


@pytest.mark.parametrize(
    "key, said",
    [
        (None, "DETA_PROJECT_KEY"),
        ("", "DETA_PROJECT_KEY"),
        ("  ", "DETA_PROJECT_KEY"),
        ("a_b c", "characters"),
        ("nounderscore", "Bad"),
    ],
)
def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch, key: Any, said: str) -> None:
    monkeypatch.delenv("DETA_PROJECT_KEY", raising=False)
    with pytest.raises(AssertionError, match=said):
        Deta(key)


def test_the_key_comes_from_the_environment_and_says_whose_it_is() -> None:
    key = read_key(None, None, {"DETA_PROJECT_KEY": f"{KEY}\n"})
    assert (key.text, key.project_id) == (KEY, "abcdefghij")
    assert read_key("", None, {"DETA_PROJECT_KEY": KEY}).text == KEY
    assert read_key(KEY, "other").project_id == "other"
    assert read_key("nounderscore", "other").project_id == "other"
    assert Deta(KEY).project_id == "abcdefghij"
    assert Deta(KEY).project_key == KEY


@pytest.mark.parametrize(
    "host, environment, root",
    [
        (None, {"DETA_BASE_HOST": "localhost:8443"}, "https://localhost:8443"),
        (None, {"DETA_BASE_HOST": "http://localhost:8000"}, "http://localhost:8000"),
        (None, {"HOMEPORT_URL": "http://localhost:8000/"}, "http://localhost:8000"),
        (None, {"HOMEPORT_URL": "http://a", "DETA_BASE_HOST": "b"}, "https://b"),
        (None, {"HOMEPORT_URL": "http://a", "DETA_DRIVE_HOST": "b"}, "http://a"),
        ("c:1", {"HOMEPORT_URL": "http://a", "DETA_BASE_HOST": "b"}, "https://c:1"),
        ("https://example.com/homeport/v1", {}, "https://example.com/homeport"),
        ("[::1]:8000", {}, "https://[::1]:8000"),
    ],
)
def test_where_the_server_is(host: Any, environment: dict[str, str], root: str) -> None:
    found = service_root("BASE", "a b", host=host, project_id="p", environment=environment)
    assert found == f"{root}/v1/p/a%20b"


@pytest.mark.parametrize("host", [None, "", "ftp://x", "http://", "http://user:secret@x", "http://x?y=1"])
def test_a_server_that_is_none(host: Any) -> None:
    with pytest.raises(InvalidArgument) as error:
        service_root("DRIVE", "d", host=host, project_id="p", environment={})
    assert "secret" not in str(error.value)


def test_updates_are_sorted_into_the_parts_of_a_patch() -> None:
    util = package.Util()
    patch = to_patch(
        {"a": 1, "b": util.trim(), "c": util.increment(), "d": util.append(1), "e": util.prepend([2]), "f": None}, 9
    )
    assert patch == {
        "set": {"a": 1, "f": None, "__expires": 9},
        "increment": {"c": 1},
        "append": {"d": [1]},
        "prepend": {"e": [2]},
        "delete": ["b"],
    }


def test_no_time_at_all_is_no_expiry() -> None:
    assert [to_expires(0, None), to_expires(None, 0), to_expires(0, 0), to_expires(0.0, None)] == [None] * 4
    assert to_expires(0, 1_900_000_000) == 1_900_000_000


def test_a_naive_moment_is_local_time() -> None:
    moment = datetime.datetime(2030, 6, 1, 12)
    assert to_expires(None, moment) == int(moment.timestamp())
    assert to_expires(None, moment) == to_expires(None, moment.astimezone(datetime.timezone.utc))


def test_batches_keep_the_order_of_a_key_that_comes_again() -> None:
    made = list(batches([{"key": "a", "n": 1}, {"key": "b"}, {"key": "a", "n": 2}, *range(26)]))
    assert [len(batch) for batch in made] == [2, 25, 2]
    assert made[1][0] == {"key": "a", "n": 2}


def test_a_stream_that_has_nothing_yet() -> None:
    class Waiting(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: Any) -> None:
            return None

    with pytest.raises(ValueError, match="blocking"):
        Deta(KEY).Drive("d", NOWHERE).put("a", cast("IO[bytes]", Waiting()))


def test_keys_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(read_key(KEY, None))


def test_versions_agree() -> None:
    from deta import transport

    assert package.__version__ == transport.VERSION


def test_it_is_typed() -> None:
    assert (Path(package.__file__).parent / "py.typed").is_file()
    project = Path(package.__file__).parents[2]
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_errors_tell_types_apart() -> None:
    assert issubclass(InvalidType, (ValueError, TypeError))
    assert issubclass(package.ConnectionFailed, ConnectionError)
    assert issubclass(package.MayHaveBeenApplied, package.ConnectionFailed)
    assert issubclass(package.KeyExists, package.ResponseError)
