"""Tokens that a store shares: several services over one store, as processes are over a disk."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest

from gqlauth import (
    AuthService,
    GqlAuthError,
    Secret,
    Token,
    TokenEndpoint,
    TokenUnavailableError,
)
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions, CacheOptions
from gqlauth._secret_sources import EnvSource
from gqlauth._shared import MOST_NEWS, WAIT
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from gqlauth.events import Event, TokenFound, TokenWanted
from gqlauth.testing import AuthorizationServer, FrozenClock
from gqlauth_strategies import Bearer, ClientCredentials
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gqlauth import Strategy

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
URL = "https://id.example.com/token"
ACME = ClientCredentials(
    token_url=URL, client_id="acme", client_secret=Secret.from_source(EnvSource("ACME"))
)


@attrs.frozen
class Sealed:
    """A grant that asks no token endpoint of ours, and says what its token is."""

    token_url: str = URL

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        token: Token = made.pop(0)
        return token


#: What a `Sealed` fetches.
made: list[Any] = []


@attrs.define
class World:
    """Services over one folder, each of which stands for a process."""

    clock: FrozenClock
    fake: AuthorizationServer
    folder: Path
    _stack: AsyncExitStack
    strategy: Strategy = ACME
    options: AuthOptions = attrs.field(factory=AuthOptions)

    async def process(self, store: str = "disk", **settings: Any) -> AuthService:
        """Return another process."""
        auth = EndpointAuthConfig(type="x", strategy=self.strategy, options=self.options)
        endpoint = Endpoint(name="orders", url=API, auth=auth)
        config = Config(endpoints={"orders": endpoint}, cache=CacheOptions(store=store))
        service = AuthService(config, clock=self.clock, token_transport=self.fake, **settings)
        return await self._stack.enter_async_context(service)

    @property
    def fetched(self) -> int:
        return len(self.fake.requests)

    @property
    def stored(self) -> list[str]:
        """Return what is in the folder, but for locks."""
        if not self.folder.exists():
            return []
        return [path.name for path in self.folder.iterdir() if path.suffix != ".lock"]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[World]:
    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("ACME", "s3cret")
    made.clear()
    async with AsyncExitStack() as stack:
        yield World(FrozenClock(), AuthorizationServer(), tmp_path / "gqlauth" / "tokens", stack)


async def text(service: AuthService, **how: Any) -> str:
    return (await service.token("orders", **how)).reveal()


def refuse(service: AuthService) -> None:
    """Let the API refuse the token that the service has."""
    source = service._sources.of("orders")
    token = source.fresh()
    assert token is not None
    source.refused(token, "401")


class TestSharing:
    async def test_the_next_process_asks_for_none(self, world: World) -> None:
        """It takes over what the first got."""
        assert await text(await world.process()) == "token-1"
        assert await text(await world.process()) == "token-1"
        assert world.fetched == 1

    async def test_it_is_as_old_as_it_is(self, world: World) -> None:
        """It ends for all at the same time."""
        await text(await world.process())
        world.clock.advance(3000)
        token = await (await world.process()).token("orders")
        assert token.expires_at == world.clock.wall() + 600

    async def test_one_that_is_due_serves(self, world: World) -> None:
        """In a process that ends soon, nobody fetches the next."""
        await text(await world.process())
        world.clock.advance(3500)
        service = await world.process(short_lived=True)
        for _ in range(3):
            assert await text(service) == "token-1"
        await anyio.wait_all_tasks_blocked()
        assert world.fetched == 1

    async def test_one_that_is_past_its_use_does_not(self, world: World) -> None:
        """Nor one that has ended."""
        await text(await world.process())
        world.clock.advance(3595)
        assert await text(await world.process()) == "token-2"

    async def test_who_listens_is_told(self, world: World) -> None:
        """A token that another process had is told as found, and no request was made for it."""
        heard: list[Event] = []
        await (await world.process()).token()
        await (await world.process(on_event=heard.append)).token()

        assert [type(one) for one in heard] == [TokenWanted, TokenFound]

    async def test_what_was_fetched_is_what_the_store_has(self, world: World) -> None:
        """Also where it is the second."""
        await text(await world.process())
        world.clock.advance(3600)
        for _ in range(2):
            assert await text(await world.process()) == "token-2"

    async def test_other_settings_share_nothing(self, world: World) -> None:
        """Another scope is another token."""
        await text(await world.process())
        world.strategy = attrs.evolve(ACME, scopes=("read",))
        assert await text(await world.process()) == "token-2"

    async def test_it_is_told_where_it_came_from(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Who reads the log sees which tokens were asked for."""
        caplog.set_level(logging.INFO, logger="gqlauth")
        for _ in range(2):
            await text(await world.process())
        events = [one.getMessage().partition(" endpoint")[0] for one in caplog.records]
        first = ["token wanted", "fetching a token", "token fetched"]
        assert events == [*first, "token wanted", "token found"]

    async def test_memory_keeps_to_itself(self, world: World) -> None:
        """It is the default of the library."""
        await text(await world.process("memory"))
        assert await text(await world.process("memory")) == "token-2"
        assert world.stored == []


