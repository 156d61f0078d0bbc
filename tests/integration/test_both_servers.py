"""What works with one authorization server works with the other: nothing is tuned to either."""

from __future__ import annotations

import pytest
from joserfc.jwk import ECKey, RSAKey

from gqlauth import Secret
from tests.support.places import Place
from tests.support.registered import who
from tests.support.servers import authlib_server, graphql_api

pytestmark = pytest.mark.anyio

KEYS: dict[str, RSAKey | ECKey] = {
    "RS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
}


class TestProof:
    """The API accepts the token that each method gets."""

    @pytest.mark.parametrize(
        "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"]
    )
    async def test_secret(self, place: Place, method: str) -> None:
        """A secret is sent in either way, or signs."""
        client = place.register(method)
        strategy = place.strategy(
            client, client_secret=Secret(client["client_secret"]), token_endpoint_auth_method=method
        )
        assert await who(strategy, place.api) == client["client_id"]

    @pytest.mark.parametrize("algorithm", KEYS)
    async def test_private_key(self, place: Place, algorithm: str) -> None:
        """A key signs, and its method follows from it."""
        key = KEYS[algorithm]
        client = place.register(
            "private_key_jwt",
            jwks={"keys": [{**key.as_dict(private=False), "kid": "k-1"}]},
            token_endpoint_auth_signing_alg=algorithm,
        )
        private_key = Secret(key.as_pem(private=True).decode())
        strategy = place.strategy(client, private_key=private_key, key_id="k-1")
        assert await who(strategy, place.api) == client["client_id"]

    async def test_token_url_alone(self, place: Place) -> None:
        """Where nothing is discovered, an assertion is for the URL that is asked."""
        client = place.register("client_secret_jwt")
        strategy = place.strategy(
            client,
            issuer=None,
            token_url=place.server.token_url,
            client_secret=Secret(client["client_secret"]),
            token_endpoint_auth_method="client_secret_jwt",
        )
        assert await who(strategy, place.api) == client["client_id"]


class TestCharacters:
    """Ids and secrets have ``%``, ``+``, ``:``, spaces and quotes; at Authlib's also an é.

    oidc-provider knows no others than those of ASCII (RFC 6749, appendix A).
    """

    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    async def test_they_arrive(self, place: Place, method: str) -> None:
        """In the header and in the form, however the server decodes them."""
        client = place.client(f"{method.removeprefix('client_secret_')}:")
        strategy = place.strategy(
            client, client_secret=Secret(client["client_secret"]), token_endpoint_auth_method=method
        )
        assert await who(strategy, place.api) == client["client_id"]

    async def test_they_arrive_where_nothing_is_decoded(self) -> None:
        """A colon in the id cannot (RFC 7617, section 2)."""
        with (
            authlib_server("--raw-basic") as server,
            graphql_api(server.issuer) as api,
        ):
            raw = Place("authlib_server", server, api)
            client = raw.client("raw")
            strategy = raw.strategy(
                client,
                client_secret=Secret(client["client_secret"]),
                token_endpoint_auth_method="client_secret_basic_raw",
            )
            assert await who(strategy, api) == client["client_id"]
