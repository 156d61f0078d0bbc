"""No command shows a secret, at no verbosity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.gql import ORDERS, SECRET
from tests.support.http_server import Answer, http_server

if TYPE_CHECKING:
    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer


class TestNoSecret:
    """`Gql` itself fails when an output holds one, however it is encoded."""

    @pytest.mark.parametrize("log_format", ["console", "json"])
    @pytest.mark.parametrize("method", ["basic", "post"])
    @pytest.mark.parametrize(
        "command", ["auth status", "auth status --check --json", "auth types", "config check"]
    )
    def test_at_the_highest_verbosity(
        self, gql: Gql, orders: HttpServer, command: str, method: str, log_format: str
    ) -> None:
        """No command but ``auth token`` shows a secret or a token, even with ``-vvv``."""
        text = f'    token_endpoint_auth_method = "client_secret_{method}"\n'
        gql.file(ORDERS.format(url=orders.url) + text)
        gql.secrets += ["of-the-server", "s3cr3t%2F", "b3JkZXJzLWNsaTpz"]

        outcome = gql(*command.split(), "-vvv", "--log-format", log_format)

        assert outcome.code == 0
        assert "configuration found" in outcome.stderr or command == "auth types"

    def test_of_a_server_that_echoes(self, gql: Gql) -> None:
        """A server that sends back what it was sent does not bring it to the terminal."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        echo = http_server(lambda request: Answer(400, request.headers["authorization"].encode()))
        gql.secrets += ["s3cr3t%2F", "b3JkZXJzLWNsaTpz"]
        with echo as server:
            gql.file(ORDERS.format(url=server.url))

            assert gql("auth", "token", "-vvv").code == 4
            assert gql("auth", "status", "--check", "--json").code == 4


class TestVerbosity:
    """What each ``-v`` adds, and that none of it holds a secret."""

    def test_once(self, gql: Gql, orders: HttpServer) -> None:
        """With ``-v``: which file, what the cache has, which strategy, and how long it took."""
        gql.file(ORDERS.format(url=orders.url))

        assert gql("auth", "status", "--check", "-v").stderr.splitlines() == [
            "gql: configuration found file=PROJECT/gqlauth.toml by=project",
            (
                'gql: tokens are kept in memory alone why="no key to encrypt tokens with:'
                ' set GQLAUTH_CACHE_KEY; the keyring is switched off"'
            ),
            "gql: token wanted endpoint=orders cache=empty",
            "gql: fetching a token endpoint=orders strategy=ClientCredentials",
            (
                "gql: token fetched endpoint=orders expires_in=3600.0 elapsed=TIME waited=1"
                " type=Bearer"
            ),
        ]

    def test_twice(self, gql: Gql, orders: HttpServer) -> None:
        """With ``-vv``: the token request and its answer, too, with headers and body."""
        gql.file(ORDERS.format(url=orders.url))
        lines = gql("auth", "status", "--check", "-vv", "--log-format", "json").stderr.splitlines()
        events = {event["event"]: event for event in map(json.loads, lines)}
        request, answer = events["token request"], events["token answer"]

        assert request["headers"] == {"Authorization": "***"}
        assert request["form"]["grant_type"] == "client_credentials"
        assert answer["status"] == 200
        assert answer["headers"]["content-type"] == "application/json"
        assert json.loads(answer["snippet"])["access_token"] == "***"
        assert "httpcore" not in {event["logger"].partition(".")[0] for event in events.values()}

    def test_three_times(self, gql: Gql, orders: HttpServer) -> None:
        """With ``-vvv``: what httpx and httpcore log, too."""
        gql.file(ORDERS.format(url=orders.url))
        stderr = gql("auth", "status", "--check", "-vvv").stderr

        core = httpx.__name__.replace("httpx", "httpcore")
        assert f"{httpx.__name__}: HTTP Request: POST" in stderr
        assert f"{core}.http11: send_request_headers.complete" in stderr
