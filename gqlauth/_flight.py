"""One acquisition of a token: how it is got, and what it comes to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol, Self

import anyio

from gqlauth._causes import in_words
from gqlauth._token import Token
from gqlauth.errors import GqlAuthError, Problem, StrategyError, TokenUnavailableError

if TYPE_CHECKING:
    from gqlauth.events import CacheState

#: Seconds of the time of an acquisition that are kept for telling why it failed: at most, and as
#: a part of it.
TELLING: Final = 0.1
TELLING_PART: Final = 1 / 10


class Acquisition(Protocol):
    """How the token of a key is got."""

    @property
    def name(self) -> str:
        """Return the name of the endpoint that asks, for errors."""

    @property
    def timeout(self) -> float:
        """Return the seconds that getting it may take in all."""

    @property
    def refresh_window(self) -> float | None:
        """Return the seconds before the end in which it is refreshed; None for the usual."""

    async def fetch(self, deadline: float) -> Token:
        """Return a new token, by `deadline` in the event loop's own time."""


class StrategyFailedError(StrategyError):
    """A strategy failed in a way that it should not: each who asked is told in its own name."""

    def for_endpoint(self, name: str) -> Self:
        """Return a copy of its own for one caller, who asked in the name of an endpoint."""
        copy = super().for_endpoint(name)
        copy.problems = copy.args = (Problem(f"{name}: {self}"),)
        return copy


class Flight:
    """One acquisition under way, and what it comes to."""

    __slots__ = ("cache", "done", "error", "found", "started", "token")

    def __init__(self) -> None:
        self.done = anyio.Event()
        #: What there was when it began, and when that was, by the monotonic clock.
        self.cache: CacheState = "empty"
        self.started = 0.0
        #: Whether the token was there already, with another process.
        self.found = False
        self.token: Token | None = None
        self.error: GqlAuthError | None = None

    @property
    def waiting(self) -> int:
        """Return how many wait for it."""
        return self.done.statistics().tasks_waiting

    async def landed(self, name: str) -> Token:
        """Return the token, once it is there, to one who asks in the name of an endpoint.

        Raises:
            GqlAuthError: what it failed with: each its copy.
            ServiceClosedError: when the cache stops.

        """
        await self.done.wait()
        return self.outcome(name)

    def outcome(self, name: str) -> Token:
        """Return what it came to, when it is `done`; raise as `landed` does."""
        if self.token is not None:
            return self.token
        assert self.error is not None
        raise self.error.for_endpoint(name)


async def fetched(acquisition: Acquisition, wall: float, monotonic: float) -> Token:
    """Return what `acquisition` brings, asked for at these times of both clocks.

    Raises:
        GqlAuthError: when it brings none in the time that it has, whatever the reason.

    """
    try:
        return (await _brought(acquisition)).issued(wall, monotonic)
    except GqlAuthError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything; it is told
        broken = StrategyFailedError(f"the strategy failed: {in_words(error)}")
        broken.__cause__ = error
    except anyio.get_cancelled_exc_class():
        if anyio.current_effective_deadline() == -math.inf:  # the cache stops
            raise
        # On asyncio, who awaits what was cancelled is cancelled, too: that would end all flights,
        # and the service with them.
        broken = StrategyFailedError("the strategy failed: it was cancelled from within")
    raise broken


async def _brought(acquisition: Acquisition) -> Token:
    with anyio.move_on_after(acquisition.timeout) as scope:
        # Who fetches knows better what took so long, and has the last moments to say so.
        telling = min(TELLING, acquisition.timeout * TELLING_PART)
        token: object = await acquisition.fetch(scope.deadline - telling)
        if not isinstance(token, Token):  # a plugin's may be anything
            raise StrategyFailedError(f"the strategy gave no Token, but: {type(token).__name__}")
        return token
    raise TokenUnavailableError(f"no token within {acquisition.timeout:g} s")
