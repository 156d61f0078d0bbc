"""``gql auth check``: each step against servers, what it came to, and what to try next."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gql import SECRET
from tests.support.graphql_api import STATIC
from tests.support.http_server import Answer, http_server, json_answer, token_endpoint, unused_port
from tests.support.jwt import jwt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.assertion import SnapshotAssertion

    from tests.support.gql import Gql, Outcome
    from tests.support.http_server import HttpServer, Request

CONFIG = """\
[endpoints.orders]
url = "{api}/graphql?tenant=acme"
headers = {{ "X-Tenant" = "acme", "X-Key" = {{ file = "key.txt" }} }}

[endpoints.orders.auth]
type = "client_credentials"
{source}
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
scopes = ["orders:read", "orders:write"]
{more}
"""
STATICS = """
[endpoints.static]
url = "{api}/static"
auth = {{ type = "bearer", token = {{ env = "STATIC_TOKEN" }} }}

[endpoints.public]
url = "{api}/public"
"""
QUERY = {"data": {"__typename": "Query"}}
DENIED = json_answer(
    {"errors": [{"message": "who are you?", "extensions": {"code": "UNAUTHENTICATED"}}]},
    401,
    WWW_Authenticate='Bearer error="invalid_token"',
)
REFUSAL = json_answer({"error": "invalid_client", "error_description": "unknown client"}, 401)
BUSY = Answer(503, b"busy", {"Retry-After": "3600"})


class Project:
    """A project that is configured for a token endpoint and an API."""

    def __init__(self, gql: Gql, tokens: HttpServer, api: HttpServer) -> None:
        self.gql = gql
        self.tokens = tokens
        self.api = api
        key = gql.file("k3y-of-orders", "key.txt")
        key.chmod(0o600)
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        gql.monkeypatch.setenv("STATIC_TOKEN", STATIC)
        gql.secrets += ["k3y-of-orders", STATIC, "of-the-server"]
        self.configure()

    def configure(
        self, source: str | None = None, more: str = "", *, api: str | None = None, rest: str = ""
    ) -> None:
        """Write the configuration: where tokens come from, and what else there is."""
        source = source or f'token_url = "{self.tokens.url}/token"'
        text = CONFIG + rest
        self.gql.file(text.format(source=source, more=more, api=api or self.api.url))

    def discovered(self, more: str = "", **fields: object) -> None:
        """Let the token endpoint be discovered, by a document with these fields."""
        url, give = self.tokens.url, self.tokens.respond
        document = {"issuer": url, "token_endpoint": f"{url}/token", **fields}

        def respond(request: Request) -> Answer:
            return json_answer(document) if request.method == "GET" else give(request)

        self.tokens.respond = respond
        self.configure(f'issuer = "{url}"', more)

    def gives(self, **fields: object) -> None:
        """Let the token endpoint answer so."""
        self.tokens.respond = lambda _: json_answer({"token_type": "Bearer", **fields})

    def __call__(self, *arguments: str) -> Outcome:
        return self.gql("auth", "check", *arguments)

    def steps(self, *arguments: str) -> dict[str, Any]:
        """Return the steps of the first endpoint, by their names."""
        first = self("--json", *arguments).json["endpoints"][0]
        return {step["name"]: step for step in first["steps"]}

    @property
    def probe(self) -> Request:
        """The one request that the API got."""
        (request,) = self.api.requests
        return request


@pytest.fixture
def project(gql: Gql) -> Iterator[Project]:
    """Give a project whose servers are content."""
    with token_endpoint() as tokens, http_server(lambda _: json_answer(QUERY)) as api:
        yield Project(gql, tokens, api)


class TestAllIsWell:
    def test_for_people(self, project: Project, golden: SnapshotAssertion) -> None:
        """Each step stands there with its state and its time, and what was found."""
        assert golden == project().transcript

    def test_for_machines(self, project: Project, golden: SnapshotAssertion) -> None:
        """``--json`` tells the same, with facts under names that stay."""
        assert golden == project("--json").transcript

    def test_colours(self, project: Project, golden: SnapshotAssertion) -> None:
        """``--color always`` colours states, and makes names bold."""
        assert golden == project("--color", "always").transcript

    def test_of_an_issuer(self, project: Project, golden: SnapshotAssertion) -> None:
        """What is discovered is told: where, the token endpoint, and the methods."""
        listed = ["client_secret_basic", "private_key_jwt"]
        project.discovered(token_endpoint_auth_methods_supported=listed)

        assert golden == project().transcript

    def test_of_all(self, project: Project, golden: SnapshotAssertion) -> None:
        """Without ``-e`` all that have auth are checked; a static one has no token endpoint."""
        project.configure(rest=STATICS)

        assert golden == project().transcript

    def test_of_one_without_auth(self, project: Project, golden: SnapshotAssertion) -> None:
        """``-e`` checks one that has none, too: its configuration, and its API."""
        project.configure(rest=STATICS)

        assert golden == project("-e", "public").transcript
        assert "authorization" not in project.probe.headers

    def test_timeout_of_one_without_auth(self, project: Project) -> None:
        """``--timeout`` bounds its API."""
        project.configure(rest=STATICS)

        assert project("-e", "public", "--timeout", "5").code == 0

    def test_nothing_to_check(self, gql: Gql, golden: SnapshotAssertion) -> None:
        """A file without authentication has nothing to check."""
        gql.file('[endpoints.public]\nurl = "https://countries.example.com/graphql"\n')

        assert golden == gql("auth", "check").transcript

    def test_what_is_sent(self, project: Project) -> None:
        """One token request, and one probe, as the endpoint's requests are."""
        project()

        assert [request.method for request in project.tokens.requests] == ["POST"]
        assert json.loads(project.probe.body) == {"query": "{ __typename }"}
        assert project.probe.path == "/graphql?tenant=acme"
        assert project.probe.headers["authorization"] == "Bearer token-1-of-the-server"
        assert project.probe.headers["x-key"] == "k3y-of-orders"

    def test_help_checks_nothing(self, project: Project) -> None:
        """``--help`` tells what will be sent to whom."""
        assert "this sends the secret" in " ".join(project("--help").stdout.split())
        assert project.tokens.requests == project.api.requests == []


