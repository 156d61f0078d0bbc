"""The client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gqlauth import Secret
from gqlauth._key import cache_key
from gqlauth._options import AuthOptions
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.strategies.asking import authorization
from tests.support.issuer import ISSUER
from tests.support.token_endpoint import URL, basic_credentials

pytestmark = pytest.mark.anyio

SECRET = Secret("s3cr3t")
CERTIFICATE = Path("orders.pem")


def grant(**fields: Any) -> ClientCredentials:
    return ClientCredentials(**{"token_url": URL, "client_id": "orders", **fields})


def confidential(**fields: Any) -> ClientCredentials:
    return grant(client_secret=Secret("s3cr3t"), **fields)


class TestRequest:
    async def test_the_token_goes_to_the_api(self) -> None:
        """That is what it is for."""
        assert await authorization(confidential()) == "Bearer token-1"

    async def test_without_further_fields_the_form_is_the_grant_alone(self) -> None:
        """No field is sent empty, and the client proves itself by Basic."""
        fake = AuthorizationServer()
        await authorization(confidential(), fake)
        (request,) = fake.requests
        assert request.content == b"grant_type=client_credentials"
        assert basic_credentials(request) == "orders:s3cr3t"

    async def test_all_fields_are_sent(self) -> None:
        """Scopes as one field, each resource as one of its own (RFC 8707, section 2)."""
        fake = AuthorizationServer()
        strategy = confidential(
            scopes=["orders:read", "orders:write"],
            audience="https://orders.example.com",
            resource=["https://a.example.com/", "urn:b"],
            params={"tenant": "acme", "key": Secret("k3y")},
            headers={"X-Api-Key": Secret("h3ader"), "X-Plain": "plain"},
            token_endpoint_auth_method="client_secret_post",
        )
        await authorization(strategy, fake)
        assert fake.forms == [
            {
                "grant_type": ["client_credentials"],
                "scope": ["orders:read orders:write"],
                "audience": ["https://orders.example.com"],
                "resource": ["https://a.example.com/", "urn:b"],
                "tenant": ["acme"],
                "key": ["k3y"],
                "client_id": ["orders"],
                "client_secret": ["s3cr3t"],
            }
        ]
        assert fake.requests[0].headers["x-api-key"] == "h3ader"
        assert fake.requests[0].headers["x-plain"] == "plain"

    async def test_authorization_details_are_sent_as_json(self) -> None:
        """RFC 9396, section 2; they tell one token from another."""
        fake = AuthorizationServer()
        details = [{"type": "orders", "actions": ["list", "ship"]}, {"type": "bills", "limit": 5}]
        strategy = confidential(authorization_details=details)
        await authorization(strategy, fake)
        ((sent,),) = [form["authorization_details"] for form in fake.forms]
        assert json.loads(sent) == details
        other = confidential(authorization_details=[{"type": "bills"}])
        assert cache_key(strategy, AuthOptions()) != cache_key(other, AuthOptions())

    async def test_a_public_client_says_just_who_it_is(self) -> None:
        """It has nothing to prove it by."""
        fake = AuthorizationServer()
        await authorization(grant(headers={"Authorization": "ApiKey abc"}), fake)
        assert fake.forms == [{"grant_type": ["client_credentials"], "client_id": ["orders"]}]
        assert fake.requests[0].headers["authorization"] == "ApiKey abc"


class TestFields:
    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"client_id": ""}, "client_id: is empty"),
            ({"audience": " "}, "audience: is empty"),
            ({"scopes": ["a b"]}, 'scopes: "a b" is not one scope; list each by itself'),
            ({"scopes": [""]}, 'scopes: "" is not one scope; list each by itself'),
            (
                {"resource": ["urn:a#b"]},
                'resource: "urn:a#b" is no URI without a fragment (RFC 8707, section 2)',
            ),
            ({"resource": [""]}, 'resource: "" is no URI without a fragment (RFC 8707, section 2)'),
            (
                {"authorization_details": [{"type": "a"}, {"actions": ["a"]}]},
                "authorization_details: number 2 has no type (RFC 9396, section 2)",
            ),
            (
                {"authorization_details": [{"type": "a", "from": date(2026, 1, 1)}]},
                (
                    "authorization_details: number 1 holds what JSON has not, such as a date: "
                    "put it in quotes"
                ),
            ),
            ({"params": {"scope": "a"}}, 'params: "scope" has a key of its own: scopes'),
            ({"params": {"grant_type": "a"}}, 'params: "grant_type" has a key of its own: type'),
            ({"headers": {"X Y": "a"}}, 'headers: "X Y" is no name of a header'),
            (
                {"headers": {"Content-Type": "a"}},
                "headers: Content-Type is set by the HTTP client, and by nobody else",
            ),
            ({"headers": {"X-A": "a", "x-a": "b"}}, "headers: x-a is there twice"),
            ({"headers": {"X-A": "s3\n"}}, "headers: X-A has characters that no header may carry"),
            (
                {"token_endpoint_auth_method": "client_secret_post"},
                'token_endpoint_auth_method: "client_secret_post" needs a client_secret',
            ),
            (
                {"client_secret": Secret("s3cr3t"), "headers": {"authorization": Secret("a")}},
                "headers: Authorization is how client_secret_basic proves the client",
            ),
            ({"token_url": None}, "token_url: missing, and so is issuer: one of them is wanted"),
            (
                {"issuer": ISSUER},
                "token_url: is discovered where there is an issuer: drop one of them",
            ),
            (
                {"token_url": None, "issuer": f"{ISSUER}?a=b"},
                "issuer: has a query or a fragment (RFC 8414, section 2)",
            ),
            ({"key_id": "k-1"}, "key_id: there is no private_key that it belongs to"),
            (
                {"certificate_key_file": Path("a.key")},
                "certificate_key_file: there is no certificate_file that it belongs to",
            ),
            (
                {"certificate_key_password": Secret("s3cr3t")},
                "certificate_key_password: there is no certificate_file that it belongs to",
            ),
            (
                {"token_endpoint_auth_method": "private_key_jwt"},
                'token_endpoint_auth_method: "private_key_jwt" needs a private_key',
            ),
            (
                {"token_endpoint_auth_method": "tls_client_auth"},
                'token_endpoint_auth_method: "tls_client_auth" needs a certificate_file',
            ),
            (
                {"client_secret": SECRET, "token_endpoint_auth_signing_alg": "HS256"},
                'token_endpoint_auth_signing_alg: "HS256" is for client_secret_jwt alone',
            ),
            (
                {"certificate_file": CERTIFICATE, "token_endpoint_auth_signing_alg": "RS256"},
                'token_endpoint_auth_signing_alg: "RS256" is for private_key_jwt alone',
            ),
            (
                {"client_secret": SECRET, "assertion_audience": "token_url"},
                "assertion_audience: client_secret_basic sends no assertion",
            ),
            (
                {"private_key": SECRET, "assertion_audience": "issuer"},
                "assertion_audience: there is no issuer: set it to the URL that is meant",
            ),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, fields: dict[str, Any], message: str) -> None:
        """By the name of its field, when the strategy is made."""
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared whole
            grant(**fields)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"client_secret": "s3cr3t"}, "client_secret: a Secret is wanted, not str"),
            ({"scopes": "orders"}, "a list of texts is wanted, and this is one text"),
            (
                {"authorization_details": {"type": "a"}},
                "a list of tables is wanted, and this is one table",
            ),
        ],
    )
    def test_what_is_of_the_wrong_type_is_refused(
        self, fields: dict[str, Any], message: str
    ) -> None:
        """A type checker says so too; a secret in the clear is not shown."""
        with pytest.raises(TypeError) as caught:
            grant(**fields)
        assert str(caught.value) == message

    @pytest.mark.parametrize(
        ("fields", "method"),
        [
            ({}, "none"),
            ({"client_secret": SECRET}, "client_secret_basic"),
            ({"certificate_file": CERTIFICATE, "client_secret": SECRET}, "tls_client_auth"),
            ({"certificate_file": CERTIFICATE, "private_key": SECRET}, "private_key_jwt"),
            (
                {"private_key": SECRET, "token_endpoint_auth_signing_alg": "ES256", "key_id": "k"},
                "private_key_jwt",
            ),
            (
                {
                    "client_secret": SECRET,
                    "token_endpoint_auth_method": "client_secret_jwt",
                    "token_endpoint_auth_signing_alg": "HS384",
                },
                "client_secret_jwt",
            ),
            (
                {
                    "token_url": None,
                    "issuer": ISSUER,
                    "private_key": SECRET,
                    "assertion_audience": "issuer",
                },
                "private_key_jwt",
            ),
        ],
    )
    def test_the_method_follows_from_what_there_is(
        self, fields: dict[str, Any], method: str
    ) -> None:
        """As far as it can be told without the server."""
        assert grant(**fields).auth_method == method

    def test_authorization_is_free_where_the_client_proves_itself_otherwise(self) -> None:
        """Some servers stand behind another door."""
        strategy = confidential(
            headers={"Authorization": Secret("a")}, token_endpoint_auth_method="client_secret_post"
        )
        assert "Authorization" in strategy.headers

    def test_it_never_shows_its_secret(self) -> None:
        """It may be printed."""
        assert "s3cr3t" not in repr(confidential())

    def test_the_order_of_its_scopes_does_not_tell_two_apart(self) -> None:
        """They share a token; with another scope, they do not."""
        keys = [
            cache_key(grant(scopes=scopes), AuthOptions())
            for scopes in (["a", "b"], ("b", "a"), ["a"])
        ]
        assert keys[0] == keys[1]
        assert keys[0] != keys[2]