class TestOneFlight:
    async def test_of_many_processes_one_fetches(self, world: World) -> None:
        """The others wait for it, and take over what it got."""
        world.fake.gate = anyio.Event()
        services = [await world.process() for _ in range(10)]
        texts: list[str] = []

        async def ask(service: AuthService) -> None:
            texts.append(await text(service))

        async with anyio.create_task_group() as tasks:
            for service in services:
                tasks.start_soon(ask, service)
            while not world.fake.requests:
                await anyio.lowlevel.checkpoint()
            world.fake.gate.set()
        assert texts == ["token-1"] * 10
        assert world.fetched == 1

    async def test_who_waits_too_long_fetches(self, world: World) -> None:
        """Another may hang: it delays the others for a while, and no longer."""
        world.fake.gate = anyio.Event()
        slow, other = await world.process(), await world.process()
        begin = world.clock.monotonic()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(text, slow)
            while world.fetched < 1:
                await anyio.lowlevel.checkpoint()
            tasks.start_soon(text, other)
            while world.fetched < 2:
                await anyio.lowlevel.checkpoint()
            waited = world.clock.monotonic() - begin
            world.fake.gate.set()
        assert WAIT <= waited < WAIT + 1

    async def test_less_where_there_is_less_time(self, world: World) -> None:
        """Half of it: the rest is for fetching."""
        world.options = AuthOptions(timeout=3.0)
        world.fake.gate = anyio.Event()
        slow, other = await world.process(), await world.process()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(text, slow)
            while world.fetched < 1:
                await anyio.lowlevel.checkpoint()
            begin = world.clock.monotonic()
            tasks.start_soon(text, other)
            while world.fetched < 2:
                await anyio.lowlevel.checkpoint()
            waited = world.clock.monotonic() - begin
            world.fake.gate.set()
        assert 1.5 <= waited < 2.0

    async def test_a_failure_is_each_ones_own(self, world: World) -> None:
        """It is not stored, and the lock is free for the next."""
        world.fake.script = [answer(401, '{"error": "invalid_client"}')]
        with pytest.raises(Exception, match="invalid_client"):
            await text(await world.process())
        assert await text(await world.process()) == "token-2"


class TestRefresh:
    async def test_one_refreshes_and_the_others_take_it_over(self, world: World) -> None:
        """In the window, each keeps the good one until then."""
        first, second = await world.process(), await world.process()
        assert [await text(first), await text(second)] == ["token-1"] * 2
        world.clock.advance(3400)
        assert await text(first) == "token-1"
        while await text(first) != "token-2":
            await anyio.lowlevel.checkpoint()
        assert await text(second) == "token-1"
        while await text(second) != "token-2":
            await anyio.lowlevel.checkpoint()
        assert world.fetched == 2

    async def test_none_is_fetched_where_another_is_slow(self, world: World) -> None:
        """What serves is kept: one more request makes the server no quicker."""
        first, second = await world.process(), await world.process()
        for service in (first, second):
            await text(service)
        world.clock.advance(3400)
        world.fake.gate = anyio.Event()
        assert await text(first) == "token-1"
        while world.fetched < 2:
            await anyio.lowlevel.checkpoint()
        assert await text(second) == "token-1"
        begin = world.clock.monotonic()
        while world.clock.monotonic() < begin + 3 * WAIT:
            assert await text(second) == "token-1"
            await anyio.lowlevel.checkpoint()
        assert world.fetched == 2
        world.fake.gate.set()


