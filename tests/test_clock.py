"""The clocks of the machine, and a pause by them."""

from __future__ import annotations

import time

import anyio
import pytest

from gqlauth._clock import SystemClock


def test_clocks_are_those_of_the_machine() -> None:
    """The wall clock counts since the epoch, the monotonic one by its own."""
    clock = SystemClock()

    assert time.time() - 60 < clock.wall() <= time.time()
    assert time.monotonic() - 60 < clock.monotonic() <= time.monotonic()


@pytest.mark.anyio
async def test_sleep_ends() -> None:
    """A pause ends by itself."""
    with anyio.fail_after(60):
        await SystemClock().sleep(0)


@pytest.mark.anyio
async def test_sleep_can_be_cancelled() -> None:
    """A pause ends with the scope that it is in."""
    with anyio.move_on_after(0) as scope:
        await SystemClock().sleep(3600)

    assert scope.cancelled_caught
