"""`News`: who waits for something to happen in a Redis is woken by its messages."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio

from gqlauth._stores._redis_client import ANSWERING, kept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import coredis
    from anyio.abc import TaskGroup

    from gqlauth._stores._redis_client import Client

#: Places that are listened to at once, at the most: as many as a cache keeps.
MOST: Final = 10_000


class News:
    """Tells of messages to places, over one connection for all who wait for one.

    There is none before somebody waits. It is closed some time after the last message, as a Redis
    has room for few; until then it goes on to listen, as the next to wait may come soon. Where
    messages never end, and places come and go, it is made anew once it listens to `MOST`: who
    waits then looks for themselves.
    """

    def __init__(self, connect: Callable[[], Client], tasks: TaskGroup) -> None:
        self._connect = connect
        self._tasks = tasks
        self._connection: coredis.BaseConnection | None = None
        self._one_connects = anyio.Lock()
        self._scope: anyio.CancelScope | None = None
        # What is set when there are news of a place; and when it is listened to.
        self._news: dict[bytes, anyio.Event] = {}
        self._heard: dict[bytes, anyio.Event] = {}

    async def of(self, place: str) -> anyio.Event:
        """Return what is set at the next message to `place`, or when no more can be heard.

        Raises:
            RedisError: when none can be heard, or a group with one.
            TimeoutError: when that takes too long.

        """
        channel = place.encode()
        with anyio.fail_after(ANSWERING):
            connection = await self._listening(channel)
            news = self._news.setdefault(channel, anyio.Event())
            heard = self._heard.get(channel)
            if heard is None:
                heard = self._heard[channel] = anyio.Event()
                connection.send_command(b"SUBSCRIBE", channel)
            await heard.wait()
            return news

    async def _listening(self, channel: bytes) -> coredis.BaseConnection:
        """Return the connection to listen by: a new one, where there is none that can be used."""
        async with self._one_connects:
            connection = self._connection
            if channel not in self._heard and len(self._heard) >= MOST:
                self.close()
                connection = None
            if connection is None or not connection.usable:
                self._news, self._heard = {}, {}
                connection = await self._tasks.start(kept, self._connected(), self._read)
                self._connection = connection
            return connection

    def close(self) -> None:
        """Listen no more."""
        if self._scope is not None:
            self._scope.cancel()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[coredis.BaseConnection]:
        # Its own client: one loses a place in its pool with each connection that ends in use.
        async with self._connect() as client, client.connection_pool.acquire() as connection:
            yield connection

    async def _read(self, connection: coredis.BaseConnection) -> None:
        """Read messages until the connection ends."""
        news, heard = self._news, self._heard
        try:
            with anyio.CancelScope() as self._scope:
                async for kind, channel, *_ in connection.push_messages:
                    assert isinstance(channel, bytes)
                    if kind == b"subscribe":
                        heard[channel].set()
                    elif channel in news:
                        news.pop(channel).set()
        finally:
            # Who waits looks for themselves.
            for event in (*heard.values(), *news.values()):
                event.set()
