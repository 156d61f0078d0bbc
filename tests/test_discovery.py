"""Discovery: where the token endpoint is, as the issuer itself tells (RFC 8414)."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import anyio
import httpx
import pytest

from gqlauth import TokenRefusedError, TokenUnavailableError
from gqlauth._discovery import well_known_urls
from gqlauth._metadata import Metadata
from tests.support.issuer import ISSUER, OAUTH, OPENID, FakeIssuer, Search, metadata, published

pytestmark = pytest.mark.anyio


class TestPlaces:
    @pytest.mark.parametrize(
        ("issuer", "urls"),
        [
            (ISSUER, (ISSUER + OAUTH, ISSUER + OPENID)),
            (ISSUER + "/", (ISSUER + OAUTH, ISSUER + OPENID)),
            (ISSUER + "/o/a", (f"{ISSUER}{OAUTH}/o/a", f"{ISSUER}/o/a{OPENID}")),
            (ISSUER + "/o/", (f"{ISSUER}{OAUTH}/o", f"{ISSUER}/o{OPENID}")),
        ],
    )
    def test_a_path_stands_after_the_one_and_before_the_other(
        self, issuer: str, urls: tuple[str, ...]
    ) -> None:
        """RFC 8414, section 3.1, and OpenID Connect Discovery, section 4."""
        assert well_known_urls(issuer) == urls

    async def test_the_first_is_enough(self) -> None:
        """Where it has a document."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        assert (await search.found()).token_endpoint == f"{ISSUER}/token"
        assert search.fake.paths == [OAUTH]

    @pytest.mark.parametrize(
        "first",
        [
            httpx.Response(404),
            httpx.Response(403),
            httpx.Response(302, headers={"location": "https://id.example.com/login"}),
            httpx.Response(200, text="<html>sign in</html>"),
            httpx.Response(200, content=b"x" * (1024 * 1024 + 1)),
            httpx.Response(204),
        ],
    )
    async def test_what_is_no_document_says_nothing_of_the_other_place(
        self, first: httpx.Response
    ) -> None:
        """Some servers have a page of their own for every path."""
        search = Search(FakeIssuer(oauth=first, openid=published(metadata())))
        assert (await search.found()).issuer == ISSUER
        assert search.fake.paths == [OAUTH, OPENID]

    async def test_a_redirect_is_not_followed(self) -> None:
        """Whoever it leads to is not the issuer."""
        elsewhere = httpx.Response(301, headers={"location": "https://else.example.com/"})
        search = Search(FakeIssuer(oauth=elsewhere))
        error = await search.fail()
        assert {request.url.host for request in search.fake.requests} == {"id.example.com"}
        assert str(error) == (
            "issuer id.example.com publishes no metadata: "
            "/.well-known/oauth-authorization-server redirects, which is not followed, "
            "/.well-known/openid-configuration gave 404 (after 2 tries, 0 s)"
        )
        assert error.hint.startswith("set token_url instead of issuer")

    async def test_the_document_is_asked_for_as_json(self) -> None:
        """And with nothing that proves the client."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        await search.found()
        (request,) = search.fake.requests
        assert (request.method, request.headers["accept"]) == ("GET", "application/json")
        assert "authorization" not in request.headers


class TestDocument:
    async def test_what_is_used_of_it(self) -> None:
        """All else is left alone."""
        document = metadata(
            token_endpoint_auth_methods_supported=["private_key_jwt", 3],
            token_endpoint_auth_signing_alg_values_supported=["ES256"],
            mtls_endpoint_aliases={"token_endpoint": "https://mtls.example.com/token"},
            jwks_uri="http://else.example.com/",
        )
        found = await Search(FakeIssuer(oauth=published(document))).found()
        assert found == Metadata(
            issuer=ISSUER,
            token_endpoint=f"{ISSUER}/token",
            mtls_token_endpoint="https://mtls.example.com/token",
            auth_methods=("private_key_jwt",),
            signing_algs=("ES256",),
        )
        assert found.token_url(certified=True) == "https://mtls.example.com/token"
        assert found.token_url(certified=False) == f"{ISSUER}/token"

    @pytest.mark.parametrize("aliases", [None, [], {}, {"token_endpoint": None}])
    async def test_what_is_strange_and_optional_counts_as_missing(self, aliases: object) -> None:
        """It need not be there."""
        document = metadata(
            mtls_endpoint_aliases=aliases, token_endpoint_auth_methods_supported="none"
        )
        found = await Search(FakeIssuer(oauth=published(document))).found()
        assert found.token_url(certified=True) == f"{ISSUER}/token"
        assert found.auth_methods is None

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            ([], "gave metadata that is no JSON object"),
            ({"token_endpoint": ISSUER}, "gave metadata without an issuer"),
            (metadata("https://else.example.com"), 'another issuer, "https://else.example.com"'),
            (metadata(ISSUER.upper()), "gave metadata of another issuer"),
            ({"issuer": ISSUER}, "gave metadata without a token_endpoint"),
            (metadata(token_endpoint=3), "whose token_endpoint is no text"),
            (metadata(token_endpoint="/token"), "whose token_endpoint is no URL"),
            (
                metadata(token_endpoint="http://id.example.com/token"),
                "whose token_endpoint http is for loopback hosts only",
            ),
            (
                metadata(token_endpoint="http://127.0.0.1:8080/token"),
                "whose token_endpoint is http on this machine, and the issuer is elsewhere",
            ),
            (
                metadata(mtls_endpoint_aliases={"token_endpoint": "http://id.example.com/"}),
                "whose mtls_endpoint_aliases.token_endpoint http is for loopback hosts only",
            ),
        ],
    )
    async def test_what_cannot_be_true_is_refused(self, document: object, told: str) -> None:
        """At once, and with the reason; the other place is not looked at (RFC 8414, 3.3)."""
        search = Search(FakeIssuer(oauth=published(document), openid=published(metadata())))
        error = await search.fail()
        assert isinstance(error, TokenRefusedError)
        assert told in str(error)
        assert (error.url, error.tries) == (ISSUER + OAUTH, 1)

    async def test_a_slash_more_is_another_issuer(self) -> None:
        """And so easily overlooked that it is told what to write."""
        search = Search(FakeIssuer(oauth=published(metadata(ISSUER + "/"))))
        assert (await search.fail()).hint == 'set issuer = "https://id.example.com/"'

    async def test_a_loopback_issuer_may_have_http(self) -> None:
        """It is this machine."""
        local = "http://127.0.0.1:3000"
        search = Search(FakeIssuer(oauth=published(metadata(local))), issuer=local)
        assert (await search.found()).token_endpoint == f"{local}/token"

    async def test_insecure_http_that_is_allowed_is_allowed(self) -> None:
        """Somebody said so."""
        plain = "http://id.example.com"
        search = Search(FakeIssuer(oauth=published(metadata(plain))), issuer=plain, insecure=True)
        assert (await search.found()).token_endpoint == f"{plain}/token"

    async def test_a_bom_is_skipped(self) -> None:
        """Some editors write one."""
        text = f'\ufeff{{"issuer": "{ISSUER}", "token_endpoint": "{ISSUER}/t"}}'
        search = Search(FakeIssuer(oauth=httpx.Response(200, content=text.encode())))
        assert (await search.found()).token_endpoint == f"{ISSUER}/t"


class TestRetries:
    @pytest.mark.parametrize(
        "first", [httpx.Response(503), httpx.Response(429), httpx.ConnectError("refused")]
    )
    async def test_what_may_pass_is_tried_again(self, first: Any) -> None:
        """At the same place, as the token request is."""
        search = Search(FakeIssuer(oauth=[first, published(metadata())]))
        await search.found()
        assert search.fake.paths == [OAUTH, OAUTH]
        assert len(search.clock.pauses) == 1

    async def test_a_pause_that_is_asked_for_is_made(self) -> None:
        """By Retry-After."""
        busy = httpx.Response(429, headers={"retry-after": "3"})
        search = Search(FakeIssuer(oauth=[busy, published(metadata())]))
        await search.found()
        assert search.clock.pauses == [3.0]

    async def test_an_outage_is_told(self) -> None:
        """With who was asked, how often, and for how long."""
        search = Search(FakeIssuer(oauth=httpx.Response(503, headers={"retry-after": "1"})))
        error = await search.fail()
        assert isinstance(error, TokenUnavailableError)
        assert str(error) == (
            "issuer id.example.com is unavailable: 503 (after 4 tries, 3 s); it asks to wait 1 s"
        )
        assert error.retry_after == 1

    async def test_a_url_that_cannot_be_asked_is_not_tried_again(self) -> None:
        """The error is no outage."""
        search = Search(FakeIssuer(oauth=httpx.UnsupportedProtocol("gopher")))
        error = await search.fail()
        assert isinstance(error, TokenRefusedError)
        assert (error.reason, error.tries) == ("cannot be asked: UnsupportedProtocol", 1)

    async def test_the_time_of_the_acquisition_is_its_time(self) -> None:
        """One that is over is told, with what went wrong before."""
        search = Search(FakeIssuer())
        search.fake.gate = anyio.Event()
        async with aclosing(search.network):
            with pytest.raises(TokenUnavailableError) as caught:
                await search.find(within=0.05)
        assert caught.value.reason == "gave no answer within 0.05 s"
        assert (caught.value.asked, caught.value.tries) == ("issuer", 1)
