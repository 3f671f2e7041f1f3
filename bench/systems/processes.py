"""Starting a server in the background, waiting until it answers, and stopping everything it started."""

import contextlib
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

GRACE_S = 20


class ServerFailedError(Exception):
    """A server that did not start; the message ends with what it last wrote."""


class Server:
    """A server process and everything below it. Its output goes to `log_path`; without `env` it has ours, as without `user`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        self.log_path = log_path
        # A session of its own: Ctrl-C reaches the benchmark alone, which then stops its servers in order.
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def tree(self) -> list[psutil.Process]:
        """The server and all its descendants that live now."""
        try:
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def wait_until_ok(self, url: str, *, timeout_s: float) -> None:
        """Returns once `url` answers 200. Raises ServerFailedError when it ends first or time runs out."""

        def is_ok() -> bool:
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return bool(answer.status == 200)
            except (OSError, urllib.error.URLError):
                return False

        self.wait_until(is_ok, timeout_s=timeout_s)

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Returns once it is ready. Raises ServerFailedError when it ends first or time runs out."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailedError(f"it ended with status {self._process.returncode}:\n{self.log_tail()}")
            if is_ready():
                return
            time.sleep(0.1)
        raise ServerFailedError(f"it was not ready within {timeout_s:.0f} s:\n{self.log_tail()}")

    def wait_for_success(self, *, timeout_s: float) -> None:
        """Returns once the process has ended with status 0. Raises ServerFailedError on any other end."""
        if self._process.wait(timeout_s) != 0:
            raise ServerFailedError(f"it ended with status {self._process.returncode}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines the server wrote."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-20:])

    def stop(self) -> None:
        """Ends the server with SIGTERM, then kills what is left of its tree."""
        tree = self.tree()
        if tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                tree[0].send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(tree, timeout=GRACE_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=5)
        self._process.wait()
