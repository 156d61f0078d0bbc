"""``gql``, as a process of its own, from a file to an answer of the real API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx
import pytest

from tests.support.servers import oidc_provider

if TYPE_CHECKING:
    from tests.support.servers import Api, Provider

SCRIPT: Final = str(Path(sys.executable).with_name("gql"))
ME: Final = "{ me { id tokenType } }"
INCREMENT: Final = "mutation { increment }"
SECRETS: Final = {
    "BASIC_SECRET": "basic-secret",
    "POST_SECRET": "post-secret",
    "SPECIAL_SECRET": "p%2Bq+r:s /=&",
    "STATIC_TOKEN": "static-token",
    "WRONG_SECRET": "not-the-secret",
}
CONFIG: Final = str(Path(__file__).with_name("gqlauth.toml"))


@attrs.frozen
class Outcome:
    """What a run of ``gql`` came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@attrs.frozen
class Gql:
    """Runs ``gql`` in an environment that holds secrets, and the addresses of the servers."""

    folder: Path
    addresses: dict[str, str]

    def __call__(
        self, *arguments: str, stdin: str = "", command: tuple[str, ...] = (SCRIPT,)
    ) -> Outcome:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GQLAUTH", "XDG_"))
        }
        ran = subprocess.run(
            [*command, "--config", CONFIG, *arguments],
            capture_output=True,
            check=False,
            cwd=self.folder,
            encoding="utf-8",
            env={**inherited, **SECRETS, **self.addresses},
            input=stdin,
            timeout=60,
        )
        for secret in SECRETS.values():
            assert secret not in ran.stdout + ran.stderr
        return Outcome(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture(scope="module")
def gql(provider: Provider, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Gql:
    """Give ``gql`` with endpoints that work, and endpoints that do not."""
    with oidc_provider() as stopped:
        pass
    addresses = {
        "API": api.origin,
        "TOKEN_URL": provider.token_url,
        "STOPPED_TOKEN_URL": stopped.token_url,
    }
    return Gql(tmp_path_factory.mktemp("folder"), addresses)


def test_configuration_holds(gql: Gql) -> None:
    """All that is wrong with the file is the secret that is not set."""
    outcome = gql("config", "check")

    assert outcome.code == 2
    assert "UNSET_SECRET is not set" in outcome.stdout + outcome.stderr
    assert (outcome.stdout + outcome.stderr).count("gqlauth.toml:") == 1


@pytest.mark.parametrize(
    ("endpoint", "client", "kind"),
    [
        ("jwt", "basic", "jwt"),
        ("opaque", "basic", "opaque"),
        ("post", "post", "opaque"),
        ("raw", "raw", "opaque"),
        ("special", "special:id+%", "opaque"),
        ("static", "static", "static"),
    ],
)
def test_protected_question_is_answered(gql: Gql, endpoint: str, client: str, kind: str) -> None:
    """The API lets `gql api` in, and the answer is all that standard output holds."""
    outcome = gql("api", ME, "-e", endpoint)

    assert outcome.json == {"data": {"me": {"id": client, "tokenType": kind}}}
    assert (outcome.code, outcome.stderr) == (0, "")


def test_module_is_the_command(gql: Gql) -> None:
    """`python -m gqlauth` does what `gql` does."""
    outcome = gql("api", ME, command=(sys.executable, "-m", "gqlauth"))

    assert (outcome.code, outcome.json["data"]["me"]["id"]) == (0, "basic")


def test_endpoint_without_auth_is_asked_bare(gql: Gql) -> None:
    """No token goes to an endpoint that has no auth."""
    outcome = gql("api", ME, "-e", "open")

    assert (outcome.code, outcome.json) == (0, {"data": {"me": None}})


def test_query_comes_by_standard_input_with_variables(gql: Gql) -> None:
    """A document on standard input is asked with the variables of the options."""
    document = "query Echo($text: String!) { echo(text: $text) }"
    outcome = gql("api", "-f", "text=5", stdin=document)

    assert (outcome.code, outcome.json) == (0, {"data": {"echo": "5"}})


def test_mutation_runs_once(gql: Gql, api: Api) -> None:
    """A mutation has its effect, and has it once."""
    before = api.count("mutations")
    outcome = gql("api", INCREMENT)

    assert (outcome.code, outcome.json) == (0, {"data": {"increment": before + 1}})
    assert api.count("mutations") == before + 1


def test_partial_data_is_told(gql: Gql) -> None:
    """Errors beside data fail the command, unless that is allowed."""
    query = "{ me { id email } }"
    strict, lenient = gql("api", query), gql("api", query, "--allow-partial")

    assert (strict.code, lenient.code) == (1, 0)
    assert strict.json["data"] == lenient.json["data"] == {"me": {"id": "basic", "email": None}}
    assert "gql: me.email: not authorized [FORBIDDEN]" in strict.stderr


@pytest.mark.parametrize(
    ("endpoint", "code", "told"),
    [
        ("wrong-client", 4, '401 invalid_client "client authentication failed" (after 1 try'),
        ("wrong-scope", 4, "400 invalid_scope"),
        ("stranger", 4, "gql: stranger: the API rejected a fresh token (401"),
        (
            "stranger-apollo",
            4,
            "gql: stranger-apollo: the API rejected a fresh token (200, UNAUTHENTICATED)",
        ),
        (
            "stranger-hasura",
            4,
            "gql: stranger-hasura: the API rejected a fresh token (200, invalid-jwt)",
        ),
        ("stranger-github", 4, "gql: stranger-github: the API rejected a fresh token (401"),
        ("forbidden", 1, "gql: not for you [FORBIDDEN]"),
        ("html", 1, "html"),
        ("neither", 1, "neither"),
        ("broken", 5, "500"),
        ("down", 5, "cannot be reached"),
        ("unset", 2, "environment variable UNSET_SECRET is not set"),
        ("nowhere", 2, 'unknown endpoint "nowhere"'),
    ],
)
@pytest.mark.parametrize("verbosity", [(), ("-vvv",)], ids=["quiet", "verbose"])
def test_trouble_has_its_exit_status_and_words(
    gql: Gql, endpoint: str, code: int, told: str, verbosity: tuple[str, ...]
) -> None:
    """What goes wrong has its exit status, and is told."""
    outcome = gql("api", ME, "-e", endpoint, *verbosity)

    assert outcome.code == code, outcome
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_token_is_for_pipes(gql: Gql, api: Api) -> None:
    """`gql auth token` prints a token that the API takes, and nothing else."""
    outcome = gql("auth", "token")
    answer = httpx.post(
        api.url,
        json={"query": ME},
        headers={"Authorization": f"Bearer {outcome.stdout.strip()}"},
        trust_env=False,
    )

    assert (outcome.code, outcome.stderr) == (0, "")
    assert answer.json()["data"]["me"]["id"] == "basic"


@pytest.mark.parametrize("arguments", [("api", ME), ("auth", "status", "--check")])
def test_no_token_is_shown(gql: Gql, arguments: tuple[str, ...]) -> None:
    """However much is to be told, a token is not."""
    outcome = gql(*arguments, "-e", "jwt", "-vvv")

    assert outcome.code == 0
    assert "eyJ" not in outcome.stdout + outcome.stderr


def test_check_tells_the_state_of_each_endpoint(gql: Gql) -> None:
    """`gql auth status --check` asks each server, and exits with the worst."""
    outcome = gql("auth", "status", "--check", "--json")

    states = {one["name"]: one["state"] for one in outcome.json["endpoints"]}
    expected = {
        "jwt": "valid",
        "static": "valid",
        "open": "none",
        "wrong-client": "rejected",
        "wrong-scope": "rejected",
        "down": "unreachable",
        "unset": "misconfigured",
    }
    assert {name: states[name] for name in expected} == expected
    assert outcome.code == 2


@pytest.mark.parametrize(
    ("endpoint", "code"), [("jwt", 0), ("open", 0), ("wrong-client", 4), ("down", 5), ("unset", 2)]
)
def test_check_of_one_endpoint_has_its_exit_status(gql: Gql, endpoint: str, code: int) -> None:
    """`gql auth status --check -e` exits as the one endpoint fares."""
    assert gql("auth", "status", "--check", "-e", endpoint).code == code


def test_status_asks_nobody(gql: Gql, provider: Provider) -> None:
    """Without `--check` no server is asked, and a fresh process has no token yet."""
    before = provider.requests("basic")
    outcome = gql("auth", "status", "-e", "jwt", "--json")

    assert (outcome.code, outcome.json["endpoints"][0]["state"]) == (0, "empty")
    assert provider.requests("basic") == before
