"""Measure several things side by side, and say how they compare.

The subjects take turns, so that what else the machine does falls on all of them alike; and what
counts is the ratio of medians, as seconds differ from machine to machine.
"""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING, TypeAlias

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    #: Runs a subject once, and returns the seconds that one of what it does took.
    Subject: TypeAlias = Callable[[], Awaitable[float]]


def compare(title: str, subjects: Mapping[str, Subject], *, rounds: int) -> dict[str, float]:
    """Measure the subjects in turns, print them beside the first, and return their ratios to it."""
    times = anyio.run(_measured, subjects, rounds)
    base = median(next(iter(times.values())))
    ratios = {name: median(found) / base for name, found in times.items()}
    print(f"\n{title} (medians of {rounds} rounds)")
    width = max(map(len, times))
    for name, found in times.items():
        low, _, high = quantiles(found, n=4)
        shown = f"{_duration(median(found)):>9}  ({_duration(low)} to {_duration(high)})"
        print(f"  {name:<{width}}  {ratios[name]:7.2f} x  {shown}")
    return ratios


async def _measured(subjects: Mapping[str, Subject], rounds: int) -> dict[str, list[float]]:
    for subject in subjects.values():  # once for what is only done once: imports, caches
        await subject()
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for turn in range(rounds):
        # Nobody always comes after the same one.
        names = list(subjects)[:: 1 if turn % 2 else -1]
        for name in names:
            times[name].append(await subjects[name]())
    return times


def _duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
