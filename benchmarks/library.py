"""What the library costs in a running process, beside doing without it. No network is asked."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx

from benchmarks.measure import compare
from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint
from gqlauth._config._model import EndpointAuthConfig
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from benchmarks.measure import Subject

URL: Final = "https://orders.example.com/graphql"
TOKEN: Final = "a-token-made-up-for-benchmarks"
CALLERS: Final = 1000
#: Seconds that the token endpoint takes to answer.
SLOW: Final = 0.05


class Identity:
    """A token endpoint in this process, which counts what it is asked."""

    def __init__(self, delay: float = 0.0) -> None:
        self.requests = 0
        self.delay = delay

    async def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Answer a token request."""
        self.requests += 1
        await anyio.sleep(self.delay)
        answer = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
        return httpx.Response(200, json=answer)


def service_of(identity: Identity) -> AuthService:
    """Return a service with one endpoint, whose tokens come from `identity`."""
    strategy = ClientCredentials(
        token_url="https://id.example.com/oauth2/token",
        client_id="orders-cli",
        client_secret=Secret("made-up-for-benchmarks"),
    )
    auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
    config = Config(endpoints={"orders": Endpoint(name="orders", url=URL, auth=auth)})
    return AuthService(config, token_transport=httpx.MockTransport(identity))


def library(*, quick: bool) -> None:
    """Measure a request, a token that is fresh, and a thousand callers of one that is not there."""
    rounds = 10 if quick else 50
    compare("A request with a token", _requests(100 if quick else 300), rounds=rounds)
    compare("A token that is fresh", _tokens(2_000 if quick else 20_000), rounds=rounds)
    compare(
        f"{CALLERS} callers at once",
        {"of an answer that takes 50 ms": _callers_of_none, "of a token not there": _cold_callers},
        rounds=5 if quick else 20,
    )
    print(f"  Each time, the {CALLERS} callers made 1 token request.")


async def _nothing() -> None:
    pass


async def _each(call: Callable[[], Awaitable[object]], times: int) -> float:
    start = perf_counter()
    for _ in range(times):
        await call()
    return (perf_counter() - start) / times


def _requests(times: int) -> dict[str, Subject]:
    api = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {"me": {"id": "1"}}}))
    asked = {"query": "{ me { id } }"}

    async def header() -> float:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=api, headers=headers) as client:
            return await _each(lambda: client.post(URL, json=asked), times)

    async def authenticated() -> float:
        async with (
            service_of(Identity()) as service,
            httpx.AsyncClient(transport=api, auth=service.auth("orders")) as client,
        ):
            await client.post(URL, json=asked)  # the token is fetched
            return await _each(lambda: client.post(URL, json=asked), times)

    return {"static header": header, "EndpointAuth": authenticated}


def _tokens(times: int) -> dict[str, Subject]:
    async def empty() -> float:
        return await _each(_nothing, times)

    async def fresh() -> float:
        async with service_of(Identity()) as service:
            await service.token("orders")
            return await _each(lambda: service.token("orders"), times)

    return {"empty coroutine": empty, "service.token()": fresh}


async def _at_once(call: Callable[[], Coroutine[Any, Any, object]]) -> float:
    start = perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(CALLERS):
            tasks.start_soon(call)
    return perf_counter() - start


async def _callers_of_none() -> float:
    return await _at_once(lambda: anyio.sleep(SLOW))


async def _cold_callers() -> float:
    identity = Identity(SLOW)
    async with service_of(identity) as service:
        seconds = await _at_once(lambda: service.token("orders"))
    if identity.requests != 1:
        raise SystemExit(f"{CALLERS} callers made {identity.requests} token requests, and not 1")
    return seconds
