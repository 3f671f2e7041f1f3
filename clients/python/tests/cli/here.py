"""A terminal whose commands run inside the tests' process: starting Python for each would take most of the time."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from tests.terminals import Terminal

from deta.cli.main import main


class TerminalHere(Terminal):
    """As `Terminal`, but for what another process would be told of this one."""

    def run(
        self, *arguments: str, given: str = "", folder: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            wanted = self.environment | dict(variables or {})
            for name in os.environ.keys() - wanted.keys():
                patch.delenv(name)
            for name, value in wanted.items():
                patch.setenv(name, value)
            patch.chdir(folder or self.folder)
            patch.setattr(sys, "argv", ["deta", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(given))
            with pytest.raises(SystemExit) as ended:
                main()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(["deta", *arguments], code, out.getvalue(), err.getvalue())
