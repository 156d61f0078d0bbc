"""``gql`` as a process of its own, at a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.support.http_server import Request, http_server, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gql import Gql
    from tests.support.http_server import Answer, HttpServer

NOTICE = "waiting for token endpoint 127.0.0.1:"


@pytest.fixture
def gate() -> Event:
    """Give what the server waits for before it answers."""
    return Event()


@pytest.fixture
def server(gate: Event) -> Iterator[HttpServer]:
    """Run a token endpoint that answers when it is let."""

    def respond(_request: Request) -> Answer:
        gate.wait(30)
        return json_answer({"access_token": "token-of-the-server", "token_type": "Bearer"})

    with http_server(respond) as running:
        yield running
        gate.set()


class Terminal:
    """A process whose standard error is a terminal, and what that shows."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self.shown = ""

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            try:
                self.shown += os.read(self._master, 1024).decode()
            except OSError:  # the process has ended
                pytest.fail(f"it shows no {text!r} but {self.shown!r}")

    def ended(self) -> tuple[bytes, int]:
        """Wait for the process; return its standard output and exit status."""
        stdout, _ = self.process.communicate(timeout=30)
        os.set_blocking(self._master, False)
        while True:
            try:
                piece = os.read(self._master, 1024)
            except OSError:
                break
            if not piece:
                break
            self.shown += piece.decode()
        return stdout, self.process.returncode


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[Terminal]:
    """Run ``gql``, its standard error at a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gqlauth", *arguments],
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(slave)
    try:
        with process:
            yield Terminal(process, master)
    finally:
        os.close(master)


def test_long_wait_shows_what_is_waited_for(gql: Gql, orders: HttpServer, gate: Event) -> None:
    """A wait that takes more than a second shows on the terminal, and is gone in the end."""
    with at_a_terminal("auth", "token") as terminal:
        terminal.wait_for(NOTICE)
        gate.set()
        stdout, code = terminal.ended()

    assert (stdout, code) == (b"token-of-the-server\n", 0)
    assert terminal.shown.endswith("\r\x1b[K")


@pytest.mark.usefixtures("interruptible")
def test_interrupt(gql: Gql, orders: HttpServer) -> None:
    """Ctrl-C ends it with 130, quickly and without a traceback."""
    with at_a_terminal("auth", "token") as terminal:
        terminal.wait_for(NOTICE)
        while not orders.requests:  # on a busy machine, the notice may come before the request
            time.sleep(0.01)
        terminal.process.send_signal(signal.SIGINT)
        stdout, code = terminal.ended()

    assert (stdout, code) == (b"", 130)
    assert terminal.shown.endswith("\r\x1b[K\r\n")
    assert "Traceback" not in terminal.shown
