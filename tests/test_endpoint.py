"""The token endpoint: one form POST, tried again where that may help, and explained."""

from __future__ import annotations

import ssl
import traceback
from typing import TYPE_CHECKING

import anyio
import attrs
import httpx
import pytest

from gqlauth import (
    Secret,
    SecretError,
    StrategyError,
    Token,
    TokenEndpoint,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth._options import AuthOptions
from tests.support.clock import FakeClock
from tests.support.token_endpoint import (
    URL,
    FakeTokenEndpoint,
    Stream,
    answer,
    basic_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

SECRET = "p%2Bq+r:s /=&é"


@attrs.frozen
class Client:
    """What a token endpoint reads of a strategy."""

    token_url: str | None = URL
    client_id: str | None = "orders"
    client_secret: Secret | None = attrs.field(factory=lambda: Secret(SECRET))
    token_endpoint_auth_method: str | None = None
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict)


@attrs.define
class Asked:
    """A token endpoint that is about to be asked."""

    fake: FakeTokenEndpoint
    client: Client = attrs.field(factory=Client)
    clock: FakeClock = attrs.field(factory=FakeClock)
    options: AuthOptions = attrs.field(factory=AuthOptions)

    async def grant(self, *, once: bool = False, **form: str | Secret | tuple[str, ...]) -> Token:
        async with httpx.AsyncClient(transport=self.fake) as http:
            endpoint = TokenEndpoint(
                self.client,
                options=self.options,
                client=lambda: http,
                clock=self.clock,
                deadline=anyio.current_time() + self.options.timeout,
            )
            return await endpoint.grant({"grant_type": "client_credentials", **form}, once=once)

    async def fail(self, *, once: bool = False) -> TokenError:
        with pytest.raises(TokenError) as caught:
            await self.grant(once=once)
        return caught.value


class TestRequest:
    async def test_the_form_is_sent_as_one_post(self) -> None:
        """Sequences are repeated fields, and a space is %20."""
        asked = Asked(FakeTokenEndpoint())
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
        asked = Asked(FakeTokenEndpoint(), Client(token_endpoint_auth_method=method))
        await asked.grant()
        assert basic_credentials(asked.fake.requests[0]) == credentials
        assert asked.fake.forms == [{"grant_type": ["client_credentials"]}]

    async def test_post_sends_id_and_secret_in_the_form(self) -> None:
        """And no Authorization."""
        client = Client(token_endpoint_auth_method="client_secret_post")
        asked = Asked(FakeTokenEndpoint(), client)
        await asked.grant()
        assert asked.fake.forms[0]["client_secret"] == [SECRET]
        assert asked.fake.forms[0]["client_id"] == ["orders"]
        assert "authorization" not in asked.fake.requests[0].headers

    @pytest.mark.parametrize("method", [None, "none"])
    async def test_a_public_client_says_only_who_it_is(self, method: str | None) -> None:
        """RFC 6749, section 3.2.1."""
        client = Client(client_secret=None, token_endpoint_auth_method=method)
        asked = Asked(FakeTokenEndpoint(), client)
        await asked.grant()
        assert asked.fake.forms[0]["client_id"] == ["orders"]
        assert "authorization" not in asked.fake.requests[0].headers

    async def test_a_grant_without_a_client_sends_the_form_alone(self) -> None:
        """A plugin's strategy need have none."""
        asked = Asked(FakeTokenEndpoint(), Client(client_id=None, client_secret=None))
        await asked.grant(key=Secret("abc"))
        assert asked.fake.forms == [{"grant_type": ["client_credentials"], "key": ["abc"]}]

    async def test_extra_headers_are_sent_resolved(self) -> None:
        """A secret among them is read for the request."""
        headers: Mapping[str, str | Secret] = {"X-Api-Key": Secret("k-123"), "X-Tenant": "acme"}
        asked = Asked(FakeTokenEndpoint(), Client(headers=headers))
        await asked.grant()
        assert asked.fake.requests[0].headers["x-api-key"] == "k-123"
        assert asked.fake.requests[0].headers["x-tenant"] == "acme"

    async def test_a_header_that_cannot_be_sent_is_told_without_its_value(self) -> None:
        """Not even httpx gets to quote it."""
        asked = Asked(FakeTokenEndpoint(), Client(headers={"X-Key": Secret("two\nlines")}))
        with pytest.raises(SecretError) as caught:
            await asked.grant()
        assert str(caught.value) == (
            "header X-Key: its value (given in code) has characters that no header may carry"
        )

    async def test_a_plain_header_that_cannot_be_sent_is_told_too(self) -> None:
        """Whoever wrote it sees which."""
        asked = Asked(FakeTokenEndpoint(), Client(headers={"X-Key": "é"}))
        with pytest.raises(SecretError, match="header X-Key: its value has characters"):
            await asked.grant()

    async def test_a_strategy_without_a_token_url_cannot_ask(self) -> None:
        """The error says what is missing."""
        with pytest.raises(StrategyError, match="no token_url"):
            await Asked(FakeTokenEndpoint(), Client(token_url=None)).grant()

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
        asked = Asked(FakeTokenEndpoint(), client)
        with pytest.raises(StrategyError, match=message):
            await asked.grant()
        assert asked.fake.requests == []

    @pytest.mark.parametrize(
        "url", ["https://id.example.com:bad/", "ftp://id.example.com/", "https://[::1"]
    )
    async def test_a_url_that_cannot_be_asked_is_not_tried_again(self, url: str) -> None:
        """The error is no outage."""
        asked = Asked(FakeTokenEndpoint(), Client(token_url=url))
        async with httpx.AsyncClient() as http:  # the real transport knows its schemes
            endpoint = TokenEndpoint(
                asked.client,
                options=asked.options,
                client=lambda: http,
                clock=asked.clock,
                deadline=anyio.current_time() + 30,
            )
            with pytest.raises((TokenRefusedError, StrategyError)):
                await endpoint.grant({"grant_type": "x"})
        assert asked.clock.pauses == []


class TestLifetime:
    async def test_it_counts_from_when_the_request_was_sent(self) -> None:
        """The time that the answer took is taken off."""
        clock = FakeClock()

        def slow(_: httpx.Request) -> httpx.Response:
            clock.advance(7)
            return answer(200, '{"access_token": "t", "expires_in": 60}')

        before = clock.wall()
        token = await Asked(FakeTokenEndpoint(slow), clock=clock).grant()
        assert token.expires_at == before + 60

    async def test_after_a_retry_it_counts_from_the_last_request(self) -> None:
        """The pause is not taken off."""
        asked = Asked(FakeTokenEndpoint(answer(503)))
        token = await asked.grant()
        assert token.expires_at == asked.clock.wall() + 3600

    async def test_without_expires_in_the_default_serves(self) -> None:
        """Five minutes, unless it is configured."""
        asked = Asked(
            FakeTokenEndpoint(answer(200, '{"access_token": "t"}')),
            options=AuthOptions(default_lifetime=77),
        )
        assert (await asked.grant()).expires_in == 77


class TestRetries:
    @pytest.mark.parametrize(
        "first",
        [
            answer(408),
            answer(425),
            answer(429),
            answer(500, "<html>oops</html>"),
            answer(503, '{"error": "invalid"}'),
            answer(400, '{"error": "temporarily_unavailable"}'),
            answer(400, '{"error": "server_error"}'),
            answer(200),
            answer(200, "<html>sign in</html>"),
            httpx.ConnectError("refused"),
            httpx.ReadError("reset"),
            httpx.ReadTimeout("late"),
            httpx.RemoteProtocolError("closed"),
        ],
        ids=lambda first: getattr(first, "status_code", None) or type(first).__name__,
    )
    async def test_what_may_pass_is_tried_again(self, first: httpx.Response | Exception) -> None:
        """The second try brings the token."""
        again = (
            first
            if isinstance(first, Exception)
            else httpx.Response(
                first.status_code,
                headers=first.headers,
                stream=Stream(first.stream._pieces),  # type: ignore[union-attr]
            )
        )
        asked = Asked(FakeTokenEndpoint(again))
        assert (await asked.grant()).reveal() == "token-2"

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (400, '{"error": "invalid_client"}'),
            (401, '{"error": "invalid_client"}'),
            (500, '{"error": "invalid_client"}'),
            (400, '{"error": "invalid_scope"}'),
            (400, '{"error": "scope_invalid"}'),
            (200, '{"error": "access_denied"}'),
            (403, ""),
            (404, "<html>not here</html>"),
            (302, ""),
            (200, "[]"),
            (200, "{}"),
        ],
    )
    async def test_what_will_not_pass_is_asked_once(self, status: int, body: str) -> None:
        """A refusal costs one request."""
        asked = Asked(FakeTokenEndpoint(answer(status, body)))
        error = await asked.fail()
        assert isinstance(error, TokenRefusedError)
        assert error.tries == 1
        assert len(asked.fake.requests) == 1

    async def test_it_gives_up_after_four_tries(self) -> None:
        """The pauses are random, and at most 0.25, 0.5 and 1 s."""
        asked = Asked(FakeTokenEndpoint(*(answer(503, "down") for _ in range(9))))
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert (error.status, error.tries) == (503, 4)
        assert len(asked.fake.requests) == 4
        assert len(asked.clock.pauses) == 3
        assert all(
            0 <= pause <= most
            for pause, most in zip(asked.clock.pauses, (0.25, 0.5, 1), strict=True)
        )
        assert error.elapsed == pytest.approx(sum(asked.clock.pauses))

    @pytest.mark.parametrize(
        ("value", "pause"),
        [("3", 3.0), ("-3", 0.0), ("Fri, 15 Jan 2027 08:00:05 GMT", 5.0)],
    )
    async def test_retry_after_is_obeyed(self, value: str, pause: float) -> None:
        """As seconds or as a date; a time that is past is none."""
        asked = Asked(FakeTokenEndpoint(answer(429, headers={"retry-after": value})))
        await asked.grant()
        assert asked.clock.pauses == [pause]

    async def test_retry_after_past_the_deadline_fails_at_once(self) -> None:
        """And the error tells what the server asked for."""
        asked = Asked(FakeTokenEndpoint(answer(503, headers={"retry-after": "31"})))
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert (error.tries, error.retry_after) == (1, 31.0)
        assert asked.clock.pauses == []

    @pytest.mark.parametrize("value", ["soon", "nan", "Fri, 99 Foo 2027 08:00:05 GMT"])
    async def test_a_retry_after_that_says_nothing_counts_as_missing(self, value: str) -> None:
        """The usual pause is made."""
        asked = Asked(FakeTokenEndpoint(answer(503, headers={"retry-after": value})))
        await asked.grant()
        assert asked.clock.pauses[0] <= 0.25

    async def test_what_must_not_be_sent_twice_is_not(self) -> None:
        """A reset may come after the server has acted."""
        asked = Asked(FakeTokenEndpoint(httpx.ReadError("reset")))
        error = await asked.fail(once=True)
        assert isinstance(error, TokenUnavailableError)
        assert error.tries == 1

    async def test_nor_after_an_answer(self) -> None:
        """A 503 may come after the server has acted, too."""
        asked = Asked(FakeTokenEndpoint(answer(503)))
        assert (await asked.fail(once=True)).tries == 1

    async def test_but_where_nothing_was_sent_it_is_tried_again(self) -> None:
        """A refused connection carried nothing."""
        asked = Asked(FakeTokenEndpoint(httpx.ConnectError("refused")))
        await asked.grant(once=True)
        assert len(asked.fake.requests) == 2

    @pytest.mark.parametrize(("limit", "stalled"), [(30.0, 10.0), (4.0, 2.0)])
    async def test_a_stalled_try_leaves_time_for_another(
        self, limit: float, stalled: float
    ) -> None:
        """Ten seconds at the most, and half of the time; for a place in the pool all of it."""
        asked = Asked(FakeTokenEndpoint(), options=AuthOptions(timeout=limit))
        await asked.grant()
        assert asked.fake.requests[0].extensions["timeout"] == {
            "connect": stalled,
            "read": stalled,
            "write": stalled,
            "pool": None,
        }

    async def test_the_deadline_ends_a_hanging_answer(self) -> None:
        """The error says how long it took, and chains what failed before."""
        asked = Asked(FakeTokenEndpoint(), options=AuthOptions(timeout=0.4))

        def hang(_: httpx.Request) -> httpx.Response:
            asked.fake.gate = anyio.Event()
            return answer(503)

        asked.fake.script = [hang]
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert "gave no answer within 0.4 s" in str(error)
        assert error.tries == 2
        assert isinstance(error.__cause__, TokenUnavailableError)