class TestRenewal:
    async def test_it_is_a_new_one(self, world: World) -> None:
        """Whatever is stored; and it is what the others have from then on."""
        await text(await world.process())
        world.clock.advance(1)
        assert await text(await world.process(), refresh=True) == "token-2"
        assert await text(await world.process()) == "token-2"

    async def test_one_that_another_got_meanwhile_will_do(self, world: World) -> None:
        """Ten who want a new one at the same time need no ten of them."""
        await text(await world.process())
        world.clock.advance(1)
        world.fake.gate = anyio.Event()
        services = [await world.process() for _ in range(3)]
        texts: list[str] = []

        async def ask(service: AuthService) -> None:
            texts.append(await text(service, refresh=True))

        async with anyio.create_task_group() as tasks:
            for service in services:
                tasks.start_soon(ask, service)
            while world.clock.monotonic() < 1_002:  # the others look whether it is there
                await anyio.lowlevel.checkpoint()
            world.fake.gate.set()
        assert texts == ["token-2"] * 3
        assert world.fetched == 2

    async def test_one_that_lives_too_short(self, world: World) -> None:
        """Who wants it to live for a while gets another."""
        await text(await world.process())
        world.clock.advance(3550)
        assert await text(await world.process(), min_ttl=60) == "token-2"

    async def test_a_check_asks_the_server(self, world: World) -> None:
        """It is there to find out whether that works."""
        await text(await world.process())
        world.clock.advance(1)
        status = await (await world.process()).check("orders")
        assert (status.state, world.fetched) == ("valid", 2)


class TestRefusal:
    async def test_a_refused_token_is_gone_for_all(self, world: World) -> None:
        """The next process does not send it again."""
        service = await world.process()
        await text(service)
        refuse(service)
        await service.__aexit__(None, None, None)
        assert world.stored == []
        assert await text(await world.process()) == "token-2"

    async def test_many_refusals_of_it_are_told_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A thousand requests may have been under way with it."""
        service = await world.process()
        token = await service.token("orders")
        source = service._sources.of("orders")
        assert source.shared is not None
        asked: list[Token] = []

        async def forget(_key: object, token: Token) -> None:
            asked.append(token)

        monkeypatch.setattr(source.shared.store, "forget", forget)
        for _ in range(5):
            source.refused(token, "401")
        await service.__aexit__(None, None, None)
        assert asked == [token]

    async def test_what_another_got_meanwhile_stays(self, world: World) -> None:
        """A late refusal is of the old one."""
        service = await world.process()
        await text(service)
        world.clock.advance(1)
        await text(await world.process(), refresh=True)
        refuse(service)
        assert await text(service) == "token-2"
        assert world.fetched == 2

    async def test_it_does_not_come_back_from_the_store(self, world: World) -> None:
        """Also where the store has not taken note yet."""
        service = await world.process()
        token = await service.token("orders")
        source = service._sources.of("orders")
        source.refused(token, "401")
        assert source.shared is not None
        await source.shared.store.save(source.shared.key, token)
        assert await text(service) == "token-2"

    async def test_one_that_the_server_gives_again_is_not_stored(self, world: World) -> None:
        """It would be refused everywhere."""
        world.fake.script = [world.fake.token("same"), world.fake.token("same")]
        service = await world.process()
        await text(service)
        refuse(service)
        await text(service)
        await service.__aexit__(None, None, None)
        assert world.stored == []

    async def test_a_service_that_is_not_running_forgets_for_itself(self, world: World) -> None:
        """There is nobody to tell the store."""
        await text(await world.process())
        service = AuthService((await world.process()).config, clock=world.clock)
        await service.recall("orders")
        refuse(service)
        assert service.status("orders")[0].state == "empty"
        assert len(world.stored) == 1


class TestWhatIsStored:
    async def test_no_static_credential(self, world: World) -> None:
        """It would outlive a change of its variable."""
        world.strategy = Bearer(token=Secret.from_source(EnvSource("ACME")))
        service = await world.process()
        assert await text(service) == "s3cret"
        assert world.stored == []
        (status,) = service.status("orders")
        assert status.store == "memory"
        assert status.store_detail == "no server grants it: it is read where it stands"

    async def test_one_is_of_no_use_to_who_has_another_secret(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same variable may hold that of somebody else, in another shell."""
        assert await text(await world.process()) == "token-1"
        monkeypatch.setenv("ACME", "of-somebody-else")
        assert await text(await world.process()) == "token-2"
        assert await text(await world.process()) == "token-2"

    async def test_none_of_a_secret_that_was_given_in_code(self, world: World) -> None:
        """No other process knows it."""
        world.strategy = attrs.evolve(ACME, client_secret=Secret("s3cret"))
        await text(await world.process())
        assert world.stored == []

    async def test_none_that_is_bound_to_a_key(self, world: World) -> None:
        """No store has the key."""
        world.strategy = attrs.evolve(ACME, dpop=True)
        world.fake.script = [answer(200, '{"access_token": "t", "token_type": "DPoP"}')]
        await text(await world.process())
        assert world.stored == []

    @pytest.mark.parametrize(
        ("fields", "count"),
        [
            ({"expires_in": 600.0}, 1),
            ({"expires_in": None}, 0),
            ({"expires_in": 0.0}, 0),
            ({"expires_in": 600.0, "presenter": object()}, 0),
        ],
        ids=["it ends", "it never ends", "it has ended", "it has a presenter"],
    )
    async def test_of_a_grant_of_others(
        self, world: World, fields: dict[str, Any], count: int
    ) -> None:
        """What ends, and can be sent by any process."""
        world.strategy = Sealed()
        made.append(Token("theirs", **fields))
        assert await text(await world.process()) == "theirs"
        assert len(world.stored) == count

    async def test_not_what_is_no_token(self, world: World) -> None:
        """A plugin may bring anything; it is told as without a store."""
        world.strategy = Sealed()
        made.append("theirs")
        with pytest.raises(Exception, match="the strategy gave no Token, but: str"):
            await text(await world.process())
        assert world.stored == []


