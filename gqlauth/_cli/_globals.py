"""The options that every command takes, before the subcommand and after it."""

from __future__ import annotations

import math
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeVar, cast

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A name that no shell takes for anything else, nor a command for an option.
_PLAIN: Final = re.compile(r"[\w./:@+,%][\w./:@+,%-]*")

# What click decorates.
F = TypeVar("F", bound="Callable[..., Any] | click.Command")


class Globals:
    """What the global options say; commands find it as ``ctx.obj``.

    It is no attrs class: help needs no attrs, and would wait for it.
    """

    def __init__(self) -> None:
        """Begin with what holds where nothing is said."""
        #: The configuration file that was named.
        self.config: Path | None = None
        #: How many ``-v`` there were.
        self.verbosity: int = 0
        self.color: Literal["auto", "always", "never"] = "auto"
        self.log_format: Literal["console", "json"] = "console"

    def colours(self, stream: TextIO | None) -> bool:
        """Tell whether what is written to `stream` is to be coloured.

        ``auto`` means on a terminal, unless ``NO_COLOR`` is set or the terminal is a dumb one.
        """
        if self.color != "auto":
            return self.color == "always"
        return is_terminal(stream) and not os.environ.get("NO_COLOR")


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether `stream` is a terminal that can do more than print."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _note(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ANN401 - of any option
    settings = context.ensure_object(Globals)
    if parameter.name == "verbosity":
        settings.verbosity += value
    elif parameter.name == "config" and value is not None:
        from pathlib import Path  # noqa: PLC0415 - help finds no file

        settings.config = Path(value)
    elif value is not None:
        setattr(settings, parameter.name, value)


def _global_options() -> list[click.Parameter]:
    shared: dict[str, Any] = {"expose_value": False, "callback": _note}
    return [
        click.Option(
            ["--config"],
            type=click.Path(),
            metavar="FILE",
            help="The configuration file; else $GQLAUTH_CONFIG, else the first that is found.",
            **shared,
        ),
        click.Option(
            ["-v", "verbosity"],
            count=True,
            help="Tell what happens to tokens; -vv each request, -vvv all of HTTP.",
            **shared,
        ),
        click.Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="When to colour; auto is on a terminal.",
            **shared,
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(["console", "json"]),
            help="How what -v tells is written.",
            **shared,
        ),
    ]


class _TakesGlobals(click.Command):
    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - what click takes
        super().__init__(*args, **settings)
        self.params.extend(_global_options())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a command's own options first, and the global ones under a heading of theirs."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                (own if parameter.callback is not _note else shared).append(record)
        with formatter.section("Options"):
            formatter.write_dl(own)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)
        with formatter.section("Global options"):
            formatter.write_dl(shared)


class Command(_TakesGlobals):
    """A command that takes the global options too, and shows what is logged as they say."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Set up logging, then run the command."""
        from gqlauth._cli._logging import configure_logging  # noqa: PLC0415 - help logs nothing

        settings = ctx.ensure_object(Globals)
        if sys.stderr is not None:
            stream = _AboveNotice(sys.stderr) if is_terminal(sys.stderr) else sys.stderr
            configure_logging(settings.verbosity, settings.log_format, cast("TextIO", stream))
        return super().invoke(ctx)


class Group(_TakesGlobals, click.Group):
    """A command with subcommands, which takes the global options before the subcommand."""

    command_class = Command


class _AboveNotice:
    """A terminal to log to: clears the line first, as a notice of a long wait may stand there."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(f"\r\x1b[K{text}")

    def flush(self) -> None:
        self._stream.flush()


def endpoint_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the names of configured endpoints that begin with `incomplete`, for a shell.

    A shell puts them into the line as they are, so that a file of somebody else's could have it
    run what they say: only those are told that mean nothing to a shell.
    """
    return [
        name
        for name in _configured(context)
        if name.startswith(incomplete) and _PLAIN.fullmatch(name)
    ]


def _configured(context: click.Context) -> Iterator[str]:
    from gqlauth._cli._load import loaded  # noqa: PLC0415 - only a completion needs it here
    from gqlauth.errors import ConfigError  # noqa: PLC0415 - the same

    try:
        found = loaded(context.ensure_object(Globals))
    except ConfigError:
        return  # a shell that completes has nowhere to show what is wrong
    yield from sorted({*found.config.endpoints, *found.broken})


def _endpoint_option(text: str) -> Callable[[F], F]:
    return click.option(
        "-e", "--endpoint", metavar="NAME", help=text, shell_complete=endpoint_names
    )


#: ``-e``, for commands that are about one endpoint.
ENDPOINT = _endpoint_option("The endpoint; else the default one.")
#: ``-e``, for commands that are about all of them, or one.
ENDPOINTS = _endpoint_option("One endpoint; else all of them.")
#: The same, where those without authentication have little to tell.
CHECKED = _endpoint_option("One endpoint; else all that have auth.")


def timeout_option(text: str) -> Callable[[F], F]:
    """Return what adds ``--timeout`` to a command, of which `text` is the help."""
    return click.option("--timeout", type=float, metavar="S", callback=_seconds, help=text)


def _seconds(
    _context: click.Context, _parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise click.UsageError("--timeout: a number of seconds above 0 belongs here")
    return value
