"""Measure several things side by side, and say how they compare.

The subjects take turns, so that what else the machine does falls on all of them alike; and what
counts is the ratio of medians, as seconds differ from machine to machine.
"""

from __future__ import annotations

import gc
import math
from random import Random
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

#: What one run of a subject came to: numbers by name. Seconds, unless the name says else.
Figures: TypeAlias = "Mapping[str, float]"
#: Runs a subject once.
Subject: TypeAlias = "Callable[[], Awaitable[Figures]]"


async def in_turns(
    subjects: Mapping[str, Subject], rounds: int, *, large: bool = True
) -> dict[str, dict[str, float]]:
    """Run the subjects in turns, and return the medians of each one's figures.

    They are warmed up by the caller, where what is only done once is not to count. What `large`
    ones leave behind is collected in between.
    """
    found: dict[str, list[Figures]] = {name: [] for name in subjects}
    order = Random(rounds)  # the same each time
    for _ in range(rounds):
        # Nobody always comes after the same one.
        for name in order.sample(list(subjects), len(subjects)):
            if large:
                gc.collect()
            found[name].append(await subjects[name]())
    return {
        name: {figure: median(run[figure] for run in runs) for figure in runs[0]}
        for name, runs in found.items()
    }


def percentile(values: list[float], part: float) -> float:
    """Return the value below which `part` of the sorted `values` lie."""
    return values[min(len(values) - 1, math.ceil(part * len(values)) - 1)]


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds == 0:
        return "0"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def count(number: float) -> str:
    """Return a number of things."""
    return f"{number:,.0f}"


def ratio(number: float) -> str:
    """Return how many times as much something is."""
    return f"{number:.2f} x"


def percent(part: float) -> str:
    """Return by how much something is more, or less."""
    return f"{part * 100:+.1f} %"
