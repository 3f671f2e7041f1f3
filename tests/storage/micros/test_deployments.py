"""Deployments are stored, installed, tried out and only then serve; what failed leaves words and nothing in the bucket."""

import io
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from storage import limits
from storage.audit.log import Conditions, Verb, list_entries
from storage.collections import deletion, roles
from storage.drive import parts
from storage.drive.files import Download
from storage.embedded.micros.places import Places
from storage.errors import BundleRefused, DeploymentNotFound, InvalidInput, MicroNotFound, Unauthorized
from storage.micro_logs import logs
from storage.micros import bundles, copies, deploying, deployments, micros, wanted
from storage.micros.host import Built, Fault, FaultKind, Status, Tried, Wanted
from storage.models import Deployment, Micro
from tests.micros import HELLO, ToldHost, deploy_now, make_micro
from tests.people import make_member
from tests.sweeping import repair_now, swept_report

State = Deployment.State


def install_flask(places: Places) -> Callable[[Wanted, Callable[[str], None]], None]:
    """An installation as it lies there afterwards: packages, programs, links, and things that do not belong there."""

    def install(asked: Wanted, tell: Callable[[str], None]) -> None:
        tell("Installed 1 package")
        assert asked.dependencies_id is not None
        folder = places.dependencies(asked.dependencies_id)
        (folder / "flask").mkdir(parents=True)
        (folder / "flask/__init__.py").write_bytes(b"flask")
        (folder / "bin").mkdir()
        (folder / "bin/flask").write_bytes(b"#!")
        (folder / "bin/flask").chmod(0o4755)
        (folder / "bin/link").symlink_to("../flask/__init__.py")
        (folder / "outside").symlink_to("/etc/passwd")
        (folder / "bin/outside").symlink_to("../../x")

    return install


@pytest.fixture
def flask(host: ToldHost, places: Places) -> ToldHost:
    """A host that installs something."""
    host.install_into = install_flask(places)
    return host


def again(micro: Micro) -> Micro:
    return micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)


def version(number: int) -> dict[str, bytes]:
    return HELLO | {"version.txt": str(number).encode()}


def test_a_deployment_is_installed_tried_out_and_serves(flask: ToldHost, places: Places) -> None:
    micro = make_micro()
    done = deploy_now(micro, HELLO)
    assert (done.state, done.reason, done.number, done.runs_on) == (State.DONE, "", 1, "Python 3.11.7")
    after = again(micro)
    assert after.deployment_id == done.id
    assert after.version > micro.version
    assert after.runtime == "python"
    assert after.deployed_at is not None
    assert [each.deployment_id for each in flask.tried_out] == [done.id]
    assert done.dependencies_bytes == len(b"flask#!")

    asked = wanted.find_wanted(done.id)
    assert asked in wanted.list_wanted()
    assert asked.data_key == micros.read_data_key(after)
    assert (places.code(done.id) / "main.py").read_bytes() == HELLO["main.py"]
    assert done.dependencies_id is not None
    folder = places.dependencies(done.dependencies_id)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "bin",
        "bin/flask",
        "bin/link",
        "flask",
        "flask/__init__.py",
    ]
    assert (folder / "bin/flask").stat().st_mode & 0o7777 == 0o750
    assert (folder / "bin/link").read_bytes() == b"flask"
    texts = [line.text for line in logs.list_lines(micro_id=micro.id, deployment_id=done.id)]
    assert texts[0] == "Installed 1 package"
    assert texts[-1] == "Deployment 1 serves."
    entry = list_entries(Conditions(micro.collection_id))[0]
    assert (entry.verb, entry.about, entry.details["number"]) == (Verb.MICRO_DEPLOYED, "hello", 1)


def test_what_is_asked_for_again_is_not_installed_again(flask: ToldHost) -> None:
    micro = make_micro()
    first, second = deploy_now(micro, version(1)), deploy_now(micro, version(2))
    assert len(flask.installed) == 1
    assert (second.state, second.dependencies_id, second.runs_on) == (State.DONE, first.dependencies_id, first.runs_on)
    third = deploy_now(micro, HELLO | {"requirements.txt": b"bottle\n"})
    assert len(flask.installed) == 2
    assert third.dependencies_id != first.dependencies_id
    other = deploy_now(make_micro("other", collection_id=micro.collection_id), HELLO)
    assert len(flask.installed) == 3
    assert other.dependencies_id != first.dependencies_id


