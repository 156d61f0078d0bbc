"""The cache: one entry a key, one flight a key, windows, invalidation, remembered failures."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs
import pytest

from gqlauth import (
    ServiceClosedError,
    StrategyError,
    Token,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth._cache import LOOKED_AT, TokenCache
from gqlauth.testing import FrozenClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

pytestmark = pytest.mark.anyio


@attrs.define
class Fetcher:
    """An acquisition whose outcome the test decides."""

    name: str = "orders"
    timeout: float = 30.0
    refresh_window: float | None = None
    expires_in: float | None = 3600.0
    error: Exception | None = None
    text: str | None = None
    calls: int = 0
    gate: anyio.Event | None = None
    started: anyio.Event = attrs.field(factory=anyio.Event)

    async def fetch(self, deadline: float) -> Token:
        self.calls += 1
        self.started.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Token(self.text or f"token-{self.calls}", expires_in=self.expires_in)


class Forgetful(Fetcher):
    """A strategy whose author forgot to return the token."""

    async def fetch(self, deadline: float) -> Token:
        return await anyio.lowlevel.checkpoint()  # type: ignore[func-returns-value, return-value]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def cache(clock: FrozenClock) -> AsyncIterator[TokenCache]:
    cache = TokenCache(clock=clock, max_entries=3, jitter=lambda: 0.0)
    await cache.start()
    yield cache
    await cache.stop()


async def settle() -> None:
    """Let the tasks that can run, run."""
    await anyio.wait_all_tasks_blocked()


class TestFresh:
    async def test_an_unknown_key_has_no_fresh_token(self, cache: TokenCache) -> None:
        """Looking starts nothing."""
        assert cache.fresh("a") is None
        assert cache.look("a") is None

    async def test_a_fetched_token_is_kept(self, cache: TokenCache) -> None:
        """The second caller gets the first one's token without a flight."""
        fetcher = Fetcher()
        first = await cache.get("a", fetcher)
        assert await cache.get("a", fetcher) is first
        assert cache.fresh("a") is first
        assert fetcher.calls == 1

    async def test_keys_are_isolated(self, cache: TokenCache) -> None:
        """A slow key blocks only itself."""
        slow, quick = Fetcher(gate=anyio.Event()), Fetcher()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cache.get, "slow", slow)
            await slow.started.wait()
            assert (await cache.get("quick", quick)).reveal() == "token-1"
            assert slow.gate is not None
            slow.gate.set()

    async def test_a_token_without_an_end_is_always_fresh(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """A static credential is fetched once."""
        token = await cache.get("a", Fetcher(expires_in=None))
        clock.advance(1e9)
        assert cache.fresh("a") is token


class TestWindows:
    async def test_in_the_refresh_window_the_old_token_serves_and_one_flight_refreshes(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """An hour's token is refreshed in its last five minutes, in the background."""
        fetcher = Fetcher()
        old = await cache.get("a", fetcher)
        clock.advance(3600 - 300 - 1)
        assert cache.fresh("a") is old
        clock.advance(1)
        assert cache.fresh("a") is None
        fetcher.gate = anyio.Event()
        assert await cache.get("a", fetcher) is old
        assert await cache.get("a", fetcher) is old
        fetcher.gate.set()
        await settle()
        new = cache.fresh("a")
        assert new is not None
        assert new.reveal() == "token-2"
        assert fetcher.calls == 2

    @pytest.mark.parametrize(
        ("life", "window", "fresh_for"),
        [
            (3600.0, None, 3300.0),
            (400.0, None, 300.0),
            (2.0, None, 1.5),
            (3600.0, 60.0, 3540.0),
            (60.0, 600.0, 30.0),
            (3600.0, 0.0, 3590.0),
        ],
    )
    async def test_the_window_is_a_part_of_the_life(
        self,
        cache: TokenCache,
        clock: FrozenClock,
        life: float,
        window: float | None,
        fresh_for: float,
    ) -> None:
        """It is min(300 s, life / 4), or what is asked for, up to half the life."""
        await cache.get("a", Fetcher(expires_in=life, refresh_window=window))
        clock.advance(fresh_for - 0.01)
        assert cache.fresh("a") is not None
        clock.advance(0.02)
        assert cache.fresh("a") is None

    async def test_jitter_moves_the_window_earlier(self, clock: FrozenClock) -> None:
        """A fleet does not refresh in one beat: up to a tenth of the window."""
        cache = TokenCache(clock=clock, jitter=lambda: 1.0)
        await cache.start()
        await cache.get("a", Fetcher())
        snapshot = cache.look("a")
        await cache.stop()
        assert snapshot is not None
        assert snapshot.refresh_at == clock.wall() + 3600 - 330

    async def test_past_usefulness_callers_wait_for_a_new_token(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """Ten seconds before the end, an old token is not handed out any more."""
        fetcher = Fetcher()
        await cache.get("a", fetcher)
        clock.advance(3590)
        assert (await cache.get("a", fetcher)).reveal() == "token-2"

    @pytest.mark.parametrize("moved", ["wall", "monotonic"])
    async def test_the_earlier_end_of_two_clocks_wins(
        self, cache: TokenCache, clock: FrozenClock, moved: str
    ) -> None:
        """Neither a suspended laptop nor a set clock serves a dead token."""
        fetcher = Fetcher()
        await cache.get("a", fetcher)
        if moved == "wall":
            clock.now_wall += 3600
        else:
            clock.now_monotonic += 3600
            clock.now_wall -= 86400
        assert (await cache.get("a", fetcher)).reveal() == "token-2"

    async def test_a_token_that_has_ended_serves_those_who_waited(self, cache: TokenCache) -> None:
        """However short it lives; but it is not kept for others."""
        fetcher = Fetcher(expires_in=-5.0)
        assert (await cache.get("a", fetcher)).reveal() == "token-1"
        assert cache.fresh("a") is None
        assert (await cache.get("a", fetcher)).reveal() == "token-2"

    async def test_a_life_counts_from_when_the_flight_began(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """The time that fetching took is taken off."""
        fetcher = Fetcher(gate=anyio.Event())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cache.get, "a", fetcher)
            await fetcher.started.wait()
            began = clock.wall()
            clock.advance(100)
            assert fetcher.gate is not None
            fetcher.gate.set()
        snapshot = cache.look("a")
        assert snapshot is not None
        assert snapshot.token is not None
        assert snapshot.token.expires_at == began + 3600

    async def test_renewing_gets_another_token_while_one_serves(self, cache: TokenCache) -> None:
        """Whoever asks for a new one gets it, and so do all after."""
        fetcher = Fetcher()
        await cache.get("a", fetcher)
        new = await cache.get("a", fetcher, renew=True)
        assert new.reveal() == "token-2"
        assert cache.fresh("a") is new


class TestFlights:
    async def test_a_thousand_callers_of_a_cold_key_make_one_flight(
        self, cache: TokenCache
    ) -> None:
        """All get its one token."""
        fetcher = Fetcher(gate=anyio.Event())
        tokens: list[Token] = []

        async def call() -> None:
            tokens.append(await cache.get("a", fetcher))

        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(call)
            await settle()
            assert fetcher.gate is not None
            fetcher.gate.set()
        assert len(tokens) == 1000
        assert {token.reveal() for token in tokens} == {"token-1"}
        assert fetcher.calls == 1

    @pytest.mark.parametrize("serving", [False, True], ids=["cold", "in the window"])
    async def test_who_waited_for_a_token_is_counted(
        self,
        cache: TokenCache,
        clock: FrozenClock,
        caplog: pytest.LogCaptureFixture,
        *,
        serving: bool,
    ) -> None:
        """All who come while there is none; nobody, while the old one serves."""
        if serving:
            await cache.get("a", Fetcher())
            clock.advance(3600 - 300)
        caplog.set_level("INFO", logger="gqlauth")
        fetcher = Fetcher(gate=anyio.Event())
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(cache.get, "a", fetcher)
            await settle()
            assert fetcher.gate is not None
            fetcher.gate.set()
        await settle()

        assert f"waited={0 if serving else 5} " in caplog.text

    async def test_a_thousand_callers_of_a_refusing_server_make_one_attempt(
        self, cache: TokenCache
    ) -> None:
        """Each gets an error object of its own, in its own endpoint's name."""
        fetcher = Fetcher(
            gate=anyio.Event(), error=TokenRefusedError("refused the client", status=401)
        )
        errors: list[TokenRefusedError] = []

        async def call() -> None:
            with pytest.raises(TokenRefusedError) as caught:
                await cache.get("a", fetcher)
            errors.append(caught.value)

        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(call)
            await settle()
            assert fetcher.gate is not None
            fetcher.gate.set()
        assert len({id(error) for error in errors}) == 1000
        assert {error.endpoint for error in errors} == {"orders"}
        assert fetcher.calls == 1

    async def test_a_cancelled_caller_harms_nobody(self, cache: TokenCache) -> None:
        """The one who started the flight may go; the others still get its token."""
        fetcher = Fetcher(gate=anyio.Event())
        got: list[Token] = []

        async def first(task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
            with anyio.CancelScope() as scope:
                task_status.started(scope)
                await cache.get("a", fetcher)

        async def second() -> None:
            got.append(await cache.get("a", fetcher))

        async with anyio.create_task_group() as tasks:
            scope = await tasks.start(first)
            await fetcher.started.wait()
            tasks.start_soon(second)
            await settle()
            scope.cancel()
            await settle()
            assert fetcher.gate is not None
            fetcher.gate.set()
        assert [token.reveal() for token in got] == ["token-1"]
        assert fetcher.calls == 1

    async def test_a_flight_that_takes_too_long_is_ended(self, cache: TokenCache) -> None:
        """The whole acquisition has its time, and no more."""
        with pytest.raises(TokenUnavailableError, match=r"orders: no token within 0\.01 s"):
            await cache.get("a", Fetcher(timeout=0.01, gate=anyio.Event()))

    async def test_a_strategy_that_breaks_is_told_with_its_cause(self, cache: TokenCache) -> None:
        """A plugin's bug ends its own request, and nothing else."""
        with pytest.raises(StrategyError, match=r"orders: the strategy failed: KeyError") as e:
            await cache.get("a", Fetcher(error=KeyError("x")))
        assert isinstance(e.value.__cause__, KeyError)
        assert (await cache.get("b", Fetcher())).reveal() == "token-1"

    async def test_a_strategy_whose_error_says_nothing_is_told(self, cache: TokenCache) -> None:
        """Telling of it ends nobody else's flight, either."""

        class SilentError(Exception):
            def __str__(self) -> str:
                raise AttributeError("message")

        with pytest.raises(StrategyError, match=r"^orders: the strategy failed: SilentError$"):
            await cache.get("a", Fetcher(error=SilentError()))
        assert (await cache.get("b", Fetcher())).reveal() == "token-1"

    async def test_what_is_no_token_is_told(self, cache: TokenCache) -> None:
        """A plugin may return anything; the service goes on."""
        with pytest.raises(StrategyError, match=r"^orders: the strategy gave no Token, but: None"):
            await cache.get("a", Forgetful())
        assert (await cache.get("b", Fetcher())).reveal() == "token-1"

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_a_strategy_that_is_cancelled_from_within_is_told(
        self, cache: TokenCache
    ) -> None:
        """On asyncio, awaiting what was cancelled cancels: that ends its own flight alone."""
        other = Fetcher(gate=anyio.Event())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cache.get, "b", other)
            await other.started.wait()
            with pytest.raises(StrategyError, match=r"^orders: .* cancelled from within$"):
                await cache.get("a", Fetcher(error=asyncio.CancelledError()))  # type: ignore[arg-type]
            assert other.gate is not None
            other.gate.set()
        assert cache.fresh("b") is not None

    async def test_a_remembered_failure_holds_no_frames(self, cache: TokenCache) -> None:
        """They hold what the strategy held, for as long as nobody asks again."""
        with pytest.raises(TokenRefusedError) as caught:
            await cache.get("a", Fetcher(error=TokenRefusedError("refused the client")))
        snapshot = cache.look("a")
        assert snapshot is not None
        assert snapshot.error is not None
        assert snapshot.error is not caught.value
        assert snapshot.error.__traceback__ is None


def finished(coroutine: Coroutine[Any, Any, Token]) -> Token:
    """Return what `coroutine` comes to at its first step: it must await nothing."""
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    token = stopped.value.value
    assert isinstance(token, Token)
    return token


class TestNoWait:
    @pytest.mark.parametrize("elapsed", [0, 3400])
    async def test_what_serves_is_had_without_awaiting(
        self, cache: TokenCache, clock: FrozenClock, elapsed: float
    ) -> None:
        """Fresh, or in the refresh window: there is not even a checkpoint on the way."""
        fetcher = Fetcher()
        token = await cache.get("a", fetcher)
        clock.advance(elapsed)
        assert finished(cache.get("a", fetcher)) is token
        await settle()


class TestClosing:
    async def test_a_flight_that_has_not_begun_ends_too(self, clock: FrozenClock) -> None:
        """Stopping right after a call that starts one leaves no waiter behind."""
        cache = TokenCache(clock=clock)
        fetcher = Fetcher(gate=anyio.Event())
        told: list[str] = []

        async def call() -> None:
            with pytest.raises(ServiceClosedError) as caught:
                await cache.get("a", fetcher)
            told.append(str(caught.value))

        async with anyio.create_task_group() as tasks:
            await cache.start()
            tasks.start_soon(call)
            await anyio.lowlevel.checkpoint()
            await cache.stop()
        assert told

    async def test_nothing_is_kept_though_stopping_is_cancelled(self, clock: FrozenClock) -> None:
        """Who goes on without the service is told at once."""
        cache = TokenCache(clock=clock)
        with anyio.CancelScope() as scope:
            await cache.start()
            await cache.get("a", Fetcher())
            scope.cancel()
            await cache.stop()
        assert cache.look("a") is None
        with pytest.raises(ServiceClosedError):
            await cache.get("a", Fetcher())

    async def test_without_start_there_are_no_flights(self, clock: FrozenClock) -> None:
        """The error says how to start."""
        with pytest.raises(ServiceClosedError, match=r"async with"):
            await TokenCache(clock=clock).get("a", Fetcher())

    async def test_stopping_what_never_started_is_no_error(self, clock: FrozenClock) -> None:
        """Stop may come at any time."""
        await TokenCache(clock=clock).stop()

    async def test_who_waits_when_it_stops_is_told(self, clock: FrozenClock) -> None:
        """No waiter is left behind."""
        cache = TokenCache(clock=clock)
        fetcher = Fetcher(gate=anyio.Event())
        told: list[str] = []

        async def call() -> None:
            with pytest.raises(ServiceClosedError) as caught:
                await cache.get("a", fetcher)
            told.append(str(caught.value))

        async with anyio.create_task_group() as tasks:
            await cache.start()
            tasks.start_soon(call)
            await fetcher.started.wait()
            await cache.stop()
        assert told == ["the service was closed meanwhile"]


class TestFailures:
    async def test_a_refusal_is_remembered_for_five_seconds(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """Callers in that time get it without another attempt."""
        fetcher = Fetcher(error=TokenRefusedError("refused the client"))
        for _ in range(2):
            with pytest.raises(TokenRefusedError):
                await cache.get("a", fetcher)
        assert fetcher.calls == 1
        clock.advance(5)
        fetcher.error = None
        assert (await cache.get("a", fetcher)).reveal() == "token-2"

    async def test_an_outage_is_remembered_for_longer_each_time(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """One second, doubling to thirty."""
        fetcher = Fetcher(error=TokenUnavailableError("is unavailable"))
        for calls, pause in enumerate([1, 2, 4, 8, 16, 30, 30], start=1):
            with pytest.raises(TokenUnavailableError):
                await cache.get("a", fetcher)
            clock.advance(pause - 0.1)
            with pytest.raises(TokenUnavailableError):
                await cache.get("a", fetcher)
            assert fetcher.calls == calls
            clock.advance(0.1)

    @pytest.mark.parametrize(("asked", "pause"), [(120.0, 120.0), (0.0, 1.0), (1e9, 3600.0)])
    async def test_retry_after_is_obeyed(
        self, cache: TokenCache, clock: FrozenClock, asked: float, pause: float
    ) -> None:
        """As long as the server asks for, up to an hour."""
        fetcher = Fetcher(error=TokenUnavailableError("is unavailable", retry_after=asked))
        with pytest.raises(TokenUnavailableError):
            await cache.get("a", fetcher)
        clock.advance(pause - 0.1)
        with pytest.raises(TokenUnavailableError):
            await cache.get("a", fetcher)
        assert fetcher.calls == 1
        clock.advance(0.2)
        with pytest.raises(TokenUnavailableError):
            await cache.get("a", fetcher)
        assert fetcher.calls == 2

    async def test_a_failed_refresh_harms_nobody(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """The old token serves on, and the next attempt waits."""
        fetcher = Fetcher()
        old = await cache.get("a", fetcher)
        clock.advance(3400)
        fetcher.error = TokenUnavailableError("is unavailable")
        for _ in range(3):
            assert await cache.get("a", fetcher) is old
            await settle()
        assert fetcher.calls == 2
        clock.advance(1)
        fetcher.error = None
        assert await cache.get("a", fetcher) is old
        await settle()
        token = cache.fresh("a")
        assert token is not None
        assert token.reveal() == "token-3"
        snapshot = cache.look("a")
        assert snapshot is not None
        assert snapshot.error is None


class TestInvalidation:
    async def test_a_refused_token_is_forgotten(self, cache: TokenCache) -> None:
        """The next caller waits for another."""
        fetcher = Fetcher()
        token = await cache.get("a", fetcher)
        assert cache.invalidate("a", token)
        assert (await cache.get("a", fetcher)).reveal() == "token-2"

    async def test_a_late_refusal_of_an_old_token_keeps_the_new_one(
        self, cache: TokenCache
    ) -> None:
        """Only that very token is forgotten."""
        fetcher = Fetcher()
        old = await cache.get("a", fetcher)
        cache.invalidate("a", old)
        new = await cache.get("a", fetcher)
        assert not cache.invalidate("a", old)
        assert cache.fresh("a") is new

    async def test_an_unknown_key_has_nothing_to_forget(self, cache: TokenCache) -> None:
        """Forgetting is no error."""
        assert not cache.invalidate("a", Token("x"))
        assert not cache.forget("a")

    @pytest.mark.parametrize(("brought", "kept"), [("token-1", False), ("other", True)])
    async def test_a_refusal_during_a_flight_is_not_lost(
        self,
        cache: TokenCache,
        brought: str,
        kept: bool,  # noqa: FBT001 - a parameter
    ) -> None:
        """What the flight brings is kept, unless it is the very token that was refused."""
        fetcher = Fetcher()
        refused = await cache.get("a", fetcher)
        fetcher.gate, fetcher.text, fetcher.started = anyio.Event(), brought, anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(cache.get, "a", fetcher, renew=True))
            await fetcher.started.wait()
            cache.invalidate("a", refused)
            fetcher.gate.set()
        assert (cache.fresh("a") is not None) == kept

    async def test_a_server_that_gives_the_refused_token_again_serves_who_waits(
        self, cache: TokenCache
    ) -> None:
        """It is not kept, so that the next one asks again."""
        fetcher = Fetcher(text="same")
        cache.invalidate("a", await cache.get("a", fetcher))
        assert (await cache.get("a", fetcher)).reveal() == "same"
        assert cache.fresh("a") is None

    async def test_what_was_refused_before_is_remembered_too(self, cache: TokenCache) -> None:
        """Late refusals of others, during a flight, do not hide what it must not keep."""
        fetcher = Fetcher(text="same")
        refused = await cache.get("a", fetcher)
        cache.invalidate("a", refused)
        fetcher.gate, fetcher.started = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cache.get, "a", fetcher)
            await fetcher.started.wait()
            for text in ("older", "same", "oldest"):
                cache.invalidate("a", Token(text))
            fetcher.gate.set()
        assert cache.fresh("a") is None

    async def test_a_refused_token_may_be_kept_after_all(self, cache: TokenCache) -> None:
        """Where the server gives no other; one that is there stays."""
        fetcher = Fetcher(text="same")
        token = await cache.get("a", fetcher)
        assert cache.keeps("a", token)
        cache.invalidate("a", token)
        assert not cache.keeps("a", token)
        assert cache.restore("a", token, None)
        assert cache.fresh("a") is token
        assert not cache.restore("a", Token("other"), None)
        assert cache.fresh("a") is token

    async def test_what_serves_is_told_without_a_flight(
        self, cache: TokenCache, clock: FrozenClock
    ) -> None:
        """Also in the refresh window, and not past its usefulness."""
        assert cache.usable("a") is None
        fetcher = Fetcher()
        token = await cache.get("a", fetcher)
        clock.advance(3589)
        assert cache.usable("a") is token
        clock.advance(1)
        assert cache.usable("a") is None
        await settle()
        assert fetcher.calls == 1

    async def test_forgetting_a_key_forgets_its_failure_too(self, cache: TokenCache) -> None:
        """The next caller makes an attempt at once."""
        fetcher = Fetcher(error=TokenRefusedError("refused the client"))
        with pytest.raises(TokenRefusedError):
            await cache.get("a", fetcher)
        assert not cache.forget("a")
        fetcher.error = None
        await cache.get("a", fetcher)
        assert cache.forget("a")

    async def test_forgetting_during_a_flight_leaves_it_its_place(self, cache: TokenCache) -> None:
        """A key never flies twice at once."""
        fetcher = Fetcher(gate=anyio.Event())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cache.get, "a", fetcher)
            await fetcher.started.wait()
            assert not cache.forget("a")
            tasks.start_soon(cache.get, "a", fetcher)
            await settle()
            assert fetcher.gate is not None
            fetcher.gate.set()
        assert fetcher.calls == 1


class TestBounds:
    async def test_the_key_not_asked_for_longest_goes_first(self, cache: TokenCache) -> None:
        """Asking for a token keeps it."""
        for key in "abc":
            await cache.get(key, Fetcher())
        cache.fresh("a")
        await cache.get("d", Fetcher())
        assert [key for key in "abcd" if cache.look(key) is not None] == ["a", "c", "d"]

    async def test_a_key_in_flight_stays(self, cache: TokenCache) -> None:
        """More keys than there is room for may fly at once; room is made as they land."""
        fetchers = {key: Fetcher(gate=anyio.Event()) for key in "abcde"}
        async with anyio.create_task_group() as tasks:
            for key, fetcher in fetchers.items():
                tasks.start_soon(cache.get, key, fetcher)
                await fetcher.started.wait()
            assert [key for key in "abcde" if cache.look(key) is not None] == [*"abcde"]
            for fetcher in fetchers.values():
                assert fetcher.gate is not None
                fetcher.gate.set()
                await settle()
        assert [key for key in "abcde" if cache.look(key) is not None] == [*"cde"]

    async def test_idle_keys_make_room_among_many_in_flight(self, clock: FrozenClock) -> None:
        """However many that fly were asked for before them."""
        cache = TokenCache(clock=clock, max_entries=LOOKED_AT + 1)
        flying = Fetcher(gate=anyio.Event())
        async with anyio.create_task_group() as tasks:
            await cache.start()
            for number in range(LOOKED_AT):
                tasks.start_soon(cache.get, f"flying {number}", flying)
            await settle()
            for number in range(5):
                await cache.get(f"idle {number}", Fetcher())
            idle = [number for number in range(5) if cache.look(f"idle {number}") is not None]
            assert flying.gate is not None
            flying.gate.set()
            await settle()
            await cache.stop()
        assert idle == [4]
