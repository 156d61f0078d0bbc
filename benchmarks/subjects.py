"""The subjects that are measured, by name, and what is printed of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import anyio

from benchmarks.commands import commands
from benchmarks.fleet import fleet
from benchmarks.keys import keys
from benchmarks.observed import observed
from benchmarks.outage import outage
from benchmarks.peers import absent
from benchmarks.redaction import redaction
from benchmarks.redis_costs import redis_costs
from benchmarks.stampede import stampede
from benchmarks.steady import steady
from benchmarks.stored import stored
from benchmarks.token_endpoint import token_server
from benchmarks.warm import warm

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from benchmarks.table import Goal, Table

#: Measures a subject with a token endpoint: ``(server, quick=…)``.
Measured: TypeAlias = "Callable[..., Awaitable[list[Table]]]"

SUBJECTS: Final[dict[str, Measured]] = {
    "warm": warm,
    "stampede": stampede,
    "steady": steady,
    "keys": keys,
    "outage": outage,
    "commands": commands,
    "stored": stored,
    "redaction": redaction,
    "observed": observed,
    "redis": redis_costs,
    "fleet": fleet,
}


def measure(names: Iterable[str], *, quick: bool) -> list[Table]:
    """Measure the subjects of `names`, and print what they come to. No goal fails the run."""
    if missing := absent():
        print(f"Not installed, and left out: {', '.join(missing)}")
    tables: list[Table] = []
    with token_server() as server:
        for name in names:
            for table in anyio.run(partial(SUBJECTS[name], server, quick=quick)):
                print("", *table.lines(), sep="\n", flush=True)
                tables.append(table)
    goals: list[Goal] = [goal for table in tables for goal in table.goals]
    reached = sum(goal.reached for goal in goals)
    print(f"\nGoals reached: {reached} of {len(goals)}")
    for goal in goals:
        if not goal.reached:
            print(f"  {goal}")
    return tables
