"""``gql auth check --probe-methods``: which methods of client authentication a server takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from joserfc.jwk import ECKey

from gqlauth import Secret, TokenEndpoint, TokenRefusedError
from gqlauth._cli._check._course import checked
from gqlauth._config import Endpoint, EndpointAuthConfig
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import certificate
from tests.support.http_server import Answer, http_server, json_answer
from tests.support.issuer import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from gqlauth import Token
    from gqlauth._cli._check._step import Step
    from tests.support.gql import Gql
    from tests.support.http_server import HttpServer, Request

pytestmark = pytest.mark.anyio

CONFIG = """\
[endpoints.orders]
url = "{url}/graphql"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{url}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
"""
PLAIN = "s3cr3t-and-plain"


def way(request: Request) -> str:
    """Return the method by which a request proves its client, as a server sees it."""
    if "authorization" in request.headers:
        return "basic"
    if "client_assertion" in request.form:
        return "assertion"
    return "post" if "client_secret" in request.form else "none"


def takes(*ways: str) -> Callable[[Request], Answer]:
    """Return what answers as a server that takes these methods, and as an API."""

    def respond(request: Request) -> Answer:
        if request.path == "/graphql":
            return json_answer({"data": {"__typename": "Query"}})
        if way(request) in ways:
            return json_answer({"access_token": "t-of-the-server", "expires_in": 60})
        return json_answer({"error": "invalid_client"}, 401)

    return respond


@pytest.fixture
def server() -> Iterator[HttpServer]:
    """Run a server that is both, and takes Basic."""
    with http_server(takes("basic")) as running:
        yield running


@pytest.fixture
def project(gql: Gql, server: HttpServer) -> Gql:
    """Give a project that is configured for it."""
    gql.file(CONFIG.format(url=server.url))
    gql.monkeypatch.setenv("ORDERS_SECRET", PLAIN)
    gql.secrets += [PLAIN, "of-the-server"]
    return gql


def asked(server: HttpServer) -> list[str]:
    """Return the ways of the token requests, but for the first: that is the token's own."""
    return [way(request) for request in server.requests if request.path == "/token"][1:]


class TestCommand:
    def test_configured_one_is_taken(
        self, project: Gql, server: HttpServer, golden: SnapshotAssertion
    ) -> None:
        """Each is tried once, also where the configured one is taken."""
        assert golden == project("auth", "check", "--probe-methods").transcript
        assert asked(server) == ["basic", "post", "assertion"]

    def test_another_is_taken(
        self, project: Gql, server: HttpServer, golden: SnapshotAssertion
    ) -> None:
        """Where the token is refused, the method that would be taken is the thing to try."""
        server.respond = takes("post")

        assert golden == project("auth", "check", "--probe-methods").transcript
        assert asked(server) == ["basic", "post", "assertion"]

    def test_none_is_taken(
        self, project: Gql, server: HttpServer, golden: SnapshotAssertion
    ) -> None:
        """Then it is not the method; the facts are for machines."""
        server.respond = takes()

        assert golden == project("auth", "check", "--probe-methods", "--json").transcript

    def test_without_the_extra(
        self, project: Gql, server: HttpServer, golden: SnapshotAssertion
    ) -> None:
        """What cannot be tried says why, and the others are."""
        project.monkeypatch.setitem(sys.modules, "joserfc.jwk", None)

        assert golden == project("auth", "check", "--probe-methods").transcript
        assert asked(server) == ["basic", "post"]

    def test_what_cannot_be_tried_is_no_refusal(self, project: Gql, server: HttpServer) -> None:
        """Nor a misconfiguration, where others were refused."""
        server.respond = takes()
        project.monkeypatch.setitem(sys.modules, "joserfc.jwk", None)

        assert project("auth", "check", "--probe-methods").code == 4

    def test_encoding_matters(self, project: Gql, server: HttpServer) -> None:
        """Basic with and without encoding are two methods where they send two things."""
        project.monkeypatch.setenv("ORDERS_SECRET", "s3cr3t/of+orders")
        project("auth", "check", "--probe-methods")

        assert asked(server) == ["basic", "basic", "post", "assertion"]

    def test_trouble_is_not_tried_again(self, project: Gql, server: HttpServer) -> None:
        """The secret goes out once by each, also where another try might help."""
        taken, seen = takes("basic"), list[str]()

        def respond(request: Request) -> Answer:
            if request.path == "/token":
                seen.append(way(request))
            return taken(request) if len(seen) < 2 else Answer(503)

        server.respond = respond
        outcome = project("auth", "check", "--probe-methods")

        assert seen == ["basic", "basic", "post", "assertion"]
        assert outcome.code == 5
        assert "client_secret_post   is unavailable: 503" in outcome.stdout

    def test_static_ones_have_none(self, project: Gql, server: HttpServer) -> None:
        """A static credential has no methods."""
        project.file(
            f'[endpoints.static]\nurl = "{server.url}/graphql"\n'
            'auth = { type = "bearer", token = { env = "ORDERS_SECRET" } }\n'
        )
        (endpoint,) = project("auth", "check", "--probe-methods", "--json").json["endpoints"]

        assert [step["name"] for step in endpoint["steps"]] == [
            "configuration",
            "token",
            "claims",
            "api",
        ]


