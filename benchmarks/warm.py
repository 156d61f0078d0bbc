"""The warm path: what a token that is at hand adds to a request, and what it costs alone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from importlib import import_module
from time import process_time, time
from typing import TYPE_CHECKING, Any, Final

from benchmarks import peers
from benchmarks.measure import count, duration, in_turns, percent, ratio
from benchmarks.ours import OURS, URL, service_of
from benchmarks.table import Column, Goal, Table
from benchmarks.token_endpoint import TOKEN_LENGTH
from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

#: What the auth layer may add to a request, as a part of it.
MOST_ADDED: Final = 0.03
#: What a fresh token may cost, as many times a look into a dict and at the time.
MOST_TIMES: Final = 6.0
#: Seconds that it may cost beyond an empty coroutine.
MOST_BEYOND: Final = 1e-6

#: Requests of a batch that are not counted, as another subject's code came just before.
_WARMING_UP: Final = 10
_ASKED: Final = {"query": "{ me { id } }"}
_ANSWER: Final = {"data": {"me": {"id": "1"}}}
_TOKEN: Final = "x" * TOKEN_LENGTH
_STATIC: Final = {"Authorization": f"Bearer {_TOKEN}"}

_HTTPX: Final = "httpx, a static header"
_LEAST: Final = "httpx, an auth that only sets one"
_REQUESTS: Final = "requests, a static header"
_LOOK: Final = "a dict and the time looked up"
_EMPTY: Final = "an empty coroutine that is awaited"


async def warm(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure a request over an in-process transport, and a fresh token without one."""
    return [await _requests(server, quick=quick), await _tokens(server, quick=quick)]


class _LeastAuth(httpx.Auth):
    """What the least authentication costs that httpx can call."""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = _STATIC["Authorization"]
        yield request


async def _requests(server: TokenServer, *, quick: bool) -> Table:
    times = 20 if quick else 30
    rounds = 5 if quick else 400
    async with AsyncExitStack() as stack:
        api = httpx.MockTransport(lambda _: httpx.Response(200, json=_ANSWER))
        service = await stack.enter_async_context(service_of(server.run().url))
        token_client = stack.enter_context(httpx.Client())
        clients: dict[str, Any] = {
            _HTTPX: httpx.AsyncClient(transport=api, headers=_STATIC),
            _LEAST: httpx.AsyncClient(transport=api, auth=_LeastAuth()),
            OURS: httpx.AsyncClient(transport=api, auth=service.auth()),
        }
        if peers.HTTPX_AUTH in peers.present():
            auth = peers.httpx_auth(server.run().url, token_client)
            clients[peers.HTTPX_AUTH] = httpx.AsyncClient(transport=api, auth=auth)
        if peers.AUTHLIB in peers.present():
            token = {"access_token": _TOKEN, "token_type": "Bearer", "expires_at": time() + 3600}
            clients[peers.AUTHLIB] = peers.authlib(server.run().url, token=token, transport=api)
        for client in clients.values():
            await stack.enter_async_context(client)
        subjects = {name: _posts(client, times) for name, client in clients.items()}
        if peers.REQUESTS in peers.present():
            subjects |= _requests_subjects(server, times)
        for subject in subjects.values():  # the token is fetched, and what is imported late
            await subject()
        rows = await in_turns(subjects, rounds, large=False)
    _compared(rows, {name: _REQUESTS if "requests" in name else _HTTPX for name in rows})
    return Table(
        f"Warm path: a request over an in-process transport (medians of {rounds} rounds)",
        (Column("seconds", "time", duration), Column("added", "added", percent)),
        rows,
        (Goal(f"{OURS} adds to a request", rows[OURS]["added"], MOST_ADDED, percent),),
    )


def _compared(rows: Mapping[str, dict[str, float]], bases: Mapping[str, str]) -> None:
    for name, figures in rows.items():
        base = rows[bases[name]]["seconds"]
        figures["times"] = figures["seconds"] / base
        figures["added"] = figures["times"] - 1


def _posts(client: Any, times: int) -> Subject:  # noqa: ANN401 - some have no types
    async def posts() -> Figures:
        post = client.post
        for _ in range(_WARMING_UP):
            await post(URL, json=_ASKED)
        start = process_time()
        for _ in range(times):
            await post(URL, json=_ASKED)
        return {"seconds": (process_time() - start) / times}

    return posts