def test_nothing_to_install_keeps_nothing(host: ToldHost) -> None:
    done = deploy_now(make_micro(), {"main.py": b"app = 1"})
    assert (done.state, done.dependencies_id) == (State.DONE, None)


FAULT = Fault(FaultKind.CRASHED, "It ended while it started.", output="Traceback\nNameError: app")


@pytest.mark.parametrize(
    ("built", "tried", "reason"),
    [
        (Built(is_done=False, reason="no such package: flsk"), Tried(status=200), "no such package: flsk"),
        (Built(is_done=True), Tried(fault=FAULT), "It ended while it started.\n\nTraceback\nNameError: app"),
    ],
)
def test_what_does_not_start_never_serves(flask: ToldHost, built: Built, tried: Tried, reason: str) -> None:
    micro = make_micro()
    first = deploy_now(micro, version(1))
    flask.built, flask.tried = built, tried
    failed = deploy_now(micro, version(2) | {"requirements.txt": b"flsk\n"})
    assert (failed.state, failed.reason, failed.is_kept) == (State.FAILED, reason, False)
    assert again(micro).deployment_id == first.id
    assert parts.get_parts(failed.id) == []
    assert failed.dependencies_id is not None
    assert parts.get_parts(failed.dependencies_id) == []
    with pytest.raises(DeploymentNotFound):
        deployments.roll_back(collection_id=micro.collection_id, micro_id=micro.id, deployment_id=failed.id)


def test_an_app_without_a_server_is_deployed(flask: ToldHost) -> None:
    flask.tried = Tried(fault=Fault(FaultKind.NO_SERVER, "It has no server."))
    assert deploy_now(make_micro(), HELLO).state == State.DONE


def test_a_roll_back_serves_an_earlier_one_at_once(flask: ToldHost, places: Places) -> None:
    micro = make_micro()
    first = deploy_now(micro, version(1))
    deploy_now(micro, version(2))
    before = again(micro)
    at = {"collection_id": micro.collection_id, "micro_id": micro.id}
    assert deployments.roll_back(**at, deployment_id=first.id).id == first.id
    after = again(micro)
    assert (after.deployment_id, after.version) == (first.id, before.version + 1)
    assert flask.told[-1] == ("changed", micro.id)
    assert list_entries(Conditions(micro.collection_id))[0].verb == Verb.MICRO_ROLLED_BACK
    deployments.roll_back(**at, deployment_id=first.id)
    assert again(micro).version == after.version
    with pytest.raises(DeploymentNotFound):
        deployments.roll_back(**at, deployment_id=UUID(int=1))
    other = make_micro()
    with pytest.raises(DeploymentNotFound):
        deployments.roll_back(collection_id=other.collection_id, micro_id=other.id, deployment_id=first.id)
    with pytest.raises(MicroNotFound):
        deployments.roll_back(collection_id=other.collection_id, micro_id=micro.id, deployment_id=first.id)


