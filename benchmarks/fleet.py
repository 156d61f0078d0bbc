"""A fleet: many workers in several processes, which share their tokens by a Redis that is real.

In one process each worker would take its tokens from memory; here each has a service of its own,
with connections of its own, as on a machine of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import anyio.to_thread
import attrs

from benchmarks.measure import count, duration, percentile, ratio
from benchmarks.table import Column, Goal, Table
from benchmarks.worker import SECRET
from gqlauth._entry import WINDOW_JITTER, WINDOW_PART
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from tests.support.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.token_endpoint import TokenServer, TokenURL
    from tests.support.redis_server import RedisServer

#: Seconds that the token endpoint takes; and for the key whose first holder is killed.
DELAY: Final = 0.05
SLOW: Final = 1.0
#: The part of a life after which the first worker finds a token due.
DUE: Final = 1 - WINDOW_PART * (1 + WINDOW_JITTER)
#: What a good token may cost a worker that has to look for it, as 99 of 100 do.
LOOK: Final = 0.1

_WORKER: Final = Path(__file__).with_name("worker.py")


@attrs.frozen
class Size:
    """How large the fleet is, and how long it is watched; times are in seconds."""

    processes: int
    workers: int
    keys: int
    lifetime: float
    #: Between two questions of a worker, on the average.
    pause: float
    #: How long all of them take to begin, and how long each phase is after that.
    begin: float
    phase: float
    #: Workers of each process that wait for one that is killed: as they all ask in one moment,
    #: more would measure how many can connect in the second that each has for it.
    waiting: int

    @property
    def all_workers(self) -> int:
        """Return how many there are in all processes."""
        return self.processes * self.workers


FULL: Final = Size(
    processes=4, workers=250, keys=50, lifetime=20.0, pause=10.0, begin=60.0, phase=40.0, waiting=10
)
QUICK: Final = Size(
    processes=2, workers=10, keys=5, lifetime=4.0, pause=0.2, begin=0.5, phase=3.0, waiting=10
)

_COLUMNS: Final = (
    Column("calls", "calls", count),
    Column("p50", "p50", duration),
    Column("p99", "p99", duration),
    Column("most", "longest", duration),
    Column("requests", "token requests", count),
    Column("ideal", "ideal", count),
    Column("misses", "store failed", count),
    Column("failed", "failed", count),
)


async def fleet(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure token requests against the ideal, and what a call takes, in peace and in trouble."""
    return [await anyio.to_thread.run_sync(_simulated, server, QUICK if quick else FULL)]


def _simulated(server: TokenServer, size: Size) -> Table:
    # It imports coredis, which is there where this is measured, and not in all tests.
    from gqlauth._stores._redis import APART, HOLD  # noqa: PLC0415

    tokens = [server.run(delay=DELAY, lifetime=size.lifetime) for _ in range(size.keys)]
    slow = server.run(delay=SLOW)
    urls = [token.url for token in (*tokens, slow)]
    with redis_server() as redis, _fleet(redis, urls, size) as processes:
        phases = _Phases(processes, tokens, size)
        rows = {"they begin": phases.run(size.begin, begin=size.begin)}
        before = redis.calls(), redis.cpu()
        rows["at work"] = phases.run(size.phase)
        notes = _told(redis, before, rows["at work"]["elapsed"], size)
        rows["the holder of a lock is killed"] = killed = _killed(
            redis, processes, urls, slow, size
        )
        rows["the Redis is restarted"] = phases.run(
            size.phase, meanwhile=lambda: _restarted(redis, size.phase / 10)
        )
    work = rows["at work"]
    return Table(
        f"A fleet of {count(size.all_workers)} workers in {size.processes} processes, "
        f"{size.keys} keys, tokens of {duration(size.lifetime)}, one Redis",
        _COLUMNS,
        rows,
        (
            Goal("token requests at work, beside the ideal", work["beside"], 1.0, ratio),
            Goal("p99 of a call at work", work["p99"], LOOK, duration),
            Goal("calls that failed", sum(row["failed"] for row in rows.values()), 0, count),
            Goal("token requests when the holder is killed", killed["requests"], 2, count),
            Goal(
                "longest wait for one that is killed: its lock, and a token request",
                killed["most"],
                HOLD + APART + 2 * SLOW,
                duration,
            ),
        ),
        notes,
    )