def _requests_subjects(server: TokenServer, times: int) -> dict[str, Subject]:
    """Return requests with a static header, and with requests-oauth2client: both synchronous."""
    requests = import_module("requests")

    class Api:
        """Answers in this process, as an adapter of requests does."""

        def send(self, request: Any, **_: Any) -> Any:  # noqa: ANN401 - no types here
            response = requests.Response()
            response.status_code = 200
            response.headers["Content-Type"] = "application/json"
            response._content = b'{"data":{"me":{"id":"1"}}}'  # noqa: SLF001 - as its mocks do
            response.url = request.url
            response.request = request
            return response

        def close(self) -> None:
            """Nothing is open."""

    def posts(session: Any) -> Subject:  # noqa: ANN401 - as above
        session.mount("https://", Api())
        session.trust_env = False  # a file for each host, and the environment, each time

        async def subject() -> Figures:
            for _ in range(_WARMING_UP):
                session.post(URL, json=_ASKED)
            start = process_time()
            for _ in range(times):
                session.post(URL, json=_ASKED)
            return {"seconds": (process_time() - start) / times}

        return subject

    static, authenticated = requests.Session(), requests.Session()
    static.headers.update(_STATIC)
    authenticated.auth = peers.requests_auth(server.run().url)
    return {_REQUESTS: posts(static), peers.REQUESTS: posts(authenticated)}


async def _tokens(server: TokenServer, *, quick: bool) -> Table:
    times = 500 if quick else 2_000
    rounds = 5 if quick else 100
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(service_of(server.run().url))
        subjects: dict[str, Subject] = {_LOOK: _looked_up(times)}
        subjects[_EMPTY] = _awaited(_nothing, "orders0", times)
        subjects[OURS] = _awaited(service.token, "orders0", times)
        if peers.HTTPX_AUTH in peers.present():
            token_client = stack.enter_context(httpx.Client())
            auth = peers.httpx_auth(server.run().url, token_client)
            subjects[peers.HTTPX_AUTH] = _called(peers.httpx_auth_lookup, auth, times)
        if peers.AUTHLIB in peers.present():
            client = await stack.enter_async_context(peers.authlib(server.run().url))
            subjects[peers.AUTHLIB] = _awaited(peers.authlib_token, client, times)
        if peers.REQUESTS in peers.present():
            own = peers.requests_auth(server.run().url)
            prepared = import_module("requests").Request("POST", URL).prepare()
            subjects[peers.REQUESTS] = _called(own, prepared, times)
        for subject in subjects.values():
            await subject()
        rows = await in_turns(subjects, rounds, large=False)
    _compared(rows, dict.fromkeys(rows, _LOOK))
    return Table(
        f"Warm path: a fresh token alone (medians of {rounds} rounds of {count(times)})",
        (Column("seconds", "time", duration), Column("times", "x look-up", ratio)),
        rows,
        (
            Goal("service.token() on a fresh token", rows[OURS]["times"], MOST_TIMES, ratio),
            Goal(
                f"service.token() on a fresh token, beyond {_EMPTY}",
                rows[OURS]["seconds"] - rows[_EMPTY]["seconds"],
                MOST_BEYOND,
                duration,
            ),
        ),
    )


async def _nothing(_name: str) -> None:
    """Be awaited."""


def _looked_up(times: int) -> Subject:
    kept = {"orders0": ("made-up-for-benchmarks", time() + 3600)}

    def look(name: str) -> str | None:
        found = kept.get(name)
        if found is not None and time() < found[1]:
            return found[0]
        return None

    return _called(look, "orders0", times)


def _called(call: Callable[[Any], object], argument: object, times: int) -> Subject:
    async def subject() -> Figures:
        start = process_time()
        for _ in range(times):
            call(argument)
        return {"seconds": (process_time() - start) / times}

    return subject


def _awaited(call: Callable[[Any], Awaitable[object]], argument: object, times: int) -> Subject:
    async def subject() -> Figures:
        start = process_time()
        for _ in range(times):
            await call(argument)
        return {"seconds": (process_time() - start) / times}

    return subject
