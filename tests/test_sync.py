"""`SyncAuthService`: a service for code that does not await."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING

import anyio.to_thread
import httpx
import pytest

from gqlauth import (
    AuthService,
    ConfigError,
    GqlAuthError,
    Secret,
    ServiceClosedError,
    TokenRefusedError,
)
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth.sync import SyncAuthService
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.support.http_server import Answer, Request, http_server, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "https://api.example.com/graphql"
ACME = ClientCredentials(
    token_url="https://id.example.com/token", client_id="acme", client_secret=Secret("s3cret")
)
ORDERS = Endpoint(
    name="orders",
    url=API,
    auth=EndpointAuthConfig(type="client_credentials", strategy=ACME),
    headers={"X-Tenant": "acme", "User-Agent": Secret("made-up")},
)
CONFIG = Config(endpoints={"orders": ORDERS}, default_endpoint="orders")


@pytest.fixture
def server() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture(params=["asyncio", "trio"])
def service(
    server: AuthorizationServer, request: pytest.FixtureRequest
) -> Iterator[SyncAuthService]:
    inner = AuthService(CONFIG, token_transport=server)
    with SyncAuthService(inner, backend=request.param) as service:
        yield service


def api(request: httpx.Request) -> httpx.Response:
    """Answer with what came."""
    names = ("authorization", "x-tenant", "user-agent")
    return httpx.Response(200, json=[request.headers.get(name) for name in names])


class TestMethods:
    def test_client(self, service: SyncAuthService) -> None:
        """It carries the token, and what the endpoint is configured to have."""
        with service.client(transport=httpx.MockTransport(api), timeout=7) as client:
            answer = client.post(API)

        assert answer.json() == ["Bearer token-1", "acme", "made-up"]
        assert client.timeout == httpx.Timeout(7)

    def test_client_without_the_token(self, service: SyncAuthService) -> None:
        """What else is configured goes all the same."""
        with service.client(
            "orders", authenticate=False, transport=httpx.MockTransport(api)
        ) as client:
            assert client.post(API).json() == [None, "acme", "made-up"]

    def test_auth(self, service: SyncAuthService) -> None:
        """It is for a client of one's own."""
        with httpx.Client(auth=service.auth("orders"), transport=httpx.MockTransport(api)) as own:
            assert own.post(API).json()[0] == "Bearer token-1"

    def test_auth_for(self, service: SyncAuthService) -> None:
        """It is for an endpoint that no file configures."""
        auth = service.auth_for(ACME, url="https://other.example.com/graphql")
        with httpx.Client(auth=auth, transport=httpx.MockTransport(api)) as own:
            assert own.post("https://other.example.com/graphql").json()[0] == "Bearer token-1"

    def test_token(self, service: SyncAuthService) -> None:
        """It is kept, and a new one is fetched where that is asked for."""
        texts = [service.token(refresh=refresh).reveal() for refresh in (False, False, True)]

        assert texts == ["token-1", "token-1", "token-2"]
        assert service.token("orders", min_ttl=60).reveal() == "token-2"

    def test_status(self, service: SyncAuthService) -> None:
        """It tells what is known, and asks nobody."""
        assert [one.state for one in service.status()] == ["empty"]

        service.token()
        assert [one.state for one in service.status("orders")] == ["valid"]

    @pytest.mark.parametrize(
        "name", ["auth", "auth_for", "check", "clear", "recall", "status", "token"]
    )
    def test_arguments(self, name: str) -> None:
        """They are those of the service, by the same names."""
        own, inner = (signature(getattr(kind, name)) for kind in (SyncAuthService, AuthService))

        assert own.parameters == inner.parameters

    def test_check(self, service: SyncAuthService) -> None:
        """It asks the server."""
        assert service.check("orders").state == "valid"

    def test_clear(self, service: SyncAuthService) -> None:
        """It tells how many tokens there were."""
        service.token()

        assert [service.clear(), service.clear("orders")] == [1, 0]

    def test_recall(self, service: SyncAuthService) -> None:
        """Without a store there is nothing to take over."""
        service.recall()

        assert [one.state for one in service.status()] == ["empty"]

    def test_endpoint(self, service: SyncAuthService) -> None:
        """It is what the configuration says."""
        assert service.endpoint() is ORDERS
        with pytest.raises(ConfigError, match="billing"):
            service.endpoint("billing")

    def test_errors(self, service: SyncAuthService, server: AuthorizationServer) -> None:
        """They are those of the service."""
        server.otherwise = {"error": "invalid_client"}
        with pytest.raises(TokenRefusedError, match=r"^orders: "):
            service.token()
        with pytest.raises(ConfigError, match="billing"):
            service.auth("billing")


class TestThreads:
    def test_many(self, service: SyncAuthService, server: AuthorizationServer) -> None:
        """Forty that ask a real API at once by all methods make one token request."""

        def told(request: Request) -> Answer:
            return json_answer(request.headers["authorization"])

        def work(url: str, number: int) -> set[str]:
            auth = service.auth_for(ACME, url=url)
            with httpx.Client(auth=auth, trust_env=False, verify=False) as client:
                answers = {client.get(f"{url}/{number}/{n}").json() for n in range(3)}
            return answers | {service.token("orders").header_value}

        with http_server(told) as real, ThreadPoolExecutor(40) as threads:
            seen = list(threads.map(partial(work, real.url), range(40)))

        assert seen == [{"Bearer token-1"}] * 40
        assert len(server.requests) == 1
        assert len(real.requests) == 120

    @pytest.mark.anyio
    async def test_view_on_a_service_that_runs(self, server: AuthorizationServer) -> None:
        """The threads of an asynchronous program share its service, and its tokens."""
        async with AuthService(CONFIG, token_transport=server) as running:
            token = await running.token("orders")
            view = SyncAuthService(running)

            assert await anyio.to_thread.run_sync(view.token) is token
            with pytest.raises(GqlAuthError, match="would wait for itself"):
                view.token()


class TestLifetime:
    def test_before_and_after(self, server: AuthorizationServer) -> None:
        """Where it does not run, that is told."""
        service = SyncAuthService(AuthService(CONFIG, token_transport=server))
        with pytest.raises(ServiceClosedError, match="enter it first"):
            service.token()
        with service as entered:
            assert entered is service
        with pytest.raises(ServiceClosedError, match="enter it first"):
            service.status()

    def test_again(self, server: AuthorizationServer) -> None:
        """It can be entered anew, and has forgotten all."""
        service = SyncAuthService(AuthService(CONFIG, token_transport=server))
        for text in ("token-1", "token-2"):
            with service:
                assert service.token().reveal() == text

    def test_twice(self, service: SyncAuthService) -> None:
        """It runs once at a time, and goes on after the attempt."""
        with pytest.raises(GqlAuthError, match="running already"):
            service.__enter__()

        assert service.token().reveal() == "token-1"

    def test_what_the_block_raises(self, server: AuthorizationServer) -> None:
        """It comes out as it is, and the service is left."""

        def work() -> None:
            with SyncAuthService(AuthService(CONFIG, token_transport=server)) as service:
                service.token()
                raise LookupError("nowhere")

        before = threading.active_count()
        with pytest.raises(LookupError, match="nowhere"):
            work()

        assert threading.active_count() == before

    def test_from_config(self, tmp_path: Path) -> None:
        """It is for the endpoints of a file."""
        file = tmp_path / "gqlauth.toml"
        file.write_text(f'[endpoints.orders]\nurl = "{API}"\n', encoding="utf-8")

        assert SyncAuthService.from_config(file).endpoint("orders").url == API
