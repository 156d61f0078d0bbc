"""What a callback is told of tokens: `AuthService(on_event=…)` and `gqlauth.events`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest

from gqlauth import (
    AuthOptions,
    AuthService,
    EndpointAuth,
    GqlAuthError,
    Secret,
    SecretError,
    ServiceClosedError,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
    events,
)
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._source import Source
from gqlauth.events import (
    Event,
    FetchFailed,
    FetchStarted,
    TokenAnswered,
    TokenDenied,
    TokenFetched,
    TokenRejected,
    TokenRequested,
    TokenServed,
    TokenWanted,
    kind_of,
)
from gqlauth.testing import AuthorizationServer, FrozenClock
from gqlauth_strategies import ClientCredentials
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
TOKEN_URL = "https://id.example.com/token"
STRATEGY = ClientCredentials(
    token_url=f"{TOKEN_URL}?tenant=acme", client_id="acme", client_secret=Secret("s3cret-of-acme")
)
ORDERS = {"endpoint": "orders"}
REFUSED = '{"error": "invalid_client"}'


def config(strategy: Any = STRATEGY, **options: Any) -> Config:
    auth = EndpointAuthConfig(
        type="client_credentials", strategy=strategy, options=AuthOptions(**options)
    )
    return Config(endpoints={"orders": Endpoint(name="orders", url=API, auth=auth)})


class SilentError(Exception):
    """One that fails to say anything."""

    def __str__(self) -> str:
        raise AttributeError("message")


@attrs.define
class Listener:
    """Keeps what it is told."""

    clock: FrozenClock = attrs.field(factory=FrozenClock)
    events: list[Event] = attrs.field(factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def new(self) -> list[Event]:
        """Return what was told since this was asked last."""
        told, self.events = self.events, []
        return told

    @asynccontextmanager
    async def service(
        self, *script: Any, strategy: Any = STRATEGY, **options: Any
    ) -> AsyncIterator[AuthService]:
        fake = AuthorizationServer(*script)
        async with AuthService(
            config(strategy, **options), clock=self.clock, token_transport=fake, on_event=self
        ) as service:
            yield service


async def settled(done: Callable[[], object]) -> None:
    """Wait for what is done in the background."""
    with anyio.fail_after(5):
        while not done():
            await anyio.lowlevel.checkpoint()


class TestAcquisition:
    async def test_is_told_from_beginning_to_end(self) -> None:
        """Who listens follows it: wanted, started, asked, answered, there."""
        heard = Listener()
        async with heard.service() as service:
            token = await service.token("orders")

        assert heard.events == [
            TokenWanted(**ORDERS, cache="empty"),
            FetchStarted(**ORDERS, strategy="ClientCredentials"),
            TokenRequested(**ORDERS, url=TOKEN_URL, method="client_secret_basic", attempt=1),
            TokenAnswered(**ORDERS, url=TOKEN_URL, attempt=1, elapsed=0, status=200, kind=""),
            TokenFetched(
                **ORDERS,
                cache="empty",
                elapsed=0,
                waited=1,
                expires_in=3600,
                expires_at=token.expires_at,
            ),
        ]

    async def test_each_try_is_told(self) -> None:
        """What came of a try is told with its status, or with what broke it."""
        heard = Listener()
        broken = httpx.ReadError("broken")
        async with heard.service(broken, answer(503), answer(200, "oops")) as service:
            await service.token("orders")

        answered = [one for one in heard.events if isinstance(one, TokenAnswered)]
        assert [(one.attempt, one.status, one.kind) for one in answered] == [
            (1, None, "ReadError"),
            (2, 503, "503"),
            (3, 200, "TokenRefusedError"),
            (4, 200, ""),
        ]

    async def test_a_refusal_is_told(self) -> None:
        """Its end is told with the error that each caller gets a copy of."""
        heard = Listener()
        async with heard.service(answer(401, REFUSED)) as service:
            with pytest.raises(TokenRefusedError) as caught:
                await service.token("orders")

        answered, failed = heard.events[-2:]
        assert answered == TokenAnswered(
            **ORDERS, url=TOKEN_URL, attempt=1, elapsed=0, status=401, kind="invalid_client"
        )
        assert isinstance(failed, FetchFailed)
        assert (failed.cache, failed.elapsed, failed.waited) == ("empty", 0, 1)
        assert (failed.kind, failed.again_in) == ("invalid_client", 5)
        assert str(failed.error) == str(caught.value)
        assert failed.error is not caught.value

    async def test_a_remembered_failure_is_told(self) -> None:
        """Who is told a failure that is remembered is no acquisition."""
        heard = Listener()
        async with heard.service(answer(401, REFUSED)) as service:
            for _ in range(2):
                with pytest.raises(TokenRefusedError):
                    await service.token("orders")

        assert isinstance(heard.events[-1], TokenDenied)
        assert heard.events[-1].kind == "invalid_client"
        assert isinstance(heard.events[-1].error, TokenRefusedError)

    async def test_waiters_are_counted(self) -> None:
        """It is told how many waited for it."""
        heard = Listener()
        async with heard.service() as service, anyio.create_task_group() as tasks:
            for _ in range(7):
                tasks.start_soon(service.token, "orders")

        assert [one.waited for one in heard.events if isinstance(one, TokenFetched)] == [7]

    async def test_a_refresh(self) -> None:
        """A refresh is told by what there is meanwhile; whom that serves is told, too."""
        heard = Listener()
        async with heard.service() as service:
            await service.token("orders")
            heard.clock.advance(3400)
            heard.new()
            await service.token("orders")
            await settled(lambda: isinstance(heard.events[-1], TokenFetched))

        assert TokenServed(**ORDERS) in heard.events
        assert TokenWanted(**ORDERS, cache="refresh due") in heard.events
        last = heard.events[-1]
        assert isinstance(last, TokenFetched)
        assert (last.cache, last.waited) == ("refresh due", 0)

    async def test_the_end_of_the_service(self) -> None:
        """What was under way ends, and that is told, of the request and of the whole."""
        heard = Listener()
        fake = AuthorizationServer()
        fake.gate = anyio.Event()
        async with (
            AuthService(config(), token_transport=fake, on_event=heard) as service,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(service.token, "orders")
            await fake.arrived.wait()
            tasks.cancel_scope.cancel()

        answered, failed = heard.events[-2:]
        assert isinstance(answered, TokenAnswered)
        assert answered.status is None
        assert answered.kind in {"CancelledError", "Cancelled"}
        assert isinstance(failed, FetchFailed)
        assert (type(failed.error), failed.kind) == (ServiceClosedError, "ServiceClosedError")
        assert failed.again_in == 0

    async def test_the_deadline(self) -> None:
        """A request that the deadline cuts off has an end, too."""
        heard = Listener()
        fake = AuthorizationServer()
        fake.gate = anyio.Event()
        async with AuthService(
            config(timeout=0.5), token_transport=fake, on_event=heard
        ) as service:
            with pytest.raises(TokenUnavailableError):
                await service.token("orders")

        answered, failed = heard.events[-2:]
        assert isinstance(answered, TokenAnswered)
        assert answered.status is None
        assert isinstance(failed, FetchFailed)


class TestServed:
    async def test_a_fresh_token_is_told(self) -> None:
        """Each caller who gets a fresh token is told, and nothing else."""
        heard = Listener()
        async with heard.service() as service:
            await service.token("orders")
            heard.new()
            await service.token("orders")
            await service.token()

        assert heard.events == [TokenServed(**ORDERS)] * 2

    async def test_by_a_request(self) -> None:
        """A request that carries it tells so, too."""
        heard = Listener()
        api = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": {}}))
        async with heard.service() as service, service.client("orders", transport=api) as client:
            await service.token("orders")
            heard.new()
            await client.post(API, json={"query": "{ me }"})

        assert heard.events == [TokenServed(**ORDERS)]

    async def test_of_an_endpoint_made_in_code(self) -> None:
        """An endpoint of no file is told by the name that it was given."""
        heard = Listener()
        async with heard.service() as service:
            flow = service.auth_for(STRATEGY, url=API, name="code").async_auth_flow(
                httpx.Request("POST", API)
            )
            await anext(flow)
            await flow.aclose()

        assert {one.endpoint for one in heard.events} == {"code"}


async def refused(auth: EndpointAuth) -> None:
    """Send a request that the API refuses, whatever the token."""
    api = httpx.MockTransport(lambda _: httpx.Response(401))
    async with httpx.AsyncClient(auth=auth, transport=api) as client:
        await client.post(API, json={"query": "{ me }"})


class TestRejected:
    async def test_what_the_api_refuses_is_told(self) -> None:
        """The first is replaced; its replacement is refused, too, and none follows."""
        heard = Listener()
        async with heard.service() as service:
            await refused(service.auth("orders"))

        assert [one for one in heard.events if isinstance(one, TokenRejected)] == [
            TokenRejected(**ORDERS, answer="401", replaced=True),
            TokenRejected(**ORDERS, answer="401", replaced=False),
        ]

    async def test_what_is_at_hand_serves_on(self) -> None:
        """Where no other is fetched any more, what is at hand is told as served."""
        heard = Listener()
        async with heard.service() as service:
            await refused(service.auth("orders"))
            heard.clock.now_wall += 3400
            heard.new()
            await service.token("orders")

        assert heard.events == [TokenServed(**ORDERS)]

    async def test_where_nothing_is_at_hand(self) -> None:
        """When that has ended, who wants a token is denied it."""
        heard = Listener()
        async with heard.service() as service:
            await refused(service.auth("orders"))
            heard.clock.now_wall += 3600
            heard.new()
            with pytest.raises(TokenRefusedError):
                await service.token("orders")

        (denied,) = heard.events
        assert isinstance(denied, TokenDenied)
        assert denied.kind == "TokenRefusedError"


class TestCallback:
    async def test_that_raises_harms_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        """It is told once, and everybody gets their token."""

        def failing(event: Event) -> None:
            raise ValueError(f"no use for a {type(event).__name__}")

        async with AuthService(
            config(), token_transport=AuthorizationServer(), on_event=failing
        ) as service:
            tokens = [(await service.token("orders")).reveal() for _ in range(2)]

        assert tokens == ["token-1", "token-1"]
        assert caplog.messages == [
            'on_event failed, told once on=TokenWanted why="ValueError: no use for a TokenWanted"'
        ]

    @pytest.mark.parametrize("error", [SilentError(), asyncio.CancelledError()])
    async def test_that_raises_what_is_no_common_error(
        self, error: BaseException, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One that cannot be told, or stands for a future that was cancelled, harms nobody."""

        def failing(_: Event) -> None:
            raise error

        async with AuthService(
            config(), token_transport=AuthorizationServer(), on_event=failing
        ) as service:
            tokens = [(await service.token("orders")).reveal() for _ in range(2)]

        assert tokens == ["token-1", "token-1"]
        assert len(caplog.messages) == 1
        assert type(error).__name__ in caplog.text

    async def test_what_it_raises_is_redacted(self, caplog: pytest.LogCaptureFixture) -> None:
        """A secret in its error is masked."""
        secret = Secret("a-secret-that-is-alive")

        def failing(_: Event) -> None:
            raise ValueError(secret.reveal())

        async with AuthService(
            config(), token_transport=AuthorizationServer(), on_event=failing
        ) as service:
            await service.token("orders")

        assert 'why="ValueError: ***"' in caplog.text
        assert secret.reveal() not in caplog.text

    async def test_is_given_by_the_file_too(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`from_config` takes it as the class does."""
        monkeypatch.setenv("BEARER", "made-up-bearer")
        path = tmp_path / "gqlauth.toml"
        path.write_text(
            '[endpoints.orders]\nurl = "https://api.example.com"\n'
            'auth = { type = "bearer", token = { env = "BEARER" } }\n'
        )
        heard = Listener()
        async with AuthService.from_config(path, on_event=heard) as service:
            await service.token()

        assert [type(one) for one in heard.events] == [TokenWanted, FetchStarted, TokenFetched]
        assert heard.events[-1].expires_at is None  # type: ignore[attr-defined]

    def test_that_must_be_awaited_is_refused(self) -> None:
        """Nobody would await it: that is said at once."""

        async def listener(event: Event) -> None:
            """Be told nothing."""

        class Listening:
            __call__ = staticmethod(listener)

        for wrong in (listener, Listening()):
            with pytest.raises(GqlAuthError, match=r"^on_event is called and never awaited: "):
                AuthService(on_event=wrong)

    async def test_errors_stand_for_themselves(self) -> None:
        """What a callback does to an error, no caller sees."""

        def marking(event: Event) -> None:
            if isinstance(event, FetchFailed | TokenDenied):
                event.error.add_note("seen")

        fake = AuthorizationServer(answer(401, REFUSED))
        async with AuthService(config(), token_transport=fake, on_event=marking) as service:
            for _ in range(2):
                with pytest.raises(TokenError) as caught:
                    await service.token("orders")
                assert "seen" not in getattr(caught.value, "__notes__", [])


class TestKind:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (TokenRefusedError("x", error="invalid_client", status=401), "invalid_client"),
            (TokenRefusedError("x", error="whatever a server says", status=400), "400"),
            (TokenRefusedError("x", error="whatever", status=200), "TokenRefusedError"),
            (TokenUnavailableError("x", status=503), "503"),
            (TokenUnavailableError("x"), "TokenUnavailableError"),
            (SecretError("x"), "SecretError"),
            (TimeoutError(), "TimeoutError"),
        ],
    )
    def test_is_one_of_few(self, error: Exception, kind: str) -> None:
        """It is an error code that is known, a status, or a class: never what a server made up."""
        assert kind_of(error) == kind

    def test_of_what_it_came_of(self) -> None:
        """A connection that failed is told by how; several tries by the last."""
        lost = TokenUnavailableError("cannot be reached")
        lost.__cause__ = httpx.ConnectError("refused")
        late = TokenUnavailableError("gave no answer")
        late.__cause__ = lost

        assert kind_of(late) == "ConnectError"


class TestNobodyListens:
    def test_nothing_is_there_that_tells(self) -> None:
        """A service without a callback has sources that know of none: a hit costs nothing more."""
        service = AuthService(config())

        assert type(service._sources.of("orders")) is Source

    def test_nothing_of_it_is_imported(self) -> None:
        """Neither are the events."""
        code = "import sys, json, gqlauth; gqlauth.AuthService(); print(json.dumps([*sys.modules]))"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

        assert not {"gqlauth.events", "gqlauth._heard"} & set(json.loads(ran.stdout))


EVENTS = [one for one in vars(events).values() if isinstance(one, type) and issubclass(one, Event)]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_frozen(event: type[Event]) -> None:
    """An event is told to whoever listens as it is, and is no place to keep anything."""
    fields: dict[str, Any] = {field.name: None for field in attrs.fields(event)}
    one = event(**fields)

    for name in (*fields, "other"):
        with pytest.raises((attrs.exceptions.FrozenInstanceError, AttributeError)):
            setattr(one, name, 1)


def test_the_drawing_names_them_all() -> None:
    """The drawing at the top of the module is of all events."""
    drawn = (events.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0].splitlines()

    assert [line.split("──")[-1].split()[0] for line in drawn] == [one.__name__ for one in EVENTS]