class TestTrouble:
    async def test_without_a_store_it_goes_on(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It costs a token request, and a line in the log."""
        world.folder.parent.parent.joinpath("gqlauth").write_text("in the way")
        assert await text(await world.process()) == "token-1"
        assert await text(await world.process()) == "token-2"
        assert len([one for one in caplog.messages if "in memory alone" in one]) == 2

    async def test_one_that_breaks_meanwhile(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The token is served, though it cannot be kept."""
        service = await world.process()
        await text(service)
        for path in world.folder.iterdir():
            path.unlink()
        world.folder.rmdir()
        world.folder.write_text("in the way")
        world.clock.advance(4000)
        assert await text(service) == "token-2"
        assert any("token store failed" in one for one in caplog.messages)

    async def test_news_without_end(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """A store that says so again and again is not believed for ever."""
        service = await world.process()
        shared = service._sources.of("orders").shared
        assert shared is not None
        asked = 0

        class Never:
            async def __aenter__(self) -> bool:
                nonlocal asked
                asked += 1
                return False

            async def __aexit__(self, *_: object) -> None:
                pass

        monkeypatch.setattr(shared.store, "lock", lambda *_: Never())
        assert await text(service) == "token-1"
        assert asked == MOST_NEWS + 1

    async def test_a_server_that_is_down(self, world: World) -> None:
        """Is told as it is without a store."""
        world.fake.script = [httpx.ConnectError("refused")] * 4
        with pytest.raises(TokenUnavailableError):
            await text(await world.process())
        assert world.stored == []


class TestDiagnostics:
    async def test_what_another_process_stored_is_recalled(self, world: World) -> None:
        """Nothing is fetched for it."""
        await text(await world.process())
        service = await world.process()
        assert service.status("orders")[0].state == "empty"
        await service.recall("orders")
        status = service.status("orders")[0]
        assert (status.state, status.expires_in) == ("valid", 3600.0)
        assert status.store == "disk"
        assert status.store_detail == f"{world.folder}, key from env {VARIABLE}"
        assert world.fetched == 1

    async def test_one_that_has_ended(self, world: World) -> None:
        """It is told that it has."""
        await text(await world.process())
        world.clock.advance(4000)
        service = await world.process()
        await service.recall()
        assert service.status("orders")[0].state == "expired"

    async def test_there_is_none(self, world: World) -> None:
        """With a store, or without one."""
        for store in ("disk", "memory"):
            service = await world.process(store)
            await service.recall()
            assert service.status("orders")[0].state == "empty"

    async def test_clearing_is_for_all(self, world: World) -> None:
        """It counts tokens, not places."""
        first = await world.process()
        await text(first)
        assert await first.clear() == 1
        assert await first.clear() == 0
        await text(first)
        assert await (await world.process()).clear("orders") == 1
        assert world.stored == []

    async def test_clearing_that_fails(self, world: World) -> None:
        """Who clears is told that others may go on with it, and has forgotten it itself."""
        service = await world.process()
        await text(service)
        rmtree(world.folder)
        world.folder.write_text("")
        with pytest.raises(GqlAuthError, match="what is stored could not be forgotten: disk"):
            await service.clear()
        assert await text(service) == "token-2"
