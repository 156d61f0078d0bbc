"""The library proves its client by what it signs, to the real authorization server and API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gqlauth import Secret
from tests.support.registered import register, strategy_of, who

if TYPE_CHECKING:
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio

ALGORITHMS: dict[str, RSAKey | ECKey | OKPKey] = {
    "RS256": RSAKey.generate_key(2048),
    "PS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


class TestAssertion:
    @pytest.mark.parametrize("form", ["PEM", "JWK"])
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    async def test_private_key(
        self, provider: Provider, api: Api, algorithm: str, form: str
    ) -> None:
        """A key of each kind signs, in either form."""
        key = ALGORITHMS[algorithm]
        client = register(
            provider,
            "private_key_jwt",
            jwks={"keys": [{**key.as_dict(private=False), "kid": "k-1"}]},
            token_endpoint_auth_signing_alg=algorithm,
        )
        text = key.as_pem(private=True).decode()
        if form == "JWK":
            text = json.dumps(key.as_dict(private=True))
        strategy = strategy_of(
            client,
            provider,
            api,
            private_key=Secret(text),
            key_id="k-1",
            token_endpoint_auth_signing_alg=algorithm,
        )
        assert await who(strategy, api) == client["client_id"]

    @pytest.mark.parametrize("audience", [None, "issuer", "token_url"])
    async def test_secret(self, provider: Provider, api: Api, audience: str | None) -> None:
        """A secret signs, for either of the two who it may be for."""
        client = register(provider, "client_secret_jwt")
        strategy = strategy_of(
            client,
            provider,
            api,
            client_secret=Secret(client["client_secret"]),
            token_endpoint_auth_method="client_secret_jwt",
            assertion_audience=audience,
        )
        assert await who(strategy, api) == client["client_id"]
