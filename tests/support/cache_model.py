"""A `TokenCache` among real tasks, and what must hold whatever the schedule is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel
import attrs

from gqlauth import GqlAuthError, ServiceClosedError, Token, TokenRefusedError
from gqlauth.errors import TokenUnavailableError
from gqlauth.testing import FrozenClock
from tests.support.cache_steps import (
    KEYS,
    RECENT,
    Cancel,
    Forget,
    Get,
    Invalidate,
    Land,
    Move,
    Pause,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._cache import TokenCache
    from tests.support.cache_steps import Outcome, Step
#: Less than there are keys, so that some are dropped.
ROOM: Final = 2
#: Seconds for which a failure may be remembered.
MEMORY: Final[dict[Outcome, float]] = {
    "refused": 5.0,
    "unavailable": 30.0,
    "later": 120.0,
    "broken": 5.0,
}
#: Rounds of the event loop after which nothing goes on by itself.
ROUNDS: Final = 12


@attrs.define(eq=False)
class Flight:
    """One acquisition, as the strategy sees it."""

    key: str
    began: int
    wall: float
    monotonic: float
    go: anyio.Event = attrs.field(factory=anyio.Event)
    outcome: Outcome = "token"
    life: float | None = None
    #: When it ended; None while it is under way.
    ended: int | None = None
    failed_at: float = 0.0
    token: Token | None = None
    error: BaseException | None = None

    @property
    def text(self) -> str:
        """Return what tells its token, or its error, from others."""
        return f"<{self.key}{self.began}>"


@attrs.define(eq=False)
class Caller:
    """One who asks for a token."""

    key: str
    number: int
    renew: bool
    #: When it asked.
    began: int = 0
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    done: bool = False
    cancelled: bool = False


class World:
    """What surrounds a cache, and what it sees of it that must not be."""

    def __init__(self, cache: Callable[..., TokenCache]) -> None:
        self.clock = FrozenClock()
        self.cache = cache(clock=self.clock, max_entries=ROOM, jitter=lambda: 0.0)
        self.wrong: list[str] = []
        self.closed = False
        self._moment = 0
        self._flights: list[Flight] = []
        self._callers: list[Caller] = []
        self._errors: list[BaseException] = []
        #: When the API refused what, unless it was forgotten since.
        self._refused: dict[str, list[tuple[int, str]]] = {key: [] for key in KEYS}

    async def play(self, schedule: list[Step]) -> None:
        """Play `schedule`, then close, and see that nobody is left."""
        async with anyio.create_task_group() as tasks:
            await self.cache.start()
            for step in schedule:
                await self._do(step, tasks)
                self._look()
            self.closed = True
            await self.cache.stop()
            await _rounds(ROUNDS)
            self._check(all(one.done for one in self._callers), "left behind when it closed")
            self._check(all(one.ended for one in self._flights), "flies on when it is closed")
            tasks.cancel_scope.cancel()

    async def _do(self, step: Step, tasks: anyio.abc.TaskGroup) -> None:  # noqa: C901 - a table
        self._now()
        match step:
            case Get(key, renew):
                caller = Caller(key, len(self._callers), renew)
                self._callers.append(caller)
                tasks.start_soon(self._call, caller)
            case Cancel(which):
                waiting = [one for one in self._callers if not one.done]
                if waiting:
                    caller = waiting[which % len(waiting)]
                    caller.cancelled = True
                    caller.scope.cancel()
            case Land(key, outcome, life):
                for flight in self._under_way(key):
                    flight.outcome, flight.life = outcome, life
                    flight.go.set()
            case Invalidate(key, which):
                tokens = self._tokens(key)[-RECENT:]
                if tokens:
                    token = tokens[which % len(tokens)]
                    self._refused[key].append((self._now(), token.reveal()))
                    self.cache.invalidate(key, token)
            case Forget(key):
                self._refused[key].clear()
                self.cache.forget(key)
            case Move(wall, monotonic):
                self.clock.now_wall += wall
                self.clock.now_monotonic += monotonic
            case Pause(settle):
                await _rounds(ROUNDS if settle else 1)
                if settle:
                    self._nobody_waits_for_nothing()

    async def fetch(self, key: str, _deadline: float) -> Token:
        """Do what a strategy does: take its time, and bring a token or an error."""
        self._check(not self._under_way(key), "two flights of one key")
        flight = Flight(key, self._now(), self.clock.wall(), self.clock.monotonic())
        self._flights.append(flight)
        try:
            await flight.go.wait()
        except anyio.get_cancelled_exc_class():
            self._check(self.closed, "a flight is cancelled")
            raise
        finally:
            flight.ended = self._now()
            flight.failed_at = self.clock.monotonic()
        if (error := self._failure(flight)) is not None:
            flight.error = error
            raise error
        earlier = self._tokens(key)
        again = flight.outcome == "same" and bool(earlier)
        text = earlier[-1].reveal() if again else flight.text
        flight.token = Token(text, expires_in=flight.life)
        return flight.token

    def _failure(self, flight: Flight) -> Exception | None:
        match flight.outcome:
            case "refused":
                return TokenRefusedError(flight.text)
            case "unavailable":
                return TokenUnavailableError(flight.text)
            case "later":
                return TokenUnavailableError(flight.text, retry_after=MEMORY["later"])
            case "broken":
                return KeyError(flight.text)
            case _:
                return None

    async def _call(self, caller: Caller) -> None:
        with caller.scope:
            caller.began = self._now()
            try:
                token = await self.cache.get(
                    caller.key, Asked(self, caller.key, str(caller.number)), renew=caller.renew
                )
            except ServiceClosedError:
                self._check(self.closed, "told of a close that did not come")
            except GqlAuthError as error:
                self._raised(caller, error)
            else:
                self._served(caller, token)
            caller.done = True
        self._check(caller.done or caller.cancelled or self.closed, "cancelled with another")
        caller.done = True

    def _served(self, caller: Caller, token: Token) -> None:
        flight = next(one for one in self._flights if one.token is token)
        assert flight.ended is not None
        if flight.ended < caller.began:
            self._check(not caller.renew, "an old token for who asked for a new one")
            self._from_cache(caller.key, token)
        else:  # who waited gets it, however short it lives, and whatever was said meanwhile
            self._check(flight.key == caller.key, "the token of another key")

    def _from_cache(self, key: str, token: Token) -> None:
        flight = next(one for one in self._flights if one.token is token)
        self._check(flight.key == key, "the token of another key")
        age = max(
            self.clock.wall() - flight.wall,
            self.clock.monotonic() - flight.monotonic,
        )
        self._check(flight.life is None or age < flight.life, "an expired token")
        refused = any(
            text == token.reveal() and moment > flight.began for moment, text in self._refused[key]
        )
        self._check(not refused, "a refused token")

    def _raised(self, caller: Caller, error: GqlAuthError) -> None:
        self._check(all(error is not one for one in self._errors), "one error for two")
        self._errors.append(error)
        told = [one for one in self._flights if one.error is not None and one.text in str(error)]
        if [one.key for one in told] != [caller.key]:
            self.wrong.append("the error of another key")
            return
        flight = told[0]
        self._check(f"{caller.number}: " in str(error), "an error in another's name")
        self._check(error is not flight.error, "one error for two")
        assert flight.ended is not None
        if flight.ended < caller.began:
            age = self.clock.monotonic() - flight.failed_at
            self._check(age < MEMORY[flight.outcome], "a failure remembered for too long")

    def _look(self) -> None:
        """See what the cache would give at once."""
        for key in KEYS:
            for token in (self.cache.fresh(key), self.cache.usable(key)):
                if token is not None:
                    self._from_cache(key, token)
        flying = sum(one.ended is None for one in self._flights)
        starting = sum(not one.done for one in self._callers)
        self._check(len(self.cache._entries) <= ROOM + flying + starting, "too much is kept")

    def _nobody_waits_for_nothing(self) -> None:
        for caller in self._callers:
            self._check(caller.done or bool(self._under_way(caller.key)), "left behind")

    def _under_way(self, key: str) -> list[Flight]:
        return [one for one in self._flights if one.key == key and one.ended is None]

    def _tokens(self, key: str) -> list[Token]:
        return [one.token for one in self._flights if one.key == key and one.token is not None]

    def _now(self) -> int:
        self._moment += 1
        return self._moment

    def _check(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)


async def _rounds(number: int) -> None:
    for _ in range(number):
        await anyio.lowlevel.checkpoint()


@attrs.frozen
class Asked:
    """How a caller has the token of a key got."""

    world: World
    key: str
    name: str
    timeout: float = 1e6
    refresh_window: float | None = None

    async def fetch(self, deadline: float) -> Token:
        """Leave it to the world."""
        return await self.world.fetch(self.key, deadline)


def played(schedule: list[Step], cache: Callable[..., Any], backend: str) -> list[str]:
    """Return what went wrong as `schedule` was played: nothing, where the cache is right."""
    worlds: list[World] = []

    async def play() -> None:
        worlds.append(World(cache))
        await worlds[0].play(schedule)

    anyio.run(functools.partial(play), backend=backend)
    return worlds[0].wrong
