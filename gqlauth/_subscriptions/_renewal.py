"""When a connection is renewed, and with which token: before that of the old one ends."""

from __future__ import annotations

import asyncio
import math
import random
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeVar

import attrs

from gqlauth import _log
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from gqlauth._clock import Clock
    from gqlauth._config import Endpoint
    from gqlauth._service import AuthService
    from gqlauth._source import Source
    from gqlauth._subscriptions._opening import Failures
    from gqlauth._token import Token

L = TypeVar("L")
L_co = TypeVar("L_co", covariant=True)
L_contra = TypeVar("L_contra", contravariant=True)

#: A connection is renewed so many seconds before its token ends, or this part of its life,
#: whichever is less; and up to so much of that earlier, so that a fleet does not come at once.
#: Servers count in whole seconds, which is much of a short life.
LEAD: Final = 60.0
LEAD_PART: Final = 1 / 2
JITTER: Final = 0.2
#: Seconds until it is tried again where that failed, at first, and at the most as they double.
SHORTEST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
#: Seconds for which two connections serve a subscription, at the most, until the new one brings
#: an event; and at the most this part of what is left of the old one's token.
LONGEST_OVERLAP: Final = 10.0
OVERLAP_PART: Final = 1 / 2


class Opens(Protocol[L_co]):
    """Opens connections to an endpoint."""

    @property
    def name(self) -> str:
        """Return what errors call the endpoint."""
        ...

    @property
    def failures(self) -> Failures:
        """Return what is raised where that fails."""
        ...

    async def open(self, token: Token) -> L_co:
        """Return a connection that was opened with `token`, or with what took its place."""
        ...


class Moves(Protocol[L_contra]):
    """What is served by connections, one after the other."""

    @property
    def token(self) -> Token | None:
        """Return what the connection that serves was opened with."""
        ...

    async def take_over(self, new: L_contra, overlap: float) -> int:
        """Be served by `new`, after `overlap` seconds at the most; return how many moved there."""
        ...


@attrs.frozen
class Renewal:
    """Renews the connections of one endpoint, or only says which token they are opened with."""

    source: Source
    clock: Clock

    @classmethod
    def of(cls, service: AuthService, endpoint: Endpoint) -> Self | None:
        """Return that of an endpoint of `service`; None where requests go out bare."""
        if endpoint.auth is None:
            return None
        # Of the same house, both.
        return cls(service._sources.of(endpoint.name), service._clock)  # noqa: SLF001

    async def token(self, old: Token | None = None) -> Token:
        """Return a token that need not be renewed at once, and is not `old`, if there is one.

        Raises:
            GqlAuthError: when there is none at all.

        """
        token = self.source.fresh() or await self.source.token()
        again = old is not None and token.same_text(old)
        if again or self._left(token) <= _lead(token):
            token = await self.source.token(renew=True)
        return token

    async def run(self, line: Moves[L], opener: Opens[L], patience: float | None) -> None:
        """Renew the connection whenever its token is about to end, each time within `patience`."""
        failures = 0
        while (token := line.token) is not None and self._left(token) < math.inf:
            await self.clock.sleep(self._pause(token, failures))
            failures += 1
            try:
                another = await self.token(token)
                if another.same_text(token):
                    continue  # it is tried again later
                async with asyncio.timeout(patience):
                    link = await opener.open(another)
                overlap = min(LONGEST_OVERLAP, self._left(token) * OVERLAP_PART)
                moved = await line.take_over(link, overlap)
            except (GqlAuthError, opener.failures.any, TimeoutError) as error:
                _log.warning(
                    "the connection could not be renewed",
                    endpoint=opener.name,
                    error=str(error) or type(error).__name__,
                    left=self._left(token),
                )
            else:
                failures = 0
                _log.info("connection renewed", endpoint=opener.name, subscriptions=moved)

    def _left(self, token: Token) -> float:
        """Return the seconds until a token ends, by the clock that says so earlier."""
        if token.expires_in is None or token.expires_at is None:
            return math.inf
        return min(
            token.expires_at - self.clock.wall(),
            token.issued_monotonic + token.expires_in - self.clock.monotonic(),
        )

    def _pause(self, token: Token, failures: int) -> float:
        """Return the seconds until a connection that was opened with `token` is renewed.

        After `failures` these are half of what is left, or as many as such a pause may last.
        """
        left = self._left(token)
        if failures:
            return max(left / 2, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2.0 ** min(failures, 10)))
        lead = _lead(token) * random.uniform(1, 1 + JITTER)  # noqa: S311 - no secret
        return max(SHORTEST_PAUSE, left - lead)


def _lead(token: Token) -> float:
    return min(LEAD, (token.expires_in or math.inf) * LEAD_PART)
