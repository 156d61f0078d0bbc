"""Steady traffic across an expiry: who waits for the refresh, and does the event loop stand still.

The API answers in this process; the token endpoint is asked over TCP. A request counts from the
moment that it is due, so that a loop that stands still shows in all that it delays.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio

from benchmarks import peers
from benchmarks.measure import count, duration, in_turns, percentile
from benchmarks.ours import OURS, URL, service_of
from benchmarks.table import Column, Goal, Table
from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

CALLERS: Final = 1_000
#: Seconds between two requests of a caller.
INTERVAL: Final = 0.5
#: Seconds that the token lives, that the traffic lasts, and that the token endpoint takes.
LIFETIME: Final = 4.0
LASTS: Final = 6.0
DELAY: Final = 0.05
#: Seconds between two beats by which the loop's standstill is told.
BEAT: Final = 0.001

_FLOOR: Final = "httpx, a static header"
_ASKED: Final = {"query": "{ me { id } }"}
_ANSWER: Final = {"data": {"me": {"id": "1"}}}


async def steady(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure requests, and the event loop, while the token runs out."""
    callers = 50 if quick else CALLERS
    rounds = 1 if quick else 5
    subjects: dict[str, Subject] = {_FLOOR: _floor(callers), OURS: _ours(server, callers)}
    if peers.AUTHLIB in peers.present():
        subjects[peers.AUTHLIB] = _authlib(server, callers)
    if peers.HTTPX_AUTH in peers.present():
        subjects[peers.HTTPX_AUTH] = _httpx_auth(server, callers)
    rows = await in_turns(subjects, rounds)
    return [
        Table(
            f"Steady traffic across an expiry: {count(callers)} callers, a request each "
            f"{INTERVAL} s, a token of {LIFETIME:g} s (medians of {rounds} rounds)",
            (
                Column("p50", "p50", duration),
                Column("p99", "p99", duration),
                Column("most", "max", duration),
                Column("waited", "waited", count),
                Column("stood", "loop stood still", duration),
                Column("requests", "token requests", count),
                Column("failed", "failed", count),
            ),
            rows,
            (Goal("requests that waited for a refresh", rows[OURS]["waited"], 0, count),),
            notes=("Waited: as the cache counts it; of Authlib, who finds the token run out.",),
        )
    ]


def _floor(callers: int) -> Subject:
    async def subject() -> Figures:
        headers = {"Authorization": "Bearer made-up-for-benchmarks"}
        async with httpx.AsyncClient(transport=_api(), headers=headers) as client:
            return await _traffic(callers, lambda: client.post(URL, json=_ASKED))

    return subject


def _ours(server: TokenServer, callers: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=LIFETIME)
        async with (
            service_of(url.url) as service,
            httpx.AsyncClient(transport=_api(), auth=service.auth()) as client,
        ):
            with _landings() as landings:
                await service.token()  # who asks for the first waits, and what logs is imported
                landings.clear()
                figures = await _traffic(callers, lambda: client.post(URL, json=_ASKED))
        requests = await anyio.to_thread.run_sync(url.requests)
        return {**figures, "waited": sum(landings), "requests": requests}

    return subject


@contextmanager
def _landings() -> Iterator[list[int]]:
    """Collect how many callers waited for each token that was fetched, as the cache logs it."""
    waited: list[int] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "gqlauth", {})
            if event.get("event") == "token fetched":
                waited.append(event["waited"])

    logger, listener = logging.getLogger("gqlauth"), Listener()
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield waited
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(listener)
    if not waited:
        raise SystemExit("no token was fetched in all the traffic, or the cache did not log it")


def _authlib(server: TokenServer, callers: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=LIFETIME)
        waited = 0
        async with peers.authlib(url.url, transport=_Both(), leeway=peers.LEEWAY) as client:
            await client.fetch_token()

            async def ask() -> None:
                nonlocal waited
                waited += client.token.is_expired(leeway=peers.LEEWAY)
                await client.post(URL, json=_ASKED)

            figures = await _traffic(callers, ask)
        requests = await anyio.to_thread.run_sync(url.requests)
        return {**figures, "waited": waited, "requests": requests}

    return subject


def _httpx_auth(server: TokenServer, callers: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=LIFETIME)
        with httpx.Client() as token_client:
            auth = peers.httpx_auth(url.url, token_client, early_expiry=peers.LEEWAY)
            await peers.httpx_auth_token(auth)
            async with httpx.AsyncClient(transport=_api(), auth=auth) as client:
                figures = await _traffic(callers, lambda: client.post(URL, json=_ASKED))
        requests = await anyio.to_thread.run_sync(url.requests)
        return {**figures, "requests": requests}

    return subject


def _api() -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(200, json=_ANSWER))


class _Both(httpx.AsyncHTTPTransport):
    """The API in this process, and the token endpoint over TCP: Authlib has one client for both."""

    def __init__(self) -> None:
        super().__init__()
        self._api = _api()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.1":
            return await super().handle_async_request(request)
        return await self._api.handle_async_request(request)


async def _traffic(callers: int, ask: Callable[[], Awaitable[Any]]) -> Figures:
    """Return what the traffic comes to, with `ask` for each request."""
    taken: list[float] = []
    failed = 0
    beginning = anyio.current_time() + 2 * INTERVAL
    end = beginning + LASTS

    async def caller(number: int) -> None:
        nonlocal failed
        due = beginning + INTERVAL * number / callers
        while due < end:
            await anyio.sleep_until(due)
            try:
                await ask()
            except Exception:  # noqa: BLE001 - counted, whatever it is
                failed += 1
            taken.append(anyio.current_time() - due)
            due += INTERVAL

    stood: list[float] = []
    async with anyio.create_task_group() as all_of_it:
        all_of_it.start_soon(_beats, beginning, stood)
        async with anyio.create_task_group() as tasks:
            for number in range(callers):
                tasks.start_soon(caller, number)
        all_of_it.cancel_scope.cancel()
    taken.sort()
    return {
        "p50": percentile(taken, 0.5),
        "p99": percentile(taken, 0.99),
        "most": taken[-1],
        "stood": max(stood),
        "failed": failed,
    }


async def _beats(beginning: float, stood: list[float]) -> None:
    """Note how much later than asked for the loop comes back, again and again."""
    await anyio.sleep_until(beginning)
    while True:
        before = anyio.current_time()
        await anyio.sleep(BEAT)
        stood.append(anyio.current_time() - before - BEAT)
