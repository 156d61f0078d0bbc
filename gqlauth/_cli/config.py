"""``gql config``: the configuration file itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from gqlauth._cli import _load
from gqlauth._cli._failure import say
from gqlauth._cli._globals import Globals, Group
from gqlauth.errors import ConfigError


@click.group(cls=Group)
def config() -> None:
    """Find, check and begin a configuration file."""


@config.command()
@click.pass_obj
def path(settings: Globals) -> None:
    """Print which configuration file is used; -v tells why."""
    from gqlauth._config import load  # noqa: PLC0415 - help needs none

    found = _load.found(settings)
    if not found.path.is_file():
        load(found)  # tells what is wrong with a file that was named
    # As bytes: a path need not be text.
    click.echo(os.fsencode(found.path.absolute()))


@config.command()
@click.pass_obj
def check(settings: Globals) -> None:
    """Tell everything that is wrong in the configuration.

    No secret is read and no command run; a variable that is not set and a file that is not there
    are told. Exits with 2 if something is wrong.
    """
    found = _load.loaded(settings)
    problems = (*found.problems, *found.config.check())
    if problems:
        raise ConfigError(*problems)
    count = len(found.config.endpoints)
    click.echo(f"ok: {count} endpoint{'' if count == 1 else 's'}")


@config.command()
@click.argument("path", type=click.Path(path_type=Path), default="gqlauth.toml")
def init(path: Path) -> None:
    """Write a configuration file to begin with, full of comments.

    PATH is gqlauth.toml in the working directory, unless it is named. No file is overwritten.
    """
    from gqlauth._config import write_initial  # noqa: PLC0415 - help needs none

    target = path / "gqlauth.toml" if path.is_dir() else path
    write_initial(target)
    say(f"wrote {target}", hint="fill it in, then: gql auth status --check")


@config.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, by which editors complete and check it."""
    from gqlauth._config._schema import (  # noqa: PLC0415 - help needs none
        schema as configuration_schema,
    )

    click.echo(json.dumps(configuration_schema(), indent=2))
