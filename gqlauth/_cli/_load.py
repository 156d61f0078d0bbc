"""The configuration that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from gqlauth import _log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gqlauth._cli._globals import Globals
    from gqlauth._config import Config, Endpoint, Found, Loaded
    from gqlauth.errors import Problem

#: Endpoints that are checked at a time.
ABREAST: Final = 10
#: What is told of an endpoint whose file nobody has said is trusted.
UNTRUSTED: Final = 'not trusted: the file of this project wants "gql config trust"'


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


@attrs.frozen
class Chosen:
    """What a command is about that shows one endpoint, or all, be they sound or not."""

    sound: tuple[Endpoint, ...]
    #: Those that cannot be read, each with what is wrong with it, as it stands in the file.
    broken: Mapping[str, tuple[Problem, ...]]
    #: What else keeps the file from being used.
    others: tuple[Problem, ...]


def chosen(found: Loaded, name: str | None) -> Chosen:
    """Return the endpoint called `name`, or all, and what is wrong in the file.

    Raises:
        ConfigError: when there is no such endpoint, not even a broken one.

    """
    endpoints = found.config.endpoints
    names = (*endpoints, *found.broken)
    if name is not None and names and name not in names:
        from gqlauth._config import unknown_endpoint  # noqa: PLC0415 - help needs none

        raise unknown_endpoint(name, names)
    broken = {one: told for one, told in found.broken.items() if name in {None, one}}
    if name is None:
        sound = tuple(endpoints.values())
    else:
        sound = () if broken else (found.config.endpoint(name),)
    told = {problem for problems in broken.values() for problem in problems}
    return Chosen(
        sound,
        {
            one: tuple(problem for problem in found.problems if problem in problems)
            for one, problems in broken.items()
        },
        (*(problem for problem in found.problems if problem not in told), *found.distrust),
    )


def token_host(endpoint: Endpoint) -> str:
    """Return whom a token of `endpoint` is got from, such as ``token endpoint id.example.com``."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - help waits for nobody

    url = getattr(endpoint.auth.strategy, "token_url", None) if endpoint.auth else None
    return f"token endpoint {urlsplit(url).netloc.rpartition('@')[2]}" if url else "a token"


def issuer_of(endpoint: Endpoint) -> str | None:
    """Return who says where tokens of `endpoint` are asked for, if that is discovered."""
    return getattr(endpoint.auth.strategy, "issuer", None) if endpoint.auth else None


def token_hosts(endpoints: Iterable[Endpoint]) -> str:
    """Return the same of several endpoints: the one that all share, or how many there are."""
    hosts = {token_host(endpoint) for endpoint in endpoints}
    return hosts.pop() if len(hosts) == 1 else f"{len(hosts)} token endpoints"
