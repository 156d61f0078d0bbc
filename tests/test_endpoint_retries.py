"""The token endpoint, tried again where that may help, and within its time."""

from __future__ import annotations

import anyio
import httpx
import pytest

from gqlauth import (
    Secret,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth._options import AuthOptions
from gqlauth._secret_command import CommandSource
from gqlauth.testing import AuthorizationServer
from tests.support.asked import Asked, Client
from tests.support.token_endpoint import (
    Stream,
    answer,
)

pytestmark = pytest.mark.anyio


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
        asked = Asked(AuthorizationServer(again))
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
        asked = Asked(AuthorizationServer(answer(status, body)))
        error = await asked.fail()
        assert isinstance(error, TokenRefusedError)
        assert error.tries == 1
        assert len(asked.fake.requests) == 1

    async def test_it_gives_up_after_four_tries(self) -> None:
        """The pauses are random, and at most 0.25, 0.5 and 1 s."""
        asked = Asked(AuthorizationServer(*(answer(503, "down") for _ in range(9))))
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
        asked = Asked(AuthorizationServer(answer(429, headers={"retry-after": value})))
        await asked.grant()
        assert asked.clock.pauses == [pause]

    async def test_retry_after_past_the_deadline_fails_at_once(self) -> None:
        """And the error tells what the server asked for."""
        asked = Asked(AuthorizationServer(answer(503, headers={"retry-after": "31"})))
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert (error.tries, error.retry_after) == (1, 31.0)
        assert asked.clock.pauses == []

    @pytest.mark.parametrize("value", ["soon", "nan", "Fri, 99 Foo 2027 08:00:05 GMT"])
    async def test_a_retry_after_that_says_nothing_counts_as_missing(self, value: str) -> None:
        """The usual pause is made."""
        asked = Asked(AuthorizationServer(answer(503, headers={"retry-after": value})))
        await asked.grant()
        assert asked.clock.pauses[0] <= 0.25

    async def test_what_must_not_be_sent_twice_is_not(self) -> None:
        """A reset may come after the server has acted."""
        asked = Asked(AuthorizationServer(httpx.ReadError("reset")))
        error = await asked.fail(once=True)
        assert isinstance(error, TokenUnavailableError)
        assert error.tries == 1

    async def test_nor_after_an_answer(self) -> None:
        """A 503 may come after the server has acted, too."""
        asked = Asked(AuthorizationServer(answer(503)))
        assert (await asked.fail(once=True)).tries == 1

    async def test_but_where_nothing_was_sent_it_is_tried_again(self) -> None:
        """A refused connection carried nothing."""
        asked = Asked(AuthorizationServer(httpx.ConnectError("refused")))
        await asked.grant(once=True)
        assert len(asked.fake.requests) == 2

    @pytest.mark.parametrize(("limit", "stalled"), [(30.0, 10.0), (4.0, 2.0)])
    async def test_a_stalled_try_leaves_time_for_another(
        self, limit: float, stalled: float
    ) -> None:
        """Ten seconds at the most, and half of the time; for a place in the pool all of it."""
        asked = Asked(AuthorizationServer(), options=AuthOptions(timeout=limit))
        await asked.grant()
        assert asked.fake.requests[0].extensions["timeout"] == {
            "connect": stalled,
            "read": stalled,
            "write": stalled,
            "pool": None,
        }

    async def test_the_deadline_ends_a_hanging_answer(self) -> None:
        """The error says how long it took, and chains what failed before."""
        asked = Asked(AuthorizationServer(), options=AuthOptions(timeout=0.4))

        def hang(_: httpx.Request) -> httpx.Response:
            asked.fake.gate = anyio.Event()
            return answer(503)

        asked.fake.script = [hang]
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert "gave no answer within 0.4 s" in str(error)
        assert error.tries == 2
        assert isinstance(error.__cause__, TokenUnavailableError)

    async def test_a_secret_that_takes_all_the_time_is_told(self) -> None:
        """By where it comes from: nobody was asked, so no server is to blame."""
        slow = CommandSource(("sleep", "60"))
        client = Client(client_secret=Secret.from_source(slow))
        asked = Asked(AuthorizationServer(), client, options=AuthOptions(timeout=0.1))
        error = await asked.fail()
        assert isinstance(error, TokenUnavailableError)
        assert str(error) == (
            "token endpoint id.example.com could not be asked within 0.1 s: "
            "command sleep … took too long"
        )

    async def test_where_no_secret_is_to_blame_none_is(self) -> None:
        """Such as where the time was over before."""
        asked = Asked(AuthorizationServer(), options=AuthOptions(timeout=1e-9))
        assert "could not be asked within 1e-09 s" in str(await asked.fail())
