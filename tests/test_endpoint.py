"""The token endpoint: what it is asked, as one form POST, and how long what it gives lives."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import pytest

from gqlauth import (
    Secret,
    SecretError,
    StrategyError,
    TokenEndpoint,
    TokenRefusedError,
)
from gqlauth._options import AuthOptions
from gqlauth._token_clients import TokenClients
from gqlauth.testing import AuthorizationServer, FrozenClock
from tests.support.asked import SECRET, Asked, Client
from tests.support.token_endpoint import (
    URL,
    answer,
    basic_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

pytestmark = pytest.mark.anyio


class TestRequest:
    async def test_the_form_is_sent_as_one_post(self) -> None:
        """Sequences are repeated fields, and a space is %20."""
        asked = Asked(AuthorizationServer())
        await asked.grant(scope="a b", resource=("x", "y"))
        (request,) = asked.fake.requests
        assert request.method == "POST"
        assert str(request.url) == URL
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["accept"] == "application/json"
        assert request.content == (
            b"grant_type=client_credentials&scope=a%20b&resource=x&resource=y"
        )

    @pytest.mark.parametrize(
        ("method", "credentials"),
        [
            (None, "orders:p%252Bq%2Br%3As%20%2F%3D%26%C3%A9"),
            ("client_secret_basic", "orders:p%252Bq%2Br%3As%20%2F%3D%26%C3%A9"),
            ("client_secret_basic_raw", f"orders:{SECRET}"),
        ],
    )
    async def test_basic_is_form_encoded_unless_raw(
        self, method: str | None, credentials: str
    ) -> None:
        """RFC 6749, section 2.3.1; and what some servers want instead."""
        asked = Asked(AuthorizationServer(), Client(token_endpoint_auth_method=method))
        await asked.grant()
        assert basic_credentials(asked.fake.requests[0]) == credentials
        assert asked.fake.forms == [{"grant_type": ["client_credentials"]}]

    async def test_post_sends_id_and_secret_in_the_form(self) -> None:
        """And no Authorization."""
        client = Client(token_endpoint_auth_method="client_secret_post")
        asked = Asked(AuthorizationServer(), client)
        await asked.grant()
        assert asked.fake.forms[0]["client_secret"] == [SECRET]
        assert asked.fake.forms[0]["client_id"] == ["orders"]
        assert "authorization" not in asked.fake.requests[0].headers

    @pytest.mark.parametrize("method", [None, "none"])
    async def test_a_public_client_says_only_who_it_is(self, method: str | None) -> None:
        """RFC 6749, section 3.2.1."""
        client = Client(client_secret=None, token_endpoint_auth_method=method)
        asked = Asked(AuthorizationServer(), client)
        await asked.grant()
        assert asked.fake.forms[0]["client_id"] == ["orders"]
        assert "authorization" not in asked.fake.requests[0].headers

    async def test_a_grant_without_a_client_sends_the_form_alone(self) -> None:
        """A plugin's strategy need have none."""
        asked = Asked(AuthorizationServer(), Client(client_id=None, client_secret=None))
        await asked.grant(key=Secret("abc"))
        assert asked.fake.forms == [{"grant_type": ["client_credentials"], "key": ["abc"]}]

    async def test_extra_headers_are_sent_resolved(self) -> None:
        """A secret among them is read for the request."""
        headers: Mapping[str, str | Secret] = {"X-Api-Key": Secret("k-123"), "X-Tenant": "acme"}
        asked = Asked(AuthorizationServer(), Client(headers=headers))
        await asked.grant()
        assert asked.fake.requests[0].headers["x-api-key"] == "k-123"
        assert asked.fake.requests[0].headers["x-tenant"] == "acme"

    async def test_a_header_that_cannot_be_sent_is_told_without_its_value(self) -> None:
        """Not even httpx gets to quote it."""
        asked = Asked(AuthorizationServer(), Client(headers={"X-Key": Secret("two\nlines")}))
        with pytest.raises(SecretError) as caught:
            await asked.grant()
        assert str(caught.value) == (
            "header X-Key: its value (given in code) has characters that no header may carry"
        )

    async def test_a_plain_header_that_cannot_be_sent_is_told_too(self) -> None:
        """Whoever wrote it sees which."""
        asked = Asked(AuthorizationServer(), Client(headers={"X-Key": "é"}))
        with pytest.raises(SecretError, match="header X-Key: its value has characters"):
            await asked.grant()

    async def test_a_strategy_without_a_token_url_cannot_ask(self) -> None:
        """The error says what is missing."""
        with pytest.raises(StrategyError, match="no token_url"):
            await Asked(AuthorizationServer(), Client(token_url=None)).grant()

    @pytest.mark.parametrize(
        ("client", "message"),
        [
            (Client(token_endpoint_auth_method="magic"), 'unknown .* "magic"; known: client_'),
            (
                Client(client_secret=None, token_endpoint_auth_method="client_secret_post"),
                '"client_secret_post" needs a client_secret',
            ),
        ],
    )
    async def test_an_impossible_client_authentication_is_told(
        self, client: Client, message: str
    ) -> None:
        """Before anything is sent."""
        asked = Asked(AuthorizationServer(), client)
        with pytest.raises(StrategyError, match=message):
            await asked.grant()
        assert asked.fake.requests == []

    @pytest.mark.parametrize(
        "url", ["https://id.example.com:bad/", "ftp://id.example.com/", "https://[::1"]
    )
    async def test_a_url_that_cannot_be_asked_is_not_tried_again(self, url: str) -> None:
        """The error is no outage."""
        asked = Asked(AuthorizationServer(), Client(token_url=url))
        # The real transport knows its schemes.
        async with aclosing(TokenClients(None)) as network:
            endpoint = TokenEndpoint(
                asked.client,
                options=asked.options,
                network=network,
                clock=asked.clock,
                deadline=anyio.current_time() + 30,
            )
            with pytest.raises((TokenRefusedError, StrategyError)):
                await endpoint.grant({"grant_type": "x"})
        assert asked.clock.pauses == []


class TestLifetime:
    async def test_it_counts_from_when_the_request_was_sent(self) -> None:
        """The time that the answer took is taken off."""
        clock = FrozenClock()

        def slow(_: httpx.Request) -> httpx.Response:
            clock.advance(7)
            return answer(200, '{"access_token": "t", "expires_in": 60}')

        before = clock.wall()
        token = await Asked(AuthorizationServer(slow), clock=clock).grant()
        assert token.expires_at == before + 60

    async def test_after_a_retry_it_counts_from_the_last_request(self) -> None:
        """The pause is not taken off."""
        asked = Asked(AuthorizationServer(answer(503)))
        token = await asked.grant()
        assert token.expires_at == asked.clock.wall() + 3600

    async def test_without_expires_in_the_default_serves(self) -> None:
        """Five minutes, unless it is configured."""
        asked = Asked(
            AuthorizationServer(answer(200, '{"access_token": "t"}')),
            options=AuthOptions(default_lifetime=77),
        )
        assert (await asked.grant()).expires_in == 77
