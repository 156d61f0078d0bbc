"""Requests through a synchronous client, in threads beside the event loop of the service."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpx
import pytest

from gqlauth import AuthService, GqlAuthError, Secret, ServiceClosedError, TokenRefusedError
from gqlauth._config import Config, Endpoint
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.support.http_server import Answer, Request, http_server, json_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from gqlauth import EndpointAuth

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
ACME = ClientCredentials(
    token_url="https://id.example.com/token", client_id="acme", client_secret=Secret("s3cret")
)
QUERY = {"query": "{ me { id } }"}
THREADS = 40


@pytest.fixture
def server() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture
async def service(server: AuthorizationServer) -> AsyncIterator[AuthService]:
    async with AuthService(token_transport=server) as service:
        yield service


@pytest.fixture
def auth(service: AuthService) -> EndpointAuth:
    return service.auth_for(ACME, url=API, name="orders")


class Api:
    """A GraphQL API that answers by a script, and remembers which tokens it got."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.seen: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request.headers.get("authorization"))
        item = self.script.pop(0) if self.script else httpx.Response(200, json={"data": {}})
        if isinstance(item, Exception):
            raise item
        return item


async def post(api: Api, auth: EndpointAuth, times: int = 1, **settings: object) -> list[int]:
    """Return the statuses of requests from a thread."""

    def work() -> list[int]:
        with httpx.Client(auth=auth, transport=httpx.MockTransport(api)) as client:
            return [client.post(API, json=QUERY, **settings).status_code for _ in range(times)]  # type: ignore[arg-type]

    return await anyio.to_thread.run_sync(work)


class Pieces(httpx.SyncByteStream):
    """A body that comes from the network, in pieces; it tells how many were taken."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece


async def test_token_goes_into_the_request(auth: EndpointAuth) -> None:
    """It is fetched once, in the event loop, and serves them all."""
    api = Api()

    assert await post(api, auth, times=2) == [200, 200]
    assert api.seen == ["Bearer token-1"] * 2


async def test_threads_share_one_token_request(
    server: AuthorizationServer, service: AuthService
) -> None:
    """Many threads that ask a real server at once cost one, and each gets its own answer."""

    def orders(request: Request) -> Answer:
        return json_answer({"data": [json.loads(request.body), request.headers["authorization"]]})

    def work(url: str, auth: EndpointAuth, number: int) -> list[object]:
        with httpx.Client(auth=auth, trust_env=False, verify=False) as client:
            answers = [client.post(url, json=[number, n]).json()["data"] for n in range(3)]
        return [answer[0] for answer in answers if answer[1] == "Bearer token-1"]

    def all_work(url: str, auth: EndpointAuth) -> list[list[object]]:
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(partial(work, url, auth), range(THREADS)))

    with http_server(orders) as api:
        auth = service.auth_for(ACME, url=api.url)
        answers = await anyio.to_thread.run_sync(all_work, api.url, auth)

    assert answers == [[[number, n] for n in range(3)] for number in range(THREADS)]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(lambda: httpx.Response(401), id="401"),
        pytest.param(
            lambda: httpx.Response(
                200,
                headers={"content-type": "application/json"},
                stream=Pieces(
                    b'{"errors": [{"message": "no", "extensions":',
                    b' {"code": "UNAUTHENTICATED"}}]}',
                ),
            ),
            id="told in a body that is yet to be read",
        ),
    ],
)
async def test_token_that_is_refused(
    auth: EndpointAuth, refusal: Callable[[], httpx.Response]
) -> None:
    """It is replaced, and the request sent once more."""
    api = Api(refusal())

    assert await post(api, auth) == [200]
    assert api.seen == ["Bearer token-1", "Bearer token-2"]


async def test_stream_is_not_read_ahead(auth: EndpointAuth) -> None:
    """What comes in events comes to the caller as it comes."""
    body = Pieces(b"data: 1\n\n", b"data: 2\n\n")
    events = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    def work() -> tuple[int, bytes]:
        client = httpx.Client(auth=auth, transport=httpx.MockTransport(Api(events)))
        with client, client.stream("POST", API, json=QUERY) as response:
            return body.taken, next(response.iter_bytes())

    assert await anyio.to_thread.run_sync(work) == (0, b"data: 1\n\n")


async def test_own_authorization_wins(auth: EndpointAuth) -> None:
    """As in an asynchronous client."""
    api = Api()
    await post(api, auth, headers={"Authorization": "Bearer mine"})

    assert api.seen == ["Bearer mine"]


async def test_no_token_no_request(server: AuthorizationServer, auth: EndpointAuth) -> None:
    """What kept it from being had is raised in the thread."""
    server.otherwise = {"error": "invalid_client"}
    api = Api()
    with pytest.raises(TokenRefusedError, match=r"^orders: .* invalid_client"):
        await post(api, auth)

    assert api.seen == []


async def test_request_that_fails(auth: EndpointAuth) -> None:
    """The client's own error is raised, and the next request goes its way."""
    api = Api(httpx.ConnectError("refused"))
    with pytest.raises(httpx.ConnectError, match="refused"):
        await post(api, auth)

    assert await post(api, auth) == [200]


