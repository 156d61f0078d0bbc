"""From the ``cache`` table of a configuration to a store in a Redis."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from gqlauth import _log
from gqlauth._stores._sealing_key import sealing_key
from gqlauth._stores._store import PassingError, StoreError
from gqlauth._threads import for_stores
from gqlauth._tls import own_context, system_context
from gqlauth.errors import ConfigError, SecretError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._options import CacheOptions
    from gqlauth._redis_url import RedisURL
    from gqlauth._secret import Secret
    from gqlauth._stores._redis_client import Client
    from gqlauth._stores._seal import Seal
    from gqlauth._stores._store import Store


class RedisOpening:
    """Opens the store in a Redis. There is no key for it but what is set: others must have it."""

    kind = "redis"

    def __init__(self, url: RedisURL, options: CacheOptions, clock: Clock) -> None:
        self._url = url
        self._options = options
        self._clock = clock
        self._origin = ""
        self._seal: Seal | None = None

    async def open(self, tasks: TaskGroup | None) -> Store:
        """Open it; its connections are made when they are needed."""
        connect, seal = await self._ready()
        assert tasks is not None
        from gqlauth._stores._redis import RedisStore  # noqa: PLC0415 - imported by now

        return await RedisStore.opened(connect, seal, self._clock, tasks)

    async def look(self) -> None:
        """Look whether it could be opened: what is in it is told over a network."""
        _check_installed()
        try:
            if self._options.password is not None:
                self._options.password.check()
        except SecretError as error:
            raise StoreError(str(error)) from None
        await self._sealing(look=True)

    async def discard(self, keys: Collection[CacheKey]) -> set[CacheKey]:
        """Forget whatever is stored of `keys`, for those who have the same key and secrets."""
        connect, seal = await self._ready()
        from gqlauth._stores._redis import discard  # noqa: PLC0415 - imported by now

        return await discard(connect, seal, keys)

    async def _ready(self) -> tuple[Callable[[], Client], Seal]:
        """Return what makes a client, and the seal."""
        _check_installed()
        seal = self._seal = self._seal or await self._sealing(look=False)
        assert seal is not None
        try:
            context = self._context()
        except ConfigError as error:
            raise StoreError(str(error)) from None
        # It takes the better part of a second, in which an event loop has other things to do.
        client = await anyio.to_thread.run_sync(
            _imported, abandon_on_cancel=True, limiter=for_stores()
        )
        return partial(client, self._url, await self._password(), context), seal

    async def _sealing(self, *, look: bool) -> Seal | None:
        # No keyring: what is in that of this machine opens nothing on others.
        key = await sealing_key(self._options.key, folder=None, look=look)
        self._origin = f", key from {key.origin}"
        return key.seal(self._clock)

    async def _password(self) -> Secret | None:
        """Return the password as it is now; a store that has failed asks for it anew."""
        if self._options.password is None:
            return None
        try:
            return await self._options.password.resolve()
        except SecretError as error:
            trouble = str(error)
        raise PassingError(trouble)

    def _context(self) -> ssl.SSLContext | None:
        if not self._url.tls:
            return None
        return own_context(self._options.ca_file) if self._options.ca_file else system_context()

    def log_off(self, error: StoreError) -> None:
        """Warn that there is no store: it was asked for."""
        _log.warning("tokens are kept in memory alone", why=str(error))

    @property
    def detail(self) -> str:
        """Return where it is, and where the key comes from as soon as that is known."""
        return f"{self._url.text}{self._origin}"


def _check_installed() -> None:
    if find_spec("coredis") is None:
        raise StoreError(
            'a Redis needs an extra that is not installed: pip install "gqlauth[redis]"'
        )


def _imported() -> Callable[..., Client]:
    from gqlauth._stores import _redis  # noqa: F401, PLC0415 - all that a store takes
    from gqlauth._stores._redis_client import client  # noqa: PLC0415 - the same

    return client
