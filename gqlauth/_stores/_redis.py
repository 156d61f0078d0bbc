"""Tokens in a Redis, which the workers of a fleet share: one fetches, and the others are told."""

from __future__ import annotations

import random
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

import anyio

from gqlauth import _log
from gqlauth._stores._redis_client import answered, kept
from gqlauth._stores._redis_news import News
from gqlauth._stores._seal import UnsealedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._stores._redis_client import Client
    from gqlauth._stores._seal import Seal
    from gqlauth._token import Token

#: Seconds for which a lock is kept by who does not say any more that it is at work; and how often
#: it says so in that time. One who waits for another that has died has time to take its turn.
HOLD: Final = 5.0
SAID: Final = 3
#: Seconds by which those who wait for the end of a lock come apart, at the most.
APART: Final = 0.25
#: Seconds that a token is kept, at the most: a Redis knows no larger numbers.
LONGEST: Final = 10 * 365 * 86_400.0
#: What the names of all that is ours begin with: keys, and the channels of messages.
PREFIX: Final = "gqlauth:"

# Each is one step for all who use the Redis. Times are in microseconds, and by its own clock: those
# of machines differ.
_SAVE: Final = """\
local there = tonumber(redis.call('HGET', KEYS[1], 'issued'))
if there and there > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'issued', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], '')
return 1
"""
_FORGET: Final = """\
if redis.call('HGET', KEYS[1], 'sealed') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
# Whoever asks for a lock that it has got already, as the answer was lost, has it. What is left is
# in milliseconds.
_TAKE: Final = """\
local left = 0
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
    and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  left = redis.call('PTTL', KEYS[1])
  if left < 1 then left = 1 end
end
local now = redis.call('TIME')
return {left, now[1], now[2]}
"""
_KEEP: Final = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_LEAVE: Final = """\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], '')
return 1
"""


class RedisStore:
    """Tokens in a Redis, for all who have the key to open them; see `Store` for what it promises.

    A lock ends by itself soon after its holder has died. Who waits for it is told by a message,
    and asks by itself only when the lock would end.

    Args:
        client: what is asked; it is entered by `kept`.
        news: what tells of messages.
        seal: what tokens are sealed with.
        clock: what tells the time.
        tasks: where a lock is kept, as long as it is held.
        hold: the seconds of `HOLD`.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - it ties together what there is
        self,
        client: Client,
        news: News,
        seal: Seal,
        clock: Clock,
        tasks: TaskGroup,
        hold: float = HOLD,
    ) -> None:
        self._client = client
        self._news = news
        self._seal = seal
        self._clock = clock
        self._tasks = tasks
        self._hold = hold
        self._over = anyio.Event()
        # Seconds by which the clock of the Redis is ahead of ours.
        self._ahead = 0.0

    @classmethod
    async def opened(
        cls,
        connect: Callable[[], Client],
        seal: Seal,
        clock: Clock,
        tasks: TaskGroup,
        hold: float = HOLD,
    ) -> Self:
        """Return a store over a client of its own, until `aclose`.

        Raises:
            PassingError: when a cluster cannot be reached.

        """
        store = cls(connect(), News(connect, tasks), seal, clock, tasks, hold)
        # Connections live in tasks, and end in those that they have begun in.
        await answered(tasks.start(kept, store._client, lambda _: store._over.wait()))
        return store

    async def load(self, key: CacheKey) -> Token | None:
        """Return the token of `key`; None where there is none that can be opened."""
        found = await self._found(key)
        return None if found is None else found[0]

    async def save(self, key: CacheKey, token: Token) -> None:
        """Keep `token` until it ends, unless there is one that was issued later."""
        assert token.expires_at is not None
        assert token.issued_at is not None
        left = min(LONGEST, token.expires_at - self._clock.wall())
        if left > 0:
            issued = round((token.issued_at + self._ahead) * 1e6)
            sealed = self._seal.sealed(key, token)
            await self._asked(_SAVE, self._place(key), sealed, issued, _milliseconds(left))

    async def forget(self, key: CacheKey, token: Token) -> bool:
        """Forget `token`, and no other."""
        found = await self._found(key)
        if found is None or not found[0].same_text(token):
            return False
        return bool(await self._asked(_FORGET, self._place(key), found[1]))

    @asynccontextmanager
    async def lock(self, key: CacheKey, seconds: float) -> AsyncIterator[bool]:
        """Take the lock of `key`; give up after `seconds`, or when there are news of its token."""
        place, owner = self._place(key), secrets.token_hex(16)
        if not await self._taken(place, owner, seconds):
            yield False
            return
        scope = anyio.CancelScope()
        self._tasks.start_soon(self._keep, place, owner, scope)
        try:
            yield True
        finally:
            scope.cancel()
            await self._asked(_LEAVE, _lock(place), owner, place)

    async def aclose(self) -> None:
        """Let go of the connections; this waits for nothing."""
        self._over.set()
        self._news.close()

    async def _found(self, key: CacheKey) -> tuple[Token, bytes] | None:
        """Return the token of `key`, and as what it is stored; what cannot be opened is dropped."""
        place = self._place(key)
        sealed = await answered(self._client.hget(place, "sealed"))
        if sealed is None:
            return None
        try:
            return self._seal.opened(key, sealed), sealed
        except UnsealedError as error:
            _log.info("stored token dropped", place=place, why=error)
        await self._asked(_FORGET, place, sealed)
        return None

    async def _taken(self, place: str, owner: str, seconds: float) -> bool:
        """Tell whether the lock was got in that time, and before there were news."""
        until = anyio.current_time() + seconds
        news: anyio.Event | None = None
        while (left := await self._take(place, owner)) > 0 and anyio.current_time() < until:
            if news is None:
                # And then once more: it may have been let go of before anybody listened.
                news = await answered(self._news.of(place))
                continue
            # Not for secrecy, but so that a fleet does not come back in one beat.
            ends = anyio.current_time() + left + APART * random.random()  # noqa: S311
            with anyio.CancelScope(deadline=min(ends, until)):
                await news.wait()
                return False
        return left == 0

    async def _take(self, place: str, owner: str) -> float:
        """Take the lock if it is free; return the seconds until it may be, and 0 if it was."""
        told: Any = await self._asked(_TAKE, _lock(place), owner, _milliseconds(self._hold))
        left, seconds, microseconds = map(int, told)
        self._ahead = seconds + microseconds / 1e6 - self._clock.wall()
        return left / 1e3

    async def _keep(self, place: str, owner: str, scope: anyio.CancelScope) -> None:
        """Say that the holder of a lock is at work, until it is not."""
        # Where that fails, the lock ends: what is fetched meanwhile is none the worse.
        with scope, suppress(Exception):
            while True:
                await anyio.sleep(self._hold / SAID)
                await self._asked(_KEEP, _lock(place), owner, _milliseconds(self._hold))

    async def _asked(self, script: str, key: str, *arguments: str | int | bytes) -> object:
        return await answered(self._client.eval(script, [key], list(arguments)))

    def _place(self, key: CacheKey) -> str:
        return PREFIX + self._seal.place(key)


async def discard(
    connect: Callable[[], Client], seal: Seal, keys: Collection[CacheKey]
) -> set[CacheKey]:
    """Forget whatever is stored of `keys`, over a connection for that alone.

    Return those of which there was anything.
    """

    async def deleted() -> set[CacheKey]:
        async with connect() as client:
            return {key for key in keys if await client.delete([PREFIX + seal.place(key)])}

    return await answered(deleted())


def _lock(place: str) -> str:
    return f"{place}:lock"


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1e3))
