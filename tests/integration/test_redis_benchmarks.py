"""The benchmarks that want a Redis; for the others see ``tests/test_benchmarks.py``."""

from __future__ import annotations

from tests.support.benchmarks import quick


def test_costs() -> None:
    """What a Redis spends is told for a look, a turn, a key and a connection."""
    lines = quick("redis").splitlines()

    for start in (
        "  a look at ",
        "  a look over ",
        "  a turn: ",
        "  A key with a token ",
        "  A connection that waits ",
    ):
        assert any(line.startswith(start) for line in lines)
    (goal,) = [line for line in lines if line.startswith("  Goal: ")]
    assert goal.startswith("  Goal: bytes of a key, beside its token: at most 1,024; ")
    assert goal.endswith(": reached")


def test_fleet() -> None:
    """Whatever becomes of the Redis and of a worker, all calls get their token."""
    lines = quick("fleet").splitlines()

    for row in (
        "they begin",
        "at work",
        "the holder of a lock is killed",
        "the Redis is restarted",
    ):
        assert any(line.startswith(f"  {row} ") for line in lines)
    goals = [line for line in lines if line.startswith("  Goal: ")]
    assert len(goals) == 5
    assert "  Goal: calls that failed: at most 0; 0: reached" in goals
