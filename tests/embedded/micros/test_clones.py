"""Fetching repositories in the sandbox, from a real git server with a public address in a network of the test's own."""

import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded.micros.clones import NO_GIT, TAR, open_left
from storage.embedded.micros.surroundings import Bounds
from storage.micro_host import Cloned, GitSource
from tests.embedded.micros.conftest import making_stands
from tests.embedded.micros.stand import Settings, Stand
from tests.git_repositories import (
    PRIVATE,
    PUBLIC,
    Networks,
    git,
    make_repository,
    making_networks,
    needs_networks,
    publish,
)
from tests.waiting import eventually

pytestmark = needs_networks

FILES = {
    "main.py": "app = 1\n",
    "deta.json": '{"name": "from git"}',
    "sub/folder/index.js": "exports.app = 1\n",
    ".gitattributes": "main.py export-ignore\nstamp export-subst\n*.bin filter=lfs\n",
    "stamp": "$Format:%H$",
    "large.bin": "version https://git-lfs.github.com/spec/v1\n",
    ".gitmodules": f'[submodule "other"]\n\tpath = other\n\turl = http://{PRIVATE}/other.git\n',
}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    folder = tmp_path_factory.mktemp("repositories")
    work = make_repository(folder, "app", FILES)
    (work / "link").symlink_to("/etc/passwd")
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{git(work, 'rev-parse', 'HEAD')},other")
    publish(work, folder / "app.git")
    (work / "main.py").write_text("app = 2\n")
    publish(work, folder / "app.git", branch="some/branch")
    empty = folder / "empty.git"
    empty.mkdir()
    git(empty, "init", "--quiet", "--bare")
    with making_networks(folder) as made:
        yield made


@pytest.fixture(scope="module")
def stand(networks: Networks) -> Iterator[Stand]:
    with making_stands() as make:
        yield make(around=networks.here)


def clone(stand: Stand, path: str, *, host: str = PUBLIC, branch: str = "", folder: str = "") -> tuple[Cloned, Path]:
    source_id = uuid.uuid4()
    made = stand.host.clone(GitSource(f"http://{host}/{path}", branch, folder), source_id)
    return made, stand.places.source(source_id)


def names_in(folder: Path) -> dict[str, str]:
    """The files of the tar that was left, with what is in them; links and folders among them."""
    found = {}
    with open_left(folder, TAR) as file, tarfile.open(fileobj=file) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            found[member.name] = content.read().decode() if content else member.linkname
    return found


def test_a_repository_is_fetched_as_it_is_and_nothing_in_it_runs(stand: Stand, networks: Networks) -> None:
    made, folder = clone(stand, "app.git")
    assert (made.is_done, made.reason) == (True, "")
    assert made.commit == git(networks.folder / "app.git", "rev-parse", "main")
    found = names_in(folder)
    assert {name: text for name, text in found.items() if name in FILES} == FILES
    # A link stays a link, and what is elsewhere stays there.
    assert found["link"] == "/etc/passwd"
    assert "other/x" not in found
    assert not [name for name in found if name.startswith(".git/")]


def test_a_branch_and_a_folder_are_taken(stand: Stand, networks: Networks) -> None:
    made, folder = clone(stand, "app.git", branch="some/branch")
    assert made.commit == git(networks.folder / "app.git", "rev-parse", "some/branch")
    assert names_in(folder)["main.py"] == "app = 2\n"
    _, folder = clone(stand, "app.git", folder="sub/folder")
    assert names_in(folder) == {"index.js": "exports.app = 1\n"}


@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        ("app.git", {"host": PRIVATE}, f"{PRIVATE} can't be reached from here: it is a private address"),
        ("app.git", {"host": "127.0.0.1"}, "127.0.0.1 can't be reached from here: it is this server's own address"),
        ("app.git", {"host": "git.invalid"}, "No address was found for git.invalid."),
        (f"elsewhere/{PRIVATE}/app.git", {}, f"{PRIVATE} can't be reached from here: it is a private address"),
        ("local/etc/app.git", {}, "git could not fetch it: "),
        ("secret/app.git", {}, "There is no public repository at this address: it asks for a user name."),
        ("nothing.git", {}, "There is no repository at this address."),
        ("empty.git", {}, "The repository is empty."),
        ("app.git", {"branch": "none"}, "The repository has no branch or tag “none”."),
        ("app.git", {"folder": "none"}, "The repository has no folder “none”."),
        ("app.git", {"folder": "main.py"}, "The repository has no folder “main.py”."),
    ],
)
def test_what_cannot_be_fetched_says_why_and_leaves_nothing(
    stand: Stand, path: str, options: dict[str, str], reason: str
) -> None:
    made, folder = clone(stand, path, **options)
    assert not made.is_done
    assert made.reason.startswith(reason)
    assert not folder.exists()


@pytest.mark.slow
def test_a_repository_that_unfolds_to_much_is_refused(stand: Stand, networks: Networks) -> None:
    make_repository(networks.folder, "bomb", {"main.py": "", "zeros": bytes(310 * 1_048_576)})
    made, folder = clone(stand, "bomb.git")
    assert made.reason == "The repository has more than 300 MB, which is more than is fetched."
    assert not folder.exists()


@pytest.mark.slow
def test_a_server_that_takes_too_long_is_given_up(networks: Networks) -> None:
    with making_stands() as make:
        stand = make(Settings(bounds=Bounds(git_seconds=1.5)), around=networks.here)
        made, folder = clone(stand, "slow/app.git")
        assert (made.is_done, made.reason) == (False, "Fetching the repository took longer than 1.5 seconds.")
        assert not folder.exists()
        eventually(lambda: not stand.processes())


@pytest.mark.slow
def test_a_server_without_git_says_so() -> None:
    hidden = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$(command -v git)" && exec "$@"', "sh"]
    with making_stands() as make:
        made, _ = clone(make(around=hidden), "app.git")
    assert made.reason == NO_GIT
