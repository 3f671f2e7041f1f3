"""What an app declares is its Micro's from the first deployment on, unless somebody said otherwise; what it needs is asked."""

import json
from typing import Any

import pytest

from storage.audit.log import Conditions, Verb, list_entries
from storage.errors import BundleRefused
from storage.micros import bundles, deployments, micros, schedules, variables
from storage.models import Deployment, Micro
from tests.micros import ToldHost, deploy_now, make_micro

MAIN = {"main.py": b"app = 1\n"}
SPACEFILE = b"""
micros:
  - {name: web, src: web, engine: nodejs16, primary: true}
  - {name: back, src: ./back, engine: python3.9, presets: {env: [{name: A, default: one}]}}
"""
BOTH = {"Spacefile": SPACEFILE, "web/index.js": b"exports.app = 1", "back/main.py": b"app = 1", "back/lib/a.py": b""}


def declaring(**declared: Any) -> dict[str, bytes]:
    return MAIN | {"deta.json": json.dumps(declared).encode()}


def again(micro: Micro) -> Micro:
    return micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)


def values_of(micro: Micro) -> dict[str, str]:
    return variables.read_variables(again(micro))


def set_values(micro: Micro, **values: str) -> None:
    variables.set_variables(collection_id=micro.collection_id, micro_id=micro.id, values=values)


def test_what_is_declared_counts_with_the_first_deployment(host: ToldHost) -> None:
    micro = make_micro()
    set_values(micro, B="mine")
    env = [{"key": "A", "value": "theirs"}, {"key": "B", "value": "theirs"}, {"key": "C"}]
    done = deploy_now(micro, declaring(runtime="python3.9", env=env))
    assert (done.state, done.runtime) == (Deployment.State.DONE, "python3.9")
    assert again(micro).runtime == "python3.9"
    assert values_of(micro) == {"A": "theirs", "B": "mine"}
    assert host.tried_out[0].variables == {"A": "theirs", "B": "mine"}
    entries = list_entries(Conditions(micro.collection_id))
    assert next(each for each in entries if each.verb == Verb.MICRO_VARIABLES_SET).details["set"] == ["A"]


def test_what_is_no_schedule_is_told_of_and_nothing_is_taken_up(host: ToldHost) -> None:
    micro = make_micro()
    with pytest.raises(BundleRefused, match="`cron`: “soon” is neither a rate such as “5 minutes” nor"):
        deploy_now(micro, declaring(cron="soon", env=[{"key": "A", "value": "a"}]))
    assert values_of(micro) == {}
    assert not Deployment.objects.filter(micro=micro).exists()


def test_later_deployments_change_nothing_that_people_set(host: ToldHost) -> None:
    micro = make_micro()
    deploy_now(micro, declaring(env=[{"key": "A", "value": "one"}]))
    variables.remove_variables(collection_id=micro.collection_id, micro_id=micro.id, variable_names=["A"])
    deploy_now(micro, declaring(env=[{"key": "A", "value": "two"}, {"key": "B", "value": "two"}]))
    assert values_of(micro) == {}


def test_a_declared_schedule_is_set_with_the_first_deployment(host: ToldHost) -> None:
    micro = make_micro()
    deploy_now(micro, declaring(cron="5 minutes"))
    found = schedules.find_schedule(micro.id)
    assert found is not None
    assert found.expression == "5 minutes"
    schedules.remove_schedule(collection_id=micro.collection_id, micro_id=micro.id)
    deploy_now(again(micro), declaring(cron="1 day"))
    assert schedules.find_schedule(micro.id) is None

    chosen = make_micro()
    schedules.set_schedule(collection_id=chosen.collection_id, micro_id=chosen.id, expression="2 hours")
    deploy_now(chosen, declaring(cron="5 minutes"))
    kept = schedules.find_schedule(chosen.id)
    assert kept is not None
    assert kept.expression == "2 hours"

    with pytest.raises(BundleRefused, match="`cron`: “weeks” is no unit"):
        deploy_now(make_micro(), declaring(cron="5 weeks"))


def test_a_micro_that_says_what_runs_it_is_not_contradicted(host: ToldHost) -> None:
    micro = make_micro(runtime="python3.11")
    assert deploy_now(micro, declaring(runtime="python3.9")).runtime == "python3.11"


def test_what_an_app_needs_is_named_until_it_is_there(host: ToldHost) -> None:
    micro = make_micro()
    env = [{"key": name, "required": True} for name in ("A", "B", "C")] + [{"key": "D", "value": "d", "required": True}]
    set_values(micro, B="")
    with pytest.raises(BundleRefused) as refused:
        deploy_now(micro, declaring(env=env))
    assert refused.value.messages == (
        "deta.json says that the app needs A, B and C, and nobody has given them values",
        "Set what is missing on the Micro's page Environment, then deploy again",
    )
    assert not Deployment.objects.filter(micro=micro).exists()
    assert values_of(micro) == {"B": ""}
    set_values(micro, A="a", B="b", C="c")
    assert deploy_now(micro, declaring(env=env)).state == Deployment.State.DONE
    assert values_of(micro) == {"A": "a", "B": "b", "C": "c", "D": "d"}
    # It is asked for with each deployment.
    variables.remove_variables(collection_id=micro.collection_id, micro_id=micro.id, variable_names=["D"])
    with pytest.raises(BundleRefused, match="needs D, and nobody has given it a value"):
        deploy_now(micro, declaring(env=env))


def test_a_declared_runtime_that_the_code_is_not_for_is_told_of(host: ToldHost) -> None:
    with pytest.raises(BundleRefused) as refused:
        deploy_now(make_micro(), declaring(runtime="nodejs14.x"))
    assert refused.value.messages[0] == "deta.json asks for Node.js 14, and the bundle has main.py"


def test_a_spacefiles_folder_is_what_is_deployed() -> None:
    with bundles.bundle_of(BOTH) as bundle:
        assert bundle.entries == {"node": "index.js"}
        assert bundle.files == 1
    with bundles.collect_bundle(((name, [content]) for name, content in BOTH.items()), part="back") as bundle:
        assert bundle.entries == {"python": "main.py"}
        assert bundle.files == 2
        micro = make_micro()
        assert str(deployments.choose_runtime(micro, bundle)) == "python3.9"


def test_a_spacefiles_folder_without_files_is_told_of() -> None:
    with (
        pytest.raises(BundleRefused, match="no files in back, where Spacefile says the code of “back” is"),
        bundles.collect_bundle([("Spacefile", [SPACEFILE]), ("main.py", [b""])], part="back"),
    ):
        pass


def test_a_spacefile_in_the_only_folder_counts() -> None:
    with bundles.bundle_of({f"app/{name}": content for name, content in BOTH.items()}) as bundle:
        assert bundle.manifest.part == "web"
        assert bundle.entries == {"node": "index.js"}


def test_what_is_hostile_is_refused_beside_a_folder_too() -> None:
    with pytest.raises(BundleRefused, match="leads out of its folder"), bundles.bundle_of(BOTH | {"../x": b""}):
        pass
