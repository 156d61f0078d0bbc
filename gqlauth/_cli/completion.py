"""``gql completion``: what makes a shell complete commands, options and endpoints."""

from __future__ import annotations

import click

from gqlauth._cli._globals import Command


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script by which a shell completes commands, options and endpoints.

    \b
    bash   echo 'eval "$(gql completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(gql completion zsh)"' >> ~/.zshrc
    fish   gql completion fish > ~/.config/fish/completions/gql.fish
    """  # noqa: D301 - click wants the control character itself
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - the shell asks once

    writer = get_completion_class(shell)
    assert writer is not None
    root = context.find_root()
    click.echo(writer(root.command, {}, "gql", "_GQL_COMPLETE").source())
