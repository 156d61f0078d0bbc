"""The stampede: many callers at once of a token that is not there, or has just expired."""

from __future__ import annotations

from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any, Final

import anyio

from benchmarks import peers
from benchmarks.callers import CROWD, at_once, crowd, threads
from benchmarks.measure import count, in_turns, ratio
from benchmarks.ours import OURS, URL, MovableClock, service_of
from benchmarks.table import Column, Goal, Table
from gqlauth._http import httpx

if TYPE_CHECKING:
    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

#: Seconds that the token endpoint takes.
DELAY: Final = 0.05
CALLERS: Final = (100, 1_000, 10_000)
#: Callers for which the goals are set, and how many times the floor they may take.
MOST_CALLERS: Final = 10_000
MOST_TIMES: Final = 1.5
#: More threads than these are no use that anyone makes of them.
MOST_THREADS: Final = 1_000
#: Callers from which Authlib, cold, is measured once, and from which not at all: it asks for each
#: of them, and they wait in vain for a connection of its pool.
LONG: Final = 1_000
TOO_LONG: Final = 10_000

_FLOOR: Final = "tasks that wait for one event"
_LIFETIME: Final = 3600.0


async def stampede(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure token requests, and the time until all callers have their token."""
    return [await _table(server, callers, quick=quick) for callers in CALLERS[: 2 if quick else 3]]


async def _table(server: TokenServer, callers: int, *, quick: bool) -> Table:
    rounds = 2 if quick else {100: 15, 1_000: 9, 10_000: 7}[callers]
    subjects: dict[str, Subject] = {_FLOOR: _floor(callers)}
    for when in ("cold", "expired"):
        subjects[f"{OURS}, {when}"] = _ours(server, callers, expired=when == "expired")
        if peers.AUTHLIB in peers.present() and (when == "expired" or callers < LONG):
            subjects[f"{peers.AUTHLIB}, {when}"] = _authlib(
                server, callers, expired=when == "expired"
            )
        if peers.HTTPX_AUTH in peers.present():
            subjects[f"{peers.HTTPX_AUTH}, {when}"] = _httpx_auth(
                server, callers, expired=when == "expired"
            )
        if peers.REQUESTS in peers.present() and callers <= MOST_THREADS:
            subjects[f"{peers.REQUESTS} (threads), {when}"] = _requests(
                server, callers, expired=when == "expired"
            )
    for name in (_FLOOR, f"{OURS}, cold"):  # what is imported late
        await subjects[name]()
    rows = await in_turns(subjects, rounds)
    if peers.AUTHLIB in peers.present() and LONG <= callers < TOO_LONG:
        once = {f"{peers.AUTHLIB}, cold (once)": _authlib(server, callers, expired=False)}
        rows |= await in_turns(once, 1)
    for figures in rows.values():
        figures["times"] = figures["seconds"] / rows[_FLOOR]["seconds"]
    ours = rows[f"{OURS}, cold"]
    goals = (
        Goal(f"token requests of {count(callers)} cold callers", ours["requests"], 1, count),
        Goal(f"{OURS}, cold, as many times the floor", ours["times"], MOST_TIMES, ratio),
    )
    return Table(
        f"Stampede of {count(callers)} callers, a token endpoint that takes 50 ms "
        f"(medians of {rounds} rounds)",
        (*CROWD, Column("times", "x floor", ratio)),
        rows,
        goals[: 2 if callers == MOST_CALLERS else 1],
    )


def _floor(callers: int) -> Subject:
    async def subject() -> Figures:
        event = anyio.Event()

        async def later() -> None:
            await anyio.sleep(DELAY)
            event.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(later)
            seconds = await at_once(callers, event.wait)
        return {"seconds": seconds, "failed": 0}

    return subject


def _ours(server: TokenServer, callers: int, *, expired: bool) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=_LIFETIME)
        clock = MovableClock()
        async with service_of(url.url, clock=clock) as service:
            if expired:
                await service.token()
                clock.forward(_LIFETIME)
            before = await anyio.to_thread.run_sync(url.requests)
            seconds = await at_once(callers, service.token)
        requests = await anyio.to_thread.run_sync(url.requests)
        return {"requests": requests - before, "seconds": seconds, "failed": 0}

    return subject


def _authlib(server: TokenServer, callers: int, *, expired: bool) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=_LIFETIME)
        token = {"access_token": "old", "token_type": "Bearer", "expires_at": time() - 1}
        async with peers.authlib(url.url, token=token if expired else None) as client:
            return await crowd(callers, url, lambda: peers.authlib_token(client))

    return subject


def _httpx_auth(server: TokenServer, callers: int, *, expired: bool) -> Subject:
    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=_LIFETIME)
        with httpx.Client() as token_client:
            auth = peers.httpx_auth(url.url, token_client)
            if expired:
                peers.httpx_auth_expire(auth)
            return await crowd(callers, url, lambda: peers.httpx_auth_token(auth))

    return subject


def _requests(server: TokenServer, callers: int, *, expired: bool) -> Subject:
    requests: Any = import_module("requests")

    async def subject() -> Figures:
        url = server.run(delay=DELAY, lifetime=_LIFETIME)
        token = peers.requests_expired() if expired else None
        auth = peers.requests_auth(url.url, token=token)
        return await threads(callers, url, lambda: auth(requests.Request("POST", URL).prepare()))

    return subject
