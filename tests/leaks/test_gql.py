"""The integration with graphql-python/gql tells no secret: by objects, errors or logs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportError

from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth.integrations import gql as integration
from gqlauth.integrations.gql import (
    AIOHTTPWebsocketsTransport,
    WebsocketsTransport,
    aiohttp_middleware,
    transport,
)
from gqlauth_strategies import Header
from tests.leaks.canaries import API_KEY, HEADER_KEY, Search
from tests.leaks.listening import listening
from tests.leaks.showing import WAYS, leaks_of
from tests.leaks.test_crashes import told_by
from tests.support.http_server import Answer, http_server, unused_port
from tests.support.subscriptions import Answers, Rejects, Says, subscription_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.subscriptions import SubscriptionServer

pytestmark = pytest.mark.anyio

SEARCH = Search()
NUMBER = gql("{ number }")
#: Half of a copied task is an error of its own.
SHOWN = [way for way in WAYS if way != "deepcopy"]
#: What a server says that echoes what it was sent.
ECHO = f"{API_KEY.text} {HEADER_KEY.text}"


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as gql does."""
    return "asyncio"


@pytest.fixture(params=[WebsocketsTransport, AIOHTTPWebsocketsTransport])
def kind(request: pytest.FixtureRequest) -> Any:
    """Use each of the two libraries."""
    return request.param


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[AuthService]:
    """Run a service whose endpoint has a credential that no library masks by its header."""
    auth = EndpointAuthConfig(
        type="header",
        strategy=Header("X-Api-Key", Secret(API_KEY.text)),
        options=AuthOptions(),
    )
    headers = {"X-Key": Secret(HEADER_KEY.text)}
    orders = Endpoint(name="orders", url=url, auth=auth, headers=headers, timeout=5.0)
    async with AuthService(Config(endpoints={"orders": orders})) as service:
        yield service


async def answered(server: SubscriptionServer, session: Any) -> None:
    """Ask for a number, and be told what was sent."""
    asked = asyncio.ensure_future(session.execute(NUMBER))
    connection = await server.acknowledged.get()
    await connection.received("subscribe")
    await connection.answer(ECHO)
    await asked


async def failed(work: Callable[[], Awaitable[object]]) -> BaseException | None:
    """Return what comes of it, as it is seen from here."""
    with pytest.raises((TransportError, TimeoutError, aiohttp.ClientError)) as caught:
        await work()
    return caught.value


def test_every_public_name_is_covered() -> None:
    """A name that is new is looked at below, or said to hold nothing; or this fails."""
    looked_at = {
        "AIOHTTPWebsocketsTransport",
        "WebsocketsTransport",
        "aiohttp_middleware",
        "transport",
    }
    bare = {"is_fatal", "retry_connect", "retry_execute"}

    assert looked_at | bare == set(integration.__all__)


async def test_transport_for_subscriptions(kind: Any) -> None:
    """It tells none before it is connected, while it is, or afterwards."""
    leaks = set()
    async with subscription_server() as server, serving(server.url) as service:
        made = kind(service)
        leaks |= leaks_of(made, SEARCH, SHOWN)
        async with Client(transport=made):
            await server.acknowledged.get()
            leaks |= leaks_of(made, SEARCH, SHOWN)
            sent = [*server.handshakes[0].values(), *server.connections[0].payload.values()]
        leaks |= leaks_of(made, SEARCH, SHOWN)

    assert leaks == set()
    # It was there to be told.
    assert {canary.what for canary in SEARCH(str(sent))} == {API_KEY.what, HEADER_KEY.what}


@pytest.mark.parametrize(
    "greeting",
    [
        Answers(401, {"X-Echo": ECHO}),
        Answers(500),
        Answers(307, {"Location": "http://elsewhere.example.com/"}),
        Rejects(4403, ECHO),
        Rejects(4400),
        Says(f'{{"type": "connection_error", "payload": "{ECHO}"}}'),
        Says(ECHO),
        None,
    ],
    ids=["401", "500", "307", "4403", "4400", "connection_error", "no message", "down"],
)
async def test_error_of_connecting(kind: Any, greeting: Any) -> None:
    """What it raises tells none, though it be printed, with the variables of all frames."""
    async with subscription_server() as server:
        server.greetings = [greeting]
        url = server.url if greeting else f"http://127.0.0.1:{unused_port()}"
        async with serving(url) as service:
            error = await failed(kind(service, headers={"X-Tenant": "acme"}).connect)
    told = []
    while error is not None:
        told += [told_by(error), SEARCH(repr(error))]
        error = error.__cause__ or error.__context__

    assert [one for one in told if one] == []


async def test_logs(kind: Any) -> None:
    """No logger of gql, websockets, aiohttp or ours tells any, be it sent or echoed."""
    with listening() as everything:
        async with (
            subscription_server() as server,
            serving(server.url) as service,
            Client(transport=kind(service)) as session,
        ):
            await answered(server, session)

    theirs = [line for line in everything.text.splitlines() if "websockets.server" not in line]
    assert "gql.transport.common.base" in everything.text
    assert SEARCH("\n".join(theirs)) == set()


@pytest.mark.parametrize("name", ["httpx", "aiohttp"])
async def test_requests(name: str) -> None:
    """The transports for requests tell none: by objects, by errors, or in gql's logs."""
    answers = [Answer(500, ECHO.encode()), Answer(401, ECHO.encode())]
    with http_server(lambda _: answers.pop()) as api, listening("gql") as gqls:
        async with serving(api.url) as service:
            made: Any = transport(service)
            if name == "aiohttp":
                middlewares = (aiohttp_middleware(service),)
                made = AIOHTTPTransport(
                    service.endpoint().url, client_session_args={"middlewares": middlewares}
                )
            async with Client(transport=made) as session:
                leaks = leaks_of(made, SEARCH, SHOWN)
                for _ in range(2):
                    with pytest.raises(TransportError):
                        await session.execute(NUMBER)

    assert leaks == set()
    assert ">>>" in gqls.text
    assert SEARCH(gqls.text) == set()


async def test_middleware_that_cannot_send() -> None:
    """What is raised where no connection is to be had tells none by our variables."""
    async with (
        serving(f"http://127.0.0.1:{unused_port()}") as service,
        aiohttp.ClientSession(middlewares=(aiohttp_middleware(service),)) as session,
    ):
        error = await failed(lambda: session.get(service.endpoint().url))

    assert isinstance(error, aiohttp.ClientConnectionError)
    assert told_by(error) == {}


async def test_middleware_that_is_answered() -> None:
    """What aiohttp makes of an answer, which holds the request's headers, tells none either."""
    with http_server(lambda _: Answer(500)) as api:
        async with (
            serving(api.url) as service,
            aiohttp.ClientSession(middlewares=(aiohttp_middleware(service),)) as session,
            session.get(api.url) as answered,
        ):
            leaks = leaks_of(answered.request_info, SEARCH)
            error = await failed(answered.json)

    assert isinstance(error, aiohttp.ContentTypeError)
    assert leaks | leaks_of(error, SEARCH) == set()
    assert API_KEY.text in api.requests[0].headers.values()
