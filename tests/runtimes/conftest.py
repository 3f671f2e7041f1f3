"""The shims as they are laid out for sandboxes, the packages of the apps, and a way to start an app with both."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

import pytest
import uv
from filelock import FileLock

from storage.embedded.micros import commands, installing, runtimes, shims
from tests.runtimes.instances import Instance, listen, start
from tests.waiting import LONG_SECONDS

# Outside the tests, and kept from one run to the next: what is installed is only downloaded once.
KEPT = Path(__file__).parents[2] / "build" / "runtimes"
ASKED = {
    "python": {"requirements.txt": "fastapi\nstarlette\nflask\nbottle\ndeta\n"},
    "node": {"package.json": '{"dependencies": {"express": "5", "koa": "3", "fastify": "5", "deta": "1.2.0"}}'},
}
StartApp = Callable[..., Instance]


def runtime(kind: str) -> runtimes.Runtime:
    return next(each for each in runtimes.find_runtimes() if each.kind == kind)


def real_paths(app: Path, packages: Path) -> commands.Paths:
    """Where the files are without a sandbox."""
    node = runtime("node")
    return commands.Paths(
        app=PurePosixPath(app),
        packages=PurePosixPath(packages),
        shims=PurePosixPath(KEPT / "homeport"),
        python=PurePosixPath(runtime("python").program),
        node=PurePosixPath(node.program),
        npm=PurePosixPath(node.home / "lib/node_modules/npm/bin/npm-cli.js"),
        uv=PurePosixPath(uv.find_uv_bin()),
        scratch=PurePosixPath(KEPT / "scratch"),
    )


@pytest.fixture(scope="session")
def homeport_folder() -> Path:
    """What a sandbox has as `/homeport`."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / "lock"):
        if shims.lay_out(KEPT / "homeport"):
            shims.compile_for(KEPT / "homeport", str(runtime("python").program))
    return KEPT / "homeport"


def carry_out(plan: installing.Plan, packages: Path) -> str:
    """Run a plan as a build does, but for the sandbox; returns what it printed."""
    packages.mkdir(parents=True)
    for name, content in plan.files.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_bytes(content)
    printed = []
    for command in plan.commands:
        done = subprocess.run(
            command,
            cwd=plan.folder,
            env={**os.environ, **plan.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONG_SECONDS,
            check=False,
        )
        printed.append(done.stdout)
        assert done.returncode == 0, done.stdout
    return "".join(printed)


@pytest.fixture(scope="session")
def packages(homeport_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of installed packages for apps of a kind, installed as a deployment installs them."""

    def install(kind: str) -> Path:
        code = tmp_path_factory.mktemp("asked")
        for name, text in ASKED[kind].items():
            (code / name).write_text(text)
        series = runtime(kind).series
        target = KEPT / installing.plan(code, kind, series, paths=real_paths(code, code)).digest[:16]
        with FileLock(KEPT / "lock"):
            if not target.exists():
                new = target.with_suffix(".new")
                shutil.rmtree(new, ignore_errors=True)
                carry_out(installing.plan(code, kind, series, paths=real_paths(code, new)), new)
                new.rename(target)
        return target

    return install


@contextmanager
def run_app(
    folder: Path, kind: str, files: dict[str, str], packages: Path, environment: dict[str, str] | None = None
) -> Iterator[Instance]:
    """An app of these files, running; its socket stays open whatever becomes of it."""
    code = folder / "app"
    code.mkdir()
    for name, text in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    with (
        listen(folder / "s") as listener,
        start(commands.serve(kind, real_paths(code, packages)), listener, environment) as instance,
    ):
        yield instance


@pytest.fixture
def start_app(packages: Callable[[str], Path], tmp_path: Path) -> Iterator[StartApp]:
    """Starts an app of these files; it ends with the test."""
    with ExitStack() as stack:

        def start_one(kind: str, files: dict[str, str], **environment: str) -> Instance:
            folder = tmp_path / str(len(list(tmp_path.iterdir())))
            folder.mkdir()
            return stack.enter_context(run_app(folder, kind, files, packages(kind), environment))

        yield start_one
