"""The course of a check: which steps an endpoint has, in which order, and what rests on what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._cli._check._api import api
from gqlauth._cli._check._claims import claims
from gqlauth._cli._check._configured import configuration, wrong
from gqlauth._cli._check._discovery import discovery
from gqlauth._cli._check._methods import methods
from gqlauth._cli._check._step import Outcome, Step, skipped
from gqlauth._cli._check._subject import Subject
from gqlauth._cli._check._tls import tls
from gqlauth._cli._check._token import token
from gqlauth._cli._check._watched import WatchedService
from gqlauth._cli._failure import worst
from gqlauth._registry import NO_AUTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gqlauth._config import Endpoint
    from gqlauth.errors import Problem

_Work = Callable[[Subject], Awaitable[Outcome]]

#: By its name, what each step does, and the steps that it cannot do without.
STEPS: Final[dict[str, tuple[_Work, tuple[str, ...]]]] = {
    "configuration": (configuration, ()),
    "discovery": (discovery, ("configuration",)),
    "tls": (tls, ("configuration", "discovery")),
    "token": (token, ("configuration", "discovery", "tls")),
    "methods": (methods, ("configuration", "discovery", "tls")),
    "claims": (claims, ("configuration", "token")),
    "api": (api, ("configuration", "token")),
}


@attrs.frozen(kw_only=True)
class Checked:
    """An endpoint, and what its steps came to."""

    name: str
    #: Not known, as its type, of an endpoint that cannot be read.
    url: str = ""
    type: str = ""
    steps: Sequence[Step]

    @property
    def code(self) -> int:
        """Return the exit status that its steps stand for."""
        return worst(step.outcome.code for step in self.steps)


async def checked(endpoint: Endpoint, *, probe_methods: bool, within: float | None) -> Checked:
    """Return what each step of `endpoint` comes to; `within` bounds each, in seconds."""
    endpoint = _within(endpoint, within)
    steps: list[Step] = []
    # By the name of a step that did not go well: the one that is the cause.
    causes: dict[str, str] = {}
    async with WatchedService(endpoint) as service:
        subject = Subject(endpoint, service)
        for name in names(endpoint, probe_methods=probe_methods):
            work, needed = STEPS[name]
            cause = next((causes[one] for one in needed if one in causes), None)
            step = await _timed(name, work, subject) if cause is None else _kept_back(name, cause)
            steps.append(step)
            if step.outcome.state == "failed" or cause is not None:
                causes[name] = cause or name
    return _told(endpoint, steps)


def unusable(
    endpoint: Endpoint | None, name: str, problems: Sequence[Problem], *, probe_methods: bool
) -> Checked:
    """Return the same for an endpoint that cannot be used, or cannot even be read."""
    steps = [Step("configuration", 0.0, wrong(problems))]
    if endpoint is None:
        rest = ["token", "api"]
    else:
        _, *rest = names(endpoint, probe_methods=probe_methods)
    steps += [_kept_back(one, "configuration") for one in rest]
    return Checked(name=name, steps=steps) if endpoint is None else _told(endpoint, steps)


def names(endpoint: Endpoint, *, probe_methods: bool) -> Iterator[str]:
    """Yield the names of the steps that an endpoint has."""
    yield "configuration"
    if endpoint.auth is not None:
        strategy = endpoint.auth.strategy
        url, issuer = (getattr(strategy, name, None) for name in ("token_url", "issuer"))
        if issuer is not None and url is None:
            yield "discovery"
        if issuer is not None or url is not None:
            yield "tls"
        yield "token"
        if probe_methods and (issuer is not None or url is not None):
            yield "methods"
        yield "claims"
    yield "api"


def _told(endpoint: Endpoint, steps: Sequence[Step]) -> Checked:
    kind = NO_AUTH if endpoint.auth is None else endpoint.auth.type
    return Checked(name=endpoint.name, url=endpoint.url, type=kind, steps=steps)


async def _timed(name: str, work: _Work, subject: Subject) -> Step:
    begin = monotonic()
    outcome = await work(subject)
    return Step(name, monotonic() - begin, outcome)


def _kept_back(name: str, cause: str) -> Step:
    return Step(name, 0.0, skipped(f"as {cause} failed"))


def _within(endpoint: Endpoint, seconds: float | None) -> Endpoint:
    """Return `endpoint` with `seconds` for its own time-outs, if they are given."""
    if seconds is None:
        return endpoint
    auth = endpoint.auth
    if auth is not None:
        auth = attrs.evolve(auth, options=attrs.evolve(auth.options, timeout=seconds))
    return attrs.evolve(endpoint, timeout=seconds, auth=auth)