class TestBody:
    @pytest.mark.parametrize(
        ("encoding", "trouble"),
        [
            ("gzip", "is no valid gzip"),
            ("br", "comes in a Content-Encoding that was not asked for"),
        ],
    )
    async def test_a_body_that_cannot_be_read_is_refused(self, encoding: str, trouble: str) -> None:
        """With what is the matter with it."""
        asked = Asked(FakeTokenEndpoint(answer(200, b"torn", {"content-encoding": encoding})))
        error = await asked.fail()
        assert error.reason == f"gave an answer that {trouble}"

    async def test_a_status_tells_enough_without_a_body(self) -> None:
        """A 503 is an outage, whatever comes with it."""
        asked = Asked(FakeTokenEndpoint(answer(503, b"?", {"content-encoding": "br"})))
        await asked.grant()
        assert len(asked.fake.requests) == 2


class TestErrors:
    async def test_a_refusal_tells_all_that_is_known(self) -> None:
        """What was asked of whom, and what came back; never with what."""
        body = '{"error": "invalid_client", "error_description": "unknown client"}'
        asked = Asked(FakeTokenEndpoint(answer(401, body, {"x-request-id": "r-1"})))
        error = await asked.fail()
        assert str(error) == (
            'token endpoint id.example.com refused the client: 401 invalid_client "unknown client"'
            " (after 1 try, 0 s); request id r-1"
        )
        assert error.url == URL

    async def test_the_url_is_shown_without_query(self) -> None:
        """Keys are put there at times."""
        client = Client(token_url=URL + "?key=hidden")
        error = await Asked(FakeTokenEndpoint(answer(404)), client).fail()
        assert error.url == URL

    async def test_a_lost_connection_chains_its_cause_without_frames(self) -> None:
        """The frames of httpx hold the request, secret and all."""
        failures = [httpx.ReadError("reset") for _ in range(4)]
        error = await Asked(FakeTokenEndpoint(*failures)).fail()
        assert "cannot be reached: reset" in str(error)
        assert isinstance(error.__cause__, httpx.ReadError)
        assert error.__cause__.__traceback__ is None

    async def test_a_lost_connection_chains_its_cause_without_the_request(self) -> None:
        """Nobody finds the request, secret and all, on what httpx raised."""

        def lose(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("reset", request=request)

        error = await Asked(FakeTokenEndpoint(*[lose] * 4)).fail()

        assert isinstance(error.__cause__, httpx.ReadError)
        with pytest.raises(RuntimeError, match="has not been set"):
            _ = error.__cause__.request

    async def test_a_late_connection_is_told_in_words(self) -> None:
        """Not by the name of an exception."""
        failures = [httpx.ConnectTimeout("") for _ in range(4)]
        error = await Asked(FakeTokenEndpoint(*failures)).fail()
        assert error.reason == "cannot be reached: connecting took too long"

    @pytest.mark.parametrize(
        ("failure", "words"),
        [
            (httpx.ReadError(""), "the connection broke off"),
            (httpx.CloseError(""), "CloseError"),
        ],
        ids=["known", "other"],
    )
    async def test_what_fails_without_a_word_is_told_by_its_kind(
        self, failure: httpx.TransportError, words: str
    ) -> None:
        """Better than nothing."""
        failures = [type(failure)("") for _ in range(4)]
        error = await Asked(FakeTokenEndpoint(*failures)).fail()
        assert error.reason == f"cannot be reached: {words}"

    async def test_tls_that_breaks_is_an_outage(self) -> None:
        """On asyncio an error of TLS comes through httpx as it is, and a retry may mend it."""
        asked = Asked(FakeTokenEndpoint(ssl.SSLError(1, "[SSL] bad record mac")))
        assert (await asked.grant()).reveal() == "token-2"

    async def test_an_answer_that_is_no_http_is_told_without_its_bytes(self) -> None:
        """They may be those that were sent; nor does any cause show them."""

        def garble(_: httpx.Request) -> httpx.Response:
            cause = ValueError(f"illegal header line: bytearray(b'{SECRET}')")
            raise httpx.RemoteProtocolError(str(cause)) from cause

        error = await Asked(FakeTokenEndpoint(*[garble] * 4)).fail()
        assert isinstance(error, TokenUnavailableError)
        assert error.reason == "gave no valid answer: illegal header line"
        assert SECRET not in "".join(traceback.format_exception(error))

    async def test_the_words_of_a_library_are_redacted_and_escaped(self) -> None:
        """They may quote the server."""
        failures = [httpx.RemoteProtocolError(f"to {SECRET}\x1b[2J") for _ in range(4)]
        error = await Asked(FakeTokenEndpoint(*failures)).fail()
        assert error.reason == "gave no valid answer: to ***\\x1b[2J"

    async def test_no_traceback_shows_the_secret(self) -> None:
        """Not in the locals of any frame of ours either."""
        client = Client(client_secret=Secret("s3cr3t-canary"))
        asked = Asked(FakeTokenEndpoint(answer(401, '{"error": "invalid_client"}')), client)
        error = await asked.fail()
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        assert "s3cr3t-canary" not in shown

    async def test_a_secret_that_the_server_echoes_is_masked(self) -> None:
        """In a snippet, and in a description."""
        client = Client(client_secret=Secret("s3cr3t-canary"))
        asked = Asked(FakeTokenEndpoint(answer(404, "who is s3cr3t-canary?")), client)
        error = await asked.fail()
        assert error.snippet == "who is ***?"

    @pytest.mark.parametrize(
        ("method", "secret", "hint"),
        [
            (None, "plain", '"client_secret_post"'),
            (None, "sp%cial", '"client_secret_post" or "client_secret_basic_raw"'),
            (
                "client_secret_basic_raw",
                "plain",
                '"client_secret_basic" or "client_secret_post"',
            ),
            ("client_secret_post", "plain", '"client_secret_basic"'),
        ],
    )
    @pytest.mark.parametrize("refusal", [(401, '{"error": "invalid_client"}'), (403, "")])
    async def test_a_refused_client_gets_a_hint(
        self, method: str | None, secret: str, hint: str, refusal: tuple[int, str]
    ) -> None:
        """Servers differ in the method they want."""
        client = Client(client_secret=Secret(secret), token_endpoint_auth_method=method)
        error = await Asked(FakeTokenEndpoint(answer(*refusal)), client).fail()
        assert error.hint == f"the server may want token_endpoint_auth_method = {hint}"

    async def test_a_public_client_is_told_of_secrets(self) -> None:
        """Where it is refused."""
        asked = Asked(FakeTokenEndpoint(answer(401)), Client(client_secret=None))
        assert (await asked.fail()).hint == "the server may want a client_secret"

    @pytest.mark.parametrize(
        ("error", "hint"),
        [
            ("invalid_scope", "scopes"),
            ("invalid_target", "audience and resource"),
            ("unsupported_grant_type", "token_url"),
        ],
    )
    async def test_known_errors_get_a_hint(self, error: str, hint: str) -> None:
        """It names what to look at."""
        asked = Asked(FakeTokenEndpoint(answer(400, f'{{"error": "{error}"}}')))
        assert hint in (await asked.fail()).hint

    async def test_other_errors_get_none(self) -> None:
        """No hint is better than a wrong one."""
        asked = Asked(FakeTokenEndpoint(answer(400, '{"error": "invalid_request"}')))
        assert (await asked.fail()).hint == ""
