"""Stores over one Redis, each of which stands for a process."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
import attrs

from gqlauth import Secret, Token
from gqlauth._clock import SystemClock
from gqlauth._key import CacheKey
from gqlauth._redis_url import RedisURL
from gqlauth._stores._redis import HOLD, PREFIX, RedisStore
from gqlauth._stores._redis_client import IDLE, client
from gqlauth._stores._seal import Seal, new_key

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._stores._redis_client import Client

KEY: Final = CacheKey("ab" * 32)
OTHER: Final = CacheKey("cd" * 32)
#: Seconds after which a lock that is not let go of is no excuse for a test that waits.
FAR: Final = 600.0


@attrs.define
class Workers:
    """Makes stores that have a key in common."""

    url: str
    tasks: TaskGroup
    _stack: AsyncExitStack
    key: Secret = attrs.field(factory=lambda: Secret(new_key()))

    async def one(
        self,
        *,
        url: str | None = None,
        key: Secret | None = None,
        clock: Clock | None = None,
        hold: float = HOLD,
        idle: int = IDLE,
        password: Secret | None = None,
        context: ssl.SSLContext | None = None,
    ) -> RedisStore:
        """Return the store of one more process."""
        clock = SystemClock() if clock is None else clock
        connect = self.connect(url, password=password, context=context, idle=idle)
        seal = Seal(self.key if key is None else key, clock)
        store = await RedisStore.opened(connect, seal, clock, self.tasks, hold)
        self._stack.push_async_callback(store.aclose)
        return store

    def connect(
        self,
        url: str | None = None,
        *,
        password: Secret | None = None,
        context: ssl.SSLContext | None = None,
        idle: int = IDLE,
    ) -> Callable[[], Client]:
        """Return what makes a client."""
        return partial(client, RedisURL.parsed(url or self.url), password, context, idle)

    def place(self, key: CacheKey = KEY) -> str:
        """Return what the token of `key` is called in the Redis."""
        return PREFIX + Seal(self.key, SystemClock()).place(key)


@asynccontextmanager
async def workers(url: str) -> AsyncIterator[Workers]:
    """Give what makes stores over a Redis, until the end of the block."""
    async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        yield Workers(url, tasks, stack)


def issued(
    text: str = "a-token", *, at: float = 0.0, lives: float = 600.0, clock: Clock | None = None
) -> Token:
    """Return a token that was issued `at` so many seconds from now."""
    clock = SystemClock() if clock is None else clock
    return Token(text, expires_in=lives).issued(clock.wall() + at, clock.monotonic() + at)


async def text(store: RedisStore, key: CacheKey = KEY) -> str | None:
    """Return the text of the token that a store has."""
    token = await store.load(key)
    return None if token is None else token.reveal()
