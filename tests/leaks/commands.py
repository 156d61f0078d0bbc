"""Every command of ``gql``, with every option: what the harness runs in each state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gqlauth._cli._gql import gql
from tests.leaks.canaries import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGES: Final = "query($endCursor: String) { me(after: $endCursor) { pageInfo { hasNextPage } } }"
UPLOAD: Final = "mutation($file: Upload!) { add(file: $file) { id } }"
ASK: Final = "query Me($id: ID) { me { id } }"
WATCH: Final = "subscription { me { id } }"

#: How each command is run, by its name; the first of each at every verbosity.
COMMANDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "api": (
        (ASK,),
        (ASK, "-e", "posted", "-i"),
        (ASK, "-e", "raw", "--jq", ".data"),
        (ASK, "-e", "bearer", "--include", "--allow-partial"),
        (ASK, "--endpoint", "basic", "--silent"),
        (ASK, "-e", "header", "-o", "Me", "-f", "id=1", "-F", "first=2"),
        (ASK, "-e", "public", "--variables", '{"id": "1"}', "--operation", "Me"),
        (ASK, "--no-auth", "--timeout", "1"),
        (ASK, "-e", "http://127.0.0.1:9/graphql", "--dry-run"),
        (ASK, "--dry-run"),
        (ASK, "-e", "basic", "--dry-run", "-q", "."),
        (ASK, "-e", "header", "--dry-run", "-H", f"Authorization: Bearer {PLAIN.text}"),
        (ASK, "-e", "public", "-H", f"Authorization: Bearer {PLAIN.text}"),
        (ASK, "-e", "nowhere"),
        (PAGES, "--paginate", "--slurp"),
        (UPLOAD, "-F", "file=@gqlauth.toml"),
        (UPLOAD, "-e", "header", "-F", "file=@gqlauth.toml", "--dry-run"),
        (WATCH, "--include"),
        (WATCH, "-e", "raw", "--jq", ".data"),
        (WATCH, "-e", "header", "--dry-run"),
    ),
    "auth check": (
        ("--json", "--probe-methods"),
        (),
        ("-e", "orders", "--timeout", "1"),
        ("--endpoint", "public"),
    ),
    "auth clear": ((), ("-e", "orders"), ("--endpoint", "nowhere")),
    "auth status": (
        ("--json",),
        (),
        ("--check",),
        ("--check", "--json"),
        ("-e", "orders", "--check"),
        ("--endpoint", "public"),
    ),
    "auth token": (
        (),
        ("-e", "posted", "--min-ttl", "7200"),
        ("-e", "basic", "--format", "json"),
        ("--endpoint", "header", "--format", "header", "--refresh"),
        ("-e", "public"),
    ),
    "auth types": ((),),
    "completion": (("bash",), ("zsh",), ("fish",)),
    "config check": ((),),
    "config init": ((), ("new.toml",)),
    "config path": ((),),
    "config schema": ((),),
    "config trust": ((),),
}

#: The options that stand with every command, and how they are given.
EVERYWHERE: Final[dict[str, tuple[str, ...]]] = {
    "silent": ("--config", "gqlauth.toml"),
    "-v": ("-v", "--log-format", "json"),
    "-vv": ("-vv", "--color", "always"),
    "-vvv": ("-vvv",),
    "-vvv as JSON": ("-vvv", "--log-format", "json"),
}
#: At this one, each command is run in all of its ways.
THOROUGH: Final = "-vvv"
#: These ask servers; what others say does not depend on any.
ASKING: Final = ("api", "auth check", "auth status", "auth token")


def lines(verbosity: str, names: Iterable[str] = COMMANDS) -> Iterator[tuple[str, ...]]:
    """Give the arguments of each run at a verbosity."""
    for name in names:
        ways = COMMANDS[name]
        for way in ways if verbosity == THOROUGH else ways[:1]:
            yield (*name.split(), *way, *EVERYWHERE[verbosity])


def leaves(command: click.Command = gql, name: str = "") -> dict[str, click.Command]:
    """Return the commands that there are, by their names."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found: dict[str, click.Command] = {}
    for part in command.list_commands(context):
        child = command.get_command(context, part)
        assert child is not None
        found |= leaves(child, f"{name} {part}".strip())
    return found


def uncovered(known: dict[str, click.Command]) -> set[str]:
    """Return the commands and options of `known` that the harness does not run."""
    missing = known.keys() ^ COMMANDS.keys()
    for name in known.keys() & COMMANDS.keys():
        given = {word for way in COMMANDS[name] for word in way}
        given |= {word for way in EVERYWHERE.values() for word in way}
        for parameter in known[name].params:
            spellings = {*parameter.opts, *parameter.secondary_opts}
            if isinstance(parameter, click.Option) and not spellings & given:
                missing |= {f"{name} {parameter.opts[-1]}"}
    return missing
