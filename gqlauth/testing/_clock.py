"""A clock that stands until it is moved."""

from __future__ import annotations

import anyio.lowlevel


class FrozenClock:
    """Both clocks of ``AuthService(clock=…)``, moved by hand: a pause takes no time.

    Args:
        wall: what the wall clock says, in seconds since the epoch.

    """

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        #: What the wall clock says, in seconds since the epoch.
        self.now_wall = wall
        #: What the monotonic clock says, in seconds: it stands still in a machine that sleeps.
        self.now_monotonic = 1_000.0
        #: The seconds of each pause, in order.
        self.pauses: list[float] = []

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self.now_wall

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self.now_monotonic

    async def sleep(self, seconds: float) -> None:
        """Note the pause, and be `seconds` later at once."""
        self.pauses.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()

    def advance(self, seconds: float) -> None:
        """Move both clocks by `seconds`."""
        self.now_wall += seconds
        self.now_monotonic += seconds