async def tried(url: str, **fields: Any) -> dict[str, Step]:
    """Return the steps of a client that has these fields, by their names."""
    known = {"token_url": f"{url}/token", "client_id": "orders-cli"}
    strategy = ClientCredentials(**{**known, **fields})
    return await steps_of(url, strategy)


async def steps_of(url: str, strategy: Any) -> dict[str, Step]:
    auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
    endpoint = Endpoint(name="orders", url=f"{url}/graphql", auth=auth)
    told = await checked(endpoint, probe_methods=True, within=None)
    return {step.name: step for step in told.steps}


def methods_of(steps: dict[str, Step]) -> list[str]:
    facts: Any = steps["methods"].outcome.facts
    return [one["method"] for one in facts["methods"]]


class TestWhatIsAllowed:
    """By what the client has."""

    async def test_private_key(self, server: HttpServer) -> None:
        """A key signs; an algorithm for it is none for a secret."""
        server.respond = takes("assertion")
        key = Secret(ECKey.generate_key("P-256").as_pem(private=True).decode())
        steps = await tried(
            server.url,
            private_key=key,
            client_secret=Secret(PLAIN),
            token_endpoint_auth_signing_alg="ES256",
        )

        assert methods_of(steps) == [
            "private_key_jwt",
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
        ]
        results: Any = steps["methods"].outcome.facts["methods"]
        assert [one["taken"] for one in results] == [True, False, False, True]
        assert steps["methods"].outcome.state == "ok"

    @pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
    async def test_certificate(self, server: HttpServer, tmp_path: Path, method: str) -> None:
        """By a certificate both methods send the same: it is tried under the name it has."""
        server.respond = takes("none")
        own = certificate(tmp_path, "orders")
        steps = await tried(
            server.url,
            certificate_file=own.certificate_file,
            certificate_key_file=own.key_file,
            token_endpoint_auth_method=method,
        )

        assert methods_of(steps) == [method]
        assert steps["methods"].outcome.state == "ok"

    async def test_nothing(self, server: HttpServer) -> None:
        """A client that has nothing says just who it is."""
        server.respond = takes("none")

        assert methods_of(await tried(server.url)) == ["none"]

    async def test_discovered(self, server: HttpServer) -> None:
        """Where the token endpoint is discovered, that one is asked, by what follows from it."""
        taken = takes("post")
        document = metadata(server.url, token_endpoint_auth_methods_supported=["x"])
        server.respond = lambda request: (
            json_answer(document) if request.method == "GET" else taken(request)
        )
        secret = Secret(PLAIN)
        steps = await tried(server.url, token_url=None, issuer=server.url, client_secret=secret)

        assert "client_secret_post" in methods_of(steps)
        assert steps["token"].outcome.facts["method"] == "client_secret_post"


@attrs.frozen
class Picky:
    """A strategy of somebody's own, with a token endpoint, and with moods."""

    token_url: str
    client_id: str | None = None
    issuer: str = "https://id.example.com"
    token_endpoint_auth_method: str = "unknown"
    error: Exception = attrs.field(factory=lambda: TokenRefusedError("will not"))

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        raise self.error


class TestPlugin:
    async def test_method_that_is_not_known(self, server: HttpServer) -> None:
        """It has no name here, and its own error is told."""
        steps = await steps_of(server.url, Picky(f"{server.url}/token"))

        assert "discovery" not in steps
        assert steps["token"].outcome.facts["method"] is None
        assert steps["methods"].outcome.detail == "none  will not"

    async def test_that_fails_in_a_way_of_its_own(self, server: HttpServer) -> None:
        """Whatever it raises is told."""
        steps = await steps_of(server.url, Picky(f"{server.url}/token", error=KeyError("x")))

        assert steps["token"].outcome.code == steps["methods"].outcome.code == 2
        assert steps["methods"].outcome.detail == "none  the strategy failed: KeyError: 'x'"
