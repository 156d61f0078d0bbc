"""``gql config``: the configuration file itself."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gqlauth._cli import _load
from gqlauth._cli._failure import say, say_problem
from gqlauth._cli._globals import Globals, Group
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from gqlauth._config import Loaded


@click.group(cls=Group)
def config() -> None:
    """Find, check and begin a configuration file."""


@config.command()
@click.pass_obj
def path(settings: Globals) -> None:
    """Print which configuration file is used; -v tells why."""
    from gqlauth._cli._output import on_terminal  # noqa: PLC0415 - help needs none
    from gqlauth._config import load  # noqa: PLC0415 - the same
    from gqlauth._redact import escape_control  # noqa: PLC0415 - the same

    found = _load.found(settings)
    if not found.path.is_file():
        load(found)  # tells what is wrong with a file that was named
    where = found.path.absolute()
    # On to a program as bytes, as a path need not be text; a folder of somebody else's may be
    # called what drives a terminal.
    click.echo(escape_control(str(where)) if on_terminal() else os.fsencode(where))
    with suppress(ConfigError):  # that it is broken is not what was asked
        _say_distrust(load(found))


@config.command()
@click.pass_obj
def check(settings: Globals) -> None:
    """Tell everything that is wrong in the configuration.

    No secret is read and no command run; a variable that is not set and a file that is not there
    are told, unless the file is not trusted. Exits with 2 if something is wrong.
    """
    found = _load.loaded(settings)
    # Even to look whether a file is there would be to do what this one says.
    problems = found.problems if found.distrust else (*found.problems, *found.config.check())
    _say_distrust(found)
    if problems:
        raise ConfigError(*problems)
    count = len(found.config.endpoints) + len(found.broken)
    click.echo(f"ok: {count} endpoint{'' if count == 1 else 's'}")


@config.command()
@click.argument("path", type=click.Path(path_type=Path), default="gqlauth.toml")
def init(path: Path) -> None:
    """Write a configuration file to begin with, full of comments.

    PATH is gqlauth.toml in the working directory, unless it is named. No file is overwritten.
    """
    from gqlauth._config import trust_initial, write_initial  # noqa: PLC0415 - help needs none

    target = path / "gqlauth.toml" if path.is_dir() else path
    write_initial(target)
    say(f"wrote {target}", hint="fill it in, then: gql config trust; gql auth status --check")
    try:
        trust_initial(target)
    except ConfigError as error:
        say(str(error))


@config.command()
@click.pass_obj
def trust(settings: Globals) -> None:
    """Trust the configuration file that is found, as it is now, and tell what it does.

    A file of a project decides which commands run here and where secrets go, so none is used
    before. A change of what it does asks for trust again. A file that --config or $GQLAUTH_CONFIG
    names, and your own, need none.
    """
    from gqlauth._config import read  # noqa: PLC0415 - help needs none
    from gqlauth._config._deeds import deeds  # noqa: PLC0415 - the same
    from gqlauth._config._trust import trust as remember  # noqa: PLC0415 - the same

    document = read(_load.found(settings).path)
    remember(document)
    for deed in deeds(document):
        say_problem(deed)
    say(f"trusted {document.path.absolute()}")


@config.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, by which editors complete and check it."""
    from gqlauth._config._schema import (  # noqa: PLC0415 - help needs none
        schema as configuration_schema,
    )

    click.echo(json.dumps(configuration_schema(), indent=2))


def _say_distrust(found: Loaded) -> None:
    for problem in found.distrust[:1]:
        say_problem(problem)
