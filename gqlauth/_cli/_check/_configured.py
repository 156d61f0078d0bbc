"""The configuration, as it is used: its secrets are read, and forgotten at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from gqlauth._cli._check._step import Outcome
from gqlauth._cli._failure import USAGE, clean
from gqlauth.errors import ConfigError, SecretError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gqlauth._cli._check._subject import Subject
    from gqlauth._config import Endpoint
    from gqlauth.errors import Problem


async def configuration(subject: Subject) -> Outcome:
    """Read each secret, look for each file, and make what the requests go over."""
    endpoint = subject.endpoint
    limit = endpoint.timeout if endpoint.auth is None else endpoint.auth.options.timeout
    problems: list[Problem] = []
    with anyio.move_on_after(limit) as scope:
        problems = await _problems(endpoint) or await _unusable(subject)
    if scope.cancelled_caught:
        return Outcome(
            state="failed",
            detail=f"the secrets cannot be read within {limit:g} s",
            hint="do they want somebody to sign in first? --timeout gives them longer",
            code=USAGE,
        )
    if problems:
        return wrong(problems)
    sources = list(dict.fromkeys(clean(secret.source) for secret in endpoint.secrets()))
    lines = [_what(endpoint)]
    if sources:
        lines.append(f"{'secret' if len(sources) == 1 else 'secrets'} {', '.join(sources)}")
    return Outcome(detail="\n".join(lines), facts={"secret_sources": sources})


def wrong(problems: Iterable[Problem]) -> Outcome:
    """Return what becomes of a configuration that is wrong."""
    told = "\n".join(clean(line) for problem in problems for line in str(problem).splitlines())
    return Outcome(state="failed", detail=told, code=USAGE)


async def _problems(endpoint: Endpoint) -> list[Problem]:
    problems: dict[Problem, None] = {}
    for secret in endpoint.secrets():
        try:
            # What can be told without reading it, is told in the same words as below.
            secret.check()
            await secret.resolve()
        except SecretError as error:
            problems |= dict.fromkeys(error.problems)
    return list(problems | dict.fromkeys(endpoint.problems()))


async def _unusable(subject: Subject) -> list[Problem]:
    """Return what keeps certificates, or the environment's proxies, from being used."""
    endpoint = subject.endpoint
    try:
        # As this is no time of any server's.
        async with subject.service.client(endpoint.name):
            pass
        where = endpoint.auth and (subject.issuer or subject.configured_url)
        if where:
            await subject.service.http(where, subject.auth.strategy, subject.auth.options)
    except ConfigError as error:
        return list(error.problems)
    return []


def _what(endpoint: Endpoint) -> str:
    auth = endpoint.auth
    if auth is None:
        return "no authentication: requests go out bare"
    client = getattr(auth.strategy, "client_id", None)
    return auth.type if client is None else clean(f"{auth.type} as {client}")
