"""Threads for what may take long, as files and keyrings do: gqlauth's own, and not anyio's.

An application may run all that it has of anyio's in threads that wait for a token; and what hangs
keeps its thread, also when nobody waits for it any more.
"""

from __future__ import annotations

from typing import Final

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

#: How many there are of a kind, in an event loop.
MOST: Final = 40

_SECRETS: Final[RunVar[CapacityLimiter]] = RunVar("gqlauth_secret_threads")
_STORES: Final[RunVar[CapacityLimiter]] = RunVar("gqlauth_store_threads")


def for_secrets() -> CapacityLimiter:
    """Return what limits those that read what a token is got with."""
    return _limiter(_SECRETS)


def for_stores() -> CapacityLimiter:
    """Return what limits those that tokens are stored in; no request fails for want of one."""
    return _limiter(_STORES)


def _limiter(kind: RunVar[CapacityLimiter]) -> CapacityLimiter:
    limiter = kind.get(None)
    if limiter is None:
        limiter = CapacityLimiter(MOST)
        kind.set(limiter)
    return limiter
