"""The service: names to tokens, shared where they may be, and its lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest

from gqlauth import (
    AuthService,
    ConfigError,
    GqlAuthError,
    Secret,
    SecretError,
    ServiceClosedError,
    Token,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth.testing import AuthorizationServer, FrozenClock
from gqlauth_strategies import Bearer, ClientCredentials
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio

TOKEN_URL = "https://id.example.com/token"
API = "https://api.example.com/graphql"
ACME = ClientCredentials(token_url=TOKEN_URL, client_id="acme", client_secret=Secret("s3cret"))


def endpoint(
    name: str, strategy: Any = ACME, options: AuthOptions | None = None, **settings: Any
) -> Endpoint:
    auth = strategy and EndpointAuthConfig(
        type="client_credentials", strategy=strategy, options=options or AuthOptions()
    )
    return Endpoint(**{"name": name, "url": API, "auth": auth, **settings})


def config(*endpoints: Endpoint, default: str | None = None) -> Config:
    return Config(endpoints={one.name: one for one in endpoints}, default_endpoint=default)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def fake() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture
async def entered(
    clock: FrozenClock, fake: AuthorizationServer
) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that enters a service for some endpoints; it is left after the test."""
    entered: list[AuthService] = []

    async def enter(*endpoints: Endpoint, default: str | None = None, **how: Any) -> AuthService:
        service = AuthService(
            config(*endpoints, default=default), clock=clock, token_transport=fake, **how
        )
        entered.append(await service.__aenter__())
        return service

    yield enter
    for service in entered:
        await service.__aexit__(None, None, None)


class TestEndpoint:
    def test_by_name(self) -> None:
        """Each is found under its name."""
        orders, billing = endpoint("orders"), endpoint("billing")
        assert AuthService(config(orders, billing)).endpoint("billing") is billing

    def test_the_only_one_is_the_default(self) -> None:
        """Nobody has to name it."""
        orders = endpoint("orders")
        assert AuthService(config(orders)).endpoint() is orders

    def test_the_default_one(self) -> None:
        """The configuration names it where there are several."""
        service = AuthService(config(endpoint("orders"), endpoint("billing"), default="billing"))
        assert service.endpoint().name == "billing"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (None, "which endpoint? There is no default_endpoint; configured: orders, billing"),
            (
                "order",
                'unknown endpoint "order"; configured: orders, billing; did you mean "orders"?',
            ),
            ("xyz", 'unknown endpoint "xyz"; configured: orders, billing'),
        ],
    )
    def test_which_one_is_asked_back(self, name: str | None, message: str) -> None:
        """The error names what there is."""
        service = AuthService(config(endpoint("orders"), endpoint("billing")))
        with pytest.raises(ConfigError) as caught:
            service.endpoint(name)
        assert str(caught.value) == message

    @pytest.mark.parametrize("name", [None, "orders"])
    def test_without_any(self, name: str | None) -> None:
        """A service without configuration says so."""
        with pytest.raises(ConfigError, match=r"^no endpoint is configured: add a table"):
            AuthService().endpoint(name)


