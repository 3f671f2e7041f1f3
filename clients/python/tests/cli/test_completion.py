"""Completion in the shells themselves, where they are installed: what `deta completion` prints, and a word that is begun."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.terminal.shell import link_command
from tests.terminals import Terminal, make_terminal
from tests.waiting import LONG_SECONDS

pytestmark = pytest.mark.slow

BASH = """
eval "$(deta completion bash)"
COMP_WORDS=(deta ke) COMP_CWORD=1
_deta_completion deta
echo "${COMPREPLY[@]}"
"""
# A shell in a terminal of its own, in which the tabulator is pressed.
ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; autoload -U compinit; compinit -D -u; eval "$(deta completion zsh)"; echo re""ady'
zpty -r z line '*ready*'
zpty -w -n z $'deta de\t'
zpty -r z line '*dev *'
print -r -- $line
"""
FISH = """
deta completion fish | source
complete -C "deta ke"
complete -C "deta base export --format "
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """One in which completion is tried; it needs no server."""
    return make_terminal(tmp_path, server_url="http://127.0.0.1:1")


def said_by(terminal: Terminal, tmp_path: Path, *shell: str) -> str:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    programs = link_command(tmp_path / "programs", terminal).programs
    environment = terminal.environment | {"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb"}
    done = subprocess.run(
        shell,
        cwd=terminal.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def test_bash(terminal: Terminal, tmp_path: Path) -> None:
    assert said_by(terminal, tmp_path, "bash", "--norc", "-c", BASH) == "key\n"


def test_zsh(terminal: Terminal, tmp_path: Path) -> None:
    said = said_by(terminal, tmp_path, "zsh", "-f", "-c", ZSH)
    assert "deploy   -- Deploy the files of a folder." in said
    assert "details  -- Show a Micro's address, runtime and settings." in said


def test_fish(terminal: Terminal, tmp_path: Path) -> None:
    said = said_by(terminal, tmp_path, "fish", "--no-config", "-c", FISH)
    assert said.splitlines() == ["key\tList, make and revoke data keys.", "csv", "json", "jsonl"]
