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
        self,
        *arguments: str,
        given: "str | bytes" = "",
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        out, err = _stream(), _stream()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            wanted = self.environment | dict(variables or {})
            for name in os.environ.keys() - wanted.keys():
                patch.delenv(name)
            for name, value in wanted.items():
                patch.setenv(name, value)
            patch.chdir(folder or self.folder)
            patch.setattr(sys, "argv", ["deta", *arguments])
            patch.setattr(sys, "stdin", _stream(given.encode() if isinstance(given, str) else given))
            with pytest.raises(SystemExit) as ended:
                main()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(["deta", *arguments], code, _text_of(out), _text_of(err))


def _stream(content: bytes = b"") -> io.TextIOWrapper:
    """As those of a process are: of text, over bytes."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", write_through=True)


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
