"""The token endpoint, explained where it gives no token; and no secret told."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import traceback
from contextlib import aclosing

import anyio
import httpx
import pytest

from gqlauth import Secret, TokenEndpoint, TokenUnavailableError
from gqlauth._options import AuthOptions
from gqlauth._token_clients import TokenClients
from gqlauth.testing import AuthorizationServer, FrozenClock
from tests.support.asked import SECRET, Asked, Client
from tests.support.http_server import unused_port
from tests.support.token_endpoint import (
    URL,
    answer,
)

pytestmark = pytest.mark.anyio


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
        asked = Asked(AuthorizationServer(answer(200, b"torn", {"content-encoding": encoding})))
        error = await asked.fail()
        assert error.reason == f"gave an answer that {trouble}"

    async def test_a_status_tells_enough_without_a_body(self) -> None:
        """A 503 is an outage, whatever comes with it."""
        asked = Asked(AuthorizationServer(answer(503, b"?", {"content-encoding": "br"})))
        await asked.grant()
        assert len(asked.fake.requests) == 2


class TestErrors:
    async def test_a_refusal_tells_all_that_is_known(self) -> None:
        """What was asked of whom, and what came back; never with what."""
        body = '{"error": "invalid_client", "error_description": "unknown client"}'
        asked = Asked(AuthorizationServer(answer(401, body, {"x-request-id": "r-1"})))
        error = await asked.fail()
        assert str(error) == (
            'token endpoint id.example.com refused the client: 401 invalid_client "unknown client"'
            " (after 1 try, 0 s); request id r-1"
        )
        assert error.url == URL

    async def test_the_url_is_shown_without_query(self) -> None:
        """Keys are put there at times."""
        client = Client(token_url=URL + "?key=hidden")
        error = await Asked(AuthorizationServer(answer(404)), client).fail()
        assert error.url == URL

    async def test_a_lost_connection_chains_its_cause_without_frames(self) -> None:
        """The frames of httpx hold the request, secret and all."""
        failures = [httpx.ReadError("reset") for _ in range(4)]
        error = await Asked(AuthorizationServer(*failures)).fail()
        assert "cannot be reached: reset" in str(error)
        assert isinstance(error.__cause__, httpx.ReadError)
        assert error.__cause__.__traceback__ is None

    async def test_a_lost_connection_chains_its_cause_without_the_request(self) -> None:
        """Nobody finds the request, secret and all, on what httpx raised."""

        def lose(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadError("reset", request=request)

        error = await Asked(AuthorizationServer(*[lose] * 4)).fail()

        assert isinstance(error.__cause__, httpx.ReadError)
        with pytest.raises(RuntimeError, match="has not been set"):
            _ = error.__cause__.request

    async def test_a_late_connection_is_told_in_words(self) -> None:
        """Not by the name of an exception."""
        failures = [httpx.ConnectTimeout("") for _ in range(4)]
        error = await Asked(AuthorizationServer(*failures)).fail()
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
        error = await Asked(AuthorizationServer(*failures)).fail()
        assert error.reason == f"cannot be reached: {words}"

    async def test_a_refused_certificate_is_told(self) -> None:
        """On trio httpx has no word for it, but a cause that has."""

        def refuse(_: httpx.Request) -> httpx.Response:
            cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
            raise httpx.ConnectError("") from cause

        error = await Asked(AuthorizationServer(*[refuse] * 4)).fail()
        assert error.reason == "cannot be reached: certificate verify failed"

    async def test_a_connection_that_is_refused_is_told_in_the_words_of_the_system(self) -> None:
        """Httpx says just that none came of all attempts; each event loop has its own words."""
        async with aclosing(TokenClients(None)) as network:
            endpoint = TokenEndpoint(
                Client(token_url=f"http://127.0.0.1:{unused_port()}/token"),
                options=AuthOptions(),
                network=network,
                clock=FrozenClock(),
                deadline=anyio.current_time() + 30,
            )
            with pytest.raises(TokenUnavailableError) as caught:
                await endpoint.grant({"grant_type": "client_credentials"})
        assert caught.value.reason == f"cannot be reached: {os.strerror(errno.ECONNREFUSED)}"

    @pytest.mark.parametrize(
        ("cause", "words"),
        [
            (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
            (
                ExceptionGroup(
                    "all", [OSError("none"), OSError(errno.ENETUNREACH, "Connect call")]
                ),
                os.strerror(errno.ENETUNREACH),
            ),
            (socket.gaierror(-2), "in httpx's words"),
            (OSError("no number"), "in httpx's words"),
            (ExceptionGroup("all", [OSError("no number")]), "in httpx's words"),
        ],
        ids=["no such name", "several", "no words", "no number", "several without"],
    )
    async def test_why_there_is_no_connection(self, cause: Exception, words: str) -> None:
        """As far as the system tells."""

        def fail(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("in httpx's words") from cause

        error = await Asked(AuthorizationServer(*[fail] * 4)).fail()
        assert error.reason == f"cannot be reached: {words}"

    async def test_tls_that_breaks_is_an_outage(self) -> None:
        """On asyncio an error of TLS comes through httpx as it is, and a retry may mend it."""
        asked = Asked(AuthorizationServer(ssl.SSLError(1, "[SSL] bad record mac")))
        assert (await asked.grant()).reveal() == "token-2"

    async def test_an_answer_that_is_no_http_is_told_without_its_bytes(self) -> None:
        """They may be those that were sent; nor does any cause show them."""

        def garble(_: httpx.Request) -> httpx.Response:
            cause = ValueError(f"illegal header line: bytearray(b'{SECRET}')")
            raise httpx.RemoteProtocolError(str(cause)) from cause

        error = await Asked(AuthorizationServer(*[garble] * 4)).fail()
        assert isinstance(error, TokenUnavailableError)
        assert error.reason == "gave no valid answer: illegal header line"
        assert SECRET not in "".join(traceback.format_exception(error))

    async def test_the_words_of_a_library_are_redacted_and_escaped(self) -> None:
        """They may quote the server."""
        failures = [httpx.RemoteProtocolError(f"to {SECRET}\x1b[2J") for _ in range(4)]
        error = await Asked(AuthorizationServer(*failures)).fail()
        assert error.reason == "gave no valid answer: to ***\\x1b[2J"

    async def test_no_traceback_shows_the_secret(self) -> None:
        """Not in the locals of any frame of ours either."""
        client = Client(client_secret=Secret("s3cr3t-canary"))
        asked = Asked(AuthorizationServer(answer(401, '{"error": "invalid_client"}')), client)
        error = await asked.fail()
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        assert "s3cr3t-canary" not in shown

    async def test_a_secret_that_the_server_echoes_is_masked(self) -> None:
        """In a snippet, and in a description."""
        client = Client(client_secret=Secret("s3cr3t-canary"))
        asked = Asked(AuthorizationServer(answer(404, "who is s3cr3t-canary?")), client)
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
        error = await Asked(AuthorizationServer(answer(*refusal)), client).fail()
        assert error.hint == f"the server may want token_endpoint_auth_method = {hint}"

    async def test_a_public_client_is_told_of_secrets(self) -> None:
        """Where it is refused."""
        asked = Asked(AuthorizationServer(answer(401)), Client(client_secret=None))
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
        asked = Asked(AuthorizationServer(answer(400, f'{{"error": "{error}"}}')))
        assert hint in (await asked.fail()).hint

    @pytest.mark.parametrize(
        ("status", "body", "hint"),
        [
            (404, "", f"is {URL} the token endpoint?"),
            (405, '{"message": "no"}', f"is {URL} the token endpoint?"),
            (200, "<!doctype html>", f"is {URL} the token endpoint?"),
            (200, "maintenance", ""),
            (404, '{"error": "realm_unknown"}', ""),
            (500, "<h1>Oops</h1>", ""),
        ],
    )
    async def test_what_is_no_token_endpoint_gets_a_hint(
        self, status: int, body: str, hint: str
    ) -> None:
        """A web page, or nothing, is at the URL."""
        error = await Asked(AuthorizationServer(*[answer(status, body) for _ in range(4)])).fail()
        assert error.hint == hint

    async def test_other_errors_get_none(self) -> None:
        """No hint is better than a wrong one."""
        asked = Asked(AuthorizationServer(answer(400, '{"error": "invalid_request"}')))
        assert (await asked.fail()).hint == ""
