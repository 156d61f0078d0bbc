"""From the ``cache`` table of a configuration to a store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from gqlauth import _log
from gqlauth._redis_url import RedisURL
from gqlauth._stores._folder import Folder, token_folder
from gqlauth._stores._guarded import Guarded
from gqlauth._stores._sealing_key import NoKeyError, lack_of_key, sealing_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._options import CacheOptions
    from gqlauth._stores._store import Store, StoreError


def store_of(options: CacheOptions, clock: Clock, *, default: str) -> Guarded | None:
    """Return the store that `options` mean, or by `default`; None for memory alone."""
    name = options.store or default
    if name == "memory":
        return None
    if "://" in name:
        from gqlauth._stores._redis_opening import RedisOpening  # noqa: PLC0415 - few have one

        return Guarded(RedisOpening(RedisURL.parsed(name), options, clock), clock)
    if name != "auto":
        return Guarded(DiskOpening(options, clock, wanted=True), clock)
    # Where it is plain that there is no key, nothing is opened to find that out.
    return Guarded(DiskOpening(options, clock, wanted=False), clock, lack=lack_of_key(options.key))


class DiskOpening:
    """Opens the store on disk; it is `wanted`, or only where there happens to be a key."""

    def __init__(self, options: CacheOptions, clock: Clock, *, wanted: bool) -> None:
        self._options = options
        self._clock = clock
        self._wanted = wanted
        self._folder = Folder(token_folder())
        self._origin = ""

    async def open(self, tasks: TaskGroup | None) -> Store:  # noqa: ARG002 - nothing runs on
        """Open it: make what is missing, the key in the keyring and the folder."""
        store = await self._opened(look=False)
        assert store is not None
        return store

    async def look(self) -> Store | None:
        """Open it for diagnostics; None where the key cannot be had without running something."""
        return await self._opened(look=True)

    async def discard(self, keys: Collection[CacheKey]) -> set[CacheKey]:
        """Forget whatever is stored of `keys`, be there a key to read it with or not."""
        from gqlauth._stores._disk import discard  # noqa: PLC0415 - as below

        return {key for key in keys if await discard(self._folder, key)}

    async def _opened(self, *, look: bool) -> Store | None:
        # None of this costs anything where tokens are kept in memory.
        from gqlauth._stores._disk import DiskStore  # noqa: PLC0415
        from gqlauth._threads import for_stores  # noqa: PLC0415

        key = await sealing_key(self._options.key, folder=self._folder, look=look)
        self._origin = f", key from {key.origin}"
        seal = key.seal(self._clock)
        if seal is None:
            return None
        check = self._folder.check if look else self._folder.prepare
        await anyio.to_thread.run_sync(check, abandon_on_cancel=True, limiter=for_stores())
        return DiskStore(self._folder, seal, self._clock)

    def log_off(self, error: StoreError) -> None:
        """Log that there is no store: a warning, unless it was used only if it is there."""
        quiet = not self._wanted and isinstance(error, NoKeyError)
        level = logging.INFO if quiet else logging.WARNING
        _log.log(level, "tokens are kept in memory alone", why=str(error))

    @property
    def kind(self) -> str:
        """Return what it is, in a word."""
        return "disk"

    @property
    def detail(self) -> str:
        """Return where it is, and where the key comes from as soon as that is known."""
        return f"{self._folder.path}{self._origin}"
