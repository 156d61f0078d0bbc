"""The tests of Acme sign-in."""

import httpx
import pytest

from gqlauth import AuthService, Secret, TokenRefusedError
from gqlauth.testing import AuthorizationServer, FrozenClock, check_strategy
from gqlauth_acme import AcmeKey

ACME = AcmeKey(token_url="https://id.example.com/oauth2/token", api_key=Secret("k3y-of-orders"))
API = "https://orders.example.com/graphql"


def test_strategy_keeps_its_promises() -> None:
    """It does what gqlauth relies on."""
    check_strategy(ACME)


def orders(request: httpx.Request) -> httpx.Response:
    """Answer as an API that tells which token it got."""
    return httpx.Response(200, json={"data": request.headers["Authorization"]})


async def ask(service: AuthService) -> str:
    """Return which token the API got."""
    auth = service.auth_for(ACME, url=API)
    async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(orders)) as client:
        token: str = (await client.get(API)).json()["data"]
    return token


@pytest.mark.anyio
async def test_key_is_traded_for_a_token() -> None:
    """The key goes to the token endpoint, and the token to the API."""
    server = AuthorizationServer()
    async with AuthService(token_transport=server) as service:
        assert await ask(service) == "Bearer token-1"
    assert server.forms == [{"grant_type": ["urn:acme:key"], "key": ["k3y-of-orders"]}]


@pytest.mark.anyio
async def test_token_is_replaced_before_it_ends() -> None:
    """A token of ten minutes serves twice, and no more when they are nearly over."""
    clock, server = FrozenClock(), AuthorizationServer(expires_in=600)
    async with AuthService(clock=clock, token_transport=server) as service:
        assert await ask(service) == await ask(service) == "Bearer token-1"
        clock.advance(595)
        assert await ask(service) == "Bearer token-2"


@pytest.mark.anyio
async def test_key_that_acme_refuses() -> None:
    """What Acme says of the key is told, and the key is not."""
    server = AuthorizationServer({"error": "invalid_grant", "error_description": "unknown key"})
    async with AuthService(token_transport=server) as service:
        with pytest.raises(TokenRefusedError, match="unknown key") as caught:
            await ask(service)
    assert "k3y-of-orders" not in str(caught.value)
