"""Clients that register with the real authorization server, and ask by the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gqlauth import AuthService, TokenRefusedError
from gqlauth._options import AuthOptions
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from tests.support.servers import Api, AuthlibServer, Provider


def register(provider: Provider | AuthlibServer, method: str, **fields: Any) -> dict[str, Any]:
    """Register a client that proves itself by `method`, and return what it is."""
    metadata = {
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "scope": "api:read",
        "token_endpoint_auth_method": method,
        **fields,
    }
    with httpx.Client(trust_env=False, verify=False) as http:
        answer = http.post(f"{provider.issuer}/reg", json=metadata)
    client: dict[str, Any] = answer.raise_for_status().json()
    return client


async def who(strategy: ClientCredentials, api: Api, options: AuthOptions | None = None) -> str:
    """Return who the API says is calling, with a token of `strategy`."""
    async with (
        AuthService() as service,
        httpx.AsyncClient(
            auth=service.auth_for(strategy, url=api.url, name="api", options=options)
        ) as client,
    ):
        answer = await client.post(api.url, json={"query": "{ me { id } }"})
    name: str = answer.raise_for_status().json()["data"]["me"]["id"]
    return name


async def refusal(
    strategy: ClientCredentials, options: AuthOptions | None = None, **service: Any
) -> TokenRefusedError:
    """Return why there is no token by `strategy`."""
    async with AuthService(**service) as running:
        source = running._sources.made("api", strategy, options or AuthOptions())
        with pytest.raises(TokenRefusedError) as caught:
            await source.token()
    return caught.value


def strategy_of(
    client: dict[str, Any], provider: Provider | AuthlibServer, api: Api, **fields: Any
) -> Any:
    known = {
        "issuer": provider.issuer,
        "client_id": client["client_id"],
        "scopes": ("api:read",),
        "audience": api.audience,
    }
    return ClientCredentials(**{**known, **fields})
