"""A server that refuses a client: the error names the cause, as far as it can be known.

oidc-provider tells nobody why, but for its own log; Authlib tells most of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from gqlauth import Secret
from gqlauth._clock import SystemClock
from tests.support.places import Place
from tests.support.registered import refusal, strategy_of

if TYPE_CHECKING:
    from tests.support.servers import Api, AuthlibServer, Provider

pytestmark = pytest.mark.anyio

SILENT = "client authentication failed"
KEY = ECKey.generate_key("P-256")


class Behind(SystemClock):
    """Five minutes ago."""

    def wall(self) -> float:
        return super().wall() - 300


async def told(
    place: Place, key: RSAKey | ECKey, clock: SystemClock | None = None, **fields: Any
) -> tuple[str, str]:
    """Return what is said, and the hint, where `key` signs for a client that registered another.

    The registered key is `KEY`, by the name ``k-1``.
    """
    client = place.register(
        "private_key_jwt",
        jwks={"keys": [{**KEY.as_dict(private=False), "kid": "k-1"}]},
        token_endpoint_auth_signing_alg="ES256",
    )
    private_key = Secret(key.as_pem(private=True).decode())
    strategy = place.strategy(client, **{"private_key": private_key, "key_id": "k-1"} | fields)
    error = await refusal(strategy, clock=clock or SystemClock())
    assert error.error == "invalid_client"
    return error.error_description, error.hint


@pytest.mark.parametrize(
    ("method", "other"),
    [
        ("client_secret_basic", "client_secret_post"),
        ("client_secret_post", "client_secret_basic"),
    ],
)
async def test_wrong_secret(place: Place, method: str, other: str) -> None:
    """It may also be the other method that is wanted."""
    strategy = place.strategy(
        place.register(method),
        client_secret=Secret("not-the-secret"),
        token_endpoint_auth_method=method,
    )
    error = await refusal(strategy)
    assert (error.status, error.error) == (401, "invalid_client")
    assert error.hint == f'the server may want token_endpoint_auth_method = "{other}"'


async def test_wrong_secret_that_signs(place: Place) -> None:
    """Neither server says that it was the signature."""
    strategy = place.strategy(
        place.register("client_secret_jwt"),
        client_secret=Secret("not-the-secret-that-it-knows"),
        token_endpoint_auth_method="client_secret_jwt",
    )
    error = await refusal(strategy)
    said = {"oidc_provider": SILENT, "authlib_server": ""}[place.name]
    assert (error.error, error.error_description) == ("invalid_client", said)
    assert error.hint == (
        'the server may want assertion_audience = "issuer", '
        "or not know the secret that signed the assertion by HS256"
    )


async def test_bad_signature(place: Place) -> None:
    """The key that is named is not the one that signed; neither server says so."""
    hint = (
        'the server may want assertion_audience = "issuer", '
        'or not know the key "k-1" (kid) that signed the assertion by ES256'
    )
    assert (
        await told(place, ECKey.generate_key("P-256"))
        == {
            "oidc_provider": (SILENT, hint),
            "authlib_server": ("", hint),
        }[place.name]
    )


async def test_unknown_key(place: Place) -> None:
    """The server knows none by that name."""
    hint = 'not know the key "k-2" (kid) that signed the assertion'
    assert (
        await told(place, KEY, key_id="k-2")
        == {
            "oidc_provider": (
                SILENT,
                f'the server may want assertion_audience = "issuer", or {hint} by ES256',
            ),
            "authlib_server": ("No key for kid: 'k-2'", f"the server may {hint}"),
        }[place.name]
    )


async def test_key_of_another_kind(place: Place) -> None:
    """It signs by another algorithm than the registered one."""
    audience = 'the server may want assertion_audience = "issuer"'
    key = 'not know the key "k-1" (kid) that signed the assertion by RS256'
    assert (
        await told(place, RSAKey.generate_key(2048))
        == {
            "oidc_provider": (SILENT, f"{audience}, or {key}"),
            "authlib_server": (
                "Algorithm 'RS256' requires 'RSA' key",
                'the server may want another token_endpoint_auth_signing_alg than "RS256"',
            ),
        }[place.name]
    )


async def test_wrong_audience(place: Place) -> None:
    """The assertion is for another server."""
    hint = 'the server may want assertion_audience = "token_url"'
    key = 'not know the key "k-1" (kid) that signed the assertion by ES256'
    assert (
        await told(place, KEY, assertion_audience="https://else.example.com")
        == {
            "oidc_provider": (SILENT, f"{hint}, or {key}"),
            "authlib_server": ("Invalid claim: 'aud'", hint),
        }[place.name]
    )


async def test_issuer_as_audience(authlib: AuthlibServer, authlib_api: Api) -> None:
    """A server that takes an assertion for its token URL alone says what is wrong with another."""
    place = Place("authlib_server", authlib, authlib_api)
    assert await told(place, KEY, assertion_audience="issuer") == (
        "Invalid claim: 'aud'",
        'the server may want assertion_audience = "token_url"',
    )


async def test_expired_assertion(place: Place) -> None:
    """The hint tells by how much the clocks differ."""
    said, hint = await told(place, KEY, Behind())
    assert said == {"oidc_provider": SILENT, "authlib_server": "The token is expired"}[place.name]
    assert re.match(r"this machine's clock is (299|300|301) s behind the server's", hint)


async def test_unknown_client(place: Place) -> None:
    """It is another name, or another server."""
    private_key = Secret(KEY.as_pem(private=True).decode())
    error = await refusal(place.strategy({"client_id": "nobody"}, private_key=private_key))
    audience = 'the server may want assertion_audience = "issuer"'
    key = "not know the key that signed the assertion by ES256"
    assert error.error == "invalid_client"
    assert (error.error_description, error.hint) == {
        "oidc_provider": (SILENT, f"{audience}, or {key}"),
        "authlib_server": ("The client does not exist on this server.", "check client_id"),
    }[place.name]


async def test_basic_that_is_not_encoded(provider: Provider, api: Api) -> None:
    """oidc-provider calls the request invalid then, and says why."""
    strategy = strategy_of(
        {"client_id": "orders"},
        provider,
        api,
        client_secret=Secret("100%"),
        token_endpoint_auth_method="client_secret_basic_raw",
    )
    error = await refusal(strategy)
    assert error.error == "invalid_request"
    assert error.hint.startswith('the server may want token_endpoint_auth_method = "client_secret_')
