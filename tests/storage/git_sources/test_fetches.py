"""From a repository that somebody asks for to a deployment: kept as it was looked at, and forgotten when nobody wants it."""

import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from storage import limits
from storage.collections import deletion
from storage.drive import parts
from storage.embedded.micros.clones import TAR
from storage.embedded.micros.places import Places
from storage.errors import AlreadyTaken, Forbidden, GitFetchNotFound, InvalidInput, MicroNotFound, Unauthorized
from storage.git_sources import fetches
from storage.micros import deploying, micros, schedules, variables
from storage.micros.host import Cloned, GitSource
from storage.models import Deployment, GitFetch
from storage.postgres import clock
from tests.micros import ToldHost, hosted_by, make_micro
from tests.people import Cast, make_cast

SOURCE = GitSource("https://git.example.org/you/app", "main")
FILES = {
    "main.py": b"app = 1\n",
    "deta.json": json.dumps(
        {
            "name": "From git",
            "runtime": "python3.9",
            "env": [{"key": "A", "required": True}, {"key": "B", "value": "b"}],
        }
    ).encode(),
}


@pytest.fixture
def cast(database: None) -> Cast:
    return make_cast("From git")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "micros")
    made.make()
    return made


@pytest.fixture
def host(places: Places) -> Iterator[ToldHost]:
    """One that finds these files in every repository."""
    told = ToldHost()
    told.clone_into = leaving(places, FILES)
    with hosted_by(told, places):
        yield told


def leaving(places: Places, files: dict[str, bytes]) -> Callable[[GitSource, UUID], Cloned]:
    def clone(source: GitSource, source_id: UUID) -> Cloned:
        folder = places.source(source_id)
        folder.mkdir(parents=True)
        with tarfile.open(folder / TAR, "w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, BytesIO(content))
        return Cloned(is_done=True, commit="0123456789abcdef" * 2)

    return clone


def fetch_now(cast: Cast, source: GitSource = SOURCE) -> GitFetch:
    """One that is fetched here and now, before the server's worker sees that it waits."""
    with transaction.atomic():
        asked = fetches.ask_for_fetch(collection_id=cast.collection.id, source=source, asked_by=cast.member)
        GitFetch.objects.filter(id=asked.id).update(
            state=GitFetch.State.RUNNING, attempts=1, heartbeat_at=clock.now() + timedelta(hours=1)
        )
    fetches.make_fetch(GitFetch.objects.get(id=asked.id))
    return GitFetch.objects.get(id=asked.id)


def deploy(cast: Cast, fetch: GitFetch, **said: Any) -> Deployment:
    given: dict[str, Any] = {"name": "app", "subdomain": "", "values": {"A": "a"}, "cron": "", "made_by": cast.member}
    return fetches.deploy_fetch(collection_id=cast.collection.id, fetch_id=fetch.id, **given | said)


def test_what_was_looked_at_is_what_is_deployed(cast: Cast, host: ToldHost, places: Places) -> None:
    fetch = fetch_now(cast)
    assert (fetch.state, fetch.reason, fetch.commit) == (GitFetch.State.DONE, "", "0123456789abcdef" * 2)
    assert host.cloned[0][0] == SOURCE
    assert list((places.root / "sources").iterdir()) == []
    manifest = fetches.manifest_of(fetch)
    assert (manifest.name, [each.name for each in manifest.variables]) == ("From git", ["A", "B"])
    with transaction.atomic():
        made = deploy(cast, fetch)
        Deployment.objects.filter(id=made.id).update(state="building", attempts=1, heartbeat_at=clock.now())
    assert (made.id, made.source) == (fetch.id, "https://git.example.org/you/app#main at 0123456789ab")
    deploying.make_deployment(Deployment.objects.select_related("micro").get(id=made.id))
    done = Deployment.objects.get(id=made.id)
    assert (done.state, done.runtime, done.files) == ("done", "python3.9", 2)
    assert (places.code(made.id) / "main.py").read_bytes() == FILES["main.py"]
    micro = micros.find_micro(collection_id=cast.collection.id, micro_id=made.micro_id)
    assert variables.read_variables(micro) == {"A": "a", "B": "b"}
    with pytest.raises(GitFetchNotFound):
        deploy(cast, fetch, name="again")


def test_what_is_refused_makes_nothing_and_stays_to_be_tried_again(cast: Cast, host: ToldHost) -> None:
    fetch = fetch_now(cast)
    micros.create_micro(collection_id=cast.collection.id, name="taken")
    with pytest.raises(AlreadyTaken):
        deploy(cast, fetch, name="taken")
    with pytest.raises(InvalidInput, match="needs A, and nobody has given it a value"):
        deploy(cast, fetch, values={})
    with pytest.raises(Unauthorized):
        deploy(cast, fetch, made_by=cast.outsider)
    assert [each.name for each in micros.list_micros(cast.collection.id)] == ["taken"]
    with pytest.raises(InvalidInput, match="`cron`: “soon” is neither"):
        deploy(cast, fetch, cron="soon")
    assert deploy(cast, fetch, cron="5 minutes").id == fetch.id
    (made,) = [each for each in micros.list_micros(cast.collection.id) if each.name == "app"]
    assert schedules.find_schedules([made.id])[made.id].expression == "5 minutes"


def test_a_micro_that_was_made_of_it_is_updated_and_keeps_what_people_set(
    cast: Cast, host: ToldHost, places: Places
) -> None:
    with transaction.atomic():
        first = deploy(cast, fetch_now(cast), cron="5 minutes")
        Deployment.objects.filter(id=first.id).update(state="building", attempts=1, heartbeat_at=clock.now())
    deploying.make_deployment(Deployment.objects.select_related("micro").get(id=first.id))
    at: dict[str, Any] = {"collection_id": cast.collection.id, "micro_id": first.micro_id}
    variables.set_variables(**at, values={"B": "ours"})
    at["by"] = cast.member
    same = fetch_now(cast)
    assert [each.id for each in fetches.list_made_from(same)] == [first.micro_id]
    assert fetches.list_made_from(fetch_now(cast, GitSource(SOURCE.address, "other"))) == []
    with pytest.raises(InvalidInput, match="“app” is up to date: this very code serves already"):
        fetches.update_from_fetch(fetch_id=same.id, **at)

    host.clone_into = leaving(places, FILES | {"main.py": b"app = 2\n"})
    changed = fetch_now(cast)
    with pytest.raises(Unauthorized):
        fetches.update_from_fetch(fetch_id=changed.id, **at | {"by": cast.outsider})
    with pytest.raises(MicroNotFound):
        fetches.update_from_fetch(fetch_id=changed.id, **at | {"micro_id": make_micro().id})
    with transaction.atomic():
        second = fetches.update_from_fetch(fetch_id=changed.id, **at)
        assert (second.id, second.micro_id, second.number) == (changed.id, first.micro_id, 2)
        assert second.source == "https://git.example.org/you/app#main at 0123456789ab"
        transaction.set_rollback(True)
    micro = micros.find_micro(collection_id=cast.collection.id, micro_id=first.micro_id)
    assert variables.read_variables(micro) == {"A": "a", "B": "ours"}
    variables.remove_variables(collection_id=cast.collection.id, micro_id=micro.id, variable_names=["A"])
    with pytest.raises(InvalidInput, match="needs A, and nobody has given it a value"):
        fetches.update_from_fetch(fetch_id=changed.id, **at)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"x": b""}, "There is nothing to start\nA Python Micro has a main.py"),
        ({"main.py": b"", "deta.json": b"{"}, "deta.json: it is no JSON"),
        ({"main.py": b"", "../x": b""}, "The bundle holds what can't be deployed\n../x: "),
    ],
)
def test_what_is_no_app_says_why(
    cast: Cast, host: ToldHost, places: Places, files: dict[str, bytes], reason: str
) -> None:
    host.clone_into = leaving(places, files)
    fetch = fetch_now(cast)
    assert fetch.state == GitFetch.State.FAILED
    assert fetch.reason.startswith(reason)
    assert parts.get_parts(fetch.id) == []


