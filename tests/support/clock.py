"""A clock whose pauses last until they are ended."""

from __future__ import annotations

import anyio

from gqlauth.testing import FrozenClock


class HeldClock(FrozenClock):
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
