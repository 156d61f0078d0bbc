"""``gql auth token``, or why there is none; ``gql auth clear``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from gqlauth import Token
from gqlauth._cli.auth import _written
from tests.support.gql import ORDERS, SECRET
from tests.support.http_server import Answer, json_answer, token_endpoint, unused_port

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer

REFUSAL = json_answer({"error": "invalid_client", "error_description": "unknown client"}, 401)


class TestToken:
    def test_raw(self, gql: Gql, orders: HttpServer) -> None:
        """It prints the token, and nothing else."""
        outcome = gql("auth", "token")

        assert outcome.stdout == "token-1-of-the-server\n"
        assert (outcome.stderr, outcome.code) == ("", 0)

    def test_header(self, gql: Gql, orders: HttpServer) -> None:
        """``--format header`` prints what ``curl -H`` takes."""
        outcome = gql("auth", "token", "-e", "orders", "--format", "header")

        assert outcome.stdout == "Authorization: Bearer token-1-of-the-server\n"

    def test_json(self, gql: Gql, orders: HttpServer) -> None:
        """``--format json`` has the token and its lifetime in whole seconds."""
        got = gql("auth", "token", "--format", "json").json

        assert got.pop("expires_in") in {3599, 3600}
        assert abs(got.pop("expires_at") - time.time() - 3600) < 60
        assert got == {
            "access_token": "token-1-of-the-server",
            "token_type": "Bearer",
            "scopes": ["orders:read", "orders:write"],
        }

    def test_json_of_a_static_one(self) -> None:
        """A token that has no end has no date, and a key under a header has no type."""
        token = Token("k", token_type="", header_name="X-Api-Key")

        assert json.loads(_written(token, "json", ())) == {
            "access_token": "k",
            "token_type": "",
            "expires_at": None,
            "expires_in": None,
            "scopes": [],
        }

    def test_refresh(self, gql: Gql, orders: HttpServer) -> None:
        """``--refresh`` asks for a new one in any case."""
        assert gql("auth", "token", "--refresh").stdout == "token-1-of-the-server\n"
        assert len(orders.requests) == 1

    def test_min_ttl_that_no_token_has(self, gql: Gql, orders: HttpServer) -> None:
        """Where even a new token does not live that long, it is printed with a warning."""
        outcome = gql("auth", "token", "--min-ttl", "7200")

        assert outcome.code == 0
        assert "gql: warning: a new token lives shorter than asked for" in outcome.stderr

    @pytest.mark.parametrize("verbosity", ["-v", "-vv", "-vvv"])
    def test_verbosity_shows_no_secret(self, gql: Gql, orders: HttpServer, verbosity: str) -> None:
        """At no verbosity does standard error hold the secret, its encodings, or the token."""
        outcome = gql("auth", "token", verbosity)

        assert outcome.stdout == "token-1-of-the-server\n"
        assert "token-1-of-the-server" not in outcome.stderr
        assert "configuration found" in outcome.stderr
        assert "b3JkZXJz" not in outcome.stderr


async def _no_sleep(_clock: object, _seconds: float) -> None:
    pass


class TestTokenRefusals:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(REFUSAL, id="wrong secret"),
            pytest.param(json_answer({"error": "invalid_scope"}, 400), id="wrong scope"),
            pytest.param(
                Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
                id="HTML instead of JSON",
            ),
            pytest.param(Answer(403, b"<h1>Blocked</h1>"), id="firewall"),
            pytest.param(json_answer({"token_type": "Bearer"}), id="no access_token"),
            pytest.param(Answer(307, b"", {"Location": "/login?next=1"}), id="redirect"),
            pytest.param(
                json_answer({"error": "slow_down"}, 429, Retry_After="3600"), id="too many"
            ),
        ],
    )
    def test_is_explained(self, gql: Gql, golden: SnapshotAssertion, answer: Answer) -> None:
        """What the server said is told, with what may help, and the exit status of its kind."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        gql.monkeypatch.setattr("gqlauth._clock.SystemClock.sleep", _no_sleep)
        with token_endpoint(*[answer] * 4) as server:
            gql.file(ORDERS.format(url=server.url))
            outcome = gql("auth", "token")

        assert golden == outcome.transcript

    def test_server_that_is_down(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A server that cannot be reached is named, and the exit status is 5."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        gql.monkeypatch.setattr("gqlauth._clock.SystemClock.sleep", _no_sleep)
        gql.file(ORDERS.format(url=f"http://127.0.0.1:{unused_port()}"))

        assert golden == gql("auth", "token").transcript


class TestTokenMisconfigurations:
    @pytest.mark.parametrize(
        "secret",
        [
            pytest.param('{ env = "NOT_SET" }', id="unset variable"),
            pytest.param('{ file = "secret.txt" }', id="missing file"),
            pytest.param(
                '{ command = ["sh", "-c", "echo s3cr3t; echo vault is sealed >&2; exit 3"] }',
                id="failing command",
            ),
            pytest.param('{ command = ["no-such-program"] }', id="missing command"),
        ],
    )
    def test_secret_is_named(
        self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer, secret: str
    ) -> None:
        """A secret that cannot be had is told with its place in the file, and exits with 2."""
        text = ORDERS.format(url=orders.url).replace('{ env = "ORDERS_SECRET" }', secret)
        gql.file(text)

        assert golden == gql("auth", "token").transcript
        assert orders.requests == []

    def test_no_auth(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """An endpoint without authentication has no token."""
        gql.file('[endpoints.public]\nurl = "https://countries.example.com/graphql"\n')

        assert golden == gql("auth", "token").transcript

    def test_which_endpoint(
        self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer
    ) -> None:
        """Where there are several and no default, the names are told."""
        assert golden == gql("auth", "token").transcript

    def test_broken_file(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A file with problems is not used, and all of them are told."""
        gql.file('[endpoints.one]\nurl = "nowhere"\n\n[endpoints.two]\nurl = 2\n')

        assert golden == gql("auth", "token").transcript


class TestClear:
    def test_nothing_there(self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer) -> None:
        """A fresh process has no token to forget, and says so."""
        assert golden == gql("auth", "clear").transcript

    def test_unknown_endpoint(self, gql: Gql, orders: HttpServer) -> None:
        """An endpoint that is not configured exits with 2."""
        assert gql("auth", "clear", "-e", "nothing").code == 2
