"""What apps declare of themselves is read as the original described it, and each thing that is wrong gets a sentence."""

import json
from typing import Any

import pytest

from storage import limits
from storage.errors import BundleRefused
from storage.micros.manifests.cron_fields import as_six_fields
from storage.micros.manifests.manifest import Manifest, Variable
from storage.micros.manifests.reading import read_manifest
from tests.processor_time import call_within

# The schema of the original's page on its button, filled in.
BUTTON = {
    "name": "your app name",
    "description": "your app description",
    "runtime": "python3.9",
    "env": [
        {
            "key": "ENV_VAR_KEY",
            "description": "Human friendly description of the env var",
            "value": "Default value of the env var",
            "required": True,
        },
        {"key": "OTHER"},
    ],
    "cron": "3 minutes",
}
SPACEFILE = """
# Spacefile Docs: https://go.deta.dev/docs/spacefile/v0
v: 0
app_name: "Notes"
micros:
  - name: frontend
    src: ./frontend
    engine: svelte
    primary: true
    commands: [npm run build]
  - name: backend
    src: ./backend/
    engine: python3.9
    path: api
    run: uvicorn main:app
    dev: uvicorn main:app --reload
    public_routes:
      - "/open"
    presets:
      api_keys: true
      env:
        - name: TOKEN
          description: Of the other service
        - name: GREETING
          default: no
    actions:
      - id: cleanup
        name: Clean up
        trigger: schedule
        default_interval: 0/15 * * * *
  - name: worker
    src: worker
    engine: nodejs16
"""


def read_json(**declared: Any) -> Manifest:
    return read_manifest({"deta.json": json.dumps(declared).encode()})


def read_space(text: str, *, wanted: str = "") -> Manifest:
    return read_manifest({"Spacefile": text.encode()}, wanted=wanted)


def one_micro(more: str) -> str:
    return f"micros:\n  - name: app\n    src: .\n    engine: python3.9\n{more}"


def test_the_originals_button_file() -> None:
    assert read_json(**BUTTON) == Manifest(
        "deta.json",
        name="your app name",
        description="your app description",
        runtime="python3.9",
        variables=(
            Variable("ENV_VAR_KEY", "Human friendly description of the env var", "Default value of the env var", True),
            Variable("OTHER"),
        ),
        cron="3 minutes",
    )


def test_nothing_declared_is_nothing() -> None:
    assert read_manifest({}) == Manifest()
    assert read_json() == Manifest("deta.json")


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"runtime": "nodejs14.x", "icon": "x", "more": {"a": [1]}}, Manifest("deta.json", runtime="node14")),
        ({"name": "  two\n lines "}, Manifest("deta.json", name="two lines")),
        ({"description": "x" * 600}, Manifest("deta.json", description="x" * limits.MICRO_TEXT_MAX_CHARACTERS)),
        ({"env": [{"key": "A", "value": 8000}]}, Manifest("deta.json", variables=(Variable("A", value="8000"),))),
        ({"env": [{"key": "A", "value": True}]}, Manifest("deta.json", variables=(Variable("A", value="true"),))),
        (
            {"env": [{"key": "A", "required": "true"}]},
            Manifest("deta.json", variables=(Variable("A", is_required=True),)),
        ),
        # What the server sets itself is there anyway.
        ({"env": [{"key": "DETA_PROJECT_KEY", "required": True}]}, Manifest("deta.json")),
    ],
)
def test_what_apps_write_is_understood(declared: dict[str, Any], expected: Manifest) -> None:
    assert read_json(**declared) == expected


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_manifest({"deta.json": b'\xef\xbb\xbf{"name": "a"}'}).name == "a"
    assert read_manifest({"Spacefile": b"\xef\xbb\xbf" + one_micro("").encode()}).part == "app"


