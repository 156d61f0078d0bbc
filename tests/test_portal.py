"""The way into the event loop of a service: who is let in, and what becomes of who is inside."""

from __future__ import annotations

import os
import signal
import threading
import warnings

import anyio
import anyio.to_thread
import pytest

from gqlauth import AuthService, GqlAuthError, ServiceClosedError
from gqlauth._portal import Portal
from gqlauth.sync import SyncAuthService
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials

pytestmark = pytest.mark.anyio


async def thread() -> int:
    return threading.get_ident()


async def test_what_is_called_runs_in_the_event_loop() -> None:
    """It runs in the thread of that, and what it returns comes back."""
    portal = Portal()
    await portal.open()
    ran = await anyio.to_thread.run_sync(portal.call, thread)
    await portal.close()

    assert ran == threading.get_ident()


async def test_what_it_raises_is_raised() -> None:
    """It is raised where it was called."""

    async def fail() -> None:
        raise LookupError("nowhere")

    portal = Portal()
    await portal.open()
    with pytest.raises(LookupError, match="nowhere"):
        await anyio.to_thread.run_sync(portal.call, fail)
    await portal.close()


async def test_it_is_opened_once() -> None:
    """A service that is entered twice would have two event loops."""
    portal = Portal()
    await portal.open()
    with pytest.raises(GqlAuthError, match="running already"):
        await portal.open()
    await portal.close()


async def test_it_can_be_opened_anew() -> None:
    """Once it is closed; and closing does nothing where it is."""
    portal = Portal()
    for _ in range(2):
        await portal.open()
        assert await anyio.to_thread.run_sync(portal.call, thread) == threading.get_ident()
        await portal.close()
        await portal.close()


async def test_who_comes_as_it_closes() -> None:
    """A thread that has looked before it was closed is told so, and does not wait for ever."""
    portal = Portal()
    await portal.open()
    inner = portal._portal
    assert inner is not None
    await inner.stop()

    with pytest.raises(ServiceClosedError, match="closed meanwhile"):
        await anyio.to_thread.run_sync(portal.call, thread)
    await portal.close()


async def test_who_is_inside_as_it_closes() -> None:
    """What was called ends, and who called is told."""
    portal, inside = Portal(), anyio.Event()
    told: list[str] = []

    async def stay() -> None:
        inside.set()
        await anyio.sleep_forever()

    def call() -> None:
        with pytest.raises(ServiceClosedError) as caught:
            portal.call(stay)
        told.append(str(caught.value))

    async with anyio.create_task_group() as tasks:
        await portal.open()
        tasks.start_soon(anyio.to_thread.run_sync, call)
        await inside.wait()
        await portal.close()
    assert told == ["the service was closed meanwhile"]


@pytest.mark.usefixtures("interruptible")
def test_who_is_interrupted_leaves_nothing_behind() -> None:
    """Control-C ends the wait for a token, and the service goes on."""
    main = threading.main_thread().ident
    assert main is not None
    server = AuthorizationServer()

    def interrupt(_request: object) -> int:
        signal.pthread_kill(main, signal.SIGINT)
        return 503

    server.script = [interrupt, *[503] * 3]
    strategy = ClientCredentials(token_url="https://id.example.com/token", client_id="c")
    with SyncAuthService(AuthService(token_transport=server)) as service:
        auth = service.auth_for(strategy, url="https://api.example.com/")
        source = auth._source
        assert source is not None
        with pytest.raises(KeyboardInterrupt):
            service._service.portal.call(source.token)
        assert service.status() == ()


def test_process_that_was_forked() -> None:
    """The event loop's thread is not in it: what is called there is told so."""
    with SyncAuthService(AuthService()) as service:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
            child = os.fork()
        if child == 0:
            try:
                service.status()
            except ServiceClosedError as error:
                os._exit(7 if "after the fork" in str(error) else 1)
            os._exit(2)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
