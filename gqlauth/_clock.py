"""The two clocks by which a token's life is told, and the pause between tries.

Both are asked, and the earlier end wins: the wall clock goes on while a laptop sleeps, the
monotonic one does not jump when somebody sets the time.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time; tests bring their own and never sleep."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds since some moment, never going back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""


class SystemClock:
    """The clocks of this machine."""

    __slots__ = ()

    # As they are, without a frame of ours around them: every request asks both.
    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, on asyncio or trio."""
        import anyio  # noqa: PLC0415 - the command line pays for it only where it waits

        await anyio.sleep(seconds)
