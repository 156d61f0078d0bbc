"""What the store asks of a Redis: processor, memory, connections.

What counts is the time of a processor that the Redis itself takes, and not how fast it is asked: it
answers on one, so that is what limits it, and what else this machine does falls on it the least.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from time import sleep, time
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from benchmarks.measure import count, duration
from benchmarks.table import Column, Goal, Table
from benchmarks.token_endpoint import TOKEN_LENGTH
from gqlauth import Token
from gqlauth._key import CacheKey
from tests.support.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from benchmarks.token_endpoint import TokenServer
    from gqlauth._stores._redis import RedisStore
    from tests.support.redis_server import RedisServer

#: Stores that ask at the same time, each over a connection of its own, and one thing at a time.
STORES: Final = 20
#: Seconds after which a Redis has given back what a connection no longer needs.
SETTLED: Final = 4.0
#: Bytes that a key may take beside its token.
MOST_BESIDE: Final = 1024

_LOOK: Final = "a look at a token"
_ANEW: Final = "a look over a new connection"
_TURN: Final = "a turn: look, lock, look, save, leave"
_COLUMNS: Final = (
    Column("seconds", "processor of the Redis", duration),
    Column("rate", "so many a second at the most", count),
)


@attrs.frozen
class _Kept:
    """What is kept for a while, in bytes."""

    key: float
    connection: float


async def redis_costs(_server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure what a Redis spends on a look, on a turn, on a key and on a connection."""
    with redis_server() as redis:
        looks, turns, connections = (50, 5, 50) if quick else (500, 100, 1_000)
        rows = await _spent(redis, looks, turns)
        kept = _Kept(_key_bytes(redis), _connection_bytes(redis, connections))
    beside = kept.key - TOKEN_LENGTH
    return [
        Table(
            f"What is asked of a Redis by {STORES} at the same time, a request at a time",
            _COLUMNS,
            rows,
            (Goal("bytes of a key, beside its token", beside, MOST_BESIDE, count),),
            (
                f"A key with a token of {TOKEN_LENGTH} characters takes {count(kept.key)} bytes.",
                f"A connection that waits takes {count(kept.connection)} bytes.",
            ),
        )
    ]


async def _spent(redis: RedisServer, looks: int, turns: int) -> dict[str, dict[str, float]]:
    # They import coredis, which is there where this is measured, and not in all tests.
    from tests.support.redis_stores import workers  # noqa: PLC0415

    async with workers(redis.url) as made:
        stores = [await made.one() for _ in range(STORES)]

        async def look(store: RedisStore, number: int) -> None:
            for _ in range(looks):
                await store.load(_key(number))

        async def look_anew(_store: RedisStore, number: int) -> None:
            for _ in range(turns):
                async with made.connect()() as client:
                    await client.hget(made.place(_key(number)), "sealed")

        async def turn(store: RedisStore, number: int) -> None:
            for _ in range(turns):
                key = _key(number)
                await store.load(key)
                async with store.lock(key, 1.0):
                    await store.load(key)
                    await store.save(key, _token())

        await _each(stores, turn)  # there are tokens, connections and scripts from now on
        return {
            _LOOK: await _of_redis(redis, looks, lambda: _each(stores, look)),
            _ANEW: await _of_redis(redis, turns, lambda: _each(stores, look_anew)),
            _TURN: await _of_redis(redis, turns, lambda: _each(stores, turn)),
        }


async def _each(
    stores: Sequence[RedisStore], ask: Callable[[RedisStore, int], Coroutine[Any, Any, None]]
) -> None:
    async with anyio.create_task_group() as tasks:
        for number, store in enumerate(stores):
            tasks.start_soon(ask, store, number)


async def _of_redis(
    redis: RedisServer, times: int, ask: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    """Return the processor's seconds that a Redis takes for one of what each store asks."""
    before = redis.cpu()
    await ask()
    seconds = (redis.cpu() - before) / (times * STORES)
    return {"seconds": seconds, "rate": 1 / seconds}


def _key_bytes(redis: RedisServer) -> float:
    return max(int(redis.ask("MEMORY", "USAGE", name)) for name in redis.dump())


def _connection_bytes(redis: RedisServer, connections: int) -> float:
    """Return the bytes of a connection that has asked something and waits."""
    before = int(redis.info("memory")["used_memory"])
    with ExitStack() as stack:
        for _ in range(connections):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", redis.port)))
            one.sendall(b"PING\r\n")
            assert one.recv(64) == b"+PONG\r\n"
        sleep(SETTLED)
        return (int(redis.info("memory")["used_memory"]) - before) / connections


def _key(number: int) -> CacheKey:
    return CacheKey(f"{number:064x}")


def _token() -> Token:
    return Token("x" * TOKEN_LENGTH, expires_in=600.0).issued(time(), anyio.current_time())
