"""Hints: what may mend a refusal, by what the server said, and by how the client proved itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from joserfc.jwk import ECKey

from gqlauth import Secret
from gqlauth._certificate import Certificate
from gqlauth.testing import AuthorizationServer
from tests.support.asked import Asked
from tests.support.asked import Client as Strategy
from tests.support.certificates import certificate
from tests.support.issuer import ISSUER
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

KEY = ECKey.generate_key("P-256")
PRIVATE_KEY = Secret(json.dumps({**KEY.as_dict(private=True), "kid": "k-1"}))
INVALID_CLIENT = '{"error": "invalid_client"}'


@pytest.fixture
def files(tmp_path: Path) -> Certificate:
    """Make a certificate."""
    made = certificate(tmp_path, "orders")
    return Certificate(made.certificate_file, made.key_file)


async def hint(client: Strategy, status: int, error: str, description: str = "") -> str:
    """Return the hint for a client that a server refuses with these words."""
    said = json.dumps({"error": error, "error_description": description})
    return (await Asked(AuthorizationServer(answer(status, said)), client).fail()).hint


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (
            Strategy(client_secret=None, private_key=PRIVATE_KEY),
            (
                'the server may want assertion_audience = "issuer", '
                'or not know the key "k-1" (kid) that signed the assertion by ES256'
            ),
        ),
        (
            Strategy(token_endpoint_auth_method="client_secret_jwt", assertion_audience=ISSUER),
            (
                'the server may want assertion_audience = "token_url", '
                "or not know the secret that signed the assertion by HS256"
            ),
        ),
        (Strategy(client_secret=None), "the server may want a client_secret"),
    ],
)
async def test_by_method(client: Strategy, told: str) -> None:
    """Where a server says no more than that it refuses the client."""
    assert await hint(client, 401, "invalid_client", "client authentication failed") == told


AUDIENCE = 'the server may want assertion_audience = "issuer"'
THE_KEY = 'the server may not know the key "k-1" (kid) that signed the assertion'
CLOCK = "check the clock: an assertion is valid for a minute"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Invalid claim: 'aud'", AUDIENCE),  # Authlib
        ("The audience claim for client_assertion must be the endpoint invoked.", AUDIENCE),  # Okta
        ("Token audience doesn't match domain.", AUDIENCE),  # Keycloak
        ("No key for kid: 'k-1'", THE_KEY),  # Authlib
        ("AADSTS700027: … an invalid signature. [Reason - The key used is expired.]", THE_KEY),
        ("Signature on JWT token failed validation", THE_KEY),  # Keycloak
        (
            "Algorithm of 'ES256' is not recommended",  # Authlib
            'the server may want another token_endpoint_auth_signing_alg than "ES256"',
        ),
        ("The token is expired", CLOCK),  # Authlib
        ("The token was issued in the future", CLOCK),  # Authlib
        ("Token is not active", CLOCK),  # Keycloak
        ("AADSTS700024: Client assertion is not within its valid time range.", CLOCK),
        ("The client does not exist on this server.", "check client_id"),  # Authlib
    ],
)
async def test_of_an_assertion_by_what_is_said(said: str, told: str) -> None:
    """A server may say what is wrong with an assertion; each has words of its own."""
    client = Strategy(client_secret=None, private_key=PRIVATE_KEY)
    assert await hint(client, 401, "invalid_client", said) == told


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, 'the server may want token_endpoint_auth_method = "client_secret_basic"'),
        (400, ""),
    ],
)
async def test_of_a_client_that_is_not_authorized(status: int, told: str) -> None:
    """Keycloak calls a wrong secret so, with a 401; elsewhere it is the grant."""
    client = Strategy(token_endpoint_auth_method="client_secret_post")
    assert await hint(client, status, "unauthorized_client") == told


@pytest.mark.parametrize(
    ("method", "told"),
    [("client_secret_basic_raw", '"client_secret_basic" or'), ("client_secret_post", "")],
)
async def test_of_basic_that_is_not_encoded(method: str, told: str) -> None:
    """The request is what oidc-provider calls invalid then."""
    client = Strategy(token_endpoint_auth_method=method)
    said = "client_id and client_secret in the authorization header are not properly encoded"
    found = await hint(client, 400, "invalid_request", said)
    assert told in found
    assert bool(found) is bool(told)


@pytest.mark.parametrize("error", ["invalid_dpop_proof", "use_dpop_nonce"])
async def test_of_a_proof_that_is_not_there(error: str) -> None:
    """A server that wants one is told of by the key that sends it."""
    assert (await hint(Strategy(), 400, error)).startswith("set dpop = true: the server wants")


@pytest.mark.parametrize(
    ("method", "told"),
    [
        (None, "the server must trust who issued the certificate, and know its subject"),
        ("self_signed_tls_client_auth", "the server must know this very certificate"),
    ],
)
async def test_of_a_certificate(files: Certificate, method: str | None, told: str) -> None:
    """They are registered in two ways."""
    client = Strategy(
        client_secret=None,
        certificate_file=files.file,
        certificate_key_file=files.key_file,
        token_endpoint_auth_method=method,
    )
    assert (await hint(client, 401, "invalid_client")).startswith(told)


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Fri, 15 Jan 2027 07:55:00 GMT", "this machine's clock is 300 s ahead of the server"),
        ("Fri, 15 Jan 2027 08:05:00 GMT", "this machine's clock is 300 s behind the server"),
        ("Fri, 15 Jan 2027 08:00:20 GMT", "the server may want assertion_audience"),
        ("yesterday", "the server may want assertion_audience"),
    ],
)
async def test_of_clocks_that_differ(date: str, told: str) -> None:
    """An assertion is valid for a minute, by the server's clock."""
    fake = AuthorizationServer(answer(401, INVALID_CLIENT, {"date": date}))
    client = Strategy(client_secret=None, private_key=PRIVATE_KEY)
    assert (await Asked(fake, client).fail()).hint.startswith(told)


@pytest.mark.parametrize(
    ("reason", "certified", "told"),
    [
        ("[SSL] tlsv1 alert unknown ca", True, "the server may not trust the certificate, "),
        ("", True, "the server may not trust the certificate, and so break off"),
        ("EOF occurred in violation of protocol", True, "the server may not trust the cert"),
        (
            "[SSL] sslv3 alert handshake failure",
            False,
            "the server may want a certificate_file",
        ),
        ("", False, ""),
    ],
)
async def test_of_tls(files: Certificate, reason: str, told: str, *, certified: bool) -> None:
    """A server that wants another certificate, or any, says so by breaking off."""
    client = Strategy()
    if certified:
        client = Strategy(certificate_file=files.file, certificate_key_file=files.key_file)
    fake = AuthorizationServer(*[httpx.ReadError(reason) for _ in range(4)])
    error = await Asked(fake, client).fail()
    assert error.hint.startswith(told)
    assert bool(error.hint) is bool(told)
