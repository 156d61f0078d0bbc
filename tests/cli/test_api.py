"""`gql api`: what it asks, and of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gqlauth import __version__
from tests.support.graphql_api import ASK, CONFIG, KEY, ME, STATIC, TOKEN
from tests.support.http_server import Answer, json_answer

if TYPE_CHECKING:
    from tests.support.graphql_api import Api


def test_a_question_is_answered(api: Api) -> None:
    """With a token, in the manner of GraphQL over HTTP."""
    outcome = api(ASK)

    assert outcome.stdout == '{"data": {"me": {"id": "1"}}}\n'
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert api.asked == {"query": ASK}
    assert (api.request.method, api.request.path) == ("POST", "/graphql")
    sent = api.request.headers
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["content-type"] == "application/json"
    assert sent["accept"] == "application/graphql-response+json, application/json;q=0.9"
    assert sent["user-agent"] == f"gql (gqlauth)/{__version__}"
    assert (sent["x-tenant"], sent["x-key"]) == ("acme-tenant", KEY)


def test_one_connection_for_both_requests(api: Api) -> None:
    """Where the token comes from the API's own host, that is connected to once."""
    token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
    api.server.respond = lambda request: json_answer(token if request.path == "/token" else ME)
    api.gql.file(CONFIG.format(api=api.server.url, tokens=api.server.url))

    assert api(ASK).code == 0
    assert [request.path for request in api.server.requests] == ["/token", "/graphql"]
    assert api.server.connections == 1


def test_everything_that_is_asked_is_sent(api: Api) -> None:
    """Document, variables and the name of the operation."""
    api(
        "query A($a: Int) { me } mutation B { go }",
        *("-o", "A", "--variables", '{"a": 1, "n": 1.10}', "-F", "a=2", "-f", "b[]=x"),
    )

    assert api.asked["operationName"] == "A"
    assert b'"variables": {"a": 2, "n": 1.10, "b": ["x"]}' in api.request.body


def test_habits_from_gh_work(api: Api) -> None:
    """The document and the operation's name may be fields."""
    (api.gql.project / "q.graphql").write_text("query A { me } query B { me }")
    outcome = api("-F", "query=@q.graphql", "-f", "operationName=B", "-F", "n=1")

    assert outcome.code == 0
    assert api.asked == {
        "query": "query A { me } query B { me }",
        "variables": {"n": 1},
        "operationName": "B",
    }


def test_an_authorization_of_ones_own_wins(api: Api) -> None:
    """No token is fetched; further headers go out as they are."""
    api.gql.secrets.append("hunter2")
    outcome = api(
        *(ASK, "-vvv", "-H", "authorization: Bearer hunter2hunter2", "-H", "accept: text/x"),
        *("-H", "X-Many: 1", "-H", "X-Many: ü"),
    )

    assert outcome.code == 0
    assert api.tokens.requests == []
    sent = api.request.headers
    assert sent["authorization"] == "Bearer hunter2hunter2"
    assert sent["accept"] == "text/x"
    assert sent["x-many"].encode("latin-1") == "ü".encode()


def test_no_auth_sends_none(api: Api) -> None:
    """Though the endpoint has some; its headers stay."""
    assert api(ASK, "--no-auth").code == 0
    assert "authorization" not in api.request.headers
    assert api.request.headers["x-key"] == KEY
    assert api.tokens.requests == []


def test_an_endpoint_says_who_asks(api: Api) -> None:
    """Its plain headers come before ours, and those that are given before all."""
    api(ASK, "-e", "static", "-H", "Accept: */*")

    assert api.request.headers["user-agent"] == "acme"
    assert api.request.headers["accept"] == "*/*"


def test_a_key_goes_into_its_header(api: Api) -> None:
    """As the endpoint names it."""
    assert api(ASK, "-e", "keyed").code == 0
    assert api.request.headers["x-api-key"] == STATIC


def test_an_endpoint_may_be_named_by_its_url(api: Api) -> None:
    """It is then that endpoint, token and all."""
    assert api(ASK, "-e", f"{api.server.url}/graphql").code == 0
    assert api.request.headers["authorization"] == f"Bearer {TOKEN}"


def test_another_url_gets_nothing(api: Api) -> None:
    """Neither token nor headers; -v says so."""
    outcome = api(ASK, "-v", "-e", f"{api.server.url}/other")

    assert outcome.code == 0
    assert "no endpoint has this URL, so it gets no token" in outcome.stderr
    assert "authorization" not in api.request.headers
    assert "x-tenant" not in api.request.headers


