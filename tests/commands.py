"""Commands of `manage.py` inside the tests' own process: what they print and how they end, without a start of Python for each."""

import contextlib
import io
import subprocess

from django.core.management import get_commands, load_command_class


def run_here(*command: str) -> "subprocess.CompletedProcess[str]":
    """As `Server.run` does it, in this process; an error that is no answer to the person comes out of it."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            load_command_class(get_commands()[command[0]], command[0]).run_from_argv(["manage.py", *command])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())
