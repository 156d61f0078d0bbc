"""The library proves its client by a certificate, to the real authorization server and API."""

from __future__ import annotations

import ssl
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey

from gqlauth import AuthService, Secret, TokenRefusedError, TokenUnavailableError
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import certificate
from tests.support.http_server import HttpServer, json_answer
from tests.support.registered import refusal, register, strategy_of, who
from tests.support.servers import graphql_api, oidc_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Certificate
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio


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


@pytest.fixture(scope="module")
def certified_api(folder: Path, tls_provider: Provider, authority: Certificate) -> Iterator[Api]:
    """Run an API that speaks TLS, and looks at the certificates of its clients."""
    own = certificate(folder, "api", issuer=authority)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
        with graphql_api(
            tls_provider.issuer,
            *("--tls-cert", str(own.certificate_file), "--tls-key", str(own.key_file)),
            *("--tls-client-ca", str(authority.certificate_file)),
        ) as running:
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

    async def test_that_tokens_are_bound_to(
        self,
        folder: Path,
        authority: Certificate,
        tls_provider: Provider,
        certified_api: Api,
        options: AuthOptions,
    ) -> None:
        """TLS shows it to the API, too; to whoever stole the token it is worth nothing."""
        own = certificate(folder, "bound", issuer=authority)
        client = register(
            tls_provider,
            "tls_client_auth",
            tls_client_auth_subject_dn="CN=bound",
            tls_client_certificate_bound_access_tokens=True,
        )
        strategy = strategy_of(
            client,
            tls_provider,
            certified_api,
            certificate_file=own.certificate_file,
            certificate_key_file=own.key_file,
        )
        endpoint = Endpoint(
            name="orders",
            url=certified_api.url,
            ca_file=authority.certificate_file,
            auth=EndpointAuthConfig(type="client_credentials", strategy=strategy, options=options),
        )
        asked = {"query": "{ me { id } }"}
        async with AuthService(Config(endpoints={"orders": endpoint})) as service:
            async with service.client("orders") as http:
                answer = await http.post(endpoint.url, json=asked)
            token = await service.token("orders")
            async with service.client("orders", authenticate=False) as thief:
                headers = {"Authorization": token.header_value}
                refused = await thief.post(endpoint.url, json=asked, headers=headers)

        assert answer.json() == {"data": {"me": {"id": client["client_id"]}}}
        assert refused.status_code == 401
        assert "bound to another certificate" in refused.text

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

    async def test_that_is_renewed(
        self,
        folder: Path,
        authority: Certificate,
        tls_provider: Provider,
        tls_api: Api,
        options: AuthOptions,
    ) -> None:
        """What its files hold now is shown, though the service runs on."""
        wrong = certificate(folder, "expired", issuer=authority)
        right = certificate(folder, "renewed", issuer=authority)
        client = register(tls_provider, "tls_client_auth", tls_client_auth_subject_dn="CN=renewed")
        strategy = strategy_of(
            client,
            tls_provider,
            tls_api,
            certificate_file=wrong.certificate_file,
            certificate_key_file=wrong.key_file,
        )
        async with AuthService() as service:
            source = service._sources.made("api", strategy, options)
            with pytest.raises(TokenRefusedError):
                await source.token()
            right.certificate_file.replace(wrong.certificate_file)
            right.key_file.replace(wrong.key_file)
            source.forget()
            token = await source.token()
        assert token.reveal()

    async def test_that_breaks_tls_off(
        self, folder: Path, authority: Certificate, options: AuthOptions
    ) -> None:
        """A server that trusts no other certificates is told by what may be wrong."""
        own = certificate(folder, "strict", issuer=authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate_file, own.key_file)
        context.load_verify_locations(authority.certificate_file)
        context.verify_mode = ssl.CERT_REQUIRED
        # By TLS 1.3 the client has begun to send its request before it is refused.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        stranger = certificate(folder, "stranger")
        server = HttpServer(lambda _: json_answer({}))
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        server._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.start()
        strategy = ClientCredentials(
            token_url=f"https://127.0.0.1:{server.port}/token",
            client_id="orders",
            certificate_file=stranger.certificate_file,
            certificate_key_file=stranger.key_file,
        )
        try:
            async with AuthService() as service:
                with pytest.raises(TokenUnavailableError) as caught:
                    await service._sources.made("api", strategy, options).token()
        finally:
            server.stop()
        assert "alert unknown ca" in caught.value.reason
        assert caught.value.hint == "the server may not trust the certificate, and so break off"
