"""TLS, with real servers and certificates of authorities made for the test."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import AuthService, ConfigError, Secret, TokenUnavailableError, _tls
from gqlauth._config import load
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import Certificate, certificate
from tests.support.http_server import json_answer, tls_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.http_server import Answer, HttpServer, Request

pytestmark = pytest.mark.anyio


def answer(request: Request) -> Answer:
    """Answer as a token endpoint, and as an API."""
    assert b"s3cr3t" in request.body or request.path == "/graphql"
    return json_answer({"access_token": "a-token", "token_type": "Bearer", "expires_in": 60})


def is_not_known(error: BaseException | None) -> bool:
    """Tell whether `error` comes of a certificate that was refused; trio tells it as a cause."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    """Make the authority that the server is known by."""
    return certificate(tmp_path, "authority")


@pytest.fixture
def other(tmp_path: Path) -> Certificate:
    """Make an authority that the server is not known by."""
    return certificate(tmp_path, "other")


@pytest.fixture
def server(tmp_path: Path, authority: Certificate) -> Iterator[HttpServer]:
    """Run a server that is both a token endpoint and an API."""
    with tls_server(answer, certificate(tmp_path, "server", issuer=authority)) as running:
        yield running


def service(tmp_path: Path, server: HttpServer, settings: str = "") -> AuthService:
    """Return a service whose endpoint, and its token endpoint, is the server."""
    path = tmp_path / "gqlauth.toml"
    (tmp_path / "secret").write_text("s3cr3t", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    path.write_text(
        f"""\
        [endpoints.orders]
        url = "{server.url}/graphql"
        [endpoints.orders.auth]
        type = "client_credentials"
        token_url = "{server.url}/token"
        client_id = "orders-cli"
        client_secret = {{ file = "secret" }}
        token_endpoint_auth_method = "client_secret_post"
        timeout = 5
        {settings}
        """,
        encoding="utf-8",
    )
    return AuthService(load(path).require())


async def test_a_server_that_the_system_does_not_know_is_not_asked(
    tmp_path: Path, server: HttpServer
) -> None:
    """Its certificate is of an authority that is not in the system's store: nothing is sent."""
    async with service(tmp_path, server) as orders:
        with pytest.raises(TokenUnavailableError, match=r"(?i)certificate.verify.failed") as caught:
            await orders.token()
        assert is_not_known(caught.value)
        async with orders.client(authenticate=False) as client:
            with pytest.raises(httpx.ConnectError) as caught_too:
                await client.get(orders.endpoint().url)
        assert is_not_known(caught_too.value)

    assert server.requests == []


async def test_the_authority_of_ca_file_is_trusted(
    tmp_path: Path, server: HttpServer, authority: Certificate
) -> None:
    """A token endpoint is known by the file that is named for it, and the API is not."""
    settings = f'ca_file = "{authority.certificate_file.name}"'
    async with service(tmp_path, server, settings) as orders:
        assert (await orders.token()).reveal() == "a-token"
        async with orders.client(authenticate=False) as client:
            with pytest.raises(httpx.ConnectError) as caught_too:
                await client.get(orders.endpoint().url)
        assert is_not_known(caught_too.value)


async def test_ca_file_stands_for_all_others(
    tmp_path: Path,
    server: HttpServer,
    authority: Certificate,
    other: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token endpoint with a file of its own is not known by what else is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
    settings = f'ca_file = "{other.certificate_file.name}"'
    async with service(tmp_path, server, settings) as orders:
        with pytest.raises(TokenUnavailableError) as caught:
            await orders.token()
        assert is_not_known(caught.value)

    assert server.requests == []


async def test_a_ca_file_that_holds_none_is_told(tmp_path: Path, server: HttpServer) -> None:
    """A file without certificates is no way to trust everyone."""
    async with service(tmp_path, server, 'ca_file = "gqlauth.toml"') as orders:
        with pytest.raises(ConfigError, match=r"ca_file .*gqlauth\.toml cannot be used"):
            await orders.token()

    assert server.requests == []


async def test_what_the_environment_names_is_trusted(
    tmp_path: Path, server: HttpServer, authority: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` stands for the system's store, for tokens and for the API."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
    async with service(tmp_path, server) as orders:
        assert (await orders.token()).reveal() == "a-token"
        async with orders.client() as client:
            assert (await client.get(orders.endpoint().url)).status_code == 200


async def test_the_systems_store_is_trusted(
    server: HttpServer, authority: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What OpenSSL's own store holds is read for the first connection, and kept."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
    context = _tls._store.__wrapped__()  # OpenSSL takes its store from there, too

    assert isinstance(context, _tls._FileStore)
    assert context.cert_store_stats()["x509_ca"] == 0
    async with httpx.AsyncClient(verify=context) as client:
        assert (await client.get(f"{server.url}/graphql")).status_code == 200
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    async with httpx.AsyncClient(verify=context) as client:
        assert (await client.get(f"{server.url}/graphql")).status_code == 200


async def test_a_certificate_for_another_name_is_refused(
    server: HttpServer, authority: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is known shows who it is, and is not taken for another: loopback or not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
    url = server.url.replace("127.0.0.1", "localhost")
    strategy = ClientCredentials(
        token_url=f"{url}/token", client_id="orders-cli", client_secret=Secret("s3cr3t")
    )
    async with AuthService() as orders:
        auth = orders.auth_for(strategy, url=url)
        async with httpx.AsyncClient(auth=auth) as client:
            with pytest.raises(TokenUnavailableError) as caught:
                await client.get(url)
        assert is_not_known(caught.value)

    assert server.requests == []