@pytest.mark.parametrize(
    ("declared", "sentences"),
    [
        ({"name": 7}, ["deta.json: `name` is not a text"]),
        ({"name": "x" * 129}, ["deta.json: `name` has more than 128 characters"]),
        ({"name": "a\u202eb"}, ["deta.json: `name` holds invisible characters"]),
        (
            {"runtime": "ruby"},
            ["deta.json: `runtime`: “ruby” is no runtime: write python, python3.11, nodejs or nodejs20"],
        ),
        ({"env": {"A": "b"}}, ["deta.json: `env` is not a list"]),
        ({"env": ["A"]}, ["deta.json: entry 1 of `env` is not an object"]),
        ({"env": [{"description": "x"}]}, ["deta.json: entry 1 of `env` (`key`) has no name"]),
        ({"env": [{"key": "MY-KEY"}]}, ["deta.json: “MY-KEY” is no name for a variable"]),
        ({"env": [{"key": "A", "value": []}]}, ["deta.json: the value of A is not a text"]),
        (
            {"env": [{"key": "A", "value": "\x00"}]},
            ["deta.json: the value of A holds a character that no environment can"],
        ),
        ({"env": [{"key": "A", "required": "yes"}]}, ["deta.json: `required` of A is neither true nor false"]),
        ({"env": [{"key": "A"}, {"key": "A"}]}, ["deta.json: it names A twice"]),
        ({"env": [{"key": f"A{n}"} for n in range(101)]}, ["deta.json: it names more than 100 variables"]),
        (
            {"cron": ["x"], "description": 1},
            ["deta.json: `description` is not a text", "deta.json: `cron` is not a text"],
        ),
    ],
)
def test_each_thing_that_is_wrong_gets_a_sentence(declared: dict[str, Any], sentences: list[str]) -> None:
    with pytest.raises(BundleRefused) as refused:
        read_json(**declared)
    assert len(refused.value.messages) == len(sentences)
    for message, sentence in zip(refused.value.messages, sentences, strict=True):
        assert message.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("deta.json", b"{", "deta.json: it is no JSON: "),
        ("deta.json", b"[]", "deta.json: it is no JSON object"),
        ("deta.json", b"[" * 60_000, "deta.json: it is no JSON"),
        ("deta.json", b'{"name": "\xff"}', "deta.json: it is no JSON"),
        ("deta.json", b"{}" + b" " * limits.MANIFEST_MAX_BYTES, "deta.json: it has more than 65,536 bytes"),
        ("Spacefile", b"a: [", "Spacefile: it is no YAML that can be read: line 1"),
        ("Spacefile", b"\xff\xfe", "Spacefile: it is not in UTF-8"),
        ("Spacefile", b"", "Spacefile: it has no list of `micros`"),
        ("Spacefile", b"micros: 7", "Spacefile: it has no list of `micros`"),
        ("Spacefile", b"micros:\n- x", "Spacefile: number 1 of its `micros` is not a mapping"),
        ("Spacefile", b"micros:\n- src: .", "Spacefile: number 1 of its `micros` has no `name`"),
        ("Spacefile", b"micros:\n- name: a", "Spacefile: “a” has no `engine`, such as python3.9 or nodejs16"),
        (
            "Spacefile",
            b"micros:\n- {name: a, engine: vue}",
            "Spacefile: the engine of “a” is vue, which has to be built",
        ),
        ("Spacefile", b"micros:\n- {name: a, engine: perl}", "Spacefile: the engine of “a”: “perl” is no runtime"),
        (
            "Spacefile",
            b"a: &a [x, x]\nb: &b [*a, *a]",
            "Spacefile: it is no YAML that can be read: line 2: aliases are not",
        ),
        ("Spacefile", b"[" * 60_000, "Spacefile: it is no YAML that can be read: line 1: it nests too deep"),
    ],
)
def test_what_cannot_be_read_is_told_of(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(BundleRefused) as refused:
        read_manifest({name: content})
    assert refused.value.messages[0].startswith(sentence)


def test_of_a_spacefile_the_one_that_can_run_is_taken() -> None:
    found = read_space(SPACEFILE)
    assert found == Manifest(
        "Spacefile",
        name="backend",
        runtime="python3.9",
        # A bare `no` is the text that it looks like.
        variables=(Variable("TOKEN", "Of the other service"), Variable("GREETING", value="no")),
        cron="0/15 * * * ? *",
        part="backend",
        folder="backend",
        other_parts=("worker",),
    )


def test_of_a_spacefile_the_one_of_the_micros_name_is_taken() -> None:
    assert read_space(SPACEFILE, wanted="Worker").folder == "worker"
    assert read_space(SPACEFILE, wanted="another").part == "backend"
    with pytest.raises(BundleRefused, match="the engine of “frontend” is svelte"):
        read_space(SPACEFILE, wanted="frontend")


def test_a_single_micro_is_offered_the_apps_name() -> None:
    assert read_space("app_name: Notes\n" + one_micro("")).name == "Notes"
    assert read_space(one_micro("")).name == "app"


@pytest.mark.parametrize("src", ["..", "../other", "a/../../b", "/etc"])
def test_a_source_that_leads_out_is_refused(src: str) -> None:
    with pytest.raises(BundleRefused, match="leads out of the folder"):
        read_space(f"micros:\n- name: a\n  src: {src}\n  engine: python3.9")


def test_a_tag_makes_nothing_but_a_text() -> None:
    text = one_micro(
        "    presets:\n      env:\n      - name: A\n        default: !!python/object/apply:os.getcwd [x]\n"
    )
    with pytest.raises(BundleRefused, match="the default of A is not a text"):
        read_space(text)
    assert read_space(one_micro("    presets: {env: [{name: A, default: !!int 012}]}\n")).variables == (
        Variable("A", value="012"),
    )


@pytest.mark.parametrize(
    ("five", "six"),
    [
        ("0/15 * * * *", "0/15 * * * ? *"),
        ("0 4 * * 1-5", "0 4 ? * 2-6 *"),
        ("0 4 * * 0", "0 4 ? * 1 *"),
        ("0 4 * * 7", "0 4 ? * 1 *"),
        ("0 4 * * MON,WED", "0 4 ? * MON,WED *"),
        ("0 4 * * 1/2", "0 4 ? * 2/2 *"),
        ("0 4 1 * *", "0 4 1 * ? *"),
        ("0 4 1 * 1", "0 4 1 * 1 *"),
        ("5 minutes", "5 minutes"),
        ("0 12 ? * MON-FRI *", "0 12 ? * MON-FRI *"),
    ],
)
def test_five_fields_become_six(five: str, six: str) -> None:
    assert as_six_fields(five) == six


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"a," * 32_000 + b"]",
        b"{" + b"a: b," * 10_000 + b"}",
        b"[[[[[[[[[[" + b"a " * 32_000,
        b"".join(b"k%d:\n" % number for number in range(8_000)),
        b'a: "' + b"\n" * 65_000 + b'"',
        b"- &a x\n" * 9_000,
    ],
)
def test_a_spacefile_takes_time_by_its_length(content: bytes) -> None:
    call_within(5, _read, content)


def _read(content: bytes) -> None:
    with pytest.raises(BundleRefused):
        read_manifest({"Spacefile": content})
