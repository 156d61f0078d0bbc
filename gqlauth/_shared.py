"""How the token of one key is got where a store has those of other processes, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

import anyio

from gqlauth._entry import usable_until
from gqlauth._stores._store import is_newer
from gqlauth._token import Token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gqlauth._cache import TokenCache
    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._stores._guarded import Guarded

#: Seconds for which the store, and another process that fetches the token, are waited for: at most,
#: and as a part of the time that there is.
WAIT: Final = 15.0
WAIT_PART: Final = 1 / 2
#: How often there may be news of another process without a token in it.
MOST_NEWS: Final = 20


def why_alone(strategy: object, key: CacheKey) -> str:
    """Return why tokens of a strategy are of no use to other processes; nothing where they are."""
    if all(getattr(strategy, name, None) is None for name in ("token_url", "issuer")):
        # It is to change when it changes there.
        return "no server grants it: it is read where it stands"
    if getattr(strategy, "dpop", False):
        return "bound to a key that no store has"
    return "" if key.lasting else "what it is got with is known to this process alone"


class Shared:
    """The token of one key, in a store that other processes use, too.

    One process at a time fetches it, and the others take over what that one got. Who waits for
    another does so for a while only: that one may have died, or be slow.
    """

    __slots__ = ("_cache", "_clock", "key", "store")

    def __init__(self, key: CacheKey, store: Guarded, cache: TokenCache, clock: Clock) -> None:
        self.key = key
        self.store = store
        self._cache = cache
        self._clock = clock

    async def token(
        self,
        prepare: Callable[[], Callable[[], Awaitable[Token]]],
        *,
        within: float,
        deadline: float,
        renew: bool = False,
    ) -> Token:
        """Return a token of another process that is of use, or else one that is fetched.

        A token that serves is not given up while another process replaces it.

        Args:
            prepare: gives what fetches one, before anybody waits for it.
            within: the seconds that there are in all.
            deadline: when they are over, in the event loop's own time.
            renew: whether only one will do that came after this was asked for.

        Raises:
            GqlAuthError: what fetching it raises.

        """
        wait = min(WAIT, within * WAIT_PART)
        until = self._clock.monotonic() + wait
        first = await self.store.load(self.key, within=wait)
        if not renew and self._is_of_use(first, None):
            return self._found(first)
        fetch = prepare()
        news = 0
        while True:
            left = max(0.0, until - self._clock.monotonic())
            async with self.store.lock(self.key, left) as held:
                # The second look: another may have fetched it while this one waited.
                token = None if held is None else await self.store.load(self.key)
                if self._is_of_use(token, first if renew else None):
                    return self._found(token)
                if held is not False:
                    return await self._fetched(fetch, deadline)
            news += 1
            if news > MOST_NEWS or self._clock.monotonic() >= until:
                # The other is slow. One more will not make it quicker, if none is needed yet.
                known = None if renew else self._cache.usable(self.key.digest)
                return known or await self._fetched(fetch, deadline)

    def _is_of_use(self, token: Token | None, since: Token | None) -> TypeGuard[Token]:
        """Tell whether a token serves, and is newer than `since`, and than what is known."""
        if token is None or self._clock.wall() >= usable_until(token):
            return False
        known = self._cache.look(self.key.digest)
        return (
            is_newer(token, since)
            and is_newer(token, None if known is None else known.token)
            and not self._cache.has_refused(self.key.digest, token)
        )

    def _found(self, token: Token) -> Token:
        self._cache.found(self.key.digest)
        return token

    async def _fetched(self, fetch: Callable[[], Awaitable[Token]], deadline: float) -> Token:
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        token: object = await fetch()
        if isinstance(token, Token):  # a plugin's may be anything: who gets it will tell
            token.issued(wall, monotonic)
            # What has no end would outlive a change of what it was made from, and a presenter
            # cannot be stored.
            lasts = token.expires_in is not None and token.presenter is None
            if lasts and self._is_of_use(token, None):
                # Who asked has it in time, be the store as slow as it may.
                with anyio.CancelScope(deadline=deadline):
                    await self.store.save(self.key, token)
        return token  # type: ignore[return-value]
