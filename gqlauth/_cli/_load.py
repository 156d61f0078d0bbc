"""The configuration that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth import _log

if TYPE_CHECKING:
    from gqlauth._cli._globals import Globals
    from gqlauth._config import Config, Endpoint, Found, Loaded


def found(settings: Globals) -> Found:
    """Find the configuration file; with -v, say which it is and why.

    Raises:
        ConfigError: when there is none.

    """
    from gqlauth._config import find  # noqa: PLC0415 - help needs none

    first = find(settings.config)
    _log.info("configuration found", file=str(first.path), by=first.origin)
    return first


def loaded(settings: Globals) -> Loaded:
    """Find and read the configuration; what is wrong in it stands beside what is sound.

    Raises:
        ConfigError: when there is no file, or it cannot be read.

    """
    from gqlauth._config import load  # noqa: PLC0415 - help needs none

    return load(found(settings))


def config(settings: Globals) -> Config:
    """Find and read the configuration, for who needs all of it sound.

    Raises:
        ConfigError: when there is none, or with all that is wrong in it.

    """
    return loaded(settings).require()


def token_host(endpoint: Endpoint) -> str:
    """Return whom a token of `endpoint` is got from, such as ``token endpoint id.example.com``."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - help waits for nobody

    url = getattr(endpoint.auth.strategy, "token_url", None) if endpoint.auth else None
    return f"token endpoint {urlsplit(url).netloc.rpartition('@')[2]}" if url else "a token"
