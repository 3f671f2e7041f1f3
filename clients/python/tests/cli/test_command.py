"""The command itself: its help, its exit codes, and what becomes of words that are none of its."""

import json
import subprocess

import pytest
from clients.python.tests.conftest import Place
from tests.terminals import Terminal

from deta.cli.main import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    from click.testing import CliRunner

    from deta.cli.main import deta

    shown = CliRunner().invoke(deta, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"Example: deta {name}" in shown.output


def test_unknown_command_is_told_the_nearest(stranger: Terminal) -> None:
    done = stranger.run("project")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: There is no command `project`. Did you mean `deta projects`?\n")


def test_who_reads_the_output_may_have_enough(terminal: Terminal) -> None:
    """It ends in the middle of more than a pipe holds."""
    items = "".join(f'{{"key": "k{number:05}", "text": "{"x" * 100}"}}\n' for number in range(2_000))
    terminal.does("base", "import", "many", "-", given=items)
    for words in ("base query many", "base export many"):
        piped = f'{" ".join(terminal.command())} {words} | head -1; echo "${{PIPESTATUS[0]}}"'
        done = subprocess.run(
            ["bash", "-c", piped],
            cwd=terminal.folder,
            env=terminal.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        line, code = done.stdout.splitlines()
        assert "k00000" in line
        assert (code, done.stderr) == ("0", "")


def test_projects_are_those_that_one_may_see(terminal: Terminal, stranger: Terminal, place: Place) -> None:
    listed = json.loads(terminal.does("projects"))
    assert [(each["id"], each["role"]) for each in listed] == [(place.collection_id, "owner")]
    assert stranger.fails("projects") == f"You are not signed in to {place.server.url}: run `deta login`"
