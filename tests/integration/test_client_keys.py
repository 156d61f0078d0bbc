"""The library proves its client by each method, to the real authorization server and API."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gqlauth import AuthService, Secret, TokenRefusedError
from gqlauth._clock import SystemClock
from gqlauth._options import AuthOptions
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import certificate
from tests.support.servers import graphql_api, oidc_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Certificate
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio

ALGORITHMS: dict[str, RSAKey | ECKey | OKPKey] = {
    "RS256": RSAKey.generate_key(2048),
    "PS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
    "Ed25519": OKPKey.generate_key("Ed25519"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def register(provider: Provider, method: str, **fields: Any) -> dict[str, Any]:
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
        source = running._made("api", strategy, options or AuthOptions())
        with pytest.raises(TokenRefusedError) as caught:
            await source.token()
    return caught.value


def strategy_of(client: dict[str, Any], provider: Provider, api: Api, **fields: Any) -> Any:
    known = {
        "issuer": provider.issuer,
        "client_id": client["client_id"],
        "scopes": ("api:read",),
        "audience": api.audience,
    }
    return ClientCredentials(**{**known, **fields})


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

    async def test_key_that_is_not_registered(self, provider: Provider, api: Api) -> None:
        """It is refused with a hint at the key and the audience."""
        client = register(
            provider,
            "private_key_jwt",
            jwks={"keys": [ECKey.generate_key("P-256").as_dict(private=False)]},
            token_endpoint_auth_signing_alg="ES256",
        )
        key = Secret(ALGORITHMS["ES256"].as_pem(private=True).decode())
        error = await refusal(strategy_of(client, provider, api, private_key=key))
        assert (error.status, error.error) == (401, "invalid_client")
        assert error.hint == (
            'the server may want assertion_audience = "issuer", '
            "or not know the key that signed the assertion"
        )

    async def test_audience_that_is_another(self, provider: Provider, api: Api) -> None:
        """It is refused with the same hint."""
        client = register(provider, "client_secret_jwt")
        strategy = strategy_of(
            client,
            provider,
            api,
            client_secret=Secret(client["client_secret"]),
            token_endpoint_auth_method="client_secret_jwt",
            assertion_audience="https://else.example.com",
        )
        error = await refusal(strategy)
        assert error.error == "invalid_client"
        assert 'assertion_audience = "token_url"' in error.hint

    async def test_clock_that_is_behind(self, provider: Provider, api: Api) -> None:
        """An assertion that is expired for the server is told by how far the clocks differ."""

        class Behind(SystemClock):
            """Five minutes ago."""

            def wall(self) -> float:
                return super().wall() - 300

        client = register(provider, "client_secret_jwt")
        strategy = strategy_of(
            client,
            provider,
            api,
            client_secret=Secret(client["client_secret"]),
            token_endpoint_auth_method="client_secret_jwt",
        )
        error = await refusal(strategy, clock=Behind())
        assert error.error == "invalid_client"
        assert re.match(r"this machine's clock is (299|300|301) s behind the server's", error.hint)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for certificates."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Certificate:
    """Make a certificate authority."""
    return certificate(folder, "authority")


@pytest.fixture(scope="module")
def tls_provider(folder: Path, authority: Certificate) -> Iterator[Provider]:
    """Run an authorization server that speaks TLS."""
    own = certificate(folder, "server", issuer=authority)
    with oidc_provider(
        *("--tls-cert", str(own.certificate_file), "--tls-key", str(own.key_file)),
        *("--tls-client-ca", str(authority.certificate_file)),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def tls_api(tls_provider: Provider, authority: Certificate) -> Iterator[Api]:
    """Run an API for its tokens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
        with graphql_api(tls_provider.issuer) as running:
            yield running


@pytest.fixture
def options(authority: Certificate) -> AuthOptions:
    """Trust the authority."""
    return AuthOptions(ca_file=authority.certificate_file)


class TestCertificate:
    async def test_of_an_authority(
        self,
        folder: Path,
        authority: Certificate,
        tls_provider: Provider,
        tls_api: Api,
        options: AuthOptions,
    ) -> None:
        """TLS shows it, and that is all that proves the client; its key may be encrypted."""
        own = certificate(folder, "orders", issuer=authority)
        encrypted = folder / "encrypted.key"
        encrypted.write_bytes(
            own.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"a password"),
            )
        )
        client = register(tls_provider, "tls_client_auth", tls_client_auth_subject_dn="CN=orders")
        strategy = strategy_of(
            client,
            tls_provider,
            tls_api,
            certificate_file=own.certificate_file,
            certificate_key_file=encrypted,
            certificate_key_password=Secret("a password"),
        )
        assert await who(strategy, tls_api, options) == client["client_id"]

    async def test_of_its_own_making(
        self, folder: Path, tls_provider: Provider, tls_api: Api, options: AuthOptions
    ) -> None:
        """The server knows that very certificate."""
        own = certificate(folder, "own")
        chain = [b64encode(own.certificate.public_bytes(serialization.Encoding.DER)).decode()]
        key = ECKey.import_key(own.key.public_key()).as_dict(private=False)
        client = register(
            tls_provider, "self_signed_tls_client_auth", jwks={"keys": [{**key, "x5c": chain}]}
        )
        strategy = strategy_of(
            client,
            tls_provider,
            tls_api,
            certificate_file=own.certificate_file,
            certificate_key_file=own.key_file,
            token_endpoint_auth_method="self_signed_tls_client_auth",
        )
        assert await who(strategy, tls_api, options) == client["client_id"]

    async def test_beside_a_private_key(
        self, folder: Path, tls_provider: Provider, tls_api: Api, options: AuthOptions
    ) -> None:
        """The assertion names it, and the server takes that."""
        own = certificate(folder, "beside")
        key = ECKey.import_key(own.key_file.read_bytes())
        client = register(
            tls_provider,
            "private_key_jwt",
            jwks={"keys": [key.as_dict(private=False)]},
            token_endpoint_auth_signing_alg="ES256",
        )
        strategy = strategy_of(
            client,
            tls_provider,
            tls_api,
            private_key=Secret(own.key_file.read_text()),
            certificate_file=own.certificate_file,
            certificate_key_file=own.key_file,
        )
        assert await who(strategy, tls_api, options) == client["client_id"]

    async def test_that_is_not_registered(
        self,
        folder: Path,
        authority: Certificate,
        tls_provider: Provider,
        tls_api: Api,
        options: AuthOptions,
    ) -> None:
        """It is refused with a hint at its subject."""
        own = certificate(folder, "billing", issuer=authority)
        client = register(tls_provider, "tls_client_auth", tls_client_auth_subject_dn="CN=orders")
        strategy = strategy_of(
            client,
            tls_provider,
            tls_api,
            certificate_file=own.certificate_file,
            certificate_key_file=own.key_file,
        )
        error = await refusal(strategy, options)
        assert error.error == "invalid_client"
        assert "know its subject" in error.hint
