"""Texts that the command line names: ``@FILE``, ``@-``, and what comes in on standard input."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What stands for standard input where a file is named.
STDIN = "-"


class Inputs:
    """Reads what the options name. Standard input is there once, for one of them."""

    def __init__(self) -> None:
        self._reader_of_stdin = ""
        #: Whether a field is going to read standard input.
        self.wanted = False

    @property
    def stdin_is_taken(self) -> bool:
        """Tell whether something reads standard input, or has read it."""
        return self.wanted or bool(self._reader_of_stdin)

    def read(self, name: str, option: str) -> str:
        """Return the text of the file called `name`, or of standard input where it is ``-``.

        `option` is what asks for it, for errors.

        Raises:
            click.UsageError: when it cannot be read, or is no UTF-8.

        """
        if not name:
            raise click.UsageError(f"{option}: a file's name belongs after the @")
        if name == STDIN:
            self.take_stdin(option)
        source = shown(name)
        with reading(name, option):
            data = stdin().read() if name == STDIN else Path(name).read_bytes()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise click.UsageError(
                f"{option}: {source} is no UTF-8 text (byte {error.start})"
            ) from error

    def take_stdin(self, option: str) -> None:
        """Note that `option` reads standard input.

        Raises:
            click.UsageError: when another one does so already.

        """
        if self._reader_of_stdin:
            raise click.UsageError(
                f"{option}: standard input can be read once, and {self._reader_of_stdin} reads it"
            )
        self._reader_of_stdin = option


def shown(name: str) -> str:
    """Return what the file called `name` is to a reader."""
    return "standard input" if name == STDIN else name


@contextmanager
def reading(name: str, option: str) -> Iterator[None]:
    """Tell what keeps the file called `name` from being read, which `option` asks for.

    Raises:
        click.UsageError: when something does.

    """
    try:
        yield
    except OSError as error:
        told = error.strerror or error
        raise click.UsageError(f"{option}: cannot read {shown(name)}: {told}") from error
    except ValueError as error:
        # A name with a NUL in it; and standard input, where it is closed.
        raise click.UsageError(f"{option}: cannot read {shown(name)}: {error}") from error


def stdin() -> BinaryIO:
    """Return standard input.

    Raises:
        ValueError: when it is closed.

    """
    if sys.stdin is None:
        raise ValueError("it is closed")
    return sys.stdin.buffer


def stdin_is_terminal() -> bool:
    """Tell whether somebody would have to type what is read from standard input."""
    # Where it is closed, nothing comes either.
    return sys.stdin is None or sys.stdin.closed or sys.stdin.isatty()
