"""Which endpoint ``gql api`` asks: one that is configured, or a bare URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gqlauth import _log
from gqlauth._cli._load import config
from gqlauth._config import Config, Endpoint, find
from gqlauth._config._urls import url_problem
from gqlauth._http import httpx
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from gqlauth._cli._globals import Globals


def is_url(wanted: str | None) -> bool:
    """Tell whether what ``-e`` says is a URL, and no name."""
    return wanted is not None and "://" in wanted


def target(settings: Globals, wanted: str | None) -> tuple[Config, Endpoint]:
    """Return the endpoint that is meant, and a configuration that has it.

    Raises:
        ConfigError: when there is none, or the configuration is wrong.
        click.UsageError: when it is no URL.

    """
    if wanted is None or not is_url(wanted):
        found = config(settings)
        return found, found.endpoint(wanted)
    return _target_of_url(settings, wanted)


def _target_of_url(settings: Globals, url: str) -> tuple[Config, Endpoint]:
    # No token goes there, so http will do.
    problem = url_problem(url, insecure=True)
    if problem is not None:
        raise click.UsageError(f"-e: this {problem}")
    try:
        find(settings.config)
    except ConfigError:  # there is none, and none was named
        found = Config()
    else:
        found = config(settings)
    place = httpx.URL(url)
    for endpoint in found.endpoints.values():
        if httpx.URL(endpoint.url) == place:
            return found, endpoint
    _log.info("no endpoint has this URL, so it gets no token", url=url)
    bare = Endpoint(name=place.netloc.decode("ascii"), url=url)
    return Config(endpoints={bare.name: bare}), bare
