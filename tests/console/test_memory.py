"""What each process of the server need not have in memory: for as long as it runs it would be there."""

import subprocess
import sys
from pathlib import Path

import pytest

from console.serving import jobs_child
from tests.waiting import MOMENT_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
_DJANGO = "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'console.settings'; django.setup()\n"


def run(code: str, folder: Path) -> str:
    """What a process with Django in it prints. Its data folder is of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _DJANGO + code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOMEPORT_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import console.wsgi; from django.urls import get_resolver; get_resolver().url_patterns",
            {"boto3", "pypdf", "PIL"},
        ),
        ("import storage.jobs", {"boto3", "pypdf", "PIL", "console.urls"}),
        ("import console.management.commands.serve", {"boto3", "pypdf", "console.urls", "storage.jobs"}),
    ],
    ids=["web", "jobs", "serve"],
)
def test_a_process_loads_nothing_that_it_does_not_need(code: str, absent: set[str], tmp_path: Path) -> None:
    assert run(f"{code}; print(*({absent!r} & sys.modules.keys()))", tmp_path).split() == []


def test_the_job_worker_leaves_out_the_checks_that_load_all_pages() -> None:
    assert "--skip-checks" in jobs_child(marks={}).command


def test_work_in_a_fork_leaves_nothing_here(tmp_path: Path) -> None:
    code = """
from console.forked import in_fork
def work():
    import console.urls
    return [os.getpid(), "console.urls" in sys.modules]
pid, is_there = in_fork(work)
print(pid != os.getpid(), is_there, "console.urls" in sys.modules)
"""
    assert run(code, tmp_path) == "True True False\n"


def test_what_a_fork_refuses_is_refused_here_and_an_error_says_where_it_was(tmp_path: Path) -> None:
    code = """
from django.core.management import CommandError
from console.forked import in_fork
def refuse(): raise CommandError("no room")
def fail(): raise KeyError(1)
for work in (refuse, fail):
    try:
        in_fork(work)
    except Exception as error:
        print(type(error).__name__, str(error) == "no room", f"in {work.__name__}" in str(error))
"""
    assert run(code, tmp_path) == "CommandError True False\nRuntimeError False True\n"


def test_a_fork_that_is_killed_is_an_error(tmp_path: Path) -> None:
    code = """
from console.forked import in_fork
try:
    in_fork(lambda: os.kill(os.getpid(), 9))
except ChildProcessError as error:
    print(error)
"""
    assert run(code, tmp_path) == "a process that was to help ended: -9\n"