class TestConfiguration:
    def test_all_that_is_wrong_is_told(self, project: Project, golden: SnapshotAssertion) -> None:
        """Secrets that cannot be read, and files that are missing; nobody is asked."""
        project.gql.monkeypatch.delenv("ORDERS_SECRET")
        (project.gql.project / "key.txt").unlink()
        project.configure(more='ca_file = "authority.pem"')

        assert golden == project("--probe-methods").transcript
        assert project.tokens.requests == project.api.requests == []

    def test_ca_file_that_is_none(self, project: Project, golden: SnapshotAssertion) -> None:
        """What requests go over is made before they are timed."""
        project.configure(more='ca_file = "gqlauth.toml"')
        outcome = project()

        assert outcome.code == 2
        assert "ca_file PROJECT/gqlauth.toml cannot be used" in outcome.stdout

    def test_command_that_waits(self, project: Project, golden: SnapshotAssertion) -> None:
        """A command that waits for somebody is given up."""
        waits = 'client_secret = {{ command = ["tail", "-f", "/dev/null"] }}'
        project.gql.file(
            CONFIG.replace('client_secret = {{ env = "ORDERS_SECRET" }}', waits).format(
                source=f'token_url = "{project.tokens.url}/token"', more="", api=project.api.url
            )
        )

        assert golden == project("--timeout", "0.2").transcript

    def test_broken_file(self, project: Project, golden: SnapshotAssertion) -> None:
        """An endpoint that cannot be read fails; the sound ones are checked."""
        project.configure(rest='\n[endpoints.billing]\nurl = "billing"\n\n[whatever]\n')

        assert golden == project().transcript

    def test_broken_file_for_machines(self, project: Project, golden: SnapshotAssertion) -> None:
        """What is not known of a broken endpoint is null."""
        project.configure(rest='\n[endpoints.billing]\nurl = "billing"\n')

        assert golden == project("-e", "billing", "--json").transcript

    def test_not_trusted(self, project: Project, golden: SnapshotAssertion) -> None:
        """Nothing is read for a file that nobody trusts, and nobody asked."""
        project.configure(rest='\n[endpoints.billing]\nurl = "${{BILLING_URL}}"\n')
        project.gql.monkeypatch.delenv("GQLAUTH_TRUST")

        assert golden == project().transcript
        assert project.tokens.requests == project.api.requests == []

    def test_unknown_endpoint(self, project: Project) -> None:
        """It exits with 2 and a suggestion."""
        outcome = project("-e", "ordres")

        assert outcome.code == 2
        assert 'did you mean "orders"?' in outcome.stderr

    @pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
    def test_timeout_that_is_none(self, project: Project, seconds: str) -> None:
        """``--timeout`` is a number of seconds above 0."""
        outcome = project("--timeout", seconds)

        assert outcome.code == 2
        assert "--timeout: a number of seconds above 0 belongs here" in outcome.stderr


