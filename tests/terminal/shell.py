"""A shell in which somebody types the steps of a guide, with the command `deta` on its path."""

import json
import secrets
import subprocess
import venv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.terminals import Terminal
from tests.waiting import LONG_SECONDS


@dataclass
class Shell:
    """A terminal's shell, which finds `deta` in the folder `programs`."""

    terminal: Terminal
    programs: Path

    def types(self, *steps: str) -> list[str]:
        """What each step printed on standard output, one after the other in one shell. Each has to end with 0."""
        mark = f"--- {secrets.token_hex(8)}"
        script = "\n".join(f"echo '{mark}'\n{step}" for step in steps)
        environment = self.terminal.environment
        done = subprocess.run(
            ["bash", "-e"],
            input=script,
            cwd=self.terminal.folder,
            env=environment | {"PATH": f"{self.programs}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout.split(f"{mark}\n")[1:]


def link_command(programs: Path, terminal: Terminal) -> Shell:
    """A shell with the checkout's `deta`, found as an installed one is."""
    programs.mkdir()
    program = programs / "deta"
    words = " ".join(f"'{word}'" for word in terminal.command())
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return Shell(terminal, programs)


def install_command(folder: Path, shell: Shell) -> Shell:
    """The shell with the `deta` that its server gives away, installed as the Connect page says into an environment of its own."""
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "-r", f"{shell.terminal.variables['HOMEPORT_URL']}/clients/python.txt"],
        env=shell.terminal.environment | {"PYTHONPATH": "", "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = replace(shell.terminal, variables=shell.terminal.variables | {"PYTHONPATH": ""})
    return Shell(installed, folder / "bin")


def read_after(output: str, sentence: str) -> Any:
    """The JSON that follows a sentence."""
    assert output.startswith(f"{sentence}\n"), output
    return json.JSONDecoder().raw_decode(output, len(sentence) + 1)[0]
