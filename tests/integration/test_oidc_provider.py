"""The authorization server: what it gives, and what it refuses, without gqlauth in between."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.servers import client_secret

if TYPE_CHECKING:
    from tests.support.servers import Provider

RESOURCE = "https://api.example.com"


def ask(provider: Provider, client_id: str = "basic", **fields: str) -> httpx.Response:
    """Ask for a token by Basic, id and secret form-encoded."""
    pair = f"{quote(client_id, safe='')}:{quote(client_secret(client_id) or '', safe='')}"
    return post(provider.token_url, basic(pair), grant_type="client_credentials", **fields)


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


def post(url: str, authorization: str | None = None, **fields: str) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.post(url, data=fields, headers=headers, trust_env=False)


def claims(response: httpx.Response) -> dict[str, Any]:
    payload: str = response.json()["access_token"].split(".")[1]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=="))
    return decoded


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_token_for_a_resource_is_a_jwt(provider: Provider, name: str) -> None:
    """A resource, or an audience, makes the token a JWT for it, with the scopes asked for."""
    answer = ask(provider, scope="api:read api:write", **{name: RESOURCE})

    told = claims(answer)
    assert (RESOURCE, provider.issuer) == (told["aud"], told["iss"])
    assert told["scope"] == "api:read api:write"
    assert 600 == told["exp"] - told["iat"] == answer.json()["expires_in"]


def test_token_for_nobody_in_particular_is_opaque(provider: Provider) -> None:
    """Without a resource the token is opaque, and the API may ask what it is worth."""
    token: str = ask(provider, scope="api:read").json()["access_token"]

    told = post(provider.introspection_url, basic("api:api-secret"), token=token).json()
    assert "." not in token
    assert (told["active"], told["client_id"], told["scope"]) == (True, "basic", "api:read")


def test_opaque_token_can_be_revoked(provider: Provider) -> None:
    """A client revokes its own token, and introspection says so."""
    token: str = ask(provider).json()["access_token"]

    revoked = post(provider.revocation_url, basic("basic:basic-secret"), token=token)
    told = post(provider.introspection_url, basic("api:api-secret"), token=token).json()
    assert (revoked.status_code, told) == (200, {"active": False})


def test_jwt_cannot_be_introspected(provider: Provider) -> None:
    """A JWT speaks for itself: the server tells nothing of it."""
    token: str = ask(provider, resource=RESOURCE).json()["access_token"]

    answer = post(provider.introspection_url, basic("api:api-secret"), token=token)
    assert answer.json()["error"] == "unsupported_token_type"


def test_short_lived_token_lives_two_seconds(provider: Provider) -> None:
    """The tokens of one client live two seconds, JWT or opaque."""
    opaque, jwt = ask(provider, "short"), ask(provider, "short", resource=RESOURCE)

    assert [opaque.json()["expires_in"], jwt.json()["expires_in"]] == [2, 2]


@pytest.mark.parametrize("scope", ["api:admin", "api:read api:admin", "openid"])
@pytest.mark.parametrize("resource", [{}, {"resource": RESOURCE}], ids=["opaque", "jwt"])
def test_unknown_scope_is_refused(provider: Provider, scope: str, resource: dict[str, str]) -> None:
    """A scope that the server does not know is refused, and not left out in silence."""
    answer = ask(provider, scope=scope, **resource)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_wrong_secret_is_refused(provider: Provider) -> None:
    """A wrong secret is a 401 `invalid_client`."""
    answer = post(provider.token_url, basic("basic:wrong"), grant_type="client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_special_characters_are_form_encoded(provider: Provider) -> None:
    """Basic is form-encoded for the one client, and as it is for the other, and not mixed up."""
    secret = client_secret("raw")
    raw = post(provider.token_url, basic(f"raw:{secret}"), grant_type="client_credentials")

    assert ask(provider, "special:id+%").status_code == 200
    assert raw.status_code == 200
    assert ask(provider, "raw").status_code == 401


def test_public_client_needs_no_secret(provider: Provider) -> None:
    """A client of the method `none` only says who it is."""
    answer = post(provider.token_url, grant_type="client_credentials", client_id="public")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
)
def test_metadata_names_every_client_authentication_method(provider: Provider, path: str) -> None:
    """Both discovery documents name the addresses and all client authentication methods."""
    metadata = httpx.get(f"{provider.issuer}{path}", trust_env=False).json()

    assert provider.issuer == metadata["issuer"]
    assert provider.token_url == metadata["token_endpoint"]
    assert provider.jwks_uri == metadata["jwks_uri"]
    assert provider.introspection_url == metadata["introspection_endpoint"]
    assert provider.revocation_url == metadata["revocation_endpoint"]
    assert {
        "client_secret_basic",
        "client_secret_jwt",
        "client_secret_post",
        "none",
        "private_key_jwt",
        "self_signed_tls_client_auth",
        "tls_client_auth",
    } == set(metadata["token_endpoint_auth_methods_supported"])


def test_keys_are_public(provider: Provider) -> None:
    """The key set holds what verifies a signature, and nothing that makes one."""
    (key,) = httpx.get(provider.jwks_uri, trust_env=False).json()["keys"]

    assert key["kty"] == "RSA"
    assert {"d", "p", "q"}.isdisjoint(key)


def test_requests_are_counted_by_client(provider: Provider) -> None:
    """Each token request counts for its client, refused ones included."""
    before = provider.requests("basic")
    ask(provider)
    ask(provider, scope="api:admin")

    assert provider.requests("basic") - before == 2


def test_failures_are_served_in_order(provider: Provider) -> None:
    """The server fails as often as it is told, and then works again."""
    provider.fail(times=2, status=503)

    assert [ask(provider).status_code for _ in range(3)] == [503, 503, 200]


def test_all_opaque_tokens_can_be_revoked(provider: Provider) -> None:
    """What was given out is revoked in one call, and once only."""
    ask(provider)

    assert provider.revoke_opaque_tokens() >= 1
    assert provider.revoke_opaque_tokens() == 0
