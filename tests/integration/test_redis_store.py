"""The store in a Redis that really runs: what it keeps, and who may fetch."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import pytest

from gqlauth import Secret
from gqlauth._clock import SystemClock
from gqlauth._key import CacheKey
from gqlauth._stores._redis import LONGEST, discard
from gqlauth._stores._redis_client import CONNECTIONS
from gqlauth._stores._seal import Seal, new_key
from tests.support.redis_stores import FAR, KEY, OTHER, Workers, issued, text, workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskStatus

    from gqlauth._stores._redis import RedisStore
    from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("coredis_leftovers"),
    # What is told of those that are collected within a test.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]


@pytest.fixture
async def fleet(redis: RedisServer) -> AsyncIterator[Workers]:
    """Make stores over a Redis with nothing in it."""
    async with workers(redis.url) as made:
        yield made


#: Seconds that any of this may take, on a machine that does other things, too.
LIMIT = 60.0


class Waiting:
    """One that waits for its turn; and what came of it."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.held: bool | None = None


async def waits(
    store: RedisStore, key: CacheKey = KEY, *, task_status: TaskStatus[Waiting]
) -> None:
    """Wait for a turn, and take it for a moment."""
    waiting = Waiting()
    listened = store._news.of

    async def of(place: str) -> anyio.Event:
        news = await listened(place)
        store._news.of = listened  # type: ignore[method-assign]
        task_status.started(waiting)
        return news

    store._news.of = of  # type: ignore[method-assign]
    async with store.lock(key, FAR) as held:
        waiting.held = held
        waiting.done.set()


def connections(redis: RedisServer) -> int:
    """Return how many connections there are, but for the one that asks."""
    return len(redis.ask("CLIENT", "LIST").splitlines()) - 1


async def none_left(redis: RedisServer) -> None:
    """Wait until no connection is left."""
    with anyio.fail_after(LIMIT):
        while connections(redis):  # noqa: ASYNC110 - nobody tells of it
            await anyio.sleep(0.02)


class OffClock(SystemClock):
    """A clock that is wrong by so many seconds."""

    __slots__ = ("_by",)

    def __init__(self, by: float) -> None:
        self._by = by

    def wall(self) -> float:
        return SystemClock.wall() + self._by


