"""A token endpoint that is down: what a thousand callers ask of it, and when they know."""

from __future__ import annotations

from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any, Final

from benchmarks import peers
from benchmarks.callers import crowd, threads
from benchmarks.measure import count, duration, in_turns
from benchmarks.ours import OURS, URL, service_of
from benchmarks.table import Column, Goal, Table
from gqlauth._http import httpx
from gqlauth._tries import TRIES

if TYPE_CHECKING:
    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

CALLERS: Final = 1_000


async def outage(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure the attempts, and the time until all callers have their error."""
    callers = 100 if quick else CALLERS
    rounds = 1 if quick else 5
    subjects: dict[str, Subject] = {OURS: _ours(server, callers)}
    if peers.AUTHLIB in peers.present():
        subjects[f"{peers.AUTHLIB}, cold"] = _authlib(server, callers, expired=False)
        subjects[f"{peers.AUTHLIB}, expired"] = _authlib(server, callers, expired=True)
    if peers.HTTPX_AUTH in peers.present():
        subjects[peers.HTTPX_AUTH] = _httpx_auth(server, callers)
    if peers.REQUESTS in peers.present():
        subjects[f"{peers.REQUESTS} (threads)"] = _requests(server, callers)
    rows = await in_turns(subjects, rounds)
    return [
        Table(
            f"Outage: {count(callers)} callers of a token endpoint that answers 503 "
            f"(medians of {rounds} rounds)",
            (
                Column("requests", "token requests", count),
                Column("seconds", "until all know", duration),
                Column("failed", "have their error", count),
            ),
            rows,
            (
                Goal(
                    f"token requests, as many as one cycle of {TRIES} tries has",
                    rows[OURS]["requests"],
                    TRIES,
                    count,
                ),
            ),
            notes=(f"{OURS} pauses between its tries; the others try once for each caller.",),
        )
    ]


def _ours(server: TokenServer, callers: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(status=503)
        async with service_of(url.url) as service:
            return await crowd(callers, url, service.token)

    return subject


def _authlib(server: TokenServer, callers: int, *, expired: bool) -> Subject:
    async def subject() -> Figures:
        url = server.run(status=503)
        token = {"access_token": "old", "token_type": "Bearer", "expires_at": time() - 1}
        async with peers.authlib(url.url, token=token if expired else None) as client:
            return await crowd(callers, url, lambda: peers.authlib_token(client))

    return subject


def _httpx_auth(server: TokenServer, callers: int) -> Subject:
    async def subject() -> Figures:
        url = server.run(status=503)
        with httpx.Client() as token_client:
            auth = peers.httpx_auth(url.url, token_client)
            return await crowd(callers, url, lambda: peers.httpx_auth_token(auth))

    return subject


def _requests(server: TokenServer, callers: int) -> Subject:
    requests: Any = import_module("requests")

    async def subject() -> Figures:
        url = server.run(status=503)
        auth = peers.requests_auth(url.url)
        return await threads(callers, url, lambda: auth(requests.Request("POST", URL).prepare()))

    return subject
