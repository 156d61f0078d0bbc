"""The authorization server takes every method of client authentication of RFC 7591 and RFC 8705."""

from __future__ import annotations

import ssl
from base64 import b64encode
from time import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.support.certificates import certificate
from tests.support.servers import oidc_provider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Certificate
    from tests.support.servers import Provider


def register(http: httpx.Client, provider: Provider, method: str, **fields: Any) -> dict[str, Any]:
    """Register a client that proves itself by `method`, and return what it is."""
    metadata = {
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "response_types": [],
        "token_endpoint_auth_method": method,
        **fields,
    }
    answer = http.post(f"{provider.issuer}/reg", json=metadata)
    client: dict[str, Any] = answer.raise_for_status().json()
    return client


def ask(http: httpx.Client, provider: Provider, **fields: str) -> int:
    """Ask for a token, and return the status of the answer."""
    form = {"grant_type": "client_credentials", **fields}
    return http.post(provider.token_url, data=form).status_code


def assertion(provider: Provider, client_id: str, key: OctKey | ECKey, algorithm: str) -> str:
    """Return a client assertion (RFC 7523, section 2.2)."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": provider.issuer,
        "exp": int(time()) + 60,
        "iat": int(time()),
        "jti": str(uuid4()),
    }
    return jwt.encode({"alg": algorithm}, claims, key)


def ask_with_assertion(http: httpx.Client, provider: Provider, client: str, text: str) -> int:
    return ask(
        http,
        provider,
        client_id=client,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=text,
    )


@pytest.fixture
def plain() -> Iterator[httpx.Client]:
    """Give a client without a certificate."""
    with httpx.Client(trust_env=False) as http:
        yield http


def test_client_secret_jwt(plain: httpx.Client, provider: Provider) -> None:
    """A client proves that it knows its secret by signing with it."""
    client = register(plain, provider, "client_secret_jwt")
    key = OctKey.import_key(client["client_secret"])
    text = assertion(provider, client["client_id"], key, "HS256")

    assert ask_with_assertion(plain, provider, client["client_id"], text) == 200
    assert ask_with_assertion(plain, provider, client["client_id"], text) == 401  # it is used up


def test_private_key_jwt(plain: httpx.Client, provider: Provider) -> None:
    """A client proves that it holds the key to the public one that it registered."""
    key = ECKey.generate_key("P-256")
    client = register(
        plain,
        provider,
        "private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
        token_endpoint_auth_signing_alg="ES256",
    )
    text = assertion(provider, client["client_id"], key, "ES256")
    forged = assertion(provider, client["client_id"], ECKey.generate_key("P-256"), "ES256")

    assert ask_with_assertion(plain, provider, client["client_id"], text) == 200
    assert ask_with_assertion(plain, provider, client["client_id"], forged) == 401


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


def client_with(own: Certificate, authority: Certificate) -> httpx.Client:
    """Return a client that shows a certificate."""
    context = ssl.create_default_context(cafile=authority.certificate_file)
    context.load_cert_chain(own.certificate_file, own.key_file)
    return httpx.Client(verify=context, trust_env=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subject_dn", "CN=orders"),
        ("san_dns", "orders.example.com"),
        ("san_email", "orders@example.com"),
        ("san_ip", "127.0.0.1"),
        ("san_uri", "https://orders.example.com/"),
    ],
)
def test_tls_client_auth(
    folder: Path, authority: Certificate, tls_provider: Provider, name: str, value: str
) -> None:
    """A client proves itself by a certificate of an authority, in the name that it registered."""
    fields = {f"tls_client_auth_{name}": value}
    with client_with(certificate(folder, "orders", issuer=authority), authority) as http:
        client = register(http, tls_provider, "tls_client_auth", **fields)
        own = ask(http, tls_provider, client_id=client["client_id"])
    with client_with(certificate(folder, "orders"), authority) as http:
        self_signed = ask(http, tls_provider, client_id=client["client_id"])

    assert (own, self_signed) == (200, 401)


def test_tls_client_auth_of_another(
    folder: Path, authority: Certificate, tls_provider: Provider
) -> None:
    """A certificate in another name proves nothing."""
    with client_with(certificate(folder, "billing", issuer=authority), authority) as http:
        client = register(
            http, tls_provider, "tls_client_auth", tls_client_auth_subject_dn="CN=orders"
        )

        assert ask(http, tls_provider, client_id=client["client_id"]) == 401


def test_self_signed_tls_client_auth(
    folder: Path, authority: Certificate, tls_provider: Provider
) -> None:
    """A client proves itself by the very certificate that it registered."""
    own = certificate(folder, "own")
    key = ECKey.import_key(own.key.public_key()).as_dict(private=False)
    chain = [b64encode(own.certificate.public_bytes(Encoding.DER)).decode()]
    with client_with(own, authority) as http:
        client = register(
            http,
            tls_provider,
            "self_signed_tls_client_auth",
            jwks={"keys": [{**key, "x5c": chain}]},
        )
        registered = ask(http, tls_provider, client_id=client["client_id"])
    with client_with(certificate(folder, "other"), authority) as http:
        other = ask(http, tls_provider, client_id=client["client_id"])

    assert (registered, other) == (200, 401)