def test_what_git_says_is_the_reason(cast: Cast, host: ToldHost) -> None:
    host.clone_into = lambda source, source_id: Cloned(is_done=False, reason="There is no repository at this address.")
    assert fetch_now(cast).reason == "There is no repository at this address."


def test_a_link_in_place_of_what_was_fetched_is_not_followed(cast: Cast, host: ToldHost, places: Places) -> None:
    def clone(source: GitSource, source_id: UUID) -> Cloned:
        folder = places.source(source_id)
        folder.mkdir(parents=True)
        (folder / TAR).symlink_to("/etc/passwd")
        return Cloned(is_done=True, commit="0")

    host.clone_into = clone
    assert fetch_now(cast).state == GitFetch.State.FAILED


def test_only_who_may_write_has_one_fetched(cast: Cast) -> None:
    for person, refusal in ((cast.outsider, Unauthorized), (cast.reader, Forbidden)):
        with pytest.raises(refusal):
            fetches.ask_for_fetch(collection_id=cast.collection.id, source=SOURCE, asked_by=person)
    assert not GitFetch.objects.filter(collection=cast.collection).exists()


def test_the_oldest_give_way_and_too_many_at_once_are_refused(cast: Cast, host: ToldHost) -> None:
    found = [fetch_now(cast) for _ in range(limits.GIT_FETCHES_KEPT + 1)]
    left = GitFetch.objects.filter(collection=cast.collection)
    assert set(left.values_list("id", flat=True)) == {each.id for each in found[1:]}
    assert parts.get_parts(found[0].id) == []
    assert parts.get_parts(found[1].id) != []
    with transaction.atomic():
        left.update(state=GitFetch.State.RUNNING, heartbeat_at=clock.now() + timedelta(hours=1))
        with pytest.raises(InvalidInput, match="Too many repositories are being fetched"):
            fetches.ask_for_fetch(collection_id=cast.collection.id, source=SOURCE, asked_by=cast.member)
        transaction.set_rollback(True)


def test_what_nobody_deploys_is_forgotten(cast: Cast, host: ToldHost) -> None:
    old, new = fetch_now(cast), fetch_now(cast)
    GitFetch.objects.filter(id=old.id).update(finished_at=clock.now() - timedelta(days=1, seconds=1))
    fetches.forget_old()
    assert list(GitFetch.objects.filter(collection=cast.collection)) == [new]
    assert parts.get_parts(old.id) == []


def test_what_kills_the_worker_every_time_is_given_up(cast: Cast, host: ToldHost) -> None:
    with transaction.atomic():
        asked = fetches.ask_for_fetch(collection_id=cast.collection.id, source=SOURCE, asked_by=cast.member)
        left_behind = {"state": GitFetch.State.RUNNING, "attempts": limits.GIT_ATTEMPTS_MAX}
        GitFetch.objects.filter(id=asked.id).update(**left_behind, asked_at=clock.now() - timedelta(days=9))
        fetches.claim_fetch()
        asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "The server stopped while it was fetched, 3 times.")


def test_it_goes_with_its_collection(cast: Cast, host: ToldHost) -> None:
    fetch = fetch_now(cast)
    deletion.delete_collection(collection_id=cast.collection.id, typed_name=cast.collection.name, asked_by=None)
    assert parts.get_parts(fetch.id) == []
    assert not GitFetch.objects.filter(id=fetch.id).exists()
