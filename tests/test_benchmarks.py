"""The benchmarks: they measure what they promise, and say whether the goals are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.measure import count, duration, percentile, ratio
from benchmarks.peers import absent
from benchmarks.subjects import SUBJECTS
from benchmarks.table import Column, Goal, Table
from tests.support.benchmarks import quick

if TYPE_CHECKING:
    from pathlib import Path


def test_subjects() -> None:
    """All that is promised is measured."""
    promised = {"warm", "stampede", "steady", "keys", "outage", "commands", "stored", "redaction"}
    assert promised | {"fleet", "observed", "redis"} <= set(SUBJECTS)


def test_a_quick_run() -> None:
    """It tells which peers are not there, and of each goal whether it is reached."""
    lines = quick("warm", "outage").splitlines()

    assert all(name in lines[1] for name in absent())
    for row in ("  httpx, a static header ", "  gqlauth ", "  a dict and the time looked up "):
        assert any(line.startswith(row) for line in lines)
    goals = [line for line in lines if line.startswith("  Goal: ")]
    assert len(goals) == 4
    assert all(line.endswith((": reached", ": NOT reached")) for line in goals)
    assert any(line.startswith("Goals reached: ") for line in lines)
    assert goals[-1].endswith("one cycle of 4 tries has: at most 4; 4: reached")


def test_stored() -> None:
    """What a stored token spares is measured, and that it spares all requests but the first."""
    lines = quick("stored").splitlines()

    time, requests = [line for line in lines if line.startswith("  Goal: ")]
    assert time.startswith("  Goal: tokens on disk beside tokens in memory: at most 1.00 x; ")
    assert requests == "  Goal: token requests with tokens on disk: at most 1; 1: reached"


def test_redaction(tmp_path: Path) -> None:
    """What redaction costs is measured against what it may cost, and a page shows it."""
    page = tmp_path / "performance.md"
    page.write_text("Before\n<!-- measured -->\nold\n<!-- /measured -->\nafter\n", encoding="utf-8")
    lines = quick("redaction", page=page).splitlines()

    (goal,) = [line for line in lines if line.startswith("  Goal: ")]
    assert goal.startswith("  Goal: redaction of a typical debug event: at most 50 µs; ")
    shown = page.read_text(encoding="utf-8")
    assert shown.startswith("Before\n<!-- measured -->\n```text\nPython ")
    assert shown.endswith(f"\n{goal}\n```\n<!-- /measured -->\nafter\n")


def test_observed() -> None:
    """What it costs to be told is measured, and that it costs nothing where there is no SDK."""
    lines = quick("observed").splitlines()

    assert [line.rpartition("  ")[2] for line in lines if line.startswith("  nobody")] == ["1.00 x"]
    assert any(line.startswith("  OpenTelemetry, with its SDK ") for line in lines)
    (goal,) = [line for line in lines if line.startswith("  Goal: ")]
    assert goal.startswith("  Goal: service.token() where no SDK is installed: at most 1.05 x; ")


def test_a_table() -> None:
    """Its columns are as wide as what stands in them; what a row has not is a dash."""
    table = Table(
        "Title",
        (Column("seconds", "time", duration), Column("times", "x base", ratio)),
        {"base": {"seconds": 0.5}, "another": {"seconds": 1.5, "times": 3.0}},
        (Goal("times", 3.0, 2.5, ratio), Goal("base", 1, 1, count)),
        ("A note.",),
    )

    assert list(table.lines()) == [
        "Title",
        "             time  x base",
        "  base     500 ms       -",
        "  another   1.5 s  3.00 x",
        "  A note.",
        "  Goal: times: at most 2.50 x; 3.00 x: NOT reached",
        "  Goal: base: at most 1; 1: reached",
    ]


@pytest.mark.parametrize(("part", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentile(part: float, value: float) -> None:
    """It is a value that was found, and not one between two."""
    assert percentile([float(number) for number in range(1, 101)], part) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (0.0125, "12.5 ms"), (4.2e-6, "4.2 µs"), (3e-9, "3 ns"), (0.0, "0")],
)
def test_duration(seconds: float, text: str) -> None:
    """It is told in the unit that suits it."""
    assert duration(seconds) == text