async def test_body_that_breaks(auth: EndpointAuth) -> None:
    """The client's own error is raised where the answer is looked into, too."""

    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            raise httpx.ReadError("gone")

    answer = httpx.Response(200, headers={"content-type": "application/json"}, stream=Broken())
    with pytest.raises(httpx.ReadError, match="gone"):
        await post(Api(answer), auth)


async def test_in_the_thread_of_the_event_loop(auth: EndpointAuth) -> None:
    """It would wait for itself; what to do instead is told."""
    with (
        httpx.Client(auth=auth, transport=httpx.MockTransport(Api())) as client,
        pytest.raises(GqlAuthError, match=r"use httpx\.AsyncClient .* anyio\.to_thread\.run_sync$"),
    ):
        client.post(API, json=QUERY)  # noqa: ASYNC212 - the very thing


async def test_service_that_was_not_entered() -> None:
    """There is no event loop to ask."""
    auth = AuthService().auth_for(ACME, url=API)
    with pytest.raises(ServiceClosedError, match=r"not running: enter it first$"):
        await post(Api(), auth)


async def test_service_that_closes(server: AuthorizationServer) -> None:
    """A thread that waits for a token is told, and no thread gets one afterwards."""
    server.gate = anyio.Event()
    told: list[str] = []

    async def ask(auth: EndpointAuth) -> None:
        try:
            await post(Api(), auth)
        except ServiceClosedError as error:
            told.append(str(error))

    async with anyio.create_task_group() as tasks:
        async with AuthService(token_transport=server) as service:
            auth = service.auth_for(ACME, url=API)
            tasks.start_soon(ask, auth)
            await server.arrived.wait()
        await ask(auth)

    assert sorted(told) == [
        "the service is not running: enter it first",
        "the service was closed meanwhile",
    ]


async def test_service_that_closes_under_a_request(server: AuthorizationServer) -> None:
    """The request that was sent comes to the end that the network gives it."""
    asked, closed = anyio.Event(), anyio.Event()

    async with anyio.create_task_group() as tasks:
        async with AuthService(token_transport=server) as service:
            auth = service.auth_for(ACME, url=API)

            def api(request: httpx.Request) -> httpx.Response:
                anyio.from_thread.run_sync(asked.set)
                anyio.from_thread.run(closed.wait)
                raise httpx.ReadError("gone")

            def work() -> None:
                with httpx.Client(auth=auth, transport=httpx.MockTransport(api)) as client:
                    client.post(API, json=QUERY)

            async def ask() -> None:
                with pytest.raises(httpx.ReadError, match="gone"):
                    await anyio.to_thread.run_sync(work)

            tasks.start_soon(ask)
            await asked.wait()
        closed.set()


def test_endpoint_without_auth() -> None:
    """Its requests go out bare, in any thread, and whether the service runs or not."""
    bare = Config(endpoints={"public": Endpoint(name="public", url=API)})
    api = Api()
    with httpx.Client(
        auth=AuthService(bare).auth("public"), transport=httpx.MockTransport(api)
    ) as client:
        client.post(API, json=QUERY)

    assert api.seen == [None]
