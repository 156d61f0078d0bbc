"""graphql-python/gql: its httpx transport takes gqlauth's authentication as httpx does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed
from gql.transport.httpx import HTTPXAsyncTransport

from gqlauth import AuthService, Secret, TokenRefusedError

if TYPE_CHECKING:
    from gqlauth import Strategy
    from tests.integration.conftest import Credentials
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio

ME = gql("{ me { id } }")
INCREMENT = gql("mutation { increment }")


def client(service: AuthService, strategy: Strategy, url: str) -> Client:
    """Return a client of gql for the API, with a strategy's tokens."""
    return Client(transport=HTTPXAsyncTransport(url, auth=service.auth_for(strategy, url=url)))


@pytest.fixture(autouse=True)
def _plain_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let gql take httpx, as it does where there is no httpx2."""
    monkeypatch.setattr("gql.transport.httpx.httpx", httpx)


async def test_request_carries_a_token(jwt_credentials: Credentials, api: Api) -> None:
    """A question asked through gql carries a token."""
    async with AuthService() as service, client(service, jwt_credentials(), api.url) as session:
        answer = await session.execute(ME)

    assert answer == {"me": {"id": "basic"}}


async def test_session_outlives_its_tokens(
    provider: Provider, jwt_credentials: Credentials, api: Api
) -> None:
    """One session asks for longer than a token of two seconds lives."""
    before = provider.requests("short")
    strategy = jwt_credentials("short")
    async with AuthService() as service, client(service, strategy, api.url) as session:
        first = await session.execute(ME)
        await anyio.sleep(2.1)
        second = await session.execute(ME)

    assert first == second == {"me": {"id": "short"}}
    assert provider.requests("short") == before + 2


@pytest.mark.parametrize("dialect", ["graphql", "apollo", "hasura", "appsync", "github"])
async def test_revoked_token_is_replaced(
    provider: Provider, api: Api, opaque_credentials: Credentials, dialect: str
) -> None:
    """A revoked token is replaced inside the transport; a mutation runs once."""
    strategy = opaque_credentials(scopes=("api:read", "api:write"))
    async with AuthService() as service, client(service, strategy, api.at(dialect)) as session:
        await session.execute(ME)
        provider.revoke_opaque_tokens()
        before = api.count("mutations")
        answer = await session.execute(INCREMENT)

    assert answer == {"increment": before + 1}
    assert api.count("mutations") == before + 1


async def test_refusal_is_the_cause(jwt_credentials: Credentials, api: Api) -> None:
    """Where no token can be had, gql's own error has gqlauth's as its cause."""
    strategy = jwt_credentials(client_secret=Secret("not-the-secret"))
    async with AuthService() as service, client(service, strategy, api.url) as session:
        with pytest.raises(TransportConnectionFailed) as caught:
            await session.execute(ME)

    cause = caught.value.__cause__
    assert isinstance(cause, TokenRefusedError)
    assert cause.error == "invalid_client"
    assert "not-the-secret" not in str(caught.value)
