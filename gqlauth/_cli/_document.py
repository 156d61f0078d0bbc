"""The question of ``gql api``: the document, and which of its operations is meant."""

from __future__ import annotations

from typing import Any, Final

import click

from gqlauth._cli._inputs import STDIN, Inputs, stdin_is_terminal
from gqlauth._graphql import operations

_MISSING: Final = (
    "what is to be asked? Give QUERY as gql api '{ me { id } }', @FILE, or - for standard input"
)


def document(argument: str | None, fields: dict[str, Any], inputs: Inputs) -> str:
    """Return the document: QUERY, or the field ``query`` (which is taken out), or standard input.

    Raises:
        click.UsageError: when there is none.

    """
    if argument is None and "query" in fields:
        text = fields.pop("query")
        if not isinstance(text, str):
            raise click.UsageError("query: a GraphQL document belongs here")
    elif argument is None:
        if stdin_is_terminal() or inputs.stdin_is_taken:
            raise click.UsageError(_MISSING)
        text = inputs.read(STDIN, "QUERY")
    elif argument == STDIN or argument.startswith("@"):
        text = inputs.read(argument.removeprefix("@"), "QUERY")
    else:
        text = argument
    if not text.strip():
        raise click.UsageError(f"the query is empty: {_MISSING}")
    if "{" not in text:
        word = text.strip()
        meant = f"; a file is given as @{word}" if len(word.split()) == 1 else ""
        raise click.UsageError(f"QUERY: this is no GraphQL document{meant}")
    return str(text)


def operations_of(argument: str | None) -> list[str]:
    """Return the names of the operations of a QUERY, for a shell: none where that is not there."""
    if argument is None or argument in {STDIN, f"@{STDIN}"}:
        return []
    try:
        is_file = argument.startswith("@")
        text = Inputs().read(argument.removeprefix("@"), "QUERY") if is_file else argument
    except click.UsageError:
        return []  # a shell that completes has nowhere to show what is wrong
    return [name for _, name in operations(text) if name]


def operation_name(text: str, name: str | None) -> str | None:
    """Return the ``operationName`` to send with the document `text`, where `name` was asked for.

    What cannot be read for sure goes to the server, whose business it is.

    Raises:
        click.UsageError: when it is not clear which operation is meant, or when there is none of
            that name.

    """
    found = operations(text)
    if not found:
        return name
    listed = ", ".join(f"{own_name or '(unnamed)'} ({kind})" for kind, own_name in found)
    meant = [kind for kind, own_name in found if name in {None, own_name}]
    if not meant:
        raise click.UsageError(f'no operation "{name}" in the document, which has {listed}')
    if len(meant) > 1:
        raise click.UsageError(f"which operation? Choose with -o NAME; the document has {listed}")
    return name
