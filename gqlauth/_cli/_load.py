"""The configuration that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth import _log

if TYPE_CHECKING:
    from gqlauth._cli._globals import Globals
    from gqlauth._config import Config, Loaded


def loaded(settings: Globals) -> Loaded:
    """Find and read the configuration; what is wrong in it stands beside what is sound.

    Raises:
        ConfigError: when there is no file, or it cannot be read.

    """
    from gqlauth._config import find, load  # noqa: PLC0415 - help and completion need none

    found = find(settings.config)
    _log.info("configuration found", file=str(found.path), by=found.origin)
    return load(found)


def config(settings: Globals) -> Config:
    """Find and read the configuration, for who needs all of it sound.

    Raises:
        ConfigError: when there is none, or with all that is wrong in it.

    """
    return loaded(settings).require()
