"""The tokens of one endpoint where its API refuses them: replaced once, and then held back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import attrs
import httpx
import pytest

from gqlauth import AuthService, Secret, Token, TokenRefusedError, TokenUnavailableError
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth._secret_sources import EnvSource
from gqlauth.testing import AuthorizationServer, FrozenClock
from gqlauth_strategies import Bearer, ClientCredentials
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gqlauth import Strategy

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
ACME = ClientCredentials(
    token_url="https://id.example.com/token", client_id="acme", client_secret=Secret("s3cret")
)
FRESH = "the API rejected a fresh token (401); check audience and scopes"


class Api(httpx.AsyncBaseTransport):
    """An API that takes the tokens it is told to, and remembers what it was sent."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.takes: Callable[[str], bool] = lambda _: False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.lowlevel.checkpoint()
        text = request.headers["authorization"].removeprefix("Bearer ")
        self.seen.append(text)
        return httpx.Response(200, json={"data": {}}) if self.takes(text) else httpx.Response(401)


@attrs.define
class World:
    """A service with endpoints that share a token, the server that gives it, and two APIs."""

    clock: FrozenClock
    fake: AuthorizationServer
    service: AuthService
    orders: Api = attrs.field(factory=Api)
    billing: Api = attrs.field(factory=Api)

    async def call(self, name: str = "orders") -> int:
        """Return the status that a call to the API comes to."""
        api = self.billing if name == "billing" else self.orders
        async with self.service.client(name, transport=api) as client:
            return (await client.post(API, json={"query": "{ me }"})).status_code

    @property
    def fetched(self) -> int:
        return len(self.fake.requests)


def endpoint(name: str, strategy: Strategy) -> Endpoint:
    auth = EndpointAuthConfig(type="x", strategy=strategy, options=AuthOptions())
    return Endpoint(name=name, url=API, auth=auth)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("GQLAUTH_TEST_STATIC", "static")
    endpoints = [
        endpoint("orders", ACME),
        endpoint("billing", attrs.evolve(ACME)),
        endpoint("static", Bearer(token=Secret.from_source(EnvSource("GQLAUTH_TEST_STATIC")))),
    ]
    config = Config(endpoints={one.name: one for one in endpoints}, default_endpoint="orders")
    clock, fake = FrozenClock(), AuthorizationServer()
    async with AuthService(config, clock=clock, token_transport=fake) as service:
        yield World(clock, fake, service)


