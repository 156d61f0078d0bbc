"""`Store`: what lies beneath the cache, where tokens are to outlive the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from gqlauth._key import CacheKey
    from gqlauth._token import Token


class StoreError(Exception):
    """A store cannot do what it is asked for; its text tells why, and what mends it.

    No request fails by it: who asks goes on without the store, and the reason is logged.
    """


class PassingError(StoreError):
    """A store cannot do it now, and later it may."""


def is_newer(token: Token, other: Token | None) -> bool:
    """Tell whether `token` was issued later than `other`, if there is that one."""
    if other is None:
        return True
    assert token.issued_at is not None
    assert other.issued_at is not None
    return token.issued_at > other.issued_at


class Store(Protocol):
    """Tokens by the cache's key, for all processes that may look.

    It may raise whatever it likes, and take as long as it likes: `Guarded` stands before it, makes
    a miss of all that, and bounds the time. What it gives is not relied upon either: the one who
    asks looks whether the token is still of use, and whether the API refused it.

    A key digests all that shapes the token, and has no secret's value in it. What is kept is what
    `Seal.sealed` gives, and nothing else: a store never sees how to read it.
    """

    async def load(self, key: CacheKey) -> Token | None:
        """Return the token of `key`, be it expired or not; None where there is none.

        What cannot be opened (torn, changed, sealed with another key, of another version) is
        dropped, and that is logged. What was got with other secrets stays, for those who have
        them.
        """

    async def save(self, key: CacheKey, token: Token) -> None:
        """Keep `token` until it ends, unless there is one that was issued later."""

    async def forget(self, key: CacheKey, token: Token) -> bool:
        """Forget `token`, and no other; tell whether it was there."""

    def lock(self, key: CacheKey, seconds: float) -> AbstractAsyncContextManager[bool]:
        """Return what lets one at a time, of all processes, fetch the token of `key`.

        It gives True where the lock was got. It gives False where it was not: after `seconds`, or
        as soon as another is done with it, as a new token may have come; who enters looks, and
        tries again in the time that is left. A holder that dies is in nobody's way for longer than
        `seconds`, and one that is late harms no newer token. Leaving it waits for nobody.
        """

    async def aclose(self) -> None:
        """Let go of what is open; nothing is asked of it afterwards."""
