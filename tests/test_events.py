"""What is logged of tokens: by ``-v``, what happens; by ``-vv``, each request and its answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from gqlauth import Secret, Token, TokenRefusedError
from gqlauth._answer import Answer
from gqlauth._client_auth import Proof
from gqlauth._entry import Entry
from gqlauth._events import LOGGED, state_of
from gqlauth._exchange import Exchange
from gqlauth._flight import Flight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth.events import CacheState

SECRET = "correct-horse-battery"
TOKEN = "an-opaque-access-token"


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """Listen to the events."""
    heard: list[dict[str, Any]] = []

    class Sink(logging.Handler):
        """Keeps the events."""

        def emit(self, record: logging.LogRecord) -> None:
            heard.append(vars(record)["gqlauth"])

    logger = logging.getLogger("gqlauth")
    logger.addHandler(Sink())
    logger.setLevel(logging.DEBUG)
    yield heard
    assert SECRET not in str(heard)
    assert TOKEN not in str(heard)


def exchange(method: str, **changed: Any) -> Exchange:
    proof = Proof(method=method, client_id="orders-cli", client_secret=Secret(SECRET))
    return attrs.evolve(
        Exchange(
            url="https://id.example.com/token?key=x",
            proof=proof,
            headers={"X-Tenant": "acme", "X-Api-Key": Secret(SECRET)},
            form={"grant_type": "client_credentials", "scope": "a b"},
            once=False,
            tries=2,
            proven=proof.fields(0),
        ),
        **changed,
    )


def answer(body: bytes, **headers: str) -> Answer:
    return Answer("https://id.example.com/token", 200, httpx.Headers(headers), body)


def told(of: Answer) -> None:
    LOGGED.answer("orders", exchange("none"), of, 0.12345, None)


class TestTokenRequest:
    def test_with_basic(self, events: list[dict[str, Any]]) -> None:
        """A token request is told with its headers and its form, but for its secrets."""
        LOGGED.request("orders", exchange("client_secret_basic"))

        assert events[0].pop("headers") == {
            "X-Tenant": "acme",
            "X-Api-Key": Secret(SECRET),
            "Authorization": "***",
        }
        assert events == [
            {
                "event": "token request",
                "url": "https://id.example.com/token",
                "attempt": 2,
                "method": "client_secret_basic",
                "form": {"grant_type": "client_credentials", "scope": "a b"},
            }
        ]

    def test_with_a_secret_in_the_form(self, events: list[dict[str, Any]]) -> None:
        """A secret in the form shows where it comes from."""
        LOGGED.request("orders", exchange("client_secret_post", headers={}))

        assert events[0]["headers"] == {}
        assert str(events[0]["form"]) == (
            "{'grant_type': 'client_credentials', 'scope': 'a b', "
            "'client_id': 'orders-cli', 'client_secret': Secret(***)}"
        )


class TestTokenAnswer:
    def test_is_told(self, events: list[dict[str, Any]]) -> None:
        """An answer is told with its headers and its beginning, but for its token."""
        told(
            answer(
                b'{"access_token": "%s", "expires_in": 60}' % TOKEN.encode(),
                **{"set-cookie": f"id={SECRET}", "x-request-id": "r-1"},
            )
        )

        assert events == [
            {
                "event": "token answer",
                "url": "https://id.example.com/token",
                "status": 200,
                "elapsed": 0.123,
                "headers": {"set-cookie": "***", "x-request-id": "r-1"},
                "snippet": '{"access_token": "***", "expires_in": 60}',
            }
        ]

    def test_has_the_token_nowhere(self, events: list[dict[str, Any]]) -> None:
        """A token that is known is masked also where it stands under no name."""
        token = Token(TOKEN)
        told(answer(f'{{"x": "{token.reveal()}"}}'.encode(), ETag=TOKEN))

        assert events[0]["snippet"] == '{"x": "***"}'
        assert events[0]["headers"] == {"etag": "***"}

    def test_is_short(self, events: list[dict[str, Any]]) -> None:
        """No more than the beginning of a long one is told."""
        told(answer(b"x" * 100_000))

        assert len(events[0]["snippet"]) == 500


def test_requests_are_put_together_for_who_listens(events: list[dict[str, Any]]) -> None:
    """Where nobody listens, neither is looked at."""
    logging.getLogger("gqlauth").setLevel(logging.INFO)
    nothing: Any = None
    LOGGED.request("orders", nothing)
    LOGGED.answer("orders", nothing, nothing, 0, None)

    assert events == []


def flight(cache: CacheState = "empty", *, found: bool = False) -> Flight:
    one = Flight()
    one.cache, one.found = cache, found
    return one


class TestTokens:
    @pytest.mark.parametrize(
        ("usable", "fresh", "state"),
        [(True, True, "fresh"), (True, False, "refresh due"), (False, False, "expired")],
    )
    def test_state(self, *, usable: bool, fresh: bool, state: str) -> None:
        """What the cache has meanwhile follows from both ends of its token."""
        entry = Entry()
        entry.keep(Token(TOKEN, expires_in=60).issued(0.0, 0.0), None, 0.0)
        due = entry.refresh_at

        assert state_of(entry, lambda _, moment: usable if moment > due else fresh) == state

    def test_state_at_first(self) -> None:
        """At first it has none."""
        assert state_of(Entry(), lambda _, __: True) == "empty"

    def test_wanted(self, events: list[dict[str, Any]]) -> None:
        """That a token is wanted is told with what the cache has meanwhile."""
        LOGGED.wanted("orders", "expired")

        assert events == [{"event": "token wanted", "endpoint": "orders", "cache": "expired"}]

    @pytest.mark.parametrize(
        ("token", "kind"),
        [
            (Token(TOKEN, expires_in=60), "Bearer"),
            (Token(TOKEN, token_type="", header_name="X-Api-Key", expires_in=60), "X-Api-Key"),
        ],
    )
    @pytest.mark.parametrize("found", [False, True])
    @pytest.mark.anyio
    async def test_came(
        self, events: list[dict[str, Any]], token: Token, kind: str, *, found: bool
    ) -> None:
        """That one came is told with its type, its lifetime, how long it took, and for how many."""
        LOGGED.came("orders", flight(found=found), token, 0.12345)

        assert events == [
            {
                "event": "token found" if found else "token fetched",
                "endpoint": "orders",
                "expires_in": 60,
                "elapsed": 0.123,
                "waited": 0,
                "type": kind,
            }
        ]

    @pytest.mark.anyio
    async def test_not_refreshed(self, events: list[dict[str, Any]]) -> None:
        """That one could not be replaced is told with the reason, and when it is tried again."""
        error = TokenRefusedError("refused it")
        LOGGED.failed("orders", flight("refresh due"), error, 0.1, 5.0)

        assert events[0]["event"] == "token refresh failed"
        assert "refused it" in events[0]["error"]
        assert events[0]["again_in"] == 5.0

    @pytest.mark.parametrize(("cache", "pause"), [("empty", 5.0), ("refresh due", 0.0)])
    @pytest.mark.anyio
    async def test_not_told(
        self, events: list[dict[str, Any]], cache: CacheState, pause: float
    ) -> None:
        """It is not told where who waits will tell it, nor as the service is closed."""
        LOGGED.failed("orders", flight(cache), TokenRefusedError("refused it"), 0.1, pause)

        assert events == []