class TestDiscovery:
    def test_issuer_that_lies(self, project: Project, golden: SnapshotAssertion) -> None:
        """A document of another issuer is refused, and what rests on it is skipped."""
        project.discovered()
        project.configure(f'issuer = "{project.tokens.url}/"')

        assert golden == project().transcript

    def test_in_trouble(self, project: Project) -> None:
        """It may pass: 5."""
        project.tokens.respond = lambda _: BUSY
        project.configure(f'issuer = "{project.tokens.url}"')
        outcome = project()

        assert outcome.code == 5
        assert "is unavailable: 503" in outcome.stdout

    def test_method_that_is_not_listed(self, project: Project, golden: SnapshotAssertion) -> None:
        """It is worth a warning, which no exit status tells."""
        project.discovered(
            'token_endpoint_auth_method = "client_secret_basic_raw"',
            token_endpoint_auth_methods_supported=["client_secret_post", "x\x1b[2J\ny"],
        )

        assert golden == project().transcript

    def test_server_that_is_silent(self, project: Project) -> None:
        """It need not say which methods it takes."""
        project.discovered()
        step = project.steps()["discovery"]

        assert step["state"] == "ok"
        assert step["facts"]["token_endpoint_auth_methods_supported"] is None
        assert "it does not say which methods" in step["detail"]


class TestToken:
    def test_refused(self, project: Project, golden: SnapshotAssertion) -> None:
        """The reason, the hint, 4; and what needs the token is skipped."""
        project.tokens.respond = lambda _: REFUSAL

        assert golden == project().transcript
        assert project.api.requests == []

    def test_refused_for_machines(self, project: Project) -> None:
        """Method, status and tries are facts."""
        project.tokens.respond = lambda _: REFUSAL
        step = project.steps()["token"]

        assert step["facts"] == {"method": "client_secret_basic", "status": 401, "tries": 1}

    @pytest.mark.parametrize(
        ("answer", "code"), [(BUSY, 5), (json_answer({"error": "invalid_scope"}, 400), 4)]
    )
    def test_exit_status(self, project: Project, answer: Answer, code: int) -> None:
        """A server in trouble is 5, and one that refuses 4; with ``--json``, too."""
        project.tokens.respond = lambda _: answer

        assert (project().code, project("--json").code) == (code, code)

    def test_second_try(self, project: Project) -> None:
        """The tries are those that it took."""
        answers = [Answer(503), json_answer({"access_token": "t-of-the-server"})]
        project.tokens.respond = lambda _: answers.pop(0)
        step = project.steps()["token"]

        assert (step["facts"]["status"], step["facts"]["tries"]) == (200, 2)
        assert "200 after 2 tries" in step["detail"]

    def test_down(self, project: Project, golden: SnapshotAssertion) -> None:
        """A token endpoint that nobody listens at may be back later: 5."""
        project.configure(f'token_url = "http://127.0.0.1:{unused_port()}/token"')
        outcome = project("--timeout", "0.2")

        assert outcome.code == 5
        assert "cannot be reached" in outcome.stdout

    def test_method_that_is_not_possible(self, project: Project) -> None:
        """What the client lacks for a method is told where the token is asked for."""
        project.configure(more='token_endpoint_auth_method = "client_secret_jwt"')
        project.gql.monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
        outcome = project()

        assert outcome.code == 2
        assert 'pip install "gqlauth[jwt]"' in outcome.stdout

    def test_scope_that_is_not_granted(self, project: Project, golden: SnapshotAssertion) -> None:
        """A server may grant less than it was asked for (RFC 6749, section 3.3): a warning."""
        project.gives(access_token="t-of-the-server", expires_in=60, scope="orders:read\x1b[2J")

        assert golden == project().transcript

    @pytest.mark.parametrize(
        ("date", "state", "told"),
        [
            ("Mon, 01 Jan 2001 00:00:00 GMT", "warning", "ahead of the server's"),
            ("Sat, 01 Jan 2101 00:00:00 GMT", "warning", "behind the server's"),
            ("today", "ok", ""),
        ],
    )
    def test_clock_that_differs(self, project: Project, date: str, state: str, told: str) -> None:
        """The server's clock is told by its answer."""
        give = project.tokens.respond

        def respond(request: Request) -> Answer:
            answer = give(request)
            return Answer(answer.status, answer.body, {"Date": date})

        project.tokens.respond = respond
        step = project.steps()["token"]

        assert step["state"] == state
        assert told in (step["hint"] or "")

    def test_plugin_with_ways_of_its_own(self, project: Project) -> None:
        """A credential that no token request brought has no status."""
        project.configure(rest=STATICS)
        step = project.steps("-e", "static")["token"]

        assert (step["facts"]["status"], step["facts"]["method"]) == (None, None)


