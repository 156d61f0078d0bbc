"""What the integration tests share: the servers, as they really run."""

from __future__ import annotations

import gc
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from gqlauth import Secret
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from gqlauth_strategies import ClientCredentials
from tests.support.faults import HostileTokenEndpoint, hostile_token_endpoint
from tests.support.figures import FIGURES
from tests.support.places import Place
from tests.support.redis_fleet import SECRET, running_fleet
from tests.support.redis_server import redis_server
from tests.support.servers import authlib_server, client_secret, graphql_api, oidc_provider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.redis_fleet import Fleet
    from tests.support.redis_server import RedisServer
    from tests.support.servers import Api, AuthlibServer, Provider


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures that tests told, be it from another process."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    told = [text for one in reports for name, text in one.user_properties if name == FIGURES]
    if told:
        terminalreporter.section("figures")
        for text in told:
            terminalreporter.write_line(str(text))


class Credentials(Protocol):
    """Makes the credentials of a client of the authorization server."""

    def __call__(self, client_id: str = "basic", **fields: Any) -> ClientCredentials: ...


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """Run the authorization server."""
    with oidc_provider() as running:
        yield running


@pytest.fixture(scope="session")
def api(provider: Provider) -> Iterator[Api]:
    """Run the GraphQL API, for tokens of the authorization server."""
    with graphql_api(provider.issuer) as running:
        yield running


@pytest.fixture(scope="session")
def authlib() -> Iterator[AuthlibServer]:
    """Run the other authorization server."""
    with authlib_server() as running:
        yield running


@pytest.fixture(scope="session")
def authlib_api(authlib: AuthlibServer) -> Iterator[Api]:
    """Run the GraphQL API, for tokens of the other authorization server."""
    with graphql_api(authlib.issuer) as running:
        yield running


@pytest.fixture(params=["oidc_provider", "authlib_server"])
def place(request: pytest.FixtureRequest) -> Place:
    """Give the one, and then the other."""
    server, api = {
        "oidc_provider": ("provider", "api"),
        "authlib_server": ("authlib", "authlib_api"),
    }[request.param]
    return Place(request.param, request.getfixturevalue(server), request.getfixturevalue(api))


@pytest.fixture(scope="session")
def hostile() -> Iterator[HostileTokenEndpoint]:
    """Run the token endpoint that means no good."""
    with hostile_token_endpoint() as running:
        yield running


@pytest.fixture
def coredis_leftovers() -> Iterator[None]:
    """Collect what coredis leaves open where no connection is made, and of each cluster.

    Else the collector comes by in another test, and says so there.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def _redis() -> Iterator[RedisServer]:
    """Run a Redis."""
    with redis_server() as running:
        yield running


@pytest.fixture
def redis(_redis: RedisServer) -> RedisServer:
    """Give the Redis, with nothing in it."""
    _redis.ask("FLUSHALL")
    return _redis


@pytest.fixture
def jwt_credentials(provider: Provider, api: Api) -> Credentials:
    """Make credentials that get a JWT for the API, with the scope ``api:read``."""

    def make(client_id: str = "basic", **fields: Any) -> ClientCredentials:
        secret = client_secret(client_id)
        known: dict[str, Any] = {
            "token_url": provider.token_url,
            "client_id": client_id,
            "client_secret": None if secret is None else Secret(secret),
            "scopes": ("api:read",),
            "audience": api.audience,
        }
        return ClientCredentials(**{**known, **fields})

    return make


@pytest.fixture
def opaque_credentials(jwt_credentials: Credentials) -> Credentials:
    """Make credentials that get an opaque token, which can be revoked."""

    def make(client_id: str = "basic", **fields: Any) -> ClientCredentials:
        return jwt_credentials(client_id, audience=None, **fields)

    return make


@pytest.fixture
async def fleet(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    """Make workers over a Redis with nothing in it."""
    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setenv(SECRET, "s3cr3t")
    async with running_fleet(redis.url) as made:
        yield made
