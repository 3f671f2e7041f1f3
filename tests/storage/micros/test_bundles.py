"""What is deployed is looked through, whatever it comes as: what is hostile is refused in words, what is no code left out."""

import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping

import pytest

from storage import limits
from storage.errors import BundleRefused
from storage.micros import bundles
from storage.micros.bundles import Bundle
from tests.micros import zip_of
from tests.storage.archive.test_hostile import link

APP = {"main.py": b"app = 1\n", "lib/__init__.py": b"", "requirements.txt": b"flask\n"}


def tar_of(files: Mapping[str, bytes], *, mode: str = "w:gz", folder: str = "") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def tar_with(member: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        about = tarfile.TarInfo("main.py")
        tar.addfile(about, io.BytesIO())
        tar.addfile(member, io.BytesIO())
    return made.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def look(sent: bytes, *, keeps_all: bool = False) -> tuple[dict[str, bytes], Bundle]:
    """The files of the zip that is stored."""
    with bundles.open_bundle(io.BytesIO(sent), size_bytes=len(sent), keeps_all=keeps_all) as bundle:
        bundle.zip.seek(0)
        stored = bundle.zip.read()
        assert len(stored) == bundle.size_bytes
        with zipfile.ZipFile(io.BytesIO(stored)) as made:
            assert made.testzip() is None
            assert made.namelist() == sorted(made.namelist())
            return {name: made.read(name) for name in made.namelist()}, bundle


WAYS: dict[str, Callable[[Mapping[str, bytes]], bytes]] = {
    "zip": zip_of,
    "zip with a folder": lambda files: zip_of(files, folder="app/"),
    "tar": lambda files: tar_of(files, mode="w"),
    "tar.gz": tar_of,
    "tar.xz": lambda files: tar_of(files, mode="w:xz"),
    "tar with a folder": lambda files: tar_of(files, folder="app/"),
    "tar of .": lambda files: tar_of(files, folder="./"),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_sending_stores_the_same(way: str) -> None:
    files, bundle = look(WAYS[way](APP))
    assert files == APP
    assert bundle.files == len(APP)
    assert bundle.code_bytes == sum(map(len, APP.values()))
    assert bundle.entries == {"python": "main.py"}
    with bundles.bundle_of(APP) as same:
        assert same.digest == bundle.digest
        assert same.size_bytes == bundle.size_bytes


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_what_is_no_code_is_left_out(pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    more = [
        ".env",
        ".git/config",
        "node_modules/x/index.js",
        "a/__pycache__/b.pyc",
        "b.pyc",
        "venv/x.py",
        "a/.DS_Store",
    ]
    more += ["mine/pyvenv.cfg", "mine/bin/activate", "__MACOSX/main.py"]
    sent = pack(APP | dict.fromkeys(more, b"x"))
    assert look(sent)[0] == APP
    assert look(sent, keeps_all=True)[0] == APP | dict.fromkeys(more, b"x")


def test_the_links_of_a_virtual_environment_are_left_out_with_it() -> None:
    sent = tar_with(member("env/bin/python", tarfile.SYMTYPE, "/usr/bin/python3"))
    with tarfile.open(fileobj=io.BytesIO(), mode="w"), pytest.raises(BundleRefused, match="can't be deployed"):
        look(sent)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for about in (
            member("app/main.py"),
            member("app/env/bin/python", tarfile.SYMTYPE, "/usr/bin/python3"),
            member("app/env/pyvenv.cfg"),
        ):
            tar.addfile(about, io.BytesIO())
    assert look(made.getvalue())[0] == {"main.py": b""}


def twice() -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as archive:
        warnings.simplefilter("ignore")  # of duplicate names, which are meant
        for content in (b"1", b"2"):
            archive.writestr("main.py", content)
    return made.getvalue()


def zip_with_link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("main.py", b"")
        archive.writestr(*link("passwd", b"/etc/passwd"))
    return made.getvalue()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "slip": (zip_of(APP | {"../x": b""}), "leads out"),
    "slip within": (zip_of(APP | {"a/../../x": b""}), "leads out"),
    "absolute": (zip_of(APP | {"/etc/passwd": b""}), "absolute"),
    "backslashes": (zip_of(APP | {"a\\..\\x": b""}), "backslashes"),
    "control character": (zip_of(APP | {"a\x1b[2Jb": b""}), "invisible"),
    "long name": (zip_of(APP | {"x" * 300: b""}), "too long"),
    "link": (zip_with_link(), "a link"),
    "twice": (twice(), "only the first"),
    "file and folder": (zip_of(APP | {"main.py/x": b""}), "a file and a folder"),
    "same without dots": (zip_of(APP | {"./main.py": b""}), "another file has this name"),
    "encrypted": (
        zip_of(APP).replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),
        "encrypted",
    ),
    "tar slip": (tar_with(member("../x")), "leads out"),
    "tar absolute": (tar_with(member("/etc/cron.d/x")), "absolute"),
    "tar link": (tar_with(member("x", tarfile.SYMTYPE, "/etc/passwd")), "a link"),
    "tar hard link": (tar_with(member("x", tarfile.LNKTYPE, "/etc/shadow")), "a link"),
    "tar device": (tar_with(member("x", tarfile.CHRTYPE)), "a link"),
    "tar twice": (tar_of({"main.py": b"1"}, mode="w")[:1024] + tar_of({"main.py": b"2"}, mode="w"), "this name"),
    "cut off": (zip_of(APP)[:-30], "incomplete"),
    "cut off tar": (tar_of(APP)[:-20], "neither a zip nor a tar"),
    "neither": (b"hello", "neither a zip nor a tar"),
    "no files": (zip_of({".env": b"x"}), "no files"),
    "nothing to start": (zip_of({"app.py": b"x"}), "nothing to start"),
    "no JSON": (zip_of({"package.json": b"{", "index.js": b""}), "no JSON"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_hostile_is_refused_in_words(case: str) -> None:
    sent, words = HOSTILE[case]
    with pytest.raises(BundleRefused) as refused:
        look(sent)
    assert words in ". ".join(refused.value.messages)


def test_bombs_are_stopped_while_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MICRO_BUNDLE_MAX_BYTES", 1_000_000)
    large = {"main.py": b"", "zeros": bytes(1_000_001)}
    for sent in (zip_of(large), tar_of(large), tar_of({"main.py": b""} | {f"z{n}": bytes(300_000) for n in range(4)})):
        with pytest.raises(BundleRefused, match="MB of files"):
            look(sent)
    with pytest.raises(BundleRefused, match="MB of files"), bundles.bundle_of(large):
        pass
    monkeypatch.setattr(limits, "MICRO_BUNDLE_MAX_FILES", 3)
    with pytest.raises(BundleRefused, match="more than 3 files"):
        look(zip_of({"main.py": b""} | {f"{n}.py": b"" for n in range(3)}))


def test_an_entry_that_lies_about_its_size_is_refused() -> None:
    sent = bytearray(zip_of({"main.py": b"x" * 5_000}))
    at = sent.index(b"PK\x01\x02") + 24
    sent[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(BundleRefused):
        look(bytes(sent))


ENTRIES: list[tuple[dict[str, bytes], dict[str, str]]] = [
    ({"main.py": b""}, {"python": "main.py"}),
    ({"index.js": b""}, {"node": "index.js"}),
    ({"index.js": b"", "main.py": b""}, {"python": "main.py", "node": "index.js"}),
    ({"package.json": b'{"main": "./src/app.js"}', "src/app.js": b""}, {"node": "src/app.js"}),
    ({"package.json": b'{"main": "src"}', "src/index.js": b""}, {"node": "src/index.js"}),
    ({"package.json": b'{"main": "app"}', "app.js": b""}, {"node": "app.js"}),
    ({"package.json": b'{"main": 1}', "index.js": b""}, {"node": "index.js"}),
    ({"package.json": b"[]", "index.js": b""}, {"node": "index.js"}),
]


@pytest.mark.parametrize(("files", "entries"), ENTRIES)
def test_what_starts_it_is_found(files: dict[str, bytes], entries: dict[str, str]) -> None:
    assert look(zip_of(files))[1].entries == entries
