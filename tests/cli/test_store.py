"""Tokens that outlive a run of ``gql``: the store on disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gqlauth._clock import SystemClock
from gqlauth._stores._seal import new_key
from tests.support.graphql_api import ASK
from tests.support.http_server import Answer, json_answer, token_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.graphql_api import Api
    from tests.support.http_server import HttpServer

DISK = '\n[cache]\nstore = "disk"\n'


@pytest.fixture
def key(gql: Gql) -> str:
    """Give the store a key."""
    key = new_key()
    gql.monkeypatch.setenv("GQLAUTH_CACHE_KEY", key)
    gql.secrets.append(key)
    return key


@pytest.fixture
def folder(gql: Gql) -> Path:
    """Return where tokens are."""
    return gql.project.parent / "home" / ".cache" / "gqlauth" / "tokens"


def configured(gql: Gql, more: str) -> None:
    """Add to the configuration."""
    path = gql.project / "gqlauth.toml"
    path.write_text(path.read_text() + more)


class TestRuns:
    def test_a_loop_makes_one_token_request(self, api: Api, key: str) -> None:
        """Each run but the first finds the token."""
        for _ in range(5):
            assert api.gql("api", ASK).code == 0
        assert len(api.tokens.requests) == 1
        assert len(api.server.requests) == 5

    def test_all_commands_share_it(self, orders: HttpServer, gql: Gql, key: str) -> None:
        """What one fetched, the other prints."""
        assert gql("auth", "status", "--check").code == 0
        assert gql("auth", "token").stdout == "token-1-of-the-server\n"
        assert gql("auth", "token", "--refresh").stdout == "token-2-of-the-server\n"
        assert gql("auth", "token").stdout == "token-2-of-the-server\n"

    def test_memory_on_demand(self, api: Api, key: str, folder: Path) -> None:
        """Nothing is written then."""
        configured(api.gql, '\n[cache]\nstore = "memory"\n')
        for _ in range(2):
            api.gql("api", ASK)
        assert len(api.tokens.requests) == 2
        assert not folder.exists()

    def test_a_refused_token_is_not_sent_again(self, api: Api, key: str) -> None:
        """Also where the run that it was refused in could not send its request again."""
        api.gql("api", ASK)
        api.answers(
            json_answer({"data": None, "errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
            json_answer({"data": {}}),
        )
        assert api.gql("api", "mutation { pay }").code != 0
        assert api.gql("api", ASK).code == 0
        assert len(api.tokens.requests) == 2
        assert api.server.requests[-1].headers["authorization"] == "Bearer token-2-of-the-server"


class TestStatus:
    @pytest.fixture
    def server(self) -> Iterator[HttpServer]:
        """Give tokens whose refresh is due in as many days, whatever random makes of it."""
        with token_endpoint(expires_in=360_000) as running:
            yield running

    def test_a_fresh_process_knows(
        self, orders: HttpServer, gql: Gql, golden: SnapshotAssertion, key: str
    ) -> None:
        """It shows where the token is, and why there; and asks nobody."""
        gql("auth", "token")
        assert golden == gql("auth", "status").transcript
        assert len(orders.requests) == 1

    def test_for_machines(self, orders: HttpServer, gql: Gql, key: str) -> None:
        """The same."""
        gql("auth", "token")
        (told,) = gql("auth", "status", "--json").json["endpoints"]
        assert told["state"] == "valid"
        assert (told["store"], told["store_detail"]) == (
            "disk",
            "ROOT/home/.cache/gqlauth/tokens, key from env GQLAUTH_CACHE_KEY",
        )

    def test_before_there_is_any(
        self, orders: HttpServer, gql: Gql, key: str, folder: Path
    ) -> None:
        """Nothing is made for a look."""
        (told,) = gql("auth", "status", "--json").json["endpoints"]
        assert (told["state"], told["store"]) == ("empty", "disk")
        assert not folder.exists()

    def test_one_that_has_ended(self, orders: HttpServer, gql: Gql, key: str) -> None:
        """It is told that it has."""
        gql("auth", "token")
        gql.monkeypatch.setattr(SystemClock, "wall", staticmethod(lambda: time.time() + 400_000))
        assert gql("auth", "status", "--json").json["endpoints"][0]["state"] == "expired"

    def test_a_key_that_a_command_gives_is_not_asked_for(
        self, orders: HttpServer, gql: Gql
    ) -> None:
        """It runs none."""
        configured(gql, f'{DISK}key = {{ command = ["touch", "ran"] }}\n')
        (told,) = gql("auth", "status", "--json").json["endpoints"]
        assert told["store_detail"].endswith("tokens, key from command touch …")
        assert not (gql.project / "ran").exists()


class TestClear:
    def test_one(self, orders: HttpServer, gql: Gql, key: str) -> None:
        """It is gone for the next run."""
        gql("auth", "token")
        assert gql("auth", "clear").stderr == "gql: forgot 1 token\n"
        assert gql("auth", "clear").stderr == "gql: there was no token to forget\n"
        assert gql("auth", "token").stdout == "token-2-of-the-server\n"

    def test_without_the_key(self, orders: HttpServer, gql: Gql, key: str, folder: Path) -> None:
        """It is in another shell, or lost."""
        gql("auth", "token")
        gql.monkeypatch.delenv("GQLAUTH_CACHE_KEY")
        assert gql("auth", "clear").stderr == "gql: forgot 1 token\n"
        assert list(folder.glob("*.sealed")) == []

    def test_several(self, orders: HttpServer, gql: Gql, key: str) -> None:
        """All that the configuration has, or the one that is named."""
        text = (gql.project / "gqlauth.toml").read_text()
        configured(
            gql,
            "\n" + text.replace("[endpoints.orders", "[endpoints.more").replace("-cli", "-more"),
        )
        for name in ("orders", "more"):
            gql("auth", "token", "-e", name)
        assert gql("auth", "clear").stderr == "gql: forgot 2 tokens\n"
        for name in ("orders", "more"):
            gql("auth", "token", "-e", name)
        assert gql("auth", "clear", "-e", "more").stderr == "gql: forgot 1 token\n"
        assert gql("auth", "token", "-e", "orders").stdout == "token-3-of-the-server\n"

    def test_that_fails(
        self, orders: HttpServer, golden: SnapshotAssertion, gql: Gql, key: str, folder: Path
    ) -> None:
        """Nobody is told that there was no token."""
        folder.parent.parent.mkdir(parents=True)
        folder.parent.write_text("")
        assert golden == gql("auth", "clear").transcript


class TestTrouble:
    """Each is a line, and the request goes through."""

    def test_without_a_key(self, api: Api, golden: SnapshotAssertion) -> None:
        """Where a disk was asked for."""
        configured(api.gql, DISK)
        assert golden == api.gql("api", ASK).transcript

    def test_without_a_key_where_none_was_asked_for(self, api: Api) -> None:
        """It is not worth a word."""
        outcome = api.gql("api", ASK)
        assert (outcome.code, outcome.stderr) == (0, "")

    def test_with_a_key_that_is_none(self, api: Api, golden: SnapshotAssertion) -> None:
        """It is not shown."""
        api.gql.monkeypatch.setenv("GQLAUTH_CACHE_KEY", "n0t-a-key")
        api.gql.secrets.append("n0t-a-key")
        assert golden == api.gql("api", ASK).transcript

    def test_with_a_key_that_cannot_be_had(self, api: Api, golden: SnapshotAssertion) -> None:
        """It is told where it stands."""
        configured(api.gql, f'{DISK}key = {{ env = "NO_KEY" }}\n')
        assert golden == api.gql("api", ASK).transcript

    def test_with_another_key(self, api: Api, key: str, folder: Path) -> None:
        """What the other sealed is dropped, and told at -v."""
        api.gql("api", ASK)
        api.gql.monkeypatch.setenv("GQLAUTH_CACHE_KEY", new_key())
        outcome = api.gql("api", ASK, "-v")
        assert outcome.code == 0
        assert "gql: stored token dropped" in outcome.stderr
        assert 'why="was sealed with another key"' in outcome.stderr
        assert api.gql("api", ASK).stderr == ""
        assert len(api.tokens.requests) == 2

    def test_a_folder_that_others_may_write(
        self, api: Api, golden: SnapshotAssertion, key: str, folder: Path
    ) -> None:
        """It is told how to mend that."""
        api.gql("api", ASK)
        folder.chmod(0o777)
        assert golden == api.gql("api", ASK).transcript

    def test_a_folder_that_cannot_be_made(
        self, api: Api, golden: SnapshotAssertion, key: str, folder: Path
    ) -> None:
        """A file is in the way."""
        folder.parent.parent.mkdir(parents=True)
        folder.parent.write_text("")
        assert golden == api.gql("api", ASK).transcript

    def test_a_store_that_there_is_not(self, api: Api, golden: SnapshotAssertion) -> None:
        """It is a mistake in the configuration."""
        configured(api.gql, '\n[cache]\nstore = "redsi://s3cr3t"\n')
        assert golden == api.gql("api", ASK).transcript
        assert api.server.requests == []

    def test_a_server_that_fails_says_the_same(self, api: Api, key: str) -> None:
        """As without a store."""
        api.tokens.respond = lambda _: Answer(400, b'{"error": "invalid_client"}')
        assert api.gql("api", ASK).code == 4
