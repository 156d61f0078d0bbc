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


class HeldClock(FakeClock):
    """Both clocks, moved by hand; a pause lasts until it is ended."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, anyio.Event]] = []
        self._asleep = anyio.Event()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        woken = anyio.Event()
        self._sleepers.append((seconds, woken))
        self._asleep.set()
        try:
            await woken.wait()
        finally:
            self._sleepers = [one for one in self._sleepers if one[1] is not woken]

    @property
    def is_awaited(self) -> bool:
        """Tell whether anybody sleeps."""
        return bool(self._sleepers)

    async def wake(self) -> float:
        """Wait until somebody sleeps, and end the pause of who came last; return how long it was.

        The time passes that it should have lasted.
        """
        while not self._sleepers:
            self._asleep = anyio.Event()
            await self._asleep.wait()
        seconds, woken = self._sleepers.pop()
        self.advance(seconds)
        woken.set()
        return seconds