class TestHold:
    async def test_a_refused_token_is_replaced_once_a_call(self, world: World) -> None:
        """The replacement is accepted, and serves on."""
        world.orders.takes = lambda text: text == "token-2"
        assert [await world.call(), await world.call()] == [200, 200]
        assert world.orders.seen == ["token-1", "token-2", "token-2"]

    async def test_after_a_refused_replacement_none_is_fetched(self, world: World) -> None:
        """A wrong audience does not cost a token request a call: the newest one is sent."""
        assert [await world.call() for _ in range(5)] == [401] * 5
        assert world.orders.seen == ["token-1", *["token-2"] * 5]
        assert world.fetched == 2

    async def test_it_holds_for_thirty_seconds_doubling_to_five_minutes(self, world: World) -> None:
        """Each time, one more token is tried."""
        await world.call()
        for fetched, pause in enumerate([30, 60, 120, 240, 300, 300], start=2):
            world.clock.advance(pause - 0.1)
            await world.call()
            assert world.fetched == fetched
            world.clock.advance(0.1)
            await world.call()
            assert world.fetched == fetched + 1

    async def test_what_the_api_accepts_ends_it(self, world: World) -> None:
        """The newest token is sent all the while, so that its recovery is seen at once."""
        await world.call()
        world.orders.takes = lambda _: True
        assert await world.call() == 200
        assert world.fetched == 2
        world.orders.takes = lambda text: text == "token-3"
        assert await world.call() == 200
        world.orders.takes = lambda _: False
        await world.call()
        assert world.fetched == 4
        world.clock.advance(29)
        await world.call()
        assert world.fetched == 4

    async def test_many_at_once_cost_two_tokens(self, world: World) -> None:
        """Late refusals of the first one count for nothing."""
        answers: list[int] = []

        async def call() -> None:
            answers.append(await world.call())

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(call)
        assert answers == [401] * 50
        assert world.fetched == 2
        assert set(world.orders.seen) == {"token-1", "token-2"}

    async def test_a_token_that_ended_on_its_way_was_not_rejected(self, world: World) -> None:
        """However often that happens, another is fetched: nothing is wrong but the time."""

        def slow(_: str) -> bool:
            world.clock.advance(4000)
            return False

        world.orders.takes = slow
        assert [await world.call() for _ in range(3)] == [401] * 3
        assert world.fetched == 6

    async def test_a_late_refusal_meanwhile_asks_for_no_other(self, world: World) -> None:
        """The token that it refuses is gone, and the newest one is refused as well."""
        source = world.service._sources.of("orders")
        await world.call()
        assert not source.refused(Token("token-1"), "401")
        newest = source.fresh()
        assert newest is not None
        assert newest.reveal() == "token-2"

    async def test_when_the_newest_one_has_ended_the_call_fails(self, world: World) -> None:
        """No request is sent, and the error says why there is no token."""
        world.fake.expires_in = 20
        await world.call()
        world.clock.advance(20)
        with pytest.raises(TokenRefusedError) as caught:
            await world.call()
        assert str(caught.value) == f"orders: {FRESH}"
        assert world.orders.seen == ["token-1", "token-2"]
        assert world.fetched == 2

    async def test_a_refresh_that_is_due_waits_too(self, world: World) -> None:
        """In its window, the token serves without another being asked for."""
        world.fake.expires_in = 30
        await world.call()
        world.clock.advance(25)
        assert world.service._sources.of("orders").fresh() is None
        await world.call()
        assert world.fetched == 2

    async def test_what_another_endpoint_fetches_is_used(self, world: World) -> None:
        """One that shares the token may be content with it, and goes on as ever."""
        world.billing.takes = lambda _: True
        await world.call("orders")
        assert await world.call("billing") == 200
        assert world.fetched == 2
        await world.call("orders")
        assert world.fetched == 2
        world.clock.now_wall += 3600
        world.fake.gate = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.call, "billing")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(world.call, "orders")
            await anyio.wait_all_tasks_blocked()
            world.fake.gate.set()
        assert world.fetched == 3
        assert world.orders.seen[-1] == "token-3"

    async def test_a_new_one_on_demand_is_fetched(self, world: World) -> None:
        """Who asks for a new token gets one."""
        await world.call()
        token = await world.service.token("orders", refresh=True)
        assert token.reveal() == "token-3"
        world.orders.takes = lambda text: text == "token-3"
        assert await world.call() == 200

    async def test_clearing_ends_it(self, world: World) -> None:
        """All is forgotten."""
        await world.call()
        assert await world.service.clear("orders") == 1
        assert world.service.status("orders")[0].state == "empty"
        await world.call()
        assert world.fetched == 4

    async def test_a_failed_replacement_is_no_refusal(self, world: World) -> None:
        """The next token is the replacement, whenever it comes."""
        world.fake.script = [world.fake.token("one"), answer(503), answer(503), answer(503)]
        world.fake.script.append(answer(503))
        with pytest.raises(TokenUnavailableError):
            await world.call()
        assert world.service.status("orders")[0].state == "failing"
        world.clock.advance(5)
        await world.call()
        assert world.service.status("orders")[0].state == "rejected"


