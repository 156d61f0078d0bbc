"""The command line: ``gql``. This is its door; behind it is one file a command group."""

from __future__ import annotations

import sys

from gqlauth._version import __version__

TYPE_CHECKING = False  # as typing's, which takes a while to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

#: What ``gql --version`` says.
VERSION = f"gql (gqlauth) {__version__}"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``gql`` with `arguments`, or those of the process, and exit with its status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"] and _told(VERSION):
        sys.exit(0)
    from gqlauth._cli._gql import end, run  # noqa: PLC0415 - the version is told without it

    end(run(given))


def _told(line: str) -> bool:
    """Write a line to standard output, and tell whether that was possible."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except (OSError, AttributeError):
        return False  # who says so, and with which status, is behind the door
    return True
