"""The command ``gql``: its groups, each loaded when it is used, and how it runs and ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn, cast

import click

from gqlauth._causes import causes
from gqlauth._cli import VERSION
from gqlauth._cli._failure import BROKEN_PIPE, INTERRUPTED, SUCCESS, tell
from gqlauth._cli._globals import Globals, Group

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The subcommands, each a module of its name that has a command of its name, and what help says
#: of it: the four modules together take longer to import than all that help needs.
COMMANDS: Final = {
    "api": "Ask a GraphQL API, and write what it answers.",
    "auth": "Show the state of authentication, and get tokens.",
    "completion": "Print the script by which a shell completes commands, options and endpoints.",
    "config": "Find, check and begin a configuration file.",
}

#: Seconds for which threads are waited for that still run at the end.
PATIENCE: Final = 1.0

#: The variable by which a shell asks for completions.
_COMPLETE: Final = "_GQL_COMPLETE"


class _LazyGroup(Group):
    """A group that imports a subcommand when that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Return the subcommand called `cmd_name`; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"gqlauth._cli.{cmd_name}")
        return cast("click.Command", getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        """List the subcommands, without a look at them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, name="gql", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("gqlauth", "--version", message=VERSION)
def gql() -> None:
    """Ask GraphQL APIs, with the token that each wants: fetched, cached, refreshed.

    \b
    gql config init            write a configuration file to begin with
    gql auth status --check    see whether tokens can be had
    gql api '{ me { id } }'    ask a question
    """  # noqa: D301 - click wants the control character itself


def end(status: int) -> NoReturn:
    """Exit with `status`, whatever thread still hangs."""
    if _is_held_up():
        os._exit(status)  # all that was to be written is written
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run ``gql`` with `arguments`, say what goes wrong, and return the exit status."""
    settings = Globals()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A terminal or a pipe that has no such character gets it escaped, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result = _invoked(arguments, settings)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except BrokenPipeError:
        _close_output()
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told and redacted
        if _is_interrupt(error):
            return _interrupted()
        return tell(error, settings.verbosity)
    return result if isinstance(result, int) else SUCCESS


def _is_held_up() -> bool:
    """Tell whether a thread is left that may never end, as a keyring or a file system hangs.

    The interpreter would wait for it, though nobody needs any more what it was asked for.
    """
    until = monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - monotonic()))
            if thread.is_alive():
                return True
    return False


def _interrupted() -> int:
    with contextlib.suppress(OSError):  # standard error may be closed
        click.echo(err=True)  # what a terminal shows of Ctrl-C stands alone
    return INTERRUPTED


def _is_interrupt(error: BaseException) -> bool:
    """Tell whether `error` is what became of Ctrl-C: a class being made wraps what interrupts."""
    return any(isinstance(one, KeyboardInterrupt) for one in causes(error))


def _invoked(arguments: Sequence[str] | None, settings: Globals) -> object:
    if os.environ.get(_COMPLETE):
        gql.main([], prog_name="gql", complete_var=_COMPLETE, obj=settings)
    # Not by click's own main: that exits with 1 when whoever reads the output leaves.
    given = sys.argv[1:] if arguments is None else list(arguments)
    with gql.make_context("gql", given, obj=settings) as context:
        return gql.invoke(context)


def _close_output() -> None:
    """Let the interpreter flush what nobody reads to nowhere, or it would complain as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