def test_the_newest_are_kept_and_the_one_that_serves(flask: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MICRO_DEPLOYMENTS_KEPT", 2)
    monkeypatch.setattr(limits, "MICRO_DEPLOYMENTS_LISTED", 4)
    micro = make_micro()
    made = [deploy_now(micro, HELLO | {"requirements.txt": f"flask{number}\n".encode()}) for number in range(1, 6)]
    at = {"collection_id": micro.collection_id, "micro_id": micro.id}
    assert [(each.number, each.is_kept) for each in deployments.list_deployments(**at)] == [
        (5, True),
        (4, True),
        (3, False),
        (2, False),
    ]
    for each in made:
        assert each.dependencies_id is not None
        is_kept = each.number >= 4
        assert bool(parts.get_parts(each.id)) == is_kept
        assert bool(parts.get_parts(each.dependencies_id)) == is_kept
    with pytest.raises(DeploymentNotFound):
        deployments.roll_back(**at, deployment_id=made[2].id)
    with pytest.raises(DeploymentNotFound):
        deployments.open_code(**at, deployment_id=made[2].id)


def test_its_code_comes_back_as_it_is_stored(flask: ToldHost) -> None:
    micro = make_micro()
    with pytest.raises(DeploymentNotFound):
        deployments.open_code(collection_id=micro.collection_id, micro_id=micro.id)
    deploy_now(micro, HELLO)
    code = deployments.open_code(collection_id=micro.collection_id, micro_id=micro.id)
    zipped = b"".join(Download(code, start=0, length=code.size_bytes))
    with zipfile.ZipFile(io.BytesIO(zipped)) as found:
        assert {name: found.read(name) for name in found.namelist()} == HELLO


def test_a_bundle_for_another_runtime_is_refused(flask: ToldHost) -> None:
    micro = make_micro(runtime="nodejs14.x")
    with pytest.raises(BundleRefused, match=r"Node\.js 14.*main\.py"):
        deploy_now(micro, HELLO)
    both = deploy_now(micro, HELLO | {"index.js": b""})
    assert both.runtime == "node14"


def test_the_same_again_is_known(flask: ToldHost) -> None:
    micro = make_micro()
    deploy_now(micro, HELLO)
    with bundles.bundle_of(HELLO) as bundle:
        same = deployments.find_same(again(micro), bundle)
        assert same is not None
        assert same.number == 1
    with bundles.bundle_of(version(2)) as bundle:
        assert deployments.find_same(again(micro), bundle) is None


def test_so_many_wait_and_no_more(flask: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MICRO_DEPLOYMENTS_WAITING_MAX", 0)
    with pytest.raises(InvalidInput, match="waiting"):
        deploy_now(make_micro(), HELLO)


def test_a_killed_workers_deployment_is_made_by_another_and_fails_at_last(flask: ToldHost) -> None:
    micro = make_micro()
    with bundles.bundle_of(HELLO) as bundle, transaction.atomic():
        asked = deployments.ask_for_deployment(
            collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=None
        )
        killed = claim_this(asked)
        Deployment.objects.filter(id=asked.id).update(heartbeat_at=None)
        taken = claim_this(asked)
        assert (taken.attempts, taken.state) == (2, State.BUILDING)
    deploying.make_deployment(killed)
    assert Deployment.objects.get(id=asked.id).state == State.BUILDING
    assert again(micro).deployment_id is None
    deploying.make_deployment(taken)
    assert again(micro).deployment_id == asked.id

    with bundles.bundle_of(version(2)) as bundle, transaction.atomic():
        asked = deployments.ask_for_deployment(
            collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=None
        )
        Deployment.objects.filter(id=asked.id).update(
            state=State.STARTING, attempts=limits.MICRO_ATTEMPTS_MAX, heartbeat_at=None
        )
        set_others_aside(micro)
        deploying.claim_deployment()
    failed = Deployment.objects.get(id=asked.id)
    assert (failed.state, failed.reason) == (State.FAILED, "The server stopped during this deployment, 3 times.")


def test_a_deployment_is_done_once_it_serves(flask: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    micro, seen, flask.serves_late = make_micro(), [], 3
    statuses = flask.statuses

    def look(micro_ids: list[str]) -> dict[str, Status]:
        seen.append((Deployment.objects.get(micro=micro).state, again(micro).deployment_id is not None))
        return statuses(micro_ids)

    monkeypatch.setattr(flask, "statuses", look)
    done = deploy_now(micro, HELLO)
    assert (done.state, seen) == (State.DONE, [(State.STARTING, True)] * 4)


def test_one_that_does_not_take_over_is_done_and_its_log_says_so(flask: ToldHost, settings: Any) -> None:
    settings.MICRO_START_SECONDS, flask.serves_late = 0.3, 1_000
    micro = make_micro()
    done = deploy_now(micro, HELLO)
    assert (done.state, again(micro).deployment_id) == (State.DONE, done.id)
    assert "did not start in time" in logs.list_lines(micro_id=micro.id)[-1].text


def test_what_a_killed_worker_left_serving_is_not_made_again(flask: ToldHost) -> None:
    micro = make_micro()
    done = deploy_now(micro, HELLO)
    with transaction.atomic():
        Deployment.objects.filter(id=done.id).update(
            state=State.STARTING, attempts=limits.MICRO_ATTEMPTS_MAX, heartbeat_at=None
        )
        taken = claim_this(done)
    deploying.make_deployment(taken)
    after = Deployment.objects.get(id=done.id)
    assert (after.state, after.dependencies_id) == (State.DONE, done.dependencies_id)
    assert len(flask.installed) == 1
    assert parts.get_parts(done.dependencies_id or done.id)


def set_others_aside(micro: Micro) -> None:
    """What earlier tests asked for and did not wait for fails, so that the next to claim is this Micro's."""
    unfinished = Deployment.objects.filter(state__in=[State.QUEUED, State.BUILDING, State.STARTING])
    unfinished.exclude(micro=micro).update(state=State.FAILED)


def claim_this(asked: Deployment) -> Deployment:
    set_others_aside(asked.micro)
    taken = deploying.claim_deployment()
    assert taken is not None
    assert taken.id == asked.id
    return taken


def test_a_deployment_of_a_deleted_micro_stops(flask: ToldHost) -> None:
    micro = make_micro()

    def delete(asked: Wanted, tell: Callable[[str], None]) -> None:
        micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name="hello")

    flask.install_into = delete
    with pytest.raises(Deployment.DoesNotExist):
        deploy_now(micro, HELLO)


def test_the_bucket_holds_what_is_kept_and_nothing_else(flask: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    repair_now()
    monkeypatch.setattr(limits, "MICRO_DEPLOYMENTS_KEPT", 1)
    micro = make_micro()
    deploy_now(micro, version(1))
    kept = deploy_now(micro, version(2))
    flask.tried = Tried(fault=FAULT)
    deploy_now(micro, HELLO | {"requirements.txt": b"bottle\n"})
    report = swept_report()
    assert report.is_clean, report
    assert parts.get_parts(kept.id)
    gone = make_micro("gone", collection_id=micro.collection_id)
    flask.tried = Tried(status=200)
    deployed = deploy_now(gone, HELLO)
    micros.delete_micro(collection_id=gone.collection_id, micro_id=gone.id, typed_name="gone")
    assert deployed.dependencies_id is not None
    assert parts.get_parts(deployed.id) == parts.get_parts(deployed.dependencies_id) == []
    deletion.delete_collection(collection_id=micro.collection_id, typed_name="Made by a test", asked_by=None)
    assert parts.get_parts(kept.id) == []
    report = swept_report()
    assert report.is_clean, report


def test_copies_are_made_again_and_swept(flask: ToldHost, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    micro = make_micro()
    first, second = deploy_now(micro, version(1)), deploy_now(micro, version(2))
    monkeypatch.setattr(copies, "_UNASKED_KEPT_SECONDS", -1)
    assert places.code(first.id).is_dir()
    assert copies.sweep_copies(places, in_use=[first.id]) == 0
    assert copies.sweep_copies(places) == 1
    assert not places.code(first.id).exists()
    assert places.code(second.id).is_dir()
    copies.fetch(wanted.find_wanted(first.id), places)
    assert (places.code(first.id) / "version.txt").read_bytes() == b"1"
    left = places.code(first.id).parent.with_name(".new-left")
    left.mkdir()
    copies.sweep_copies(places)
    assert left.is_dir()
    monkeypatch.setattr(copies, "_NEW_KEPT_SECONDS", -1)
    copies.sweep_copies(places)
    assert not left.exists()


def test_who_lost_the_right_meanwhile_deploys_nothing(flask: ToldHost) -> None:
    micro = make_micro()
    person = make_member(micro.collection_id)
    assert deploy_now(micro, HELLO, asked_by=person).asked_by_id == person.pk
    roles.remove_member(collection_id=micro.collection_id, person_id=person.pk)
    repair_now()
    with bundles.bundle_of(version(2)) as bundle, pytest.raises(Unauthorized):
        deployments.ask_for_deployment(
            collection_id=micro.collection_id, micro_id=micro.id, bundle=bundle, asked_by=person
        )
    assert len(deployments.list_deployments(collection_id=micro.collection_id, micro_id=micro.id)) == 1
    assert swept_report().is_clean


def test_the_next_of_a_micro_waits_for_the_one_before(flask: ToldHost) -> None:
    micro = make_micro()
    at = {"collection_id": micro.collection_id, "micro_id": micro.id}
    with transaction.atomic():
        for number in (1, 2):
            with bundles.bundle_of(version(number)) as bundle:
                deployments.ask_for_deployment(**at, bundle=bundle, asked_by=None)
        set_others_aside(micro)
        first = deploying.claim_deployment()
        assert first is not None
        assert (first.micro_id, first.number) == (micro.id, 1)
        assert deploying.claim_deployment() is None
        Deployment.objects.filter(id=first.id).update(state=State.DONE)
        second = deploying.claim_deployment()
        assert second is not None
        assert (second.micro_id, second.number) == (micro.id, 2)
        micros.delete_micro(**at, typed_name="hello")
