"""Many keys: their tokens asked for at once over TCP, and the memory that each one keeps."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from time import perf_counter
from typing import TYPE_CHECKING, Final

import anyio

from benchmarks import peers
from benchmarks.callers import ENOUGH, at_once
from benchmarks.measure import count, duration, in_turns
from benchmarks.ours import OURS, service_of, strategy_of
from benchmarks.table import Column, Goal, Table
from benchmarks.token_endpoint import TOKEN_LENGTH
from gqlauth._cache import TokenCache
from gqlauth._clock import SystemClock
from gqlauth._http import httpx
from gqlauth._options import AuthOptions
from gqlauth._source import Source
from gqlauth._token_clients import CONNECTIONS, TokenClients

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

KEYS: Final = 10_000
#: Seconds that the token endpoint takes.
DELAY: Final = 0.05
#: Bytes that a key may keep beside its token's text.
MOST_BYTES: Final = 400


async def keys(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure the time until all keys have a token, and the bytes that are kept of a key."""
    number = 300 if quick else KEYS
    return [await _times(server, number, quick=quick), await _bytes(number)]


async def _times(server: TokenServer, number: int, *, quick: bool) -> Table:
    rounds = 1 if quick else 3
    subjects = {
        f"httpx, {CONNECTIONS} at a time": _workers(server, number),
        OURS: _ours(server, number),
    }
    rows = await in_turns(subjects, rounds)
    # The others get fewer, and once: they take long, to fail or to do one after another.
    others = {f"httpx, {count(number // 10)} at once": _httpx(server, number // 10)}
    if peers.AUTHLIB in peers.present():
        others[f"{peers.AUTHLIB}, one transport"] = _authlib(server, number // 10)
    if peers.HTTPX_AUTH in peers.present():
        others[peers.HTTPX_AUTH] = _httpx_auth(server, number // 50)
    rows |= await in_turns(others, 1)
    for figures in rows.values():
        if served := figures["asked"] - figures["failed"]:
            figures["each"] = figures["seconds"] / served
    return Table(
        f"Many keys at once, a token endpoint that takes 50 ms (medians of {rounds} rounds; "
        "peers once)",
        (
            Column("asked", "keys", count),
            Column("seconds", "time", duration),
            Column("each", "a token", duration),
            Column("failed", "failed", count),
        ),
        rows,
        (Goal(f"{OURS}: keys that failed", rows[OURS]["failed"], 0, count),),
    )


async def _asked(number: int, ask: Callable[[int], Awaitable[object]]) -> Figures:
    """Ask for all keys at once; some may fail."""
    served = 0
    numbers = iter(range(number))

    async def one() -> None:
        nonlocal served
        try:
            await ask(next(numbers))
        except Exception:  # noqa: BLE001 - counted, whatever it is
            return
        served += 1

    start = perf_counter()
    with anyio.move_on_after(2 * ENOUGH):
        await at_once(number, one)
    return {"asked": number, "seconds": perf_counter() - start, "failed": number - served}


def _workers(server: TokenServer, number: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY)
        waiting = iter(range(number))
        async with httpx.AsyncClient(timeout=None) as client:

            async def worker() -> None:
                for _ in waiting:
                    await client.post(url.url, data={"grant_type": "client_credentials"})

            seconds = await at_once(CONNECTIONS, worker)
        return {"asked": number, "seconds": seconds, "failed": 0}

    return subject


def _httpx(server: TokenServer, number: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY)
        form = {"grant_type": "client_credentials"}
        async with httpx.AsyncClient() as client:
            return await _asked(number, lambda _: client.post(url.url, data=form))

    return subject


def _ours(server: TokenServer, number: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY)
        async with service_of(url.url, keys=number) as service:
            return await _asked(number, lambda one: service.token(f"orders{one}"))

    return subject


def _authlib(server: TokenServer, number: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY)
        async with httpx.AsyncHTTPTransport() as transport:
            clients = [peers.authlib(url.url, transport=transport) for _ in range(number)]
            return await _asked(number, lambda one: clients[one].fetch_token())

    return subject


def _httpx_auth(server: TokenServer, number: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY)
        with httpx.Client() as token_client:
            auths = [
                peers.httpx_auth(url.url, token_client, scope=f"orders:{one}")
                for one in range(number)
            ]
            return await _asked(number, lambda one: peers.httpx_auth_token(auths[one]))

    return subject


async def _bytes(number: int) -> Table:
    rows = {f"{OURS}: what the cache keeps": await _kept_by_ours(number)}
    if peers.AUTHLIB in peers.present():
        rows[f"{peers.AUTHLIB}: a client for each key"] = await _kept_by_authlib(number // 10)
    if peers.HTTPX_AUTH in peers.present():
        rows[f"{peers.HTTPX_AUTH}: what its cache keeps"] = _kept_by_httpx_auth(number)
    ours = rows[f"{OURS}: what the cache keeps"]["bytes"]
    return Table(
        f"Many keys: memory by tracemalloc, beside one copy of a token of {TOKEN_LENGTH} bytes",
        (Column("keys", "keys", count), Column("bytes", "bytes a key", count)),
        rows,
        (Goal(f"{OURS}: bytes a key", ours, MOST_BYTES, count),),
    )


def _figures(before: int, number: int) -> Figures:
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    return {"keys": number, "bytes": kept / number - sys.getsizeof("x" * TOKEN_LENGTH)}


def _began() -> int:
    gc.collect()
    tracemalloc.start()
    return tracemalloc.get_traced_memory()[0]


async def _kept_by_ours(number: int) -> Figures:
    """Fetch a token for each key by all that is on its way, and keep nothing but the cache."""
    clock = SystemClock()
    cache = TokenCache(clock=clock, max_entries=2 * number)
    http = TokenClients(httpx.MockTransport(_token))
    await cache.start()
    try:

        async def fill(first: int, last: int) -> None:
            for one in range(first, last):
                strategy = strategy_of("https://id.example.com/token", f"orders:{one}")
                source = Source("orders", strategy, AuthOptions(), cache, http, clock)
                await source.token()

        await fill(-10, 0)  # what is imported, and kept once
        before = _began()
        await fill(0, number)
        return _figures(before, number)
    finally:
        tracemalloc.stop()
        await cache.stop()
        await http.aclose()


def _token(_: httpx.Request) -> httpx.Response:
    token = {"access_token": "x" * TOKEN_LENGTH, "token_type": "Bearer", "expires_in": 3600}
    # As text that is parsed for each one: nothing of it is shared.
    kind = {"Content-Type": "application/json"}
    return httpx.Response(200, content=json.dumps(token), headers=kind)


async def _kept_by_authlib(number: int) -> Figures:
    async with httpx.AsyncHTTPTransport() as transport:
        clients = [peers.authlib("https://id.example.com/token", transport=transport)]
        before = _began()
        try:
            for one in range(number):
                client = peers.authlib("https://id.example.com/token", transport=transport)
                text = f"{one:0{TOKEN_LENGTH}}"
                client.token = {"access_token": text, "token_type": "Bearer", "expires_in": 3600}
                clients.append(client)
            return _figures(before, number)
        finally:
            tracemalloc.stop()


def _kept_by_httpx_auth(number: int) -> Figures:
    with httpx.Client(transport=httpx.MockTransport(_token)) as client:
        peers.httpx_auth("https://id.example.com/token", client)
        before = _began()
        try:
            for one in range(number):
                peers.httpx_auth_lookup(
                    peers.httpx_auth("https://id.example.com/token", client, scope=f"orders:{one}")
                )
            return _figures(before, number)
        finally:
            tracemalloc.stop()
