"""A server for GraphQL over websockets, in a thread: for tests of what runs its own event loop."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from tests.support.subscriptions import SubscriptionServer, subscription_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tests.support.subscriptions import Answers, Connection, Rejects, Says


@contextmanager
def websocket_server(
    *scripts: Callable[[Connection], Coroutine[Any, Any, None]],
    greetings: tuple[Rejects | Answers | Says, ...] = (),
    protocols: tuple[str, ...] = (),
) -> Iterator[SubscriptionServer]:
    """Run a server that does with each connection, in order, what the next of `scripts` says."""
    started, loops, servers = Event(), [], []

    async def serve() -> None:
        async with subscription_server(*protocols) as server:
            server.greetings.extend(greetings)
            servers.append(server)
            task = asyncio.current_task()
            assert task is not None
            loops.append((asyncio.get_running_loop(), task))
            started.set()
            async with asyncio.TaskGroup() as tasks:
                for script in scripts:
                    connection = await server.acknowledged.get()
                    tasks.create_task(script(connection))
                await asyncio.Event().wait()

    def run() -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(serve())

    thread = Thread(target=run)
    thread.start()
    started.wait(30)
    try:
        yield servers[0]
    finally:
        loop, task = loops[0]
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
