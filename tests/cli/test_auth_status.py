"""``gql auth status``: the truth about the tokens of each endpoint."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gql import ORDERS, SECRET
from tests.support.http_server import Answer, http_server, json_answer, token_endpoint
from tests.support.issuer import metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer

REFUSAL = json_answer({"error": "invalid_client", "error_description": "unknown client"}, 401)
DISCOVERED = ORDERS.replace('token_url = "{url}/token"', 'issuer = "{url}"')


@contextmanager
def issuer() -> Iterator[HttpServer]:
    """Run an authorization server that publishes where its token endpoint is."""
    with token_endpoint(token="token-of-the-server", expires_in=360_000) as server:
        give = server.respond
        document = json_answer(metadata(server.url))
        server.respond = lambda request: document if request.method == "GET" else give(request)
        yield server


def fields(gql: Gql, *arguments: str) -> dict[str, Any]:
    """Return what ``gql auth status --json`` tells of the first endpoint."""
    first: dict[str, Any] = gql("auth", "status", "--json", *arguments).json["endpoints"][0]
    return first


class TestStatus:
    def test_for_people(self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer) -> None:
        """Each endpoint has a block with its state, and all that it rests on."""
        assert golden == gql("auth", "status").transcript

    def test_for_machines(
        self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer
    ) -> None:
        """``--json`` has the fields that the interface promises."""
        assert golden == gql("auth", "status", "--json").transcript

    def test_colours(self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer) -> None:
        """``--color always`` colours states and makes names bold."""
        assert golden == gql("auth", "status", "--color", "always").transcript

    def test_of_one(self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer) -> None:
        """``-e`` shows one endpoint, and its exit status is that one's."""
        assert golden == gql("auth", "status", "-e", "public").transcript

    def test_asks_nobody(self, gql: Gql, every_state: HttpServer) -> None:
        """Without ``--check`` no server is asked; no secret's command is run in any case."""
        gql("auth", "status")

        assert every_state.requests == []
        assert not (gql.project / "ran").exists()

    def test_unknown_endpoint(
        self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer
    ) -> None:
        """An endpoint that is not configured exits with 2 and a suggestion."""
        assert golden == gql("auth", "status", "-e", "order").transcript

    def test_no_endpoints(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A file without endpoints says so."""
        gql.file("")

        assert golden == gql("auth", "status").transcript

    def test_truth_of_a_fresh_process(self, gql: Gql, orders: HttpServer) -> None:
        """A fresh process knows no token."""
        assert fields(gql)["state"] == "empty"

    def test_unset_secret(self, gql: Gql, orders: HttpServer) -> None:
        """A secret whose variable is not set is a misconfiguration."""
        gql.monkeypatch.delenv("ORDERS_SECRET")

        outcome = gql("auth", "status", "--json")

        assert outcome.code == 2
        assert outcome.json["endpoints"][0]["state"] == "misconfigured"
        assert "ORDERS_SECRET is not set" in outcome.json["endpoints"][0]["error"]


class TestStatusOfBrokenFiles:
    BROKEN = """\

    [endpoints.billing]
    url = "billing.example.com"
    timeot = 3

    [whatever]
    """

    @pytest.fixture(autouse=True)
    def _broken(self, gql: Gql, orders: HttpServer) -> None:
        gql.file(ORDERS.format(url=orders.url) + self.BROKEN)

    def test_for_people(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A broken endpoint is misconfigured, and the sound ones are shown still."""
        assert golden == gql("auth", "status").transcript

    def test_for_machines(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """What is not known of a broken endpoint is null."""
        assert golden == gql("auth", "status", "--json").transcript

    def test_of_the_broken_one(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """``-e`` with a broken endpoint shows that one's problems; the others are told beside."""
        assert golden == gql("auth", "status", "-e", "billing").transcript

    def test_of_a_sound_one(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """``-e`` with a sound endpoint tells all that keeps the file from being used."""
        assert golden == gql("auth", "status", "-e", "orders").transcript

    def test_of_an_unknown_one(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """What is configured is named all the same, be it sound or broken."""
        assert golden == gql("auth", "status", "-e", "bill").transcript

    def test_unknown_where_none_is_sound(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """Broken endpoints are configured, too."""
        gql.file(self.BROKEN)

        assert golden == gql("auth", "status", "-e", "bill").transcript


class TestCheck:
    def test_valid(self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer) -> None:
        """``--check`` fetches a token and shows its state, by its fingerprint alone."""
        gql.secrets.append("of-the-server")

        # So long that the jitter of its refresh does not show.
        with token_endpoint(token="token-of-the-server", expires_in=360_000) as server:
            gql.file(ORDERS.format(url=server.url))
            outcome = gql("auth", "status", "--check")

        assert golden == outcome.transcript

    def test_valid_for_machines(self, gql: Gql, orders: HttpServer) -> None:
        """JSON tells when the token ends, and how long that is, in whole seconds."""
        before = math.floor(time.time())

        got = fields(gql, "--check")

        assert (got["state"], got["checked"], got["error"]) == ("valid", True, None)
        assert before + 3600 <= got["expires_at"] <= time.time() + 3600
        assert 3590 <= got["expires_in"] <= 3600
        assert got["refresh_at"] < got["expires_at"]
        assert len(got["fingerprint"]) == 8

    @pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["people", "machines"])
    @pytest.mark.parametrize(
        ("answers", "code", "state"),
        [
            ([REFUSAL], 4, "rejected"),
            ([Answer(503, b"busy", {"Retry-After": "3600"})], 5, "unreachable"),
        ],
        ids=["refused", "unavailable"],
    )
    def test_exit_status(
        self, gql: Gql, answers: list[Answer], code: int, state: str, as_json: list[str]
    ) -> None:
        """It exits with 4 where a server refuses, with 5 where it is in trouble; also as JSON."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        with token_endpoint(*answers) as server:
            gql.file(ORDERS.format(url=server.url))
            outcome = gql("auth", "status", "--check", *as_json)

        assert outcome.code == code
        assert f"{state}" in outcome.stdout

    def test_what_was_discovered(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """Who names the token endpoint, and which one that is: once it was asked."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        with issuer() as server:
            gql.file(DISCOVERED.format(url=server.url))
            offline, checked = gql("auth", "status"), gql("auth", "status", "--check")

        assert golden == offline.transcript + checked.transcript

    def test_what_was_not_discovered(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """An issuer that publishes nothing names no token endpoint."""
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        with http_server(lambda _: Answer(404)) as server:
            gql.file(DISCOVERED.format(url=server.url))

            assert golden == gql("auth", "status", "--check").transcript

    def test_what_may_mend_it_is_told(
        self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer
    ) -> None:
        """A refusal stands there with its hint."""
        orders.respond = lambda _: REFUSAL

        assert golden == gql("auth", "status", "--check").transcript

    def test_what_must_be_mended_comes_first(
        self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer
    ) -> None:
        """Where several endpoints fail, 2 counts more than 4, and that more than 5."""
        every_state.respond = lambda _: REFUSAL

        outcome = gql("auth", "status", "--check")

        assert golden == outcome.transcript
