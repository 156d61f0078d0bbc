"""`Guarded`: whatever a store does, no request fails by it."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import anyio

from gqlauth import _log
from gqlauth._causes import in_words
from gqlauth._stores._store import PassingError, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._stores._store import Store
    from gqlauth._token import Token

T = TypeVar("T")

#: Seconds that a store has for one thing, and to be opened at first.
LIMIT: Final = 2.0
OPENING: Final = 10.0
#: Seconds for which nothing is asked of a store that failed, at first, and at the most as they
#: double until it serves again. A process that gets no processor takes that for an outage, too: if
#: all of a fleet then fetched for themselves, they would get less of it for longer.
SHORTEST_REST: Final = 2.0
LONGEST_REST: Final = 30.0


class Opening(Protocol):
    """How a store is opened, and what is told of it before."""

    @property
    def kind(self) -> str:
        """Return what it is, in a word."""

    @property
    def detail(self) -> str:
        """Return where it is, as far as that is known."""

    async def open(self, tasks: TaskGroup | None) -> Store:
        """Open the store; `tasks` is for what it does in the background, and outlives it.

        Raises:
            StoreError: when there is none to be had, as long as the process lives.

        """

    async def look(self) -> Store | None:
        """Open the store for diagnostics: nothing is run, nothing made, and no network used.

        None stands for one that cannot be opened so. Raises as `open` does.
        """

    async def discard(self, keys: Collection[CacheKey]) -> set[CacheKey]:
        """Forget whatever is stored of `keys`, for which nothing is to be opened with a key.

        Return those of which there was anything.
        """

    def log_off(self, error: StoreError) -> None:
        """Log that there is no store, for the reason that `error` tells."""


class Guarded:
    """A store that is opened when it is first needed, and that never fails.

    What it cannot do in time, or at all, is a miss: that is logged, nothing is asked of the store
    for a while, and then it is opened anew. Where it cannot be opened, tokens are kept in memory
    alone.
    """

    def __init__(self, opening: Opening, clock: Clock, *, lack: StoreError | None = None) -> None:
        self._opening = opening
        self._monotonic = clock.monotonic
        self._tasks: TaskGroup | None = None
        self._store: Store | None = None
        # Made where it is used: to make one where no event loop runs imports asyncio.
        self._one_opens: anyio.Lock | None = None
        # Why there is none; and for how long, and until when, nothing is asked of one that failed.
        self._off = lack
        self._rest = 0.0
        self._rests_until = -math.inf
        # What it has open may be what is wrong with it.
        self._has_failed = False
        if lack is not None:
            opening.log_off(lack)

    async def start(self) -> None:
        """Give the store a place for what it does in the background, until `aclose`."""
        if self._tasks is None:
            tasks = anyio.create_task_group()
            await tasks.__aenter__()
            self._tasks = tasks

    async def load(self, key: CacheKey, *, within: float = OPENING) -> Token | None:
        """Return the token of `key`, if it can be had `within` so many seconds."""
        return await self._asked(lambda store: store.load(key), None, within=within)

    async def save(self, key: CacheKey, token: Token) -> None:
        """Keep `token`, if that can be done."""
        await self._asked(lambda store: store.save(key, token), None)

    async def forget(self, key: CacheKey, token: Token) -> bool:
        """Forget `token`, and no other; tell whether it was there."""
        return await self._asked(lambda store: store.forget(key, token), otherwise=False)

    async def discard(self, keys: Collection[CacheKey]) -> set[CacheKey] | None:
        """Forget whatever is stored of `keys`; return those of which there was anything.

        None tells that it could not be done: nobody is to take that for there being nothing.
        """
        if not keys:
            return set()
        # Also where it is off, as there is no key: it may have been on before.
        return await self._bounded(lambda: self._opening.discard(keys), None, OPENING)

    @asynccontextmanager
    async def lock(self, key: CacheKey, seconds: float) -> AsyncIterator[bool | None]:
        """Take the lock of `key`, as `Store.lock` does; None where there is no lock to be had."""

        async def entered(store: Store) -> tuple[AbstractAsyncContextManager[bool], bool]:
            turn = store.lock(key, seconds)
            return turn, await turn.__aenter__()

        found = await self._asked(entered, None, more=seconds)
        if found is None:
            yield None
            return
        turn, held = found
        try:
            yield held
        finally:
            with anyio.CancelScope(shield=True):
                # Also where it rests; and what was raised meanwhile is none of its business.
                await self._bounded(lambda: turn.__aexit__(None, None, None), None, LIMIT)

    async def look(self, keys: Sequence[CacheKey]) -> dict[CacheKey, Token]:
        """Return the tokens that are there of `keys`, if any are asked for: for diagnostics.

        Nothing is run for that, nothing is made, and no network is used.
        """
        return await self._bounded(lambda: self._seen(keys), {}, OPENING) if keys else {}

    async def aclose(self) -> None:
        """Let go of what is open, and end what is done in the background."""
        await self._let_go()
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)

    @property
    def is_off(self) -> bool:
        """Tell whether it is known that there is none."""
        return self._off is not None

    @property
    def kind(self) -> str:
        """Return what it is, in a word; memory, where it cannot be opened."""
        return self._opening.kind if self._off is None else "memory"

    @property
    def detail(self) -> str:
        """Return where it is; or why it cannot be opened."""
        return self._opening.detail if self._off is None else str(self._off)

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})"

    async def _asked(
        self,
        ask: Callable[[Store], Awaitable[T]],
        otherwise: T,
        *,
        more: float = 0.0,
        within: float = OPENING,
    ) -> T:
        """Return what `ask` gives, or `otherwise`; it has `more` seconds than usual, or fewer."""
        if self._off is not None or self._monotonic() < self._rests_until:
            return otherwise
        store = None if self._has_failed else self._store
        store = store or await self._bounded(self._opened, None, min(OPENING, within))
        if store is None:
            return otherwise
        found = await self._bounded(lambda: ask(store), otherwise, min(LIMIT, within) + more)
        if not self._has_failed:
            self._rest = 0.0
        return found

    async def _bounded(self, work: Callable[[], Awaitable[T]], otherwise: T, seconds: float) -> T:
        try:
            with anyio.fail_after(seconds):
                return await work()
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            now = self._monotonic()
            if now >= self._rests_until:  # else one more of those that were told
                self._rest = min(LONGEST_REST, max(SHORTEST_REST, 2 * self._rest))
                self._rests_until = now + self._rest
                why = _told(error)
                _log.warning("token store failed", store=str(self), why=why, again_in=self._rest)
            self._has_failed = True
            return otherwise

    async def _let_go(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with anyio.CancelScope(shield=True):
                await self._bounded(store.aclose, None, LIMIT)

    async def _seen(self, keys: Sequence[CacheKey]) -> dict[CacheKey, Token]:
        if self._off is not None:
            return {}
        try:
            store = self._store or await self._opening.look()
        except StoreError as error:
            self._turned_off(error)
            store = None
        found = {} if store is None else {key: await store.load(key) for key in keys}
        return {key: token for key, token in found.items() if token is not None}

    async def _opened(self) -> Store | None:
        self._one_opens = self._one_opens or anyio.Lock()
        async with self._one_opens:
            if self._has_failed:
                await self._let_go()
                self._has_failed = False
            # Another may have opened it meanwhile, or found that there is none.
            if self._store is None and self._off is None:
                try:
                    self._store = await self._opening.open(self._tasks)
                except PassingError:
                    raise
                except StoreError as error:
                    self._turned_off(error)
        return self._store

    def _turned_off(self, error: StoreError) -> None:
        self._off = error.with_traceback(None)
        self._opening.log_off(error)


def _told(error: Exception) -> str:
    """Return what is told of anything that a store may raise."""
    if isinstance(error, StoreError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError):
        return "it takes too long"
    return in_words(error)
