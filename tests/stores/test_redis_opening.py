"""A Redis as the configuration names it, before anything is asked of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from gqlauth._key import CacheKey
from gqlauth._options import CacheOptions
from gqlauth._stores._opening import store_of
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE

if TYPE_CHECKING:
    from gqlauth._stores._guarded import Guarded
    from gqlauth.testing import FrozenClock

pytestmark = pytest.mark.anyio

KEY = CacheKey("ab" * 32)
URL = "redis://worker@cache.example.com:6380/2"
OFF = "tokens are kept in memory alone why="


def found(clock: FrozenClock) -> Guarded:
    store = store_of(CacheOptions(store=URL), clock, default="auto")
    assert store is not None
    return store


async def test_it_is_told_where_it_is(clock: FrozenClock) -> None:
    """Nothing is asked for that."""
    assert str(found(clock)) == f"redis ({URL})"


async def test_without_the_extra(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named, and all goes on without."""
    monkeypatch.setitem(sys.modules, "coredis", None)
    monkeypatch.setenv(VARIABLE, new_key())
    store = found(clock)
    assert await store.load(KEY) is None
    why = 'a Redis needs an extra that is not installed: pip install "gqlauth[redis]"'
    assert str(store) == f"memory ({why})"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(OFF)
