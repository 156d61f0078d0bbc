"""What the tests of the integrations share: partners that run on asyncio alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth.integrations.gql import AIOHTTPWebsocketsTransport, WebsocketsTransport
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.support.clock import HeldClock
from tests.support.subscriptions import SubscriptionServer, subscription_server
from tests.support.token_endpoint import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from gqlauth.integrations.gql._subscriptions import RenewingTransport


class Serving(Protocol):
    """Runs a service for an endpoint called ``orders`` at a URL."""

    def __call__(self, url: str, **settings: Any) -> AbstractAsyncContextManager[AuthService]: ...


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio: gql, aiohttp and websockets know no other event loop."""
    return "asyncio"


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def tokens() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture
def serving(clock: HeldClock, tokens: AuthorizationServer) -> Serving:
    """Run a service whose time stands still, and whose tokens come from the process itself."""

    @asynccontextmanager
    async def run(url: str, **settings: Any) -> AsyncIterator[AuthService]:
        strategy = ClientCredentials(
            token_url=URL, client_id="orders-cli", client_secret=Secret("s3cr3t")
        )
        chosen = settings.pop("strategy", strategy)
        auth = chosen and EndpointAuthConfig(type="any", strategy=chosen, options=AuthOptions())
        orders = Endpoint(name="orders", url=url, auth=auth, **settings)
        config = Config(endpoints={"orders": orders})
        async with AuthService(config, clock=clock, token_transport=tokens) as service:
            yield service

    return run


@pytest.fixture
async def server() -> AsyncIterator[SubscriptionServer]:
    """Run a server for subscriptions, by the protocol of today."""
    async with subscription_server() as running:
        yield running


@pytest.fixture(params=[WebsocketsTransport, AIOHTTPWebsocketsTransport])
def kind(request: pytest.FixtureRequest) -> type[RenewingTransport]:
    """Use each of the two libraries."""
    chosen: type[RenewingTransport] = request.param
    return chosen
