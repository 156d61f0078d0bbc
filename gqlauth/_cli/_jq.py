"""``--jq``: filter an answer by a jq program, with the library of the extra ``gqlauth[jq]``."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import click

from gqlauth._cli._failure import USAGE, Failure


class Filter:
    """A jq program, compiled before anything is sent."""

    def __init__(self, program: str) -> None:
        """Compile `program`.

        Raises:
            click.UsageError: when it does not compile.
            Failure: when the library is not installed.

        """
        try:
            jq: Any = import_module("jq")
        except ImportError as error:
            raise Failure(
                "--jq needs an extra that is not installed",
                USAGE,
                hint='pip install "gqlauth[jq]"',
            ) from error
        try:
            self._program = jq.compile(program)
        except ValueError as error:
            raise click.UsageError(f"--jq: {_told(error)}") from error

    def lines(self, text: str) -> list[str]:
        """Return what comes out for the JSON `text`: strings raw, all else as a line of JSON.

        Raises:
            Failure: when the program fails on it.

        """
        try:
            values = self._program.input_text(text).all()
        except ValueError as error:
            raise Failure(f"--jq: {_told(error)}") from error
        return [value if isinstance(value, str) else _json(value) for value in values]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _told(error: ValueError) -> str:
    """Return jq's own words: what is wrong, without the picture below it."""
    first = str(error).partition("\n")[0]
    return first.removeprefix("jq: ").removeprefix("error: ").rstrip(":")
