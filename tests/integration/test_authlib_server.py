"""The other authorization server: what it gives, and what it refuses, without gqlauth."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from tests.support.registered import register
from tests.support.servers import authlib_server

if TYPE_CHECKING:
    from tests.support.servers import AuthlibServer

AUDIENCE = "https://api.example.com"
SECRET = "p%2Bq+r:s /=&\"'\\é€"


def ask(
    server: AuthlibServer, pair: tuple[str, str] | None = None, /, **fields: str
) -> httpx.Response:
    """Ask for a token, by Basic if there is a `pair`, which is sent as it is."""
    form = {"grant_type": "client_credentials", **fields}
    auth = None if pair is None else httpx.BasicAuth(*pair)
    with httpx.Client(trust_env=False, auth=auth) as http:
        return http.post(server.token_url, data=form)


def assertion(client_id: str, key: OctKey | ECKey, algorithm: str, **claims: Any) -> dict[str, str]:
    """Return the fields of a client assertion (RFC 7523, section 2.2)."""
    now = int(time())
    usual = {"iss": client_id, "sub": client_id, "iat": now, "exp": now + 60, "jti": str(uuid4())}
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": algorithm}, {**usual, **claims}, key),
    }


def test_token_is_a_jwt_for_the_audience(authlib: AuthlibServer) -> None:
    """It is signed by a public key, and says who may do what where (RFC 9068)."""
    answer = ask(authlib, ("basic", "basic-secret"), scope="api:read", audience=AUDIENCE).json()
    keys = KeySet.import_key_set(httpx.get(authlib.jwks_uri, trust_env=False).json())
    token = jwt.decode(answer["access_token"], keys)

    assert token.header["typ"] == "at+jwt"
    assert (token.claims["iss"], token.claims["sub"]) == (authlib.issuer, "basic")
    assert (token.claims["aud"], token.claims["scope"]) == (AUDIENCE, "api:read")
    assert 600 == token.claims["exp"] - token.claims["iat"] == answer["expires_in"]


def test_keys_are_public(authlib: AuthlibServer) -> None:
    """The key set holds what verifies a signature, and nothing that makes one."""
    (key,) = httpx.get(authlib.jwks_uri, trust_env=False).json()["keys"]

    assert key["kty"] == "RSA"
    assert {"d", "p", "q"}.isdisjoint(key)


def test_metadata_is_that_of_an_oauth_server(authlib: AuthlibServer) -> None:
    """It stands where RFC 8414 says for an issuer with a path, and nowhere else."""
    origin = authlib.issuer.removesuffix("/tenant")
    well_known = f"{origin}/.well-known/oauth-authorization-server/tenant"
    openid = f"{authlib.issuer}/.well-known/openid-configuration"

    metadata = httpx.get(well_known, trust_env=False).json()
    assert authlib.issuer == metadata["issuer"] == f"{origin}/tenant"
    assert authlib.token_url == metadata["token_endpoint"]
    assert metadata["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
    ]
    assert httpx.get(openid, trust_env=False).status_code == 404


@pytest.mark.parametrize(
    ("pair", "status"),
    [
        (("basic", "basic-secret"), 200),
        (("basic", "wrong"), 401),
        (("post", "post-secret"), 401),
        ((quote("basic: %2B+%\"'é"), quote(SECRET, safe="")), 200),
        (("raw %2B+%\"'é", SECRET), 401),
        (None, 401),
    ],
)
def test_basic_is_decoded(
    authlib: AuthlibServer, pair: tuple[str, str] | None, status: int
) -> None:
    """As a URL is: a plus stays one."""
    assert ask(authlib, pair).status_code == status


def test_raw_basic_is_not_decoded() -> None:
    """One that is told so takes id and secret as they come (RFC 7617)."""
    with authlib_server("--raw-basic") as server:
        raw = ask(server, ("raw %2B+%\"'é", SECRET))
        encoded = ask(server, (quote("raw %2B+%\"'é"), quote(SECRET, safe="")))

    assert (raw.status_code, encoded.status_code) == (200, 401)


def test_post_is_a_form(authlib: AuthlibServer) -> None:
    """Id and secret are in the form, for a client of that method alone."""
    good = ask(authlib, client_id="post", client_secret="post-secret")
    other = ask(authlib, client_id="basic", client_secret="basic-secret")

    assert (good.status_code, other.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("audience", "status"),
    [(["token_url"], 200), (["issuer"], 400), (["issuer", "token_url"], 200)],
)
def test_assertion_is_for_the_token_url(
    authlib: AuthlibServer, audience: list[str], status: int
) -> None:
    """And not for the issuer alone."""
    client = register(authlib, "client_secret_jwt")
    key = OctKey.import_key(client["client_secret"])
    aud = [getattr(authlib, name) for name in audience]

    assert (
        ask(authlib, **assertion(client["client_id"], key, "HS256", aud=aud)).status_code == status
    )


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"aud": "https://else.example.com"}, "Invalid claim: 'aud'"),
        ({"exp": 1}, "The token is expired"),
        ({"iss": "another"}, "Issuer and Subject MUST match."),
    ],
)
def test_what_is_wrong_with_an_assertion_is_told(
    authlib: AuthlibServer, claims: dict[str, Any], told: str
) -> None:
    """By the claim that is wrong."""
    client = register(authlib, "client_secret_jwt")
    key = OctKey.import_key(client["client_secret"])
    usual = {"aud": authlib.token_url}
    fields = assertion(client["client_id"], key, "HS256", **{**usual, **claims})

    assert ask(authlib, **fields).json()["error_description"] == told


def test_assertion_is_taken_once(authlib: AuthlibServer) -> None:
    """Who steals one comes too late."""
    key = ECKey.generate_key("P-256")
    jwks = {"keys": [key.as_dict(private=False)]}
    client = register(authlib, "private_key_jwt", jwks=jwks)
    fields = assertion(client["client_id"], key, "ES256", aud=authlib.token_url)

    assert [ask(authlib, **fields).status_code for _ in range(2)] == [200, 400]


def test_assertion_of_another_key_is_refused(authlib: AuthlibServer) -> None:
    """The server knows the public key of the one that signs."""
    jwks = {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}
    client = register(authlib, "private_key_jwt", jwks=jwks)
    forged = ECKey.generate_key("P-256")
    fields = assertion(client["client_id"], forged, "ES256", aud=authlib.token_url)

    assert ask(authlib, **fields).json() == {"error": "invalid_client"}


def test_assertion_of_another_method_is_refused(authlib: AuthlibServer) -> None:
    """A client signs only if it has registered for that."""
    client = register(authlib, "client_secret_basic")
    key = OctKey.import_key(client["client_secret"])
    fields = assertion(client["client_id"], key, "HS256", aud=authlib.token_url)
    answer = ask(authlib, **fields)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_unknown_scope_is_refused(authlib: AuthlibServer) -> None:
    """And not left out."""
    answer = ask(authlib, ("basic", "basic-secret"), scope="api:admin")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
