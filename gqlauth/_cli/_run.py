"""Runs what awaits, and tells a person at a terminal what takes so long."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import TYPE_CHECKING, Final, TextIO, TypeVar

from gqlauth._cli._globals import is_terminal
from gqlauth._redact import escape_control

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

T = TypeVar("T")

#: Seconds after which a wait is a long one, and between two looks at it.
LONG: Final = 1.0


def run(function: Callable[[], Awaitable[T]], *, waiting_for: str = "") -> T:
    """Run `function` in an event loop, and return what it returns.

    On a terminal, standard error shows after a second what is waited for, such as
    ``token endpoint id.example.com``, until it is done; nothing, where nothing is named. A crash
    leaves no core file.
    """
    import anyio  # noqa: PLC0415 - help awaits nothing

    leave_no_core()
    with waiting(waiting_for) if waiting_for else nullcontext():
        return anyio.run(function, backend="asyncio")


def leave_no_core() -> None:
    """Let no crash of this process, or of what it runs, write its memory into a file.

    What awaits holds secrets and tokens there.
    """
    try:
        import resource  # noqa: PLC0415 - what awaits nothing holds no secret
    except ImportError:  # there are no core files on Windows
        return
    # That it may be raised again is for who runs a debugger.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


@contextmanager
def waiting(what: str, *, stream: TextIO | None = None, every: float = LONG) -> Iterator[None]:
    """Show ``waiting for … 3 s`` on a terminal while the block runs, if that takes long."""
    stream = sys.stderr if stream is None else stream
    if stream is None or not is_terminal(stream):
        yield
        return
    done = threading.Event()
    # A thread of its own: it tells the truth also where the event loop is kept from running.
    thread = threading.Thread(
        target=_show, args=(escape_control(what), stream, every, done), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(what: str, stream: TextIO, every: float, done: threading.Event) -> None:
    begin = monotonic()
    shown = False
    try:
        while not done.wait(every):
            stream.write(f"\r\x1b[Kwaiting for {what} … {monotonic() - begin:.0f} s")
            stream.flush()
            shown = True
        if shown:
            stream.write("\r\x1b[K")
            stream.flush()
    except OSError:
        return  # the terminal is gone, and nobody reads this
