"""Variables are only ever kept sealed, each Micro's for itself, and a wrong key says so in words."""

import msgspec
import pytest
from django.conf import settings

from storage import limits
from storage.audit.log import Conditions, Verb, list_entries
from storage.errors import InvalidInput, MicroNotFound, SecretsUnreadable
from storage.micros import micros, sealing, variables, wanted
from storage.models import AuditEntry, Micro
from tests.micros import HELLO, ToldHost, deploy_now, make_micro

CANARY = "a canary of a value"


def where(micro: Micro) -> dict[str, str]:
    return {"collection_id": micro.collection_id, "micro_id": micro.id}


def read(micro: Micro) -> dict[str, str]:
    return variables.read_variables(micros.find_micro(**where(micro)))


def test_variables_are_set_replaced_and_removed(host: ToldHost) -> None:
    micro = make_micro()
    assert variables.list_variable_names(**where(micro)) == []
    assert variables.set_variables(**where(micro), values={"B": "1", "A": CANARY}) == ["A", "B"]
    assert ("changed", micro.id) in host.told
    assert variables.set_variables(**where(micro), values={"B": "2", "C": ""}) == ["A", "B", "C"]
    assert read(micro) == {"A": CANARY, "B": "2", "C": ""}
    assert variables.remove_variables(**where(micro), variable_names=["A", "Z"]) == ["B", "C"]
    assert variables.replace_variables(**where(micro), values={"D": "ä\n=🙂"}) == ["D"]
    assert read(micro) == {"D": "ä\n=🙂"}
    version = micros.find_micro(**where(micro)).version
    variables.set_variables(**where(micro), values={"D": "ä\n=🙂"})
    assert micros.find_micro(**where(micro)).version == version
    assert variables.replace_variables(**where(micro), values={}) == []
    assert read(micro) == {}


def test_no_value_is_kept_or_written_down_in_clear(host: ToldHost) -> None:
    micro = make_micro()
    variables.set_variables(**where(micro), values={"TOKEN": CANARY})
    row = Micro.objects.filter(id=micro.id).values().get()
    kept = b"".join(
        bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in row.values()
    )
    assert b"canary" not in kept
    assert b"TOKEN" not in kept
    told = msgspec.json.encode(
        list(AuditEntry.objects.filter(collection_id=micro.collection_id).values_list("details", flat=True))
    )
    assert b"canary" not in told
    entry = list_entries(Conditions(micro.collection_id))[0]
    assert (entry.verb, entry.details["set"], entry.details["removed"]) == (Verb.MICRO_VARIABLES_SET, ["TOKEN"], [])


OURS = [
    "DETA_PROJECT_KEY",
    "deta_path",
    "HOMEPORT_URL",
    "Homeport_X",
    "PATH",
    "LD_PRELOAD",
    "https_proxy",
    "SSL_CERT_FILE",
]


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Ä", "A=B", "A\x00", "x" * 129, *OURS])
def test_what_is_no_name_or_ours_is_refused(name: str, host: ToldHost) -> None:
    micro = make_micro()
    with pytest.raises(InvalidInput):
        variables.set_variables(**where(micro), values={"GOOD": "1", name: "x"})
    assert read(micro) == {}


def test_there_are_so_many_and_so_large_and_no_more(host: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    micro = make_micro()
    for value in ("\x00", "\ud800", "x" * limits.MICRO_VARIABLES_MAX_BYTES):
        with pytest.raises(InvalidInput):
            variables.set_variables(**where(micro), values={"A": value})
    monkeypatch.setattr(limits, "MICRO_VARIABLES_MAX", 1)
    variables.set_variables(**where(micro), values={"A": "1"})
    with pytest.raises(InvalidInput, match="at most 1"):
        variables.set_variables(**where(micro), values={"B": "1"})
    with pytest.raises(MicroNotFound):
        variables.set_variables(collection_id=make_micro().collection_id, micro_id=micro.id, values={})


def test_another_key_says_so_and_a_fallback_opens(host: ToldHost, monkeypatch: pytest.MonkeyPatch) -> None:
    micro = make_micro()
    variables.set_variables(**where(micro), values={"A": CANARY})
    assert deploy_now(micro, HELLO).state == "done"
    before = settings.SECRET_KEY
    monkeypatch.setattr(settings, "SECRET_KEY", "another key, as somebody lost the first")
    wanted._unseal.cache_clear()
    for ask in (read, lambda micro: variables.set_variables(**where(micro), values={"B": "1"})):
        with pytest.raises(SecretsUnreadable, match="another secret key"):
            ask(micro)
    assert micro.id not in [each.micro_id for each in wanted.list_wanted()]
    assert deploy_now(micro, HELLO | {"more.txt": b""}).reason == SecretsUnreadable.default
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [before])
    assert read(micro) == {"A": CANARY}
    (asked,) = [each for each in wanted.list_wanted() if each.micro_id == micro.id]
    assert asked.variables == {"A": CANARY}
    variables.set_variables(**where(micro), values={"A": "2"})
    monkeypatch.setattr(settings, "SECRET_KEY_FALLBACKS", [])
    assert read(micro) == {"A": "2"}
    assert micros.read_data_key(micros.renew_data_key(**where(micro)))
    wanted._unseal.cache_clear()


def test_what_is_sealed_for_one_micro_is_no_others() -> None:
    sealed = sealing.seal(b"x", micro_id="a")
    assert sealing.unseal(sealed, micro_id="a") == b"x"
    with pytest.raises(SecretsUnreadable):
        sealing.unseal(sealed, micro_id="b")
    with pytest.raises(SecretsUnreadable):
        sealing.unseal(sealed[:-1] + b"x", micro_id="a")