class _Phases:
    """Watches a fleet, one phase after another."""

    def __init__(
        self, processes: Sequence[_Process], tokens: Sequence[TokenURL], size: Size
    ) -> None:
        self._processes = processes
        self._tokens = tokens
        self._size = size

    def run(
        self, seconds: float, *, begin: float = 0.0, meanwhile: Callable[[], None] | None = None
    ) -> dict[str, float]:
        """Return what a phase comes to."""
        size = self._size
        before = [token.requests() for token in self._tokens]
        start = monotonic()
        for process in self._processes:
            process.tell(
                "work", keys=size.keys, seconds=seconds, begin=begin or size.pause, pause=size.pause
            )
        if meanwhile is not None:
            meanwhile()
        figures = _figures([process.heard() for process in self._processes])
        elapsed = monotonic() - start
        figures["elapsed"] = elapsed
        figures["requests"] = sum(token.requests() for token in self._tokens) - sum(before)
        # One a key, each time that its token is due: where all begin, the first comes on top.
        figures["ideal"] = size.keys * (1 + elapsed // (size.lifetime * DUE))
        figures["beside"] = figures["requests"] / figures["ideal"]
        return figures


def _figures(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    seconds = sorted(one for each in found for one in each["seconds"])
    return {
        "calls": len(seconds),
        "p50": percentile(seconds, 0.5),
        "p99": percentile(seconds, 0.99),
        "most": seconds[-1],
        "misses": sum(each["misses"] for each in found),
        "failed": sum(each["failed"] for each in found),
    }


def _restarted(redis: RedisServer, after: float) -> None:
    """Restart a Redis, empty, while it is asked."""
    sleep(after)
    redis.stop()
    redis.start()


def _killed(
    redis: RedisServer,
    processes: Sequence[_Process],
    urls: Sequence[str],
    slow: TokenURL,
    size: Size,
) -> dict[str, float]:
    """Kill a worker while it holds a lock, and let others ask for what it was fetching."""
    with _process(redis, urls, 1, seed=0) as victim:
        victim.tell("all_ask", key=size.keys, workers=1)
        while slow.requests() == 0:  # it has the lock by then
            sleep(0.01)
        victim.kill()
        for process in processes:
            process.tell("all_ask", key=size.keys, workers=size.waiting)
        figures = _figures([process.heard() for process in processes])
    return {**figures, "requests": slow.requests(), "ideal": 2}


def _told(
    redis: RedisServer, before: tuple[Any, float], elapsed: float, size: Size
) -> tuple[str, ...]:
    """Return what a phase asked of the Redis."""
    calls, cpu = redis.calls() - before[0], redis.cpu() - before[1]
    clients = redis.info("clients")["connected_clients"]
    asked = calls["hget"] + calls["eval"] + calls["evalsha"]
    note = (
        f"At work, the Redis was asked {asked / elapsed:,.0f} times a second, which took "
        f"{cpu / elapsed * 100:.1f} % of a processor; {float(clients):,.0f} connections of "
        f"{count(size.all_workers)} workers."
    )
    return (note,)


class _Process:
    """A process of workers, which is told what to do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, what: str, **arguments: float) -> None:
        """Let its workers do something."""
        self._write([what, arguments])

    def begin(self, *arguments: Any) -> None:  # noqa: ANN401 - what `worker` takes
        """Tell it what it is."""
        self._write(arguments)

    def _write(self, line: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def heard(self) -> Any:  # noqa: ANN401 - JSON
        """Return what came of it, when it is done."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        """End it as no process can prevent."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def _process(
    redis: RedisServer, urls: Sequence[str], workers: int, *, seed: int
) -> Iterator[_Process]:
    with subprocess.Popen(
        [sys.executable, "-P", str(_WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            process = _Process(running)
            process.begin(redis.url, urls, workers, seed)
            assert process.heard() == "ready"
            yield process
        finally:
            running.kill()


@contextmanager
def _fleet(redis: RedisServer, urls: Sequence[str], size: Size) -> Iterator[list[_Process]]:
    shared = {VARIABLE: new_key(), SECRET: "made-up-for-benchmarks"}
    with ExitStack() as stack:
        os.environ.update(shared)
        stack.callback(lambda: [os.environ.pop(name) for name in shared])
        yield [
            stack.enter_context(_process(redis, urls, size.workers, seed=number))
            for number in range(1, size.processes + 1)
        ]
