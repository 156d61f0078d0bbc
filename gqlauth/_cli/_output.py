"""What ``gql api`` writes to standard output: the answer, for a terminal or for a pipe."""

from __future__ import annotations

import errno
import io
import re
import sys
from typing import TYPE_CHECKING, Final

import click

from gqlauth._cli import _json
from gqlauth._redact import escape_control

if TYPE_CHECKING:
    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._cli._jq import Filter

_STYLES: Final = {"key": "34;1", "string": "32", "word": "36", "number": "33", "mark": "1"}
# What a line may hold on a terminal though it is no text.
_LINES_AND_TABS: Final = re.compile(r"([\n\t])")


def write(text: str) -> None:
    """Write all of `text` to standard output, in UTF-8 wherever that leads.

    Raises:
        OSError: when it does not take all of it.

    """
    data = text.encode("utf-8", "surrogateescape")
    raw = getattr(sys.stdout, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        click.echo(data, nl=False)
        return
    # With PYTHONUNBUFFERED: a write may take just a part, as before the disk is full.
    rest = memoryview(data)
    while rest:
        taken = raw.write(rest)
        if taken is None:
            raise BlockingIOError(errno.EAGAIN, "standard output takes no more for now")
        rest = rest[taken:]


def head(reply: Reply) -> str:
    """Return status line and headers, without an echo of the credential."""
    lines = [f"{reply.version} {reply.status} {reply.reason}".rstrip()]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    return "\n".join([*(escape_control(reply.without_echo(line)) for line in lines), "", ""])


def as_text(answer: Answer, *, coloured: bool) -> str:
    """Return an answer as the server sent it; made readable on a terminal, and with colours."""
    if coloured or on_terminal():
        return "".join(_json.pretty(answer.text, _paint if coloured else None)) + "\n"
    return answer.text if answer.text.endswith("\n") else answer.text + "\n"


def as_line(answer: Answer, *, coloured: bool) -> str:
    """Return an answer as one line, with colours if they are wanted."""
    return "".join(_json.compact(answer.text, _paint if coloured else None)) + "\n"


def filtered(answer: Answer, program: Filter) -> str:
    """Return what `program` makes of an answer, a line for each result.

    Raises:
        Failure: when the program fails on it.

    """
    lines = program.lines(answer.text)
    if on_terminal():
        lines = [_harmless(line) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def on_terminal() -> bool:
    """Tell whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def _paint(piece: str, kind: str) -> str:
    return f"\x1b[{_STYLES[kind]}m{piece}\x1b[0m"


def _harmless(text: str) -> str:
    pieces = _LINES_AND_TABS.split(text)
    return "".join(piece if piece in {"\n", "\t"} else escape_control(piece) for piece in pieces)
