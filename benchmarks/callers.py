"""Many callers at once, in tasks or in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import anyio

from benchmarks.measure import count, duration
from benchmarks.table import Column

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from benchmarks.measure import Figures
    from benchmarks.token_endpoint import TokenURL

#: What is shown of a crowd.
CROWD: Final = (
    Column("requests", "token requests", count),
    Column("seconds", "until all have it", duration),
    Column("failed", "failed", count),
)
#: Seconds after which the callers of a peer are told to give up.
ENOUGH: Final = 30.0


async def at_once(callers: int, call: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """Return the seconds until each of so many tasks has what it calls for; none may fail."""
    start = perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(callers):
            tasks.start_soon(call)
    return perf_counter() - start


async def crowd(callers: int, url: TokenURL, call: Callable[[], Awaitable[object]]) -> Figures:
    """Return what comes of so many tasks that call at once, some of which may fail."""
    served = 0

    async def one() -> None:
        nonlocal served
        try:
            await call()
        except Exception:  # noqa: BLE001 - counted, whatever it is
            return
        served += 1

    seconds = 0.0
    with anyio.move_on_after(ENOUGH):
        seconds = await at_once(callers, one)
    return {
        "requests": await anyio.to_thread.run_sync(url.requests),
        "seconds": seconds or ENOUGH,
        "failed": callers - served,
    }


async def threads(callers: int, url: TokenURL, call: Callable[[], object]) -> Figures:
    """Return what comes of so many threads that call at once, some of which may fail."""

    def all_of_them() -> tuple[float, int]:
        with ThreadPoolExecutor(callers) as pool:
            start = perf_counter()
            calls = [pool.submit(call) for _ in range(callers)]
            failed = sum(one.exception() is not None for one in calls)
            return perf_counter() - start, failed

    seconds, failed = await anyio.to_thread.run_sync(all_of_them)
    requests = await anyio.to_thread.run_sync(url.requests)
    return {"requests": requests, "seconds": seconds, "failed": failed}
