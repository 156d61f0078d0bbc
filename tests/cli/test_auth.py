"""``gql auth``: the truth about tokens, and the tokens themselves."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import EndpointStatus, Token
from gqlauth._cli import _show
from gqlauth._cli._globals import Globals
from gqlauth._cli.auth import _document, _written
from gqlauth._service import AuthService
from tests.support.gql import ORDERS, SECRET
from tests.support.http_server import Answer, http_server, json_answer, token_endpoint, unused_port

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer

REFUSAL = json_answer({"error": "invalid_client", "error_description": "unknown client"}, 401)


def fields(gql: Gql, *arguments: str) -> dict[str, Any]:
    """Return what ``gql auth status --json`` tells of the first endpoint."""
    first: dict[str, Any] = gql("auth", "status", "--json", *arguments).json["endpoints"][0]
    return first


@pytest.fixture
def every_state(gql: Gql, server: HttpServer) -> HttpServer:
    """Configure endpoints of every kind that can be seen offline."""
    gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
    gql.file(
        ORDERS.format(url=server.url)
        + """\

    [endpoints.billing]
    url = "https://billing.example.com/graphql"
    auth = { type = "bearer", token = { env = "BILLING_TOKEN" } }

    [endpoints.keys]
    url = "https://keys.example.com/graphql"
    auth = { type = "header", name = "X-Api-Key", value = { command = ["touch", "ran"] } }

    [endpoints.public]
    url = "https://countries.example.com/graphql"
    """
    )
    return server


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

    def test_what_must_be_mended_comes_first(
        self, gql: Gql, golden: SnapshotAssertion, every_state: HttpServer
    ) -> None:
        """Where several endpoints fail, 2 counts more than 4, and that more than 5."""
        every_state.respond = lambda _: REFUSAL

        outcome = gql("auth", "status", "--check")

        assert golden == outcome.transcript


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


async def _no_sleep(_clock: object, _seconds: float) -> None:
    pass


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

    @pytest.mark.parametrize(("count", "told"), [(1, "forgot 1 token"), (2, "forgot 2 tokens")])
    def test_tells_how_many(self, gql: Gql, orders: HttpServer, count: int, told: str) -> None:
        """It tells how many tokens it forgot."""
        gql.monkeypatch.setattr(AuthService, "clear", lambda _service, _name: count)

        assert gql("auth", "clear", "-e", "orders").stderr == f"gql: {told}\n"

    def test_unknown_endpoint(self, gql: Gql, orders: HttpServer) -> None:
        """An endpoint that is not configured exits with 2."""
        assert gql("auth", "clear", "-e", "nothing").code == 2


class TestTypes:
    def test_ours(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """Each strategy is listed with where it comes from and what it is."""
        assert golden == gql("auth", "types").transcript

    @pytest.fixture
    def plugins(self, gql: Gql, tmp_path: Path) -> None:
        """Install distributions, as pip leaves them: good ones and bad ones."""
        for name, module, entries in [
            (
                "acme",
                'class Key:\n    async def fetch(self, e): """Get."""\n',
                "acme_key = {0}:Key",
            ),
            ("broken", "import no_such_module\n", "broken = {0}:Key"),
            ("twin_a", "", "twin = {0}:Key"),
            ("twin_b", "", "twin = {0}:Key"),
            ("greedy", "", "bearer = {0}:Key"),
            ("odd", "Key = 7\n", "odd\x1b[31m = {0}:Key"),
        ]:
            package = f"gqlauth_test_{name}"
            (tmp_path / f"{package}.py").write_text(module, encoding="utf-8")
            info = tmp_path / f"{package}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n",
                encoding="utf-8",
            )
            (info / "entry_points.txt").write_text(
                f"[gqlauth.strategies]\n{entries.format(package)}\n", encoding="utf-8"
            )
        gql.monkeypatch.syspath_prepend(str(tmp_path))

    @pytest.mark.usefixtures("plugins")
    def test_of_others(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A plugin that cannot be used is listed with the reason, and harms no other."""
        assert golden == gql("auth", "types").transcript


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"),
            (99.4, "99 s"),
            (100, "2 min"),
            (3600, "60 min"),
            (6000, "2 h"),
            (90_000, "25 h"),
            (200_000, "2 days"),
            (math.inf, "ever"),
        ],
    )
    def test_durations(self, seconds: float, words: str) -> None:
        """Durations are told as people tell them."""
        assert _show.duration(seconds) == words

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"state": "valid"}, "valid, has no end"),
            (
                {"state": "valid", "expires_at": 1000.0, "expires_in": 600.0},
                "valid, ends in 10 min",
            ),
            (
                {
                    "state": "valid",
                    "expires_at": 1000.0,
                    "expires_in": 600.0,
                    "refresh_at": 700.0,
                },
                "valid, ends in 10 min, refresh due in 5 min",
            ),
            (
                {
                    "state": "refreshing",
                    "expires_at": 1000.0,
                    "expires_in": 200.0,
                    "refresh_at": 700.0,
                },
                "refreshing, ends in 3 min, refresh due now",
            ),
            (
                {"state": "expired", "expires_at": 1000.0, "expires_in": -60.0},
                "expired, ended 60 s ago",
            ),
            ({"state": "failing"}, "failing"),
        ],
    )
    def test_states(
        self,
        values: dict[str, Any],
        words: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A token's state tells when it ends, and when its refresh is due."""
        status = EndpointStatus(
            name="orders", url="", type="bearer", fingerprint="0a1b2c3d", **values
        )

        _show.statuses([status], path=tmp_path, settings=Globals())

        assert f"  state   {words}\n" in capsys.readouterr().out

    def test_json_has_no_infinity(self, tmp_path: Path) -> None:
        """A lifetime that JSON cannot write is null."""
        status = EndpointStatus(
            name="orders", url="", type="bearer", state="valid", expires_in=math.inf
        )

        assert '"expires_in": null' in json.dumps(_document(tmp_path, [status]))
