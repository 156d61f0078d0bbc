"""graphql-python/gql: subscriptions over websockets, against servers as they really run."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed

from gqlauth import AuthService, TokenRefusedError
from gqlauth.integrations.gql import (
    AIOHTTPWebsocketsTransport,
    WebsocketsTransport,
    is_fatal,
    retry_connect,
)
from tests.support.servers import client_secret, graphql_ws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.servers import Api, Provider, Subscriptions

pytestmark = pytest.mark.anyio

TICK = gql("subscription { tick }")
#: The protocol of today, and the older one.
TODAY = "graphql-transport-ws"
OLDER = "graphql-ws"


class Configured(Protocol):
    """Gives a service for an endpoint called ``orders`` at a URL."""

    def __call__(
        self, url: str, client_id: str = "basic", *, audience: str = ...
    ) -> AuthService: ...


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio: gql, aiohttp and websockets know no other event loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def node() -> Iterator[Subscriptions]:
    """Run the server by the library graphql-ws."""
    with graphql_ws() as running:
        yield running


@pytest.fixture(params=[WebsocketsTransport, AIOHTTPWebsocketsTransport])
def kind(request: pytest.FixtureRequest) -> Any:
    """Use each of the two libraries."""
    return request.param


@pytest.fixture
def configured(
    provider: Provider, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Configured:
    """Write configuration files whose tokens are for the API: a JWT, or with no audience none."""

    def write(url: str, client_id: str = "basic", *, audience: str = api.audience) -> AuthService:
        monkeypatch.setenv("CLIENT_SECRET", client_secret(client_id) or "")
        file = tmp_path / "gqlauth.toml"
        file.write_text(
            f"""
            [endpoints.orders]
            url = "{url}"

            [endpoints.orders.auth]
            type = "client_credentials"
            token_url = "{provider.token_url}"
            client_id = "{client_id}"
            client_secret = {{ env = "CLIENT_SECRET" }}
            scopes = ["api:read"]
            {f'audience = "{audience}"' if audience else ""}
            """,
            encoding="utf-8",
        )
        return AuthService.from_config(file)

    return write


async def heard(transport: Any, seconds: float) -> list[int]:
    """Return the numbers that a subscription brings in so many seconds."""
    numbers = []
    end = time.monotonic() + seconds
    async with Client(transport=transport) as session:
        async for event in session.subscribe(TICK):
            numbers.append(event["tick"])
            if time.monotonic() > end:
                break
    return numbers


async def test_subscription_outlives_its_tokens(
    provider: Provider, api: Api, node: Subscriptions, configured: Configured
) -> None:
    """Over 20 s, with tokens of 3 s, no event is lost, and none comes twice.

    Both servers close a connection whose token ends.
    """
    before = provider.requests("storm")
    async with configured(node.url, "storm") as by_node, configured(api.url, "storm") as by_api:
        told = await asyncio.gather(
            heard(WebsocketsTransport(by_node), 20),
            heard(AIOHTTPWebsocketsTransport(by_node), 20),
            heard(WebsocketsTransport(by_api), 20),
            heard(AIOHTTPWebsocketsTransport(by_api), 20),
            heard(WebsocketsTransport(by_api, subprotocols=[OLDER]), 20),
        )

    for numbers in told:
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        assert len(numbers) > 200
    assert provider.requests("storm") >= before + 2 * 6


class TestRefusals:
    @pytest.mark.parametrize("code", [4403, 4401, 4500, 1000])
    async def test_of_the_first_token(
        self, node: Subscriptions, configured: Configured, kind: Any, code: int
    ) -> None:
        """A token that is refused in ``connection_init`` is replaced."""
        async with configured(f"{node.origin}/{code}/first/{kind.__name__}") as service:
            first = await service.token()
            assert await heard(kind(service), 0)
            assert not first.same_text(await service.token())

    @pytest.mark.parametrize("code", [4403, 4401, 4500, 1000])
    async def test_of_every_token(
        self, node: Subscriptions, configured: Configured, kind: Any, code: int
    ) -> None:
        """Where another is refused as well, that is told, and no transport is stuck."""
        async with configured(f"{node.origin}/{code}") as service:
            transport = kind(service)
            for _ in range(2):
                with pytest.raises(TransportConnectionFailed) as caught:
                    await transport.connect()

        assert isinstance(caught.value.__cause__, TokenRefusedError)
        assert is_fatal(caught.value)

    async def test_session_gives_up(
        self, node: Subscriptions, configured: Configured, kind: Any
    ) -> None:
        """A session that connects again by itself does so no longer."""
        async with configured(f"{node.origin}/4403") as service:
            client: Any = Client(transport=kind(service))
            session = await client.connect_async(reconnecting=True, retry_connect=retry_connect)
            with pytest.raises(TransportConnectionFailed) as caught:
                await anext(session.subscribe(TICK))
            await client.close_async()

        assert is_fatal(caught.value)

    @pytest.mark.parametrize("protocol", [TODAY, OLDER])
    async def test_of_a_revoked_token(
        self, provider: Provider, api: Api, configured: Configured, kind: Any, protocol: str
    ) -> None:
        """A token that was revoked between two connections is replaced."""
        async with configured(api.url, audience="") as service:
            transport = kind(service, subprotocols=[protocol])
            await heard(transport, 0)
            provider.revoke_opaque_tokens()
            before = api.count("/graphql connections refused")
            assert await heard(transport, 0)

        assert api.count("/graphql connections refused") == before + 1

    async def test_server_that_cannot_tell(
        self, api: Api, configured: Configured, kind: Any
    ) -> None:
        """A server whose check breaks leaves no transport stuck."""
        async with configured(api.at("broken")) as service:
            transport = kind(service)
            for _ in range(2):
                with pytest.raises(TransportConnectionFailed):
                    await transport.connect()


class TestPlaces:
    async def test_handshake(self, api: Api, configured: Configured, kind: Any) -> None:
        """The token may stand in the handshake alone."""
        async with configured(api.at("header")) as service:
            assert await heard(kind(service, auth_in="header"), 0)

    async def test_path(self, api: Api, configured: Configured, kind: Any) -> None:
        """The token may stand where Hasura looks for it."""
        async with configured(api.at("hasura")) as service:
            transport = kind(service, auth_in="init", init_path="headers.Authorization")
            assert await heard(transport, 0)


async def test_server_is_killed_and_comes_back(configured: Configured, kind: Any) -> None:
    """A session connects again once the server is back, and subscribes with a fresh token."""
    with ExitStack() as servers:
        server = servers.enter_context(graphql_ws(kills=True))
        async with configured(server.url, "storm") as service:
            client: Any = Client(transport=kind(service))
            session = await client.connect_async(reconnecting=True, retry_connect=retry_connect)
            events = session.subscribe(TICK)
            await anext(events)
            first = await service.token()
            servers.close()
            with pytest.raises(TransportConnectionFailed):
                [event async for event in events]
            await asyncio.sleep(3)  # so that its token has ended
            servers.enter_context(graphql_ws("--port", server.origin.rpartition(":")[2]))
            numbers: list[int] = []
            while not numbers:
                with suppress(TransportConnectionFailed):
                    async for event in session.subscribe(TICK):
                        numbers.append(event["tick"])
                        break
                await asyncio.sleep(0.1)
            last = await service.token()
            await client.close_async()

    assert not last.same_text(first)