class TestToken:
    async def test_it_is_fetched_once_and_kept(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """The second call asks nobody."""
        service = await entered(endpoint("orders"))
        first, second = await service.token("orders"), await service.token()
        assert first.reveal() == "token-1"
        assert second is first
        assert len(fake.requests) == 1

    async def test_endpoints_of_one_profile_share_it(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """Equal fields mean one token; another scope means another."""
        same = attrs.evolve(ACME)
        other = attrs.evolve(ACME, scopes=("billing",))
        service = await entered(
            endpoint("orders"), endpoint("invoices", same), endpoint("billing", other)
        )
        names = ("orders", "invoices", "billing")
        texts = [(await service.token(name)).reveal() for name in names]
        assert texts == ["token-1", "token-1", "token-2"]
        assert fake.forms[1]["scope"] == ["billing"]

    async def test_a_thousand_callers_make_one_request(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """All of them get its token."""
        service = await entered(endpoint("orders"))
        texts = await at_once(1000, lambda: service.token("orders"))
        assert {token.reveal() for token in texts} == {"token-1"}
        assert len(texts) == 1000
        assert len(fake.requests) == 1

    async def test_a_thousand_callers_of_a_server_that_refuses_make_one_attempt(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """Each gets an error of its own."""
        fake.script = [answer(401, '{"error": "invalid_client"}')]
        service = await entered(endpoint("orders"))
        errors = await at_once(1000, lambda: service.token("orders"))
        assert len({id(error) for error in errors}) == 1000
        assert {type(error) for error in errors} == {TokenRefusedError}
        assert len(fake.requests) == 1

    async def test_a_cancelled_caller_harms_nobody(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """The others get the token of the same flight."""
        fake.gate = anyio.Event()
        service = await entered(endpoint("orders"))
        texts: list[str] = []

        async def call() -> None:
            texts.append((await service.token("orders")).reveal())

        async with anyio.create_task_group() as group:
            first = anyio.CancelScope()

            async def cancelled() -> None:
                with first:
                    await call()

            group.start_soon(cancelled)
            await fake.arrived.wait()
            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            first.cancel()
            await anyio.wait_all_tasks_blocked()
            fake.gate.set()
        assert texts == ["token-1"]
        assert len(fake.requests) == 1

    @pytest.mark.parametrize(
        ("min_ttl", "text"), [(0, "token-1"), (600, "token-1"), (601, "token-2")]
    )
    async def test_a_token_that_lives_long_enough(
        self, entered: Callable[..., Any], clock: FrozenClock, min_ttl: float, text: str
    ) -> None:
        """Where the one at hand does not, another is fetched."""
        service = await entered(endpoint("orders"))
        await service.token("orders")
        clock.advance(3000)
        assert (await service.token("orders", min_ttl=min_ttl)).reveal() == text

    async def test_a_new_token_may_live_shorter_than_asked_for(
        self,
        entered: Callable[..., Any],
        fake: AuthorizationServer,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is returned all the same, and the log says so; nobody is asked twice."""
        service = await entered(endpoint("orders"))
        assert (await service.token("orders", min_ttl=1e6)).reveal() == "token-1"
        assert "lives shorter than asked for" in caplog.text

    async def test_a_static_token_lives_for_ever(self, entered: Callable[..., Any]) -> None:
        """No `min_ttl` is too long for it."""
        service = await entered(endpoint("orders", Bearer(token=Secret("abc"))))
        assert (await service.token("orders", min_ttl=1e9)).reveal() == "abc"

    async def test_a_static_token_is_fetched_anew_on_demand(
        self, entered: Callable[..., Any]
    ) -> None:
        """`refresh` with a token that has no end is no error."""
        service = await entered(endpoint("orders", Bearer(token=Secret("abc"))))
        assert (await service.token("orders", refresh=True)).reveal() == "abc"

    async def test_a_new_one_on_demand(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """`refresh` asks though one is at hand."""
        service = await entered(endpoint("orders"))
        await service.token("orders")
        assert (await service.token("orders", refresh=True)).reveal() == "token-2"

    async def test_an_endpoint_without_auth_has_none(self, entered: Callable[..., Any]) -> None:
        """The error says why."""
        service = await entered(endpoint("public", None))
        with pytest.raises(ConfigError, match=r'^endpoint "public" has no auth, and so no token$'):
            await service.token("public")

    async def test_a_secret_is_read_for_each_request(self, entered: Callable[..., Any]) -> None:
        """One that cannot be had is told, and no request is sent."""

        class Gone:
            async def read(self) -> str:
                raise SecretError("is gone")

        strategy = attrs.evolve(ACME, client_secret=Secret.from_source(Gone()))
        service = await entered(endpoint("orders", strategy))
        with pytest.raises(SecretError, match=r"^is gone$"):
            await service.token("orders")

    async def test_a_ca_file_that_is_none(
        self, entered: Callable[..., Any], tmp_path: Path
    ) -> None:
        """The error names the file."""
        options = AuthOptions(ca_file=tmp_path / "none.pem")
        service = await entered(endpoint("orders", options=options))
        with pytest.raises(ConfigError, match=r"^ca_file .*none\.pem cannot be used: "):
            await service.token("orders")

    async def test_the_time_out_of_the_endpoint_bounds_it(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """A server that never answers is given up in time."""
        fake.gate = anyio.Event()
        service = await entered(endpoint("orders", options=AuthOptions(timeout=0.1)))
        # On a slow machine, whoever fetches may not get to say more than that.
        with pytest.raises(TokenUnavailableError, match=r"^orders: .* within 0\.1 s"):
            await service.token("orders")

    async def test_the_refresh_window_of_the_endpoint_counts(
        self, entered: Callable[..., Any], clock: FrozenClock, fake: AuthorizationServer
    ) -> None:
        """Within it, the token serves while another is fetched."""
        service = await entered(endpoint("orders", options=AuthOptions(refresh_window=1800)))
        await service.token("orders")
        clock.advance(1900)
        assert (await service.token("orders")).reveal() == "token-1"
        await anyio.wait_all_tasks_blocked()
        assert (await service.token("orders")).reveal() == "token-2"


async def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Return what each of so many concurrent calls came to."""
    outcomes: list[Any] = []

    async def one() -> None:
        try:
            outcomes.append(await call())
        except GqlAuthError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return outcomes


class TestLifetime:
    async def test_it_must_be_entered(self) -> None:
        """There is nothing to fetch tokens in before."""
        with pytest.raises(ServiceClosedError):
            await AuthService(config(endpoint("orders"))).token("orders")

    async def test_after_its_end_there_are_no_tokens(self, fake: AuthorizationServer) -> None:
        """Those that were kept are gone too."""
        async with AuthService(config(endpoint("orders")), token_transport=fake) as service:
            await service.token("orders")
        with pytest.raises(ServiceClosedError):
            await service.token("orders")
        with pytest.raises(ServiceClosedError):
            await service.check("orders")

    async def test_it_is_entered_once(self) -> None:
        """Its tasks belong to the block that it was entered by."""
        async with AuthService() as service:
            with pytest.raises(GqlAuthError, match=r"running already"):
                await service.__aenter__()

    async def test_what_was_never_entered_may_be_left(self) -> None:
        """As when the block that enters it fails before."""
        await AuthService().__aexit__(None, None, None)

    async def test_who_waits_when_it_ends_is_told(self, fake: AuthorizationServer) -> None:
        """Nobody is left waiting."""
        fake.gate = anyio.Event()
        errors: list[Exception] = []

        async def call(service: AuthService) -> None:
            try:
                await service.token("orders")
            except ServiceClosedError as error:
                errors.append(error)

        async with (
            anyio.create_task_group() as group,
            AuthService(config(endpoint("orders")), token_transport=fake) as service,
        ):
            group.start_soon(call, service)
            await fake.arrived.wait()
        assert len(errors) == 1

    async def test_an_error_while_a_token_is_fetched_comes_out(
        self, fake: AuthorizationServer
    ) -> None:
        """The end of that harms no block that goes on."""
        fake.gate = anyio.Event()
        told: list[str] = []

        async def call(service: AuthService) -> None:
            with pytest.raises(ServiceClosedError) as caught:
                await service.token("orders")
            told.append(str(caught.value))

        async def fail(group: TaskGroup) -> None:
            async with AuthService(config(endpoint("orders")), token_transport=fake) as service:
                group.start_soon(call, service)
                await fake.arrived.wait()
                raise LookupError("within")

        async with anyio.create_task_group() as group:
            with pytest.raises(LookupError, match="within"):
                await fail(group)
        assert len(told) == 1

    async def test_an_error_within_comes_out_as_it_is(self) -> None:
        """It is wrapped in no group."""
        with pytest.raises(KeyError):
            async with AuthService(config(endpoint("orders"))):
                raise KeyError

    async def test_entries_are_bounded(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """The one not asked for longest goes first."""
        others = [endpoint(name, attrs.evolve(ACME, client_id=name)) for name in "abc"]
        service = await entered(*others, max_entries=2)
        for name in "abca":
            await service.token(name)
        assert len(fake.requests) == 4


class TestFromConfig:
    async def test_a_file_is_read(self, tmp_path: Path) -> None:
        """Its endpoints are there."""
        path = tmp_path / "gqlauth.toml"
        path.write_text('[endpoints.a]\nurl = "https://a.example/graphql"\n', encoding="utf-8")
        async with AuthService.from_config(path) as service:
            assert service.endpoint().url == "https://a.example/graphql"

    def test_what_is_wrong_in_it_is_raised(self, tmp_path: Path) -> None:
        """With all of its problems."""
        path = tmp_path / "gqlauth.toml"
        path.write_text('[endpoints.a]\nurk = "https://a.example/graphql"\n', encoding="utf-8")
        with pytest.raises(ConfigError, match="did you mean"):
            AuthService.from_config(path)


class TestClients:
    async def exchange(
        self, service: AuthService, url: str = API, **how: Any
    ) -> tuple[httpx.Request, httpx.Response]:
        requests: list[httpx.Request] = []

        def api(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, json={"data": {}})

        async with service.client(transport=httpx.MockTransport(api), **how) as client:
            response = await client.post(url, json={"query": "{ me { id } }"})
        return requests[0], response

    async def test_a_client_for_an_endpoint(self, entered: Callable[..., Any]) -> None:
        """It carries the token, the headers and the time-out of the endpoint."""
        service = await entered(endpoint("orders", headers={"X-Tenant": "acme"}, timeout=7.0))
        request, _ = await self.exchange(service)
        assert request.headers["authorization"] == "Bearer token-1"
        assert request.headers["x-tenant"] == "acme"
        assert request.extensions["timeout"]["read"] == 7.0

    @pytest.mark.parametrize(
        ("given", "agent"),
        [
            pytest.param({}, "acme/1", id="the endpoint's"),
            pytest.param({"User-Agent": "mine"}, "mine", id="the request's"),
        ],
    )
    async def test_what_httpx_adds_by_itself_gives_way(
        self, entered: Callable[..., Any], given: dict[str, str], agent: str
    ) -> None:
        """Nobody asked for its `User-Agent`."""
        service = await entered(endpoint("orders", headers={"User-Agent": "acme/1"}))
        requests: list[httpx.Request] = []

        def api(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, json={"data": {}})

        async with service.client(transport=httpx.MockTransport(api)) as client:
            await client.post(API, json={"query": "{ me { id } }"}, headers=given)
        assert requests[0].headers["user-agent"] == agent

    async def test_a_client_may_go_bare(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """No token is fetched for it, and a time-out of one's own counts."""
        service = await entered(endpoint("orders"))
        request, _ = await self.exchange(service, authenticate=False, timeout=3.0)
        assert "authorization" not in request.headers
        assert request.extensions["timeout"]["read"] == 3.0
        assert fake.requests == []

    async def test_a_client_follows_no_redirect(self, entered: Callable[..., Any]) -> None:
        """Headers of the endpoint would go along."""
        service = await entered(endpoint("orders"))
        assert service.client().follow_redirects is False

    async def test_a_client_takes_the_settings_of_httpx(self, entered: Callable[..., Any]) -> None:
        """All that the endpoint does not say."""
        service = await entered(endpoint("orders"))
        assert service.client(max_redirects=3).max_redirects == 3

    async def test_an_endpoint_without_auth_needs_no_token(
        self, entered: Callable[..., Any]
    ) -> None:
        """`auth` is there for it too, and does nothing."""
        service = await entered(endpoint("public", None))
        request, _ = await self.exchange(service)
        assert "authorization" not in request.headers

    async def test_a_refused_token_is_replaced(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """The whole way: 401, another token, the answer."""
        service = await entered(endpoint("orders"))
        seen: list[str] = []

        def api(request: httpx.Request) -> httpx.Response:
            seen.append(request.headers["authorization"])
            return httpx.Response(401 if len(seen) == 1 else 200, json={"data": {}})

        async with httpx.AsyncClient(
            transport=httpx.MockTransport(api), auth=service.auth("orders")
        ) as client:
            response = await client.post(API, json={"query": "{ me { id } }"})
        assert response.status_code == 200
        assert seen == ["Bearer token-1", "Bearer token-2"]

    async def test_no_cookie_of_the_token_endpoint_is_kept(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """One client's session must not ride on another's request."""
        body = '{"access_token": "a", "expires_in": 3600}'
        fake.script = [answer(200, body, {"set-cookie": "session=1; Path=/"})]
        service = await entered(endpoint("orders"))
        await service.token("orders")
        await service.token("orders", refresh=True)
        assert "cookie" not in fake.requests[1].headers


class TestAuthFor:
    async def exchange(self, auth: Any, url: str = API) -> httpx.Request:
        requests: list[httpx.Request] = []

        def api(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, json={"data": {}})

        async with httpx.AsyncClient(transport=httpx.MockTransport(api), auth=auth) as client:
            await client.post(url, json={"query": "{ me { id } }"})
        return requests[0]

    async def test_without_a_file(self, entered: Callable[..., Any]) -> None:
        """A strategy and a URL are enough."""
        service = await entered()
        request = await self.exchange(service.auth_for(ACME, url=API))
        assert request.headers["authorization"] == "Bearer token-1"

    async def test_it_shares_tokens_with_the_configured_endpoints(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """Equal fields mean one token, wherever they stand."""
        service = await entered(endpoint("orders"))
        await service.token("orders")
        await self.exchange(service.auth_for(attrs.evolve(ACME), url=API))
        assert len(fake.requests) == 1

    async def test_errors_name_the_host_or_what_it_is_called(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """A caller with many endpoints must tell them apart."""
        refusal = '{"error": "invalid_client"}'
        fake.script = [answer(401, refusal), answer(401, refusal)]
        service = await entered()
        with pytest.raises(TokenRefusedError, match=r"^api\.example\.com: token endpoint"):
            await self.exchange(service.auth_for(ACME, url=API))
        with pytest.raises(TokenRefusedError, match=r"^orders: token endpoint"):
            await self.exchange(service.auth_for(ACME, url=API, name="orders"))

    @pytest.mark.parametrize(
        ("url", "token_url", "message"),
        [
            (
                "http://api.example.com/",
                TOKEN_URL,
                (
                    "url http://api.example.com/: http is for loopback hosts only: "
                    "use https, or set allow_insecure_http = true beside it"
                ),
            ),
            (API, "id.example.com", "token_url: is no URL: it must begin with https://"),
        ],
    )
    async def test_urls_are_held_to_the_rules_of_the_file(
        self, entered: Callable[..., Any], url: str, token_url: str, message: str
    ) -> None:
        """A token that goes out in the clear is no better for being asked for in code."""
        service = await entered()
        strategy = attrs.evolve(ACME, token_url=token_url)
        with pytest.raises(ConfigError) as caught:
            service.auth_for(strategy, url=url)
        assert str(caught.value) == message

    async def test_insecure_http_may_be_allowed(self, entered: Callable[..., Any]) -> None:
        """As in a file, whoever means it says so."""
        service = await entered()
        options = AuthOptions(allow_insecure_http=True)
        auth = service.auth_for(ACME, url="http://api.example.com/", options=options)
        request = await self.exchange(auth, "http://api.example.com/")
        assert request.headers["authorization"] == "Bearer token-1"

    async def test_a_strategy_may_be_any_class(self, entered: Callable[..., Any]) -> None:
        """It needs nothing but `fetch`."""

        class Mine:
            async def fetch(self, _endpoint: object, /) -> Token:
                return Token("mine")

        service = await entered()
        request = await self.exchange(service.auth_for(Mine(), url=API))
        assert request.headers["authorization"] == "Bearer mine"

    async def test_strategies_that_come_and_go_share_nothing(
        self, entered: Callable[..., Any]
    ) -> None:
        """One for each tenant, made where the last one lay: each gets its own token."""

        class Tenant:
            def __init__(self, name: str) -> None:
                self.name = name

            async def fetch(self, _endpoint: object, /) -> Token:
                return Token(self.name, expires_in=3600)

        service = await entered()
        for name in [f"tenant-{number}" for number in range(50)]:
            request = await self.exchange(service.auth_for(Tenant(name), url=API))
            assert request.headers["authorization"] == f"Bearer {name}"


class TestDiagnostics:
    async def test_status_of_all_and_of_one(self, entered: Callable[..., Any]) -> None:
        """It asks nobody."""
        service = await entered(endpoint("orders"), endpoint("public", None))
        assert [one.state for one in service.status()] == ["empty", "none"]
        assert [one.name for one in service.status("public")] == ["public"]

    async def test_status_follows_the_token(
        self, entered: Callable[..., Any], clock: FrozenClock
    ) -> None:
        """From empty over valid and refreshing to expired."""
        service = await entered(endpoint("orders"))
        states = [service.status()[0].state]
        await service.token("orders")
        for moment in (0, 3400, 200):
            clock.advance(moment)
            states.append(service.status()[0].state)
        assert states == ["empty", "valid", "refreshing", "expired"]

    async def test_status_after_failures(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """A refusal, and a server in trouble."""
        fake.script = [answer(401, '{"error": "invalid_client"}')]
        fake.script += [answer(503) for _ in range(4)]
        other = attrs.evolve(ACME, client_id="other")
        service = await entered(endpoint("a"), endpoint("b", other))
        for name in "ab":
            with pytest.raises(GqlAuthError):
                await service.token(name)
        assert [one.state for one in service.status()] == ["rejected", "failing"]

    async def test_a_check_asks_for_a_token(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """It shows what that came to."""
        service = await entered(endpoint("orders"))
        told = await service.check("orders")
        assert (told.state, told.checked, told.expires_in) == ("valid", True, 3600)
        assert len(fake.requests) == 1

    async def test_a_check_tells_a_failure(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """It does not raise what it was asked to find."""
        fake.script = [httpx.ConnectError("refused")] * 4
        service = await entered(endpoint("orders"))
        told = await service.check("orders")
        assert told.state == "unreachable"
        assert "cannot be reached" in str(told.error)

    async def test_a_check_of_an_endpoint_without_auth(self, entered: Callable[..., Any]) -> None:
        """There is nothing to ask."""
        service = await entered(endpoint("public", None))
        assert (await service.check("public")).state == "none"

    async def test_clear_forgets(
        self, entered: Callable[..., Any], fake: AuthorizationServer
    ) -> None:
        """It counts tokens, of which endpoints may share one."""
        other = attrs.evolve(ACME, client_id="other")
        service = await entered(
            endpoint("a"), endpoint("b"), endpoint("c", other), endpoint("public", None)
        )
        for name in "abc":
            await service.token(name)
        assert await service.clear("a") == 1
        assert await service.clear() == 1
        assert await service.clear() == 0
        assert [one.state for one in service.status()] == ["empty", "empty", "empty", "none"]
