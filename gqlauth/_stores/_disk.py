"""Tokens on disk: one sealed file a key, and one lock, which the system lets go of by itself."""

from __future__ import annotations

import math
import os
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from gqlauth import _log
from gqlauth._stores._folder import HALF
from gqlauth._stores._seal import OthersTokenError, UnsealedError
from gqlauth._stores._store import is_newer
from gqlauth._threads import for_stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from filelock import BaseFileLock

    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._stores._folder import Folder
    from gqlauth._stores._seal import Seal
    from gqlauth._token import Token

T = TypeVar("T")

#: Seconds between two looks at a lock that another process holds: at first, and at the most as
#: they double, since many may look.
FIRST_PAUSE: Final = 0.01
LONGEST_PAUSE: Final = 0.1
#: Seconds that a lock takes to be let go of, at the most.
LETTING_GO: Final = 1.0
#: Seconds between two sweeps.
SWEEP_EVERY: Final = 3600.0
#: Seconds after which what nobody has touched is swept, beside tokens that have ended: locks, and
#: files that a process which was killed has left half written.
LEFT: Final = 86_400.0

_SEALED: Final = ".sealed"
_LOCK: Final = ".lock"


class DiskStore:
    """Tokens on disk, for all processes of one user; see `Store` for what it promises.

    File systems may hang, so all is done in threads, which who gave up need not wait for. No file
    is written in place: it is there whole, or not at all. Two processes that save at the very
    same moment may leave the older of two good tokens.
    """

    def __init__(self, folder: Folder, seal: Seal, clock: Clock) -> None:
        self._folder = folder
        self._seal = seal
        self._clock = clock
        self._next_sweep = -math.inf

    async def load(self, key: CacheKey) -> Token | None:
        """Return the token of `key`; None where there is none that can be opened."""
        return await _in_thread(self._load, key)

    async def save(self, key: CacheKey, token: Token) -> None:
        """Keep `token`, unless there is one that was issued later."""
        await _in_thread(self._save, key, token)

    async def forget(self, key: CacheKey, token: Token) -> bool:
        """Forget `token`, and no other."""
        return await _in_thread(self._forget, key, token)

    @asynccontextmanager
    async def lock(self, key: CacheKey, seconds: float) -> AsyncIterator[bool]:
        """Take the lock of `key`; give up after `seconds`, or when its token was written."""
        until = self._clock.monotonic() + seconds
        before = await _in_thread(self._folder.mark, key.digest + _SEALED)
        pause = FIRST_PAUSE
        turn = _Turn(self._folder, key.digest + _LOCK, self._clock)
        try:
            held = await _in_thread(turn.take)
            while not held and self._clock.monotonic() < until:
                if before != await _in_thread(self._folder.mark, key.digest + _SEALED):
                    break
                await self._clock.sleep(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
                held = await _in_thread(turn.take)
            yield held
        finally:
            with anyio.move_on_after(LETTING_GO, shield=True):
                await _in_thread(turn.leave)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _load(self, key: CacheKey) -> Token | None:
        name = key.digest + _SEALED
        data = self._folder.read(name)
        if data is None:
            return None
        try:
            return self._seal.opened(key, data)
        except OthersTokenError as error:
            _log.info("stored token left", file=self._folder.path / name, why=error)
        except UnsealedError as error:
            _log.info("stored token dropped", file=self._folder.path / name, why=error)
            self._folder.remove(name)
        return None

    def _save(self, key: CacheKey, token: Token) -> None:
        there = self._load(key)
        if there is not None and is_newer(there, token):
            return
        assert token.expires_at is not None
        self._folder.write(key.digest + _SEALED, self._seal.sealed(key, token), token.expires_at)
        if self._clock.monotonic() >= self._next_sweep:
            self._next_sweep = self._clock.monotonic() + SWEEP_EVERY
            self._sweep()

    def _forget(self, key: CacheKey, token: Token) -> bool:
        there = self._load(key)
        if there is None or not there.same_text(token):
            return False
        return self._folder.remove(key.digest + _SEALED)

    def _sweep(self) -> None:
        now = self._clock.wall()
        for name, ended in list(self._folder.ended(now)):
            if name.endswith(_SEALED) or (name.endswith((_LOCK, HALF)) and ended < now - LEFT):
                self._folder.remove(name)


class _Turn:
    """One's turn to fetch, by a lock of the system's: it ends with the process that has it."""

    def __init__(self, folder: Folder, name: str, clock: Clock) -> None:
        self._folder = folder
        self._path = folder.path / name
        self._wall = clock.wall
        self._lock: BaseFileLock | None = None
        self._over = False

    def take(self) -> bool:
        """Take the lock if it is free; tell whether it was."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - dear; a token that serves has none

        if self._lock is None:
            # Since it was opened, a folder may have been removed, or opened to others.
            self._folder.prepare()
            # Threads come and go: it belongs to none of them.
            self._lock = FileLock(self._path, mode=0o600, thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        if self._over:  # whoever wanted it is gone: the file system took too long
            self._lock.release()
            return False
        with suppress(FileNotFoundError):  # somebody has just done so
            os.utime(self._path, (self._wall(),) * 2)  # it is in use: nobody sweeps it
        return True

    def leave(self) -> None:
        """Let go of the lock, be it held or not."""
        self._over = True
        if self._lock is not None and self._lock.is_locked:
            self._lock.release()


async def discard(folder: Folder, key: CacheKey) -> bool:
    """Forget whatever is stored of `key`; tell whether there was anything. This opens nothing."""
    return await _in_thread(folder.remove, key.digest + _SEALED)


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - its own
    return await anyio.to_thread.run_sync(
        partial(function, *arguments), abandon_on_cancel=True, limiter=for_stores()
    )
