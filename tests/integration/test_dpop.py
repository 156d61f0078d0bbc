"""Tokens that are bound to a key, by the real authorization server and for the real API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey

from gqlauth import AuthOptions, AuthService, Secret
from tests.support.registered import refusal, register, strategy_of, who

if TYPE_CHECKING:
    from gqlauth_strategies import ClientCredentials
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio


def bound(provider: Provider, api: Api, **fields: Any) -> ClientCredentials:
    """Return a client whose tokens are bound to a key."""
    client = register(provider, "client_secret_basic", dpop_bound_access_tokens=True)
    strategy: ClientCredentials = strategy_of(
        client, provider, api, client_secret=Secret(client["client_secret"]), dpop=True, **fields
    )
    return strategy


def at(api: Api, dialect: str) -> Api:
    return type(api)(api.at(dialect), api.origin, api.audience, api.counts_url)


async def test_proof(provider: Provider, api: Api) -> None:
    """The API takes the token with the proof that goes with it."""
    strategy = bound(provider, api)
    assert await who(strategy, api) == strategy.client_id


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")])
async def test_key_of_the_configuration(provider: Provider, api: Api, key: Any) -> None:
    """A key that is configured signs, in PEM or as a JWK."""
    for text in (key.as_pem(private=True).decode(), json.dumps(key.as_dict(private=True))):
        strategy = bound(provider, api, dpop_key=Secret(text))
        assert await who(strategy, api) == strategy.client_id


async def test_nonces(provider: Provider, api: Api) -> None:
    """Both servers want a nonce of their own, and each request after the first has it already."""
    nonces = at(api, "nonce")
    strategy = bound(provider, api, issuer=None, token_url=f"{provider.token_url}?nonce")
    wanted, asked = api.count("/nonce nonce wanted"), provider.requests(strategy.client_id)
    async with AuthService() as service:
        auth = service.auth_for(strategy, url=nonces.url)
        async with httpx.AsyncClient(auth=auth) as client:
            for _ in range(3):
                answer = await client.post(nonces.url, json={"query": "{ me { id } }"})
                assert answer.json() == {"data": {"me": {"id": strategy.client_id}}}
    assert provider.requests(strategy.client_id) - asked == 2
    assert api.count("/nonce nonce wanted") - wanted == 1


async def test_nonce_beside_an_assertion(provider: Provider, api: Api) -> None:
    """The request that brings the nonce has another assertion, too, as each is taken once."""
    key = ECKey.generate_key("P-256")
    client = register(
        provider,
        "private_key_jwt",
        dpop_bound_access_tokens=True,
        jwks={"keys": [key.as_dict(private=False)]},
        token_endpoint_auth_signing_alg="ES256",
    )
    strategy = strategy_of(
        client,
        provider,
        api,
        issuer=None,
        token_url=f"{provider.token_url}?nonce",
        assertion_audience=provider.issuer,
        private_key=Secret(key.as_pem(private=True).decode()),
        dpop=True,
    )
    assert await who(strategy, api) == client["client_id"]


async def test_stolen_token(provider: Provider, api: Api) -> None:
    """Without the key it is worth nothing, be it as it is, or with a proof of another's."""
    async with AuthService() as service:
        source = service._sources.made("api", bound(provider, api), AuthOptions())
        token = await source.token()
        thief = await service._sources.made("api", bound(provider, api), AuthOptions()).token()
        assert token.presenter is not None
        asked = {"query": "{ me { id } }"}
        proof = token.presenter.headers(thief, "POST", api.url)
        async with httpx.AsyncClient() as client:
            for headers in (
                {"Authorization": f"Bearer {token.reveal()}"},
                {"Authorization": token.header_value},
                {"Authorization": token.header_value, **proof},
            ):
                answer = await client.post(api.url, json=asked, headers=headers)
                assert answer.status_code == 401


async def test_server_that_binds_no_token(provider: Provider, api: Api) -> None:
    """Where it needs proofs and gets none, its refusal is told."""
    client = register(provider, "client_secret_basic", dpop_bound_access_tokens=True)
    strategy = strategy_of(client, provider, api, client_secret=Secret(client["client_secret"]))
    error = await refusal(strategy)
    assert error.error in {"invalid_grant", "invalid_request"}
