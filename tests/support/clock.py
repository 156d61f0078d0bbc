"""A clock that stands until it is moved."""

from __future__ import annotations

import anyio.lowlevel


class FakeClock:
    """Both clocks, moved by hand; a pause moves them and takes no time."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        self.now_wall = wall
        self.now_monotonic = 1_000.0
        self.pauses: list[float] = []

    def wall(self) -> float:
        return self.now_wall

    def monotonic(self) -> float:
        return self.now_monotonic

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()

    def advance(self, seconds: float) -> None:
        self.now_wall += seconds
        self.now_monotonic += seconds