class TestClaims:
    def test_for_people(self, project: Project, golden: SnapshotAssertion) -> None:
        """What the token says is told, and that nobody verified it."""
        project.configure(more='audience = "https://orders.example.com"')
        text = jwt(
            iss="https://id.example.com",
            aud=["https://orders.example.com", "x"],
            scope="orders:read orders:write",
        )
        project.gql.secrets.append(text)
        project.gives(access_token=text)

        assert golden == project().transcript

    def test_that_are_odd(self, project: Project, golden: SnapshotAssertion) -> None:
        """They are a warning, as the API knows what it wants; where that refuses, a hint."""
        project.discovered('audience = "https://orders.example.com"\nresource = ["urn:a"]')
        text = jwt(iss="https://other\x1b[2J", aud="urn:a", scp=["orders:read"], exp=1)
        project.gql.secrets.append(text)
        answer = {"access_token": text, "token_type": "Bearer", "expires_in": 600}
        respond = project.tokens.respond
        project.tokens.respond = lambda request: (
            json_answer(answer) if request.method == "POST" else respond(request)
        )
        project.api.respond = lambda _: DENIED

        transcript = project().transcript

        assert golden == re.sub(r"ended \d+ days ago", "ended DAYS ago", transcript)


class TestApi:
    def test_rejected(self, project: Project, golden: SnapshotAssertion) -> None:
        """An API that refuses is asked once, and no other token is asked for."""
        project.api.respond = lambda _: DENIED

        assert golden == project().transcript
        assert len(project.tokens.requests) == len(project.api.requests) == 1

    def test_rejected_in_graphql(self, project: Project, golden: SnapshotAssertion) -> None:
        """A 200 with a code of ``retry_on`` is a refusal, too; facts tell so."""
        refused = {"errors": [{"message": "no\x1b[2J", "extensions": {"code": "UNAUTHENTICATED"}}]}
        project.api.respond = lambda _: json_answer(refused)

        assert golden == project("--json").transcript

    def test_static_one_rejected(self, project: Project, golden: SnapshotAssertion) -> None:
        """A static credential is refused as such."""
        project.configure(rest=STATICS)
        project.api.respond = lambda _: DENIED

        assert golden == project("-e", "static").transcript

    def test_unreachable(self, project: Project, golden: SnapshotAssertion) -> None:
        """A network that fails is no refusal: 5."""
        project.configure(api=f"http://127.0.0.1:{unused_port()}")

        assert golden == project().transcript

    @pytest.mark.parametrize(
        ("answer", "code", "detail", "hint"),
        [
            (Answer(503), 5, "the API is unavailable: 503", "try again later"),
            (
                Answer(307, b"", {"Location": "https://elsewhere.example.com/"}),
                1,
                "points to https://elsewhere.example.com/; it is not followed",
                "",
            ),
            (Answer(404), 1, "the API answered 404", "the GraphQL endpoint?"),
            (
                Answer(200, b"<html>", {"Content-Type": "text/html"}),
                1,
                "it is a web page",
                "the GraphQL endpoint?",
            ),
            (
                json_answer({"errors": [{"message": "not for you"}]}, 403),
                1,
                "the API answered 403, with errors\nnot for you",
                "check scopes",
            ),
            (
                json_answer({"errors": [{"message": "m", "extensions": {"code": "ODD"}}] * 5}),
                1,
                "the API answered 200, with errors\nm [ODD]\nm [ODD]\nm [ODD]",
                "if ODD means that the token is refused, add it to retry_on",
            ),
            (json_answer({"errors": [{"message": "m"}]}), 1, "with errors\nm", ""),
            (
                json_answer({"data": {"__typename": "Q"}, "errors": [{"message": "slow"}]}),
                0,
                "200, accepted",
                "",
            ),
        ],
    )
    def test_what_it_answers(
        self, project: Project, answer: Answer, code: int, detail: str, hint: str
    ) -> None:
        """Each answer has its exit status, its words, and what to try next."""
        project.api.respond = lambda _: answer
        outcome = project("--json")
        step = outcome.json["endpoints"][0]["steps"][-1]

        assert outcome.code == code
        assert detail in step["detail"]
        assert hint in (step["hint"] or "")
        assert step["hint"] is None or hint
        assert step["facts"]["accepted"] == (True if code == 0 else None)

    def test_echo(self, project: Project, golden: SnapshotAssertion) -> None:
        """What it sends back of the token is masked."""

        def respond(request: Request) -> Answer:
            told = request.headers["authorization"]
            error = {"message": told, "extensions": {"code": told}}
            return json_answer({"errors": [error]}, 400)

        project.api.respond = respond

        assert golden == project().transcript


def test_what_must_be_mended_comes_first(project: Project) -> None:
    """Of several endpoints, 2 counts more than 4, that more than 1, and that more than 5."""
    project.configure(rest=STATICS)
    project.tokens.respond = lambda _: REFUSAL
    project.api.respond = lambda _: Answer(503)
    assert project().code == 4

    project.api.respond = lambda _: Answer(404)
    project.tokens.respond = lambda _: BUSY
    assert project().code == 1

    project.gql.monkeypatch.delenv("STATIC_TOKEN")
    assert project().code == 2
