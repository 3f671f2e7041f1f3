"""`deta completion`."""

from __future__ import annotations

import click
from click.shell_completion import FishComplete, add_completion_class, get_completion_class

from deta.cli.errors import CliError
from deta.cli.says import say


class Fish(FishComplete):
    """What stands behind a completion may hold commas."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


add_completion_class(Fish, "fish")


@click.command(epilog="Example: deta completion bash")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and options. Put it where the shell starts.

    For bash `eval "$(deta completion bash)"` in ~/.bashrc; for zsh the same with zsh in ~/.zshrc, behind its `compinit`; and for
    fish `deta completion fish > ~/.config/fish/completions/deta.fish`.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise CliError(f"{shell} cannot be completed for")
    say(kind(ctx.find_root().command, {}, "deta", "_DETA_COMPLETE").source().strip())
