"""One acquisition of a token: how it is got, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, Self

import anyio

from gqlauth._token import Token
from gqlauth.errors import Problem, StrategyError, TokenUnavailableError

if TYPE_CHECKING:
    from gqlauth.errors import GqlAuthError

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

    __slots__ = ("done", "error", "found", "token")

    def __init__(self) -> None:
        self.done = anyio.Event()
        #: Whether the token was there already, with another process.
        self.found = False
        self.token: Token | None = None
        self.error: GqlAuthError | None = None

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


async def fetched(acquisition: Acquisition) -> Token:
    """Return what `acquisition` brings in the time that it has.

    Raises:
        GqlAuthError: when it has none, or the time is over.

    """
    with anyio.move_on_after(acquisition.timeout) as scope:
        # Who fetches knows better what took so long, and has the last moments to say so.
        telling = min(TELLING, acquisition.timeout * TELLING_PART)
        token: object = await acquisition.fetch(scope.deadline - telling)
        if not isinstance(token, Token):  # a plugin's may be anything
            raise StrategyFailedError(f"the strategy gave no Token, but: {type(token).__name__}")
        return token
    raise TokenUnavailableError(f"no token within {acquisition.timeout:g} s")