class TestTokens:
    async def test_what_one_saves_the_others_load(self, fleet: Workers) -> None:
        """As it was issued."""
        token = issued()
        await (await fleet.one()).save(KEY, token)
        found = await (await fleet.one()).load(KEY)
        assert found is not None
        assert found.reveal() == token.reveal()
        assert found.expires_at == token.expires_at

    async def test_where_there_is_none(self, fleet: Workers) -> None:
        """Nothing is found, nor forgotten."""
        store = await fleet.one()
        assert await store.load(KEY) is None
        assert not await store.forget(KEY, issued())

    async def test_one_of_another_key(self, fleet: Workers) -> None:
        """Each has its own."""
        store = await fleet.one()
        await store.save(KEY, issued())
        assert await store.load(OTHER) is None

    @pytest.mark.parametrize(("lives", "kept"), [(600.0, 600.0), (1e300, LONGEST)])
    async def test_it_is_kept_for_as_long_as_it_lives(
        self, fleet: Workers, redis: RedisServer, lives: float, kept: float
    ) -> None:
        """The Redis lets go of it by itself."""
        await (await fleet.one()).save(KEY, issued(lives=lives))
        left = redis.ask("PTTL", fleet.place()) / 1e3
        assert kept - 60 < left <= kept

    async def test_one_that_has_ended_is_not_kept(self, fleet: Workers, redis: RedisServer) -> None:
        """It is of no use to anybody."""
        await (await fleet.one()).save(KEY, issued(at=-600.0))
        assert redis.keys() == []

    async def test_an_older_one_replaces_no_newer_one(self, fleet: Workers) -> None:
        """However late it comes."""
        store = await fleet.one()
        await store.save(KEY, issued("newer"))
        await store.save(KEY, issued("older", at=-1.0))
        assert await text(store) == "newer"

    async def test_a_newer_one_replaces_an_older_one(self, fleet: Workers) -> None:
        """For all."""
        await (await fleet.one()).save(KEY, issued("older", at=-1.0))
        await (await fleet.one()).save(KEY, issued("newer"))
        assert await text(await fleet.one()) == "newer"

    async def test_clocks_need_not_agree(self, fleet: Workers) -> None:
        """The one of the Redis says which is the newer."""
        fast = OffClock(30.0)
        first, second = await fleet.one(clock=fast), await fleet.one()
        for store in (first, second):  # who fetches has taken its turn
            async with store.lock(KEY, 0.0):
                pass
        await first.save(KEY, issued("older", at=-1.0, clock=fast))
        await second.save(KEY, issued("newer"))
        assert await text(second) == "newer"
        await first.save(KEY, issued("older", at=-1.0, clock=fast))
        assert await text(second) == "newer"

    async def test_it_is_forgotten_for_all(self, fleet: Workers) -> None:
        """Whoever was told that it is refused."""
        first, second = await fleet.one(), await fleet.one()
        await first.save(KEY, issued())
        assert await second.forget(KEY, issued())
        assert await first.load(KEY) is None

    async def test_no_other_is_forgotten(self, fleet: Workers) -> None:
        """A late refusal is of the old one."""
        store = await fleet.one()
        await store.save(KEY, issued("newer"))
        assert not await store.forget(KEY, issued("older"))
        assert await text(store) == "newer"

    async def test_what_came_meanwhile_is_not_forgotten(
        self, fleet: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between looking and forgetting, another may have saved one."""
        store, other = await fleet.one(), await fleet.one()
        await store.save(KEY, issued("older"))
        looked = store._found

        async def found(key: CacheKey) -> object:
            seen = await looked(key)
            await other.save(key, issued("newer"))
            return seen

        monkeypatch.setattr(store, "_found", found)
        assert not await store.forget(KEY, issued("older"))
        assert await text(other) == "newer"

    async def test_what_cannot_be_opened_is_dropped(
        self, fleet: Workers, redis: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """That is told, and the next takes its place."""
        caplog.set_level(logging.INFO, logger="gqlauth")
        store = await fleet.one()
        redis.ask("HSET", fleet.place(), "sealed", b"\xff junk", "issued", 1)
        assert not await store.forget(KEY, issued())
        assert redis.keys() == []
        assert caplog.messages == [f'stored token dropped place={fleet.place()} why="is torn"']
        await store.save(KEY, issued())
        assert await text(store) == "a-token"

    async def test_with_another_key_nothing_is_seen(
        self, fleet: Workers, redis: RedisServer
    ) -> None:
        """Nor replaced: while it is changed, old workers share theirs, and new ones theirs."""
        old, new = await fleet.one(), await fleet.one(key=Secret(new_key()))
        await old.save(KEY, issued("of the old"))
        await new.save(KEY, issued("of the new"))
        assert [await text(old), await text(new)] == ["of the old", "of the new"]
        assert len(redis.keys()) == 2

    async def test_with_another_secret_nothing_is_seen(
        self, fleet: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same variable may hold that of somebody else."""
        store, key = await fleet.one(), CacheKey("ef" * 32, variables=("ACME",))
        monkeypatch.setenv("ACME", "one")
        await store.save(key, issued())
        monkeypatch.setenv("ACME", "another")
        assert await store.load(key) is None
        monkeypatch.setenv("ACME", "one")
        assert await text(store, key) == "a-token"

    async def test_its_name_tells_nothing(self, fleet: Workers, redis: RedisServer) -> None:
        """A digest of settings could be tried with settings."""
        await (await fleet.one()).save(KEY, issued())
        (name,) = redis.keys()
        assert name == fleet.place()
        assert KEY.digest not in name

    async def test_it_is_discarded(self, fleet: Workers) -> None:
        """Whatever it is, over a connection for that alone."""
        store = await fleet.one()
        await store.save(KEY, issued())
        connect, seal = fleet.connect(), Seal(fleet.key, SystemClock())
        assert [await discard(connect, seal, [KEY]) for _ in range(2)] == [{KEY}, set()]
        assert await store.load(KEY) is None


class TestTurns:
    async def test_one_at_a_time(self, fleet: Workers) -> None:
        """Who comes second does not get it, and gets it when the first is done."""
        first, second = await fleet.one(), await fleet.one()
        async with first.lock(KEY, 0.0) as held:
            assert held
            async with second.lock(KEY, 0.0) as held_too:
                assert not held_too
        async with second.lock(KEY, 0.0) as held:
            assert held

    async def test_one_for_each_key(self, fleet: Workers) -> None:
        """Who fetches one token holds up nobody who needs another."""
        store = await fleet.one()
        async with store.lock(KEY, 0.0) as held, store.lock(OTHER, 0.0) as held_too:
            assert held
            assert held_too

    async def test_who_waits_is_told_of_the_token(self, fleet: Workers) -> None:
        """Before the lock is let go of, and however long that would take."""
        holder = await fleet.one(hold=FAR)
        others = [await fleet.one() for _ in range(5)]
        with anyio.fail_after(LIMIT):
            async with holder.lock(KEY, 0.0), anyio.create_task_group() as tasks:
                waiting = [await tasks.start(waits, other) for other in others]
                await holder.save(KEY, issued())
                for each in waiting:
                    await each.done.wait()
        assert [each.held for each in waiting] == [False] * 5
        assert [await text(other) for other in others] == ["a-token"] * 5

    async def test_who_waits_again_is_told_again(self, fleet: Workers) -> None:
        """By what it listens to already."""
        holder, other = await fleet.one(hold=FAR), await fleet.one()
        with anyio.fail_after(LIMIT):
            async with holder.lock(KEY, 0.0), anyio.create_task_group() as tasks:
                for _ in range(2):
                    waiting = await tasks.start(waits, other)
                    await holder.save(KEY, issued())
                    await waiting.done.wait()
                    assert not waiting.held

    async def test_who_waits_for_several_is_told_of_each(self, fleet: Workers) -> None:
        """Over the one connection that it listens by."""
        holder, other = await fleet.one(hold=FAR), await fleet.one()
        with anyio.fail_after(LIMIT):
            async with (
                holder.lock(KEY, 0.0),
                holder.lock(OTHER, 0.0),
                anyio.create_task_group() as tasks,
            ):
                waiting = [await tasks.start(waits, other, key) for key in (KEY, OTHER)]
                for each, key in zip(waiting, (KEY, OTHER), strict=True):
                    await holder.save(key, issued())
                    await each.done.wait()
        assert [each.held for each in waiting] == [False, False]

    async def test_who_waits_is_told_of_the_end(self, fleet: Workers) -> None:
        """Also where no token came of it."""
        holder, other = await fleet.one(hold=FAR), await fleet.one()
        with anyio.fail_after(LIMIT):
            async with anyio.create_task_group() as tasks:
                async with holder.lock(KEY, 0.0):
                    waiting = await tasks.start(waits, other)
                await waiting.done.wait()
        assert not waiting.held

    async def test_who_comes_as_it_ends_gets_it(
        self, fleet: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The message was sent before anybody listened: there will be no other."""
        holder, other = await fleet.one(hold=FAR), await fleet.one()
        listen = other._news.of
        with anyio.fail_after(LIMIT):
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(holder.lock(KEY, 0.0))

                async def late(place: str) -> anyio.Event:
                    await stack.aclose()
                    return await listen(place)

                monkeypatch.setattr(other._news, "of", late)
                async with other.lock(KEY, FAR) as held:
                    assert held

    async def test_who_has_waited_long_enough_goes_on(self, fleet: Workers) -> None:
        """Without it."""
        holder, other = await fleet.one(), await fleet.one()
        async with holder.lock(KEY, 0.0), other.lock(KEY, 0.2) as held:
            assert not held

    async def test_who_is_at_work_keeps_it(self, fleet: Workers) -> None:
        """For longer than one that has died would."""
        holder, other = await fleet.one(hold=0.3), await fleet.one(hold=0.3)
        async with holder.lock(KEY, 0.0), other.lock(KEY, 1.0) as held:
            assert not held

    async def test_who_has_died_keeps_it_for_a_while(
        self, fleet: Workers, redis: RedisServer
    ) -> None:
        """Then one that waits has it, though nobody told of its end."""
        redis.ask("SET", f"{fleet.place()}:lock", "of a dead one", "PX", 300)
        store = await fleet.one()
        with anyio.fail_after(LIMIT):
            async with store.lock(KEY, FAR) as held:
                assert held

    async def test_one_that_does_not_end_holds_up_nobody_for_ever(
        self, fleet: Workers, redis: RedisServer
    ) -> None:
        """No lock of ours is such."""
        redis.ask("SET", f"{fleet.place()}:lock", "of somebody")
        async with (await fleet.one()).lock(KEY, 0.2) as held:
            assert not held

    async def test_who_is_late_lets_go_of_no_other(
        self, fleet: Workers, redis: RedisServer
    ) -> None:
        """It may have stood still meanwhile, and another taken its turn."""
        late, other, third = [await fleet.one() for _ in range(3)]
        async with AsyncExitStack() as stack:
            async with late.lock(KEY, 0.0):
                redis.ask("DEL", f"{fleet.place()}:lock")
                assert await stack.enter_async_context(other.lock(KEY, 0.0))
            async with third.lock(KEY, 0.0) as held:
                assert not held

    async def test_who_is_late_replaces_no_newer_token(
        self, fleet: Workers, redis: RedisServer
    ) -> None:
        """What it asked for before the other did is the older."""
        late, other = await fleet.one(), await fleet.one()
        async with late.lock(KEY, 0.0):
            old = issued("of the late one", at=-1.0)
            redis.ask("DEL", f"{fleet.place()}:lock")
            async with other.lock(KEY, 0.0):
                await other.save(KEY, issued("of the other"))
            await late.save(KEY, old)
        assert await text(late) == "of the other"

    async def test_who_asks_again_has_it(self, fleet: Workers) -> None:
        """The answer may have been lost."""
        store = await fleet.one()
        assert [await store._take(fleet.place(), "me") for _ in range(2)] == [0.0, 0.0]

    async def test_who_is_cancelled_lets_go(self, fleet: Workers) -> None:
        """As `Guarded` has it, which shields that."""
        store = await fleet.one()
        with anyio.CancelScope() as scope:
            turn = store.lock(KEY, 0.0)
            await turn.__aenter__()
            scope.cancel()
            with anyio.CancelScope(shield=True):
                await turn.__aexit__(None, None, None)
        async with store.lock(KEY, 0.0) as held:
            assert held


class TestConnections:
    async def test_none_before_it_is_needed(self, fleet: Workers, redis: RedisServer) -> None:
        """And then a few for all that is asked; one more for who waits."""
        store, holder = await fleet.one(), await fleet.one()
        assert connections(redis) == 0
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(store.load, CacheKey(f"{number:064}"))
        assert connections(redis) <= CONNECTIONS
        keys = [CacheKey(f"{number:064}") for number in range(50)]
        async with AsyncExitStack() as stack:
            for key in keys:
                await stack.enter_async_context(holder.lock(key, 0.0))
            before = connections(redis)
            async with anyio.create_task_group() as tasks:
                waiting = [await tasks.start(waits, store, key) for key in keys]
                assert connections(redis) == before + 1
                await stack.aclose()
                for each in waiting:
                    await each.done.wait()

    async def test_they_end_with_the_store(self, fleet: Workers, redis: RedisServer) -> None:
        """All of them."""
        store, holder = await fleet.one(), await fleet.one()
        async with holder.lock(KEY, 0.0), store.lock(KEY, 0.1):
            pass
        assert connections(redis) > 0
        for each in (store, holder):
            await each.aclose()
        await none_left(redis)

    async def test_idle_ones_are_closed(self, fleet: Workers, redis: RedisServer) -> None:
        """A Redis has room for few; the next that is asked makes another."""
        store, holder = await fleet.one(idle=1), await fleet.one(idle=1, hold=FAR)
        for _ in range(2):
            async with holder.lock(KEY, 0.0), store.lock(KEY, 0.1) as held:
                assert not held
            assert connections(redis) > 0
            await none_left(redis)

    async def test_so_many_places_are_listened_to(
        self, fleet: Workers, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No more: another takes its place, and who waited looks for themselves."""
        monkeypatch.setattr("gqlauth._stores._redis_news.MOST", 2)
        store = await fleet.one()

        first, second = [await store._news.of(place) for place in ("one", "two")]
        assert await store._news.of("one") is first
        assert not second.is_set()

        third = await store._news.of("three")
        with anyio.fail_after(FAR):
            await first.wait()
            await second.wait()
            while redis.listeners() > 1:  # noqa: ASYNC110 - nobody tells of it
                await anyio.sleep(0.01)
        redis.ask("PUBLISH", "three", "")
        with anyio.fail_after(FAR):
            await third.wait()

    async def test_what_breaks_in_a_client_breaks_the_store_alone(
        self, fleet: Workers, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The service around it goes on."""
        caplog.set_level(logging.DEBUG, logger="gqlauth")
        store = await fleet.one()

        async def breaks() -> None:
            raise ValueError("odd")

        store._client.connection_pool.task_group.start_soon(breaks)
        await anyio.wait_all_tasks_blocked()

        with pytest.raises(RuntimeError):
            await store.load(KEY)
        why = 'why="it cannot be reached: odd"'
        assert caplog.messages == [f"connection to the token store ended {why}"]