def test_a_wrong_configuration_is_told_for_a_url_too(api: Api) -> None:
    """It might have an endpoint of that URL."""
    api.gql.file('[endpoints.a]\nurl = "x"\n')

    assert api(ASK, "-e", f"{api.server.url}/other").code == 2


def test_a_url_needs_no_configuration(api: Api) -> None:
    """Nothing of it could be meant."""
    (api.gql.project / "gqlauth.toml").unlink()
    url = f"{api.server.url}/other"
    api.answers(json_answer(ME), Answer(401))

    assert api(ASK, "-e", url).code == 0
    refused = api(ASK, "-e", url)
    assert refused.stderr.startswith("gql: 127.0.0.1:PORT: the API wants authentication (401); no")


@pytest.mark.parametrize("environment", ["", "missing.toml"])
def test_a_configuration_that_is_named_must_be_there(api: Api, environment: str) -> None:
    """For a URL too."""
    api.gql.monkeypatch.setenv("GQLAUTH_CONFIG", environment)
    named = () if environment else ("--config", "missing.toml")

    assert api(ASK, "-e", f"{api.server.url}/other", *named).code == 2


@pytest.mark.parametrize("url", ["ftp://a.example.com", "https://u:hunter2@a.example.com", "://x"])
def test_what_is_no_url_is_refused(api: Api, url: str) -> None:
    """Without showing what it holds."""
    outcome = api(ASK, "-e", url)

    assert outcome.code == 2
    assert outcome.stderr.startswith("gql: -e: this ")
    assert "hunter2" not in outcome.stderr


DRY = """\
POST http://127.0.0.1:PORT/graphql
Content-Type: application/json
Accept: application/graphql-response+json, application/json;q=0.9
User-Agent: gql (gqlauth)/VERSION
X-Odd: \\u202e
X-Tenant: acme-tenant
X-Key: *** (env ORDERS_KEY)
Authorization: *** (gqlauth.toml:7 client_credentials)

{
  "query": "{ me { id } }",
  "variables": {
    "n": 1.10,
    "password": "***"
  }
}
"""


def test_a_dry_run_shows_the_request(api: Api) -> None:
    """It asks nobody, and needs no secret."""
    api.gql.monkeypatch.delenv("ORDERS_SECRET")
    api.gql.monkeypatch.delenv("ORDERS_KEY")
    outcome = api(
        *(ASK, "--dry-run", "-H", "X-Odd: \u202e", "-f", "password=hunter2"),
        *("--variables", '{"n": 1.10}'),
    )

    assert outcome.stdout == DRY
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert api.server.requests == api.tokens.requests == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("-H", "Authorization: Bearer hunter2hunter2"), ["Authorization: ***"]),
        (("--no-auth",), []),
        (("-e", "public"), []),
        (("-e", "static"), ["Authorization: *** (gqlauth.toml:16 bearer)"]),
        (("-e", "keyed"), ["X-Api-Key: *** (gqlauth.toml:20 header)"]),
        (("-e", "keyed", "-H", "x-api-key: hunter2"), ["x-api-key: ***"]),
        (
            ("-H", "x-key: hunter2"),
            ["x-key: ***", "Authorization: *** (gqlauth.toml:7 client_credentials)"],
        ),
    ],
)
def test_a_dry_run_shows_where_the_credential_comes_from(
    api: Api, arguments: tuple[str, ...], shown: list[str]
) -> None:
    """File, line and type; nothing where there is none."""
    outcome = api(ASK, "--dry-run", *arguments)
    told = [line for line in outcome.stdout.splitlines() if "key:" in line.lower()]
    told += [line for line in outcome.stdout.splitlines() if line.startswith("Authorization")]

    assert [line for line in told if "ORDERS_KEY" not in line] == shown


def test_a_dry_run_tells_of_a_proof(api: Api) -> None:
    """A token that is bound goes with one, which is made for the request that is sent."""
    path = api.gql.project / "gqlauth.toml"
    text = path.read_text()
    path.write_text(
        text.replace('client_id = "orders-cli"', 'client_id = "orders-cli"\ndpop = true')
    )
    lines = api(ASK, "--dry-run").stdout.splitlines()

    at = lines.index("Authorization: *** (gqlauth.toml:7 client_credentials)")
    assert lines[at + 1] == "DPoP: *** (a proof for this request alone)"
