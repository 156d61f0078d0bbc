"""`Portal`: the way into the event loop of a service, for the threads beside it."""

from __future__ import annotations

import os
from concurrent.futures import CancelledError
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar

from gqlauth.errors import GqlAuthError, ServiceClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.from_thread import BlockingPortal

    T = TypeVar("T")


class Portal:
    """Runs in the event loop of a service what another thread asks for, and waits for it there.

    It is open while the service runs. All that the service knows is so touched by one thread
    alone, however many ask: nothing of it needs a lock.
    """

    __slots__ = ("_portal", "_process", "_thread")

    def __init__(self) -> None:
        self._portal: BlockingPortal | None = None
        self._process = 0
        self._thread = 0

    async def open(self) -> None:
        """Let threads in, to the event loop that runs this.

        Raises:
            GqlAuthError: when it is open already.

        """
        from anyio.from_thread import BlockingPortal  # noqa: PLC0415 - diagnostics enter nothing

        if self._portal is not None:
            raise GqlAuthError("the service is running already: enter it once")
        self._process, self._thread = os.getpid(), get_ident()
        portal = BlockingPortal()
        await portal.__aenter__()
        self._portal = portal

    async def close(self) -> None:
        """Let nobody in any more; who is still inside gets `ServiceClosedError`."""
        portal, self._portal = self._portal, None
        if portal is not None:
            await portal.stop(cancel_remaining=True)
            await portal.__aexit__(None, None, None)

    def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run `function` in the event loop, and return what it returns, or raise what it raises.

        Raises:
            ServiceClosedError: when the service is not running, or closes meanwhile.
            GqlAuthError: when this is the thread of the event loop, which would wait for itself.

        """
        portal = self._portal
        if portal is None:
            raise ServiceClosedError("the service is not running: enter it first")
        if os.getpid() != self._process:
            raise ServiceClosedError(
                "the service runs in the process that this one was forked from: "
                "enter one in each process, after the fork"
            )
        if get_ident() == self._thread:
            raise GqlAuthError(
                "a synchronous call in the thread of the event loop would wait for itself: use "
                "httpx.AsyncClient here, or make the call in another thread, such as by "
                "anyio.to_thread.run_sync"
            )
        try:
            future = portal.start_task_soon(function)
        except RuntimeError:  # it was closed since we looked
            raise ServiceClosedError("the service was closed meanwhile") from None
        try:
            return future.result()
        except CancelledError:
            raise ServiceClosedError("the service was closed meanwhile") from None
        except BaseException:
            # Who is interrupted leaves nothing behind. It does nothing to a call that failed.
            future.cancel()
            raise
