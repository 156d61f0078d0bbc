"""Recovery from a token that the API refuses, in each dialect that servers refuse in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import AuthService

if TYPE_CHECKING:
    from tests.integration.conftest import Credentials
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio

ME = {"query": "{ me { id } }"}
INCREMENT = {"query": "mutation { increment }"}
SCOPES = ("api:read", "api:write")


@pytest.mark.parametrize("dialect", ["graphql", "apollo", "hasura", "appsync", "github"])
@pytest.mark.parametrize("request_body", [ME, INCREMENT], ids=["query", "mutation"])
async def test_revoked_token_is_replaced(
    provider: Provider,
    api: Api,
    opaque_credentials: Credentials,
    dialect: str,
    request_body: dict[str, str],
) -> None:
    """The caller sees nothing of a revoked token: another is got, and the request sent again."""
    url = api.at(dialect)
    async with (
        AuthService() as service,
        httpx.AsyncClient(
            auth=service.auth_for(opaque_credentials(scopes=SCOPES), url=url)
        ) as client,
    ):
        await client.post(url, json=ME)
        provider.revoke_opaque_tokens()
        before = (
            provider.requests("basic"),
            api.count(f"/{dialect}"),
            api.count("mutations"),
        )
        answer = await client.post(url, json=request_body)

    assert answer.status_code == 200
    assert "errors" not in answer.json()
    assert provider.requests("basic") == before[0] + 1
    assert api.count(f"/{dialect}") == before[1] + 2
    assert api.count("mutations") == before[2] + (request_body is INCREMENT)


async def test_token_that_is_refused_again_is_given_up(
    provider: Provider, api: Api, opaque_credentials: Credentials
) -> None:
    """A fresh token that is refused, too, ends it: the caller gets the API's answer."""
    # A JWT for another API is refused for ever.
    strategy = opaque_credentials(resource=("https://other.example.com",))
    before = (provider.requests("basic"), api.count("/graphql"))
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(strategy, url=api.url)) as client,
    ):
        answer = await client.post(api.url, json=ME)

    assert answer.status_code == 401
    assert provider.requests("basic") == before[0] + 2
    assert api.count("/graphql") == before[1] + 2


@pytest.mark.parametrize("path", ["forbidden", "broken", "neither", "html"])
async def test_other_answers_are_the_callers(
    provider: Provider, api: Api, opaque_credentials: Credentials, path: str
) -> None:
    """What is no refusal of the token is not sent again."""
    before = api.count(f"/{path}")
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(opaque_credentials(), url=api.url)) as client,
    ):
        await client.post(api.at(path), json=ME)

    assert api.count(f"/{path}") == before + 1


async def test_partial_data_is_the_callers(api: Api, opaque_credentials: Credentials) -> None:
    """A field that fails as unauthenticated beside data is not the token's fault."""
    before = api.count("/apollo")
    url = api.at("apollo")
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(opaque_credentials(), url=url)) as client,
    ):
        answer = await client.post(url, json={"query": "{ me { id salary } }"})

    assert answer.json()["data"] == {"me": {"id": "basic", "salary": None}}
    assert api.count("/apollo") == before + 1
