"""`Guarded`: whatever a store does, no request fails by it."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from gqlauth import Token
from gqlauth._key import CacheKey
from gqlauth._stores import _guarded
from gqlauth._stores._guarded import LIMIT, SHORTEST_REST, Guarded
from gqlauth._stores._store import PassingError, StoreError
from gqlauth.testing import FrozenClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio

KEY, OTHER = CacheKey("ab" * 32), CacheKey("cd" * 32)
TOKEN = Token("token", expires_in=600.0).issued(0.0, 0.0)
WARNING = 'token store failed store="shelf (the third)" why='


class Shelf:
    """A store that does as it is told: it works, fails, or takes for ever."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.hangs = False
        self.asked: list[str] = []
        self.held = True

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        await anyio.lowlevel.checkpoint()
        if self.hangs:
            await anyio.sleep_forever()
        if self.trouble is not None:
            raise self.trouble

    async def load(self, key: CacheKey) -> Token | None:
        await self._ask("load")
        return TOKEN

    async def save(self, key: CacheKey, token: Token) -> None:
        await self._ask("save")

    async def forget(self, key: CacheKey, token: Token) -> bool:
        await self._ask("forget")
        return True

    @asynccontextmanager
    async def lock(self, key: CacheKey, seconds: float) -> AsyncIterator[bool]:
        await self._ask("lock")
        yield self.held
        await self._ask("unlock")

    async def aclose(self) -> None:
        await self._ask("close")


