"""Any schedule of callers, answers, refusals and clocks: what the cache must never do.

The same machine finds each of the mistakes that caches of tokens are known for.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio.lowlevel
import pytest
import trio._core._run as trio_run
from hypothesis import HealthCheck, Phase, find, given, register_random, settings

from gqlauth._cache import TokenCache
from gqlauth._flight import Flight
from tests.support.cache_model import played
from tests.support.cache_steps import SCHEDULES

if TYPE_CHECKING:
    from gqlauth import Token
    from gqlauth._entry import Entry
    from gqlauth._flight import Acquisition
    from tests.support.cache_steps import Step

SETTINGS = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
# trio runs what is ready in a random order: one that hypothesis decides.
register_random(trio_run._r)


@pytest.fixture(autouse=True)
def _trio_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trio_run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)


class NoSecondLook(TokenCache):
    """Waits between looking and flying, as for a lock, and does not look again."""

    async def get(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token:
        if self.usable(key) is None:
            await anyio.lowlevel.checkpoint()
            self._entry(key).flight = None
        return await super().get(key, acquisition, renew=renew)


class LostInvalidation(TokenCache):
    """Forgets a refusal that comes during a flight."""

    def invalidate(self, key: str, token: Token) -> bool:
        entry = self._entries.get(key)
        flying = entry is not None and entry.flight is not None
        return not flying and super().invalidate(key, token)


class DeafToRefusals(TokenCache):
    """Keeps what was refused."""

    def invalidate(self, key: str, token: Token) -> bool:
        return self.keeps(key, token)


class SharedError(TokenCache):
    """Raises the one error of the flight for all who wait."""

    async def get(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token:
        entry = self._entry(key)
        flight = entry.flight
        if flight is None:
            return await super().get(key, acquisition, renew=renew)
        await flight.done.wait()
        if flight.error is not None:
            raise flight.error
        assert flight.token is not None
        return flight.token


class FlightOfTheCaller(TokenCache):
    """Flies in the task of the first caller: who is cancelled takes the others along."""

    async def get(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token:
        entry = self._entry(key)
        if entry.flight is None and self._may_fly(entry) and self.usable(key) is None:
            entry.flight = Flight()
            await self._fly(entry, entry.flight, acquisition)
        return await super().get(key, acquisition, renew=renew)


class ExpiredAfterFailure(TokenCache):
    """Falls back on the old token where no new one is to be had."""

    async def get(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token:
        try:
            return await super().get(key, acquisition, renew=renew)
        except Exception:
            entry = self._entries.get(key)
            if renew or entry is None or entry.token is None:
                raise
            return entry.token


class OneClock(TokenCache):
    """Looks at the wall clock alone."""

    def _before(self, entry: Entry, moment: float) -> bool:
        return self._wall() < moment


class OneEntry(TokenCache):
    """Mixes up two keys."""

    def _entry(self, key: str) -> Entry:
        return super()._entry("a" if key == "b" else key)


class DropsWhatFlies(TokenCache):
    """Makes room among flights, too."""

    def _make_room(self) -> None:
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)


class NoEnd(TokenCache):
    """Tells only those who wait for what comes out well."""

    def _failed(self, entry: Entry, flight: Flight, error: Exception, name: str) -> None:
        super()._failed(entry, flight, error, name)  # type: ignore[arg-type]
        flight.done = anyio.Event()


class LongMemory(TokenCache):
    """Never tries again."""

    def _may_fly(self, entry: Entry) -> bool:
        return entry.flight is None and entry.failure is None


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@SETTINGS
@given(schedule=SCHEDULES)
def test_whatever_happens_the_promises_hold(backend: str, schedule: list[Step]) -> None:
    """No expired, refused or foreign token; no second flight; nobody left; an error for each."""
    assert played(schedule, TokenCache, backend) == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("cache", "mistake"),
    [
        (NoSecondLook, "two flights of one key"),
        (LostInvalidation, "a refused token"),
        (DeafToRefusals, "a refused token"),
        (SharedError, "one error for two"),
        (FlightOfTheCaller, "a flight is cancelled"),
        (ExpiredAfterFailure, "an expired token"),
        (OneClock, "an expired token"),
        (OneEntry, "the token of another key"),
        (DropsWhatFlies, "two flights of one key"),
        (NoEnd, "left behind"),
        (LongMemory, "a failure remembered for too long"),
    ],
)
def test_the_machine_finds_each_known_mistake(
    backend: str, cache: type[TokenCache], mistake: str
) -> None:
    """A schedule shows it, among as many as the shipped cache bears."""
    find(
        SCHEDULES,
        lambda schedule: mistake in played(schedule, cache, backend),
        settings=settings(SETTINGS, phases=[Phase.generate]),
        random=random.Random(0),
    )
