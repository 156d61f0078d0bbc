"""How the command line fails: its exit statuses, and what it says on standard error."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gqlauth.errors import Problem

SUCCESS: Final = 0
#: The GraphQL answer has errors, or the API answered with another error; or a bug of ours.
API_ERROR: Final = 1
#: Wrong usage, or what is configured is wrong; an unset secret too.
USAGE: Final = 2
#: The authorization server, or the API, refused what proves the client.
REFUSED: Final = 4
#: The network or a server is in trouble: worth trying again.
UNAVAILABLE: Final = 5
#: By Ctrl-C; as a shell tells it of any program.
INTERRUPTED: Final = 130
#: Whoever read the output has left; as a shell tells it of any program.
BROKEN_PIPE: Final = 141

#: What counts where several things fail: what must be mended comes before what may pass.
_GRAVITY: Final = (USAGE, REFUSED, API_ERROR, UNAVAILABLE, SUCCESS)
_TRACEBACK_FROM: Final = 2


def clean(text: str) -> str:
    """Return `text` fit for a terminal: redacted, and with control characters escaped."""
    # Imported where it is used, here and below: help has nothing to hide, and is to be quick.
    from gqlauth._redact import escape_control, redact_text  # noqa: PLC0415

    return escape_control(redact_text(text))


class Failure(Exception):  # noqa: N818 - it is not an error of a program, but what it comes to
    """What a command comes to when it cannot do what it was asked: said, and then the exit."""

    def __init__(self, text: str, code: int = API_ERROR, *, hint: str = "") -> None:
        """Fail with `text` for standard error, the exit status `code`, and what may help."""
        super().__init__(text)
        self.text = text
        self.code = code
        self.hint = hint


def say(text: str, *, hint: str = "", prefix: str = "gql: ") -> None:
    """Tell the user something on standard error: one line, redacted, control characters escaped."""
    _write(prefix + clean(text), *([f"     hint: {clean(hint)}"] if hint else []))


def say_problem(problem: Problem) -> None:
    """Tell the user what is wrong in a configuration, or what it would do, on standard error."""
    from gqlauth._redact import escape_control  # noqa: PLC0415

    shown = escape_control if problem.verbatim else clean
    _write(("" if problem.file else "gql: ") + shown(str(problem)))


def _write(*lines: str) -> None:
    # Whoever closed standard error does not want to hear of it.
    with contextlib.suppress(OSError):
        click.echo("\n".join(lines), err=True)


def worst(codes: Iterable[int]) -> int:
    """Return the exit status that counts of those of several things."""
    return min(codes, key=_GRAVITY.index, default=SUCCESS)


def exit_code(error: BaseException) -> int:
    """Return the exit status that an error stands for."""
    from gqlauth.errors import ConfigError, TokenError, TokenUnavailableError  # noqa: PLC0415

    if isinstance(error, Failure):
        return error.code
    if isinstance(error, click.ClickException | ConfigError):
        return USAGE
    if isinstance(error, TokenUnavailableError):
        return UNAVAILABLE
    if isinstance(error, TokenError):
        return REFUSED
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    return API_ERROR


def tell(error: Exception, verbosity: int = 0) -> int:
    """Say what went wrong, in the words of the error, and return the exit status."""
    from gqlauth.errors import ConfigError, GqlAuthError  # noqa: PLC0415

    if isinstance(error, Failure):
        say(error.text, hint=error.hint)
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    elif isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        say(
            # In one line: click breaks a list of choices into several.
            _option(error)
            if isinstance(error, click.NoSuchOption)
            else error.format_message().replace("\n\t", " "),
            hint=f"see: {context.command_path} --help" if context is not None else "",
        )
    elif isinstance(error, ConfigError):
        for problem in error.problems:
            say_problem(problem)
    elif isinstance(error, GqlAuthError):
        say(str(error), hint=getattr(error, "hint", ""))
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        say(f"{where}{error.strerror or error}")
    else:
        _tell_bug(error, verbosity)
    return exit_code(error)


def _option(error: click.NoSuchOption) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for who mistypes

    close = get_close_matches(error.option_name, error.possibilities or (), n=1)
    meant = f'; did you mean "{close[0]}"?' if close else ""
    return f'no such option "{error.option_name}"{meant}'


def _tell_bug(error: Exception, verbosity: int) -> None:
    shown = verbosity >= _TRACEBACK_FROM
    say(
        f"internal error: {type(error).__name__}: {error}",
        hint="" if shown else "-vv shows where",
    )
    if shown:
        import traceback  # noqa: PLC0415 - nobody should ever need it

        from gqlauth._redact import redact_text  # noqa: PLC0415

        text = redact_text("".join(traceback.format_exception(error)))
        for line in text.splitlines():
            say(line, prefix="     ")