class Opening:
    """What opens the shelf."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.trouble: Exception | None = None
        self.opened = 0
        self.looks = True
        self.off: list[str] = []
        self.tasks: TaskGroup | None = None

    async def open(self, tasks: TaskGroup | None) -> Shelf:
        self.opened += 1
        self.tasks = tasks
        await self.asked("open")
        if self.trouble is not None:
            raise self.trouble
        return self.shelf

    async def look(self) -> Shelf | None:
        return await self.open(None) if self.looks else None

    async def discard(self, keys: Collection[CacheKey]) -> set[CacheKey]:
        await self.shelf._ask("discard")
        return set(keys)

    async def asked(self, what: str) -> None:
        await anyio.lowlevel.checkpoint()

    def log_off(self, error: StoreError) -> None:
        self.off.append(str(error))

    kind = "shelf"
    detail = "the third"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def opening() -> Opening:
    return Opening()


@pytest.fixture
def guarded(opening: Opening, clock: FrozenClock) -> Guarded:
    return Guarded(opening, clock)


@pytest.fixture
def shelf(opening: Opening) -> Shelf:
    return opening.shelf


async def asked(guarded: Guarded) -> list[Any]:
    """Return what comes of each thing that a store can be asked for."""
    async with guarded.lock(KEY, 1.0) as held:
        return [
            held,
            await guarded.load(KEY),
            await guarded.save(KEY, TOKEN),  # type: ignore[func-returns-value]
            await guarded.forget(KEY, TOKEN),
        ]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


class TestOpening:
    async def test_not_before_it_is_needed(self, guarded: Guarded, opening: Opening) -> None:
        """And then once, whoever asks."""
        assert opening.opened == 0
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(guarded.load, KEY)
        assert opening.opened == 1

    async def test_where_there_is_none(self, guarded: Guarded, opening: Opening) -> None:
        """That is told once, and all goes on without."""
        opening.trouble = StoreError("no key")
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(guarded.load, KEY)
        assert await asked(guarded) == [None, None, None, False]
        assert (opening.opened, opening.off) == (1, ["no key"])
        assert str(guarded) == "memory (no key)"

    async def test_one_that_may_pass(
        self, guarded: Guarded, opening: Opening, clock: FrozenClock
    ) -> None:
        """It is tried again, after a while."""
        opening.trouble = OSError("busy")
        assert await guarded.load(KEY) is None
        opening.trouble = None
        assert await guarded.load(KEY) is None
        clock.advance(SHORTEST_REST)
        assert await guarded.load(KEY) is TOKEN

    async def test_one_that_cannot_be_had_yet(
        self,
        guarded: Guarded,
        opening: Opening,
        clock: FrozenClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It says so itself, and is tried again."""
        opening.trouble = PassingError("no vault")
        assert await guarded.load(KEY) is None
        assert told(caplog) == [f'{WARNING}"no vault" again_in={SHORTEST_REST}']
        opening.trouble = None
        clock.advance(SHORTEST_REST)
        assert await guarded.load(KEY) is TOKEN
        assert opening.off == []

    async def test_what_it_does_in_the_background(self, guarded: Guarded, opening: Opening) -> None:
        """It ends when the store is let go of, however often it was begun."""
        for _ in range(2):
            await guarded.start()
        await guarded.load(KEY)
        assert opening.tasks is not None
        opening.tasks.start_soon(anyio.sleep_forever)
        await guarded.aclose()
        await guarded.aclose()

    async def test_it_is_let_go_of(self, guarded: Guarded, shelf: Shelf) -> None:
        """If it was opened."""
        await guarded.aclose()
        await guarded.load(KEY)
        await guarded.aclose()
        await guarded.aclose()
        assert shelf.asked == ["load", "close"]

    async def test_that_fails(
        self, guarded: Guarded, shelf: Shelf, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is told, and nothing comes of it."""
        await guarded.load(KEY)
        shelf.trouble = OSError(5, "Input/output error")
        await guarded.aclose()
        assert told(caplog) == [f'{WARNING}"Input/output error" again_in={SHORTEST_REST}']


class TestWork:
    async def test_it_passes_through(self, guarded: Guarded, shelf: Shelf) -> None:
        """Where all is well."""
        assert await asked(guarded) == [True, TOKEN, None, True]
        assert shelf.asked == ["lock", "load", "save", "forget", "unlock"]
        assert str(guarded) == "shelf (the third)"

    async def test_a_lock_that_another_has(self, guarded: Guarded, shelf: Shelf) -> None:
        """That is no failure."""
        shelf.held = False
        async with guarded.lock(KEY, 1.0) as held:
            assert held is False

    async def test_what_is_raised_meanwhile_is_raised(self, guarded: Guarded, shelf: Shelf) -> None:
        """And the lock is let go of."""
        with pytest.raises(ValueError, match="work"):
            async with guarded.lock(KEY, 1.0):
                raise ValueError("work")
        assert shelf.asked == ["lock", "unlock"]

    async def test_who_is_cancelled_lets_go(self, guarded: Guarded, shelf: Shelf) -> None:
        """It waits for the store to take note, and no longer."""
        with anyio.CancelScope() as scope:
            async with guarded.lock(KEY, 1.0):
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert shelf.asked == ["lock", "unlock"]


class TestTrouble:
    @pytest.mark.parametrize(
        ("trouble", "why"),
        [
            (StoreError("the password is wrong"), '"the password is wrong"'),
            (OSError(28, "No space left on device"), '"No space left on device"'),
            (TimeoutError(), '"it takes too long"'),
            (OSError("odd"), '"OSError: odd"'),
            (RuntimeError("odd"), '"RuntimeError: odd"'),
        ],
    )
    async def test_it_is_a_miss_that_is_told_once(
        self,
        guarded: Guarded,
        shelf: Shelf,
        caplog: pytest.LogCaptureFixture,
        trouble: Exception,
        why: str,
    ) -> None:
        """And nothing is asked of it for a while."""
        shelf.trouble = trouble
        assert await asked(guarded) == [None, None, None, False]
        assert shelf.asked == ["lock"]
        assert told(caplog) == [f"{WARNING}{why} again_in={SHORTEST_REST}"]

    async def test_it_rests(self, guarded: Guarded, shelf: Shelf, clock: FrozenClock) -> None:
        """And is asked again then."""
        shelf.trouble = OSError("down")
        await guarded.load(KEY)
        shelf.trouble = None
        clock.advance(SHORTEST_REST - 1)
        assert await guarded.load(KEY) is None
        clock.advance(1)
        assert await guarded.load(KEY) is TOKEN

    async def test_it_rests_longer_each_time(
        self,
        guarded: Guarded,
        shelf: Shelf,
        clock: FrozenClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Until it serves again: a blip costs little, and an outage few looks."""
        shelf.trouble = OSError("down")
        rests = [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
        for seconds in rests:
            await guarded.load(KEY)
            clock.advance(seconds)
        shelf.trouble = None
        assert await guarded.load(KEY) is TOKEN
        shelf.trouble = OSError("down")
        await guarded.load(KEY)

        why = f'{WARNING}"OSError: down" again_in='
        assert told(caplog) == [f"{why}{seconds}" for seconds in [*rests, 2.0]]

    async def test_it_is_opened_anew(
        self, guarded: Guarded, opening: Opening, shelf: Shelf, clock: FrozenClock
    ) -> None:
        """What it had open may have been what was wrong."""
        await guarded.load(KEY)
        shelf.trouble = OSError("down")
        await guarded.load(KEY)
        shelf.trouble = None
        assert shelf.asked == ["load", "load"]
        clock.advance(SHORTEST_REST)
        for _ in range(2):
            await guarded.load(KEY)
        assert shelf.asked[2:] == ["close", "load", "load"]
        assert opening.opened == 2

    async def test_failures_of_the_same_moment_are_told_once(
        self, guarded: Guarded, shelf: Shelf, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Many may ask as it goes down."""
        await guarded.load(KEY)
        shelf.trouble = OSError("down")
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(guarded.load, KEY)
        assert len(shelf.asked) == 6
        assert len(told(caplog)) == 1

    async def test_a_lock_is_let_go_of_where_the_rest_failed(
        self, guarded: Guarded, shelf: Shelf
    ) -> None:
        """Others would wait for nothing."""
        async with guarded.lock(KEY, 1.0):
            shelf.trouble = OSError("down")
            await guarded.load(KEY)
            shelf.trouble = None
        assert shelf.asked == ["lock", "load", "unlock"]

    async def test_one_that_takes_for_ever(
        self,
        guarded: Guarded,
        shelf: Shelf,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It has so long and no longer."""
        monkeypatch.setattr(_guarded, "LIMIT", 0.01)
        shelf.hangs = True
        assert await guarded.load(KEY) is None
        assert told(caplog) == [f'{WARNING}"it takes too long" again_in={SHORTEST_REST}']

    @pytest.mark.parametrize("opened", [True, False])
    async def test_who_has_less_time_waits_no_longer(
        self, guarded: Guarded, opening: Opening, shelf: Shelf, *, opened: bool
    ) -> None:
        """Be it for the store, or for it to be opened."""
        deadlines: list[float] = []

        async def asks(what: str) -> None:
            deadlines.append(anyio.current_effective_deadline() - anyio.current_time())

        if opened:
            await guarded.load(KEY)
        shelf._ask = opening.asked = asks  # type: ignore[method-assign]
        await guarded.load(KEY, within=1.5)
        assert deadlines
        assert all(deadline <= 1.5 for deadline in deadlines)

    async def test_who_waits_for_a_lock_has_longer(self, guarded: Guarded, shelf: Shelf) -> None:
        """As long as it asked for, beside what the store has."""
        deadlines: list[float] = []

        async def asks(what: str) -> None:
            deadlines.append(anyio.current_effective_deadline() - anyio.current_time())

        shelf._ask = asks  # type: ignore[method-assign]
        async with guarded.lock(KEY, 50.0):
            pass
        entering, leaving = deadlines
        assert 50.0 < entering <= 50.0 + LIMIT
        assert leaving <= LIMIT

    async def test_who_gives_up_is_cancelled(self, guarded: Guarded, shelf: Shelf) -> None:
        """That is none of the store's failures."""
        shelf.hangs = True
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(guarded.load, KEY)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        shelf.hangs = False
        assert await guarded.load(KEY) is TOKEN


class TestDiscard:
    async def test_nothing_is_opened_for_it(
        self, guarded: Guarded, opening: Opening, shelf: Shelf
    ) -> None:
        """There may be no key any more for what is there."""
        opening.trouble = StoreError("no key")
        await guarded.load(KEY)
        assert await guarded.discard([KEY]) == {KEY}
        assert (opening.opened, shelf.asked) == (1, ["discard"])

    async def test_of_none(self, guarded: Guarded, shelf: Shelf) -> None:
        """Where nobody shares a token, nobody is asked."""
        assert await guarded.discard([]) == set()
        assert shelf.asked == []

    async def test_that_fails(
        self, guarded: Guarded, shelf: Shelf, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is told, and not taken for there being nothing."""
        shelf.trouble = OSError(30, "Read-only file system")
        assert await guarded.discard([KEY]) is None
        assert told(caplog) == [f'{WARNING}"Read-only file system" again_in={SHORTEST_REST}']


class TestLook:
    async def test_it_finds_what_is_there(
        self, guarded: Guarded, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of those that are asked for."""

        async def load(key: CacheKey) -> Token | None:
            return TOKEN if key == KEY else None

        monkeypatch.setattr(shelf, "load", load)
        assert await guarded.look([KEY, OTHER]) == {KEY: TOKEN}

    async def test_nothing_is_opened_for_none(self, guarded: Guarded, opening: Opening) -> None:
        """Where no endpoint's tokens are stored."""
        assert await guarded.look([]) == {}
        assert opening.opened == 0

    async def test_one_that_cannot_be_looked_into(
        self, guarded: Guarded, opening: Opening, shelf: Shelf
    ) -> None:
        """As a command would have to be run for its key."""
        opening.looks = False
        assert await guarded.look([KEY]) == {}
        assert (shelf.asked, str(guarded)) == ([], "shelf (the third)")

    async def test_one_that_is_open(self, guarded: Guarded, opening: Opening) -> None:
        """It is not opened again."""
        opening.looks = False
        await guarded.load(KEY)
        assert await guarded.look([KEY]) == {KEY: TOKEN}

    async def test_where_there_is_none(self, guarded: Guarded, opening: Opening) -> None:
        """It is told why, once."""
        opening.trouble = StoreError("no key")
        for _ in range(2):
            assert await guarded.look([KEY]) == {}
        assert (opening.off, str(guarded)) == (["no key"], "memory (no key)")

    async def test_one_that_fails(
        self, guarded: Guarded, shelf: Shelf, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Diagnostics do not fail by it either."""
        shelf.trouble = OSError(5, "Input/output error")
        assert await guarded.look([KEY]) == {}
        assert told(caplog) == [f'{WARNING}"Input/output error" again_in={SHORTEST_REST}']