class TestPace:
    async def refused_and_accepted(self, world: World) -> None:
        """Make one call that the API refuses whatever the token, and one that it accepts."""
        world.orders.takes = lambda _: False
        assert await world.call() == 401
        world.orders.takes = lambda _: True
        assert await world.call() == 200

    async def test_an_api_that_refuses_one_operation_costs_few_tokens(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its refusals are followed five times in a row, and then once in thirty seconds."""
        for _ in range(20):
            await self.refused_and_accepted(world)
        assert world.fetched == 6
        for more in (1, 2):
            world.clock.advance(29)
            await self.refused_and_accepted(world)
            assert world.fetched == 5 + more
            world.clock.advance(1)
            await self.refused_and_accepted(world)
            await self.refused_and_accepted(world)
            assert world.fetched == 6 + more
        told = [one.getMessage() for one in caplog.records if "whatever" in one.getMessage()]
        assert len(told) == 3
        assert "(401); check audience and scopes" in told[0]
        assert "no_other_for=30" in told[0]

    async def test_a_token_that_is_no_longer_young_is_replaced(self, world: World) -> None:
        """Past half of its life, however short that is, it would be replaced anyway."""
        world.fake.expires_in = 2
        for _ in range(20):
            await self.refused_and_accepted(world)
        fetched = world.fetched
        for more in (1, 2, 3):
            world.clock.advance(1)
            await self.refused_and_accepted(world)
            assert world.fetched == fetched + more

    async def test_the_row_is_there_again_after_a_while(self, world: World) -> None:
        """One token each thirty seconds, up to five."""
        for _ in range(20):
            await self.refused_and_accepted(world)
        fetched = world.fetched
        world.clock.advance(1000)
        await world.service.token(refresh=True)
        for _ in range(20):
            await self.refused_and_accepted(world)
        assert world.fetched == fetched + 1 + 5

    async def test_clearing_ends_it(self, world: World) -> None:
        """All is forgotten."""
        for _ in range(20):
            await self.refused_and_accepted(world)
        fetched = world.fetched
        await world.service.clear("orders")
        for _ in range(20):
            await self.refused_and_accepted(world)
        assert world.fetched == fetched + 1 + 5


class TestSameAgain:
    async def test_a_static_credential_is_read_twice_and_then_held(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There is no other, so the calls go out with it."""
        assert [await world.call("static") for _ in range(3)] == [401] * 3
        assert world.orders.seen == ["static"] * 3
        [status] = world.service.status("static")
        assert status.state == "rejected"
        assert status.error == (
            "static: the API rejected the credential (401), and there is no other"
        )
        monkeypatch.setenv("GQLAUTH_TEST_STATIC", "rotated")
        world.orders.takes = lambda text: text == "rotated"
        assert await world.call("static") == 401
        world.clock.advance(30)
        assert await world.call("static") == 200
        assert world.service.status("static")[0].state == "valid"

    async def test_many_at_once_ask_for_one_more(self, world: World) -> None:
        """The server that gives the same token again is asked twice in all."""
        world.fake.script = [world.fake.token("same") for _ in range(9)]
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(world.call)
        assert world.fetched == 2
        await world.call()
        assert world.fetched == 2
        assert world.service.status("orders")[0].state == "rejected"


class TestTelling:
    async def test_a_rejection_is_told_apart_from_a_token_that_ran_out(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A replaced one is information; a fresh one that is rejected is a warning, once."""
        caplog.set_level(logging.INFO, "gqlauth")
        await world.call()
        events = [(one.levelname, one.gqlauth["event"]) for one in caplog.records]  # type: ignore[attr-defined]
        assert ("INFO", "the API refused the token, sending again") in events
        assert ("INFO", FRESH) in events
        assert not [event for level, event in events if level == "WARNING"]
        caplog.clear()
        for _ in range(3):
            await world.call()
        [record] = [one for one in caplog.records if one.levelname == "WARNING"]
        assert FRESH in record.getMessage()
        assert "no_other_for=30" in record.getMessage()

    async def test_the_status_says_rejected(self, world: World) -> None:
        """Until the API accepts a token; the other endpoint is not concerned."""
        world.billing.takes = lambda _: True
        assert await world.call("billing") == 200
        await world.call("orders")
        status = {one.name: one for one in world.service.status()}
        assert (status["orders"].state, status["orders"].error) == ("rejected", f"orders: {FRESH}")
        assert (status["billing"].state, status["billing"].error) == ("valid", None)
        world.orders.takes = lambda _: True
        await world.call("orders")
        assert world.service.status("orders")[0].state == "valid"

    async def test_the_default_endpoint_is_the_same_by_name(self, world: World) -> None:
        """What is known of it is known either way."""
        await world.call()
        await world.service.token()
        assert world.service._sources.of(None) is world.service._sources.of("orders")
