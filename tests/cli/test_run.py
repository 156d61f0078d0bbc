"""What awaits is run, and a long wait shows on terminals."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from threading import Event, Thread
from typing import NoReturn

import anyio
import pytest

from gqlauth._cli import _gql
from gqlauth._cli._run import leave_no_core, run, waiting
from tests.support.terminal import FakeTerminal


@pytest.fixture(autouse=True)
def _real_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


class Watched(FakeTerminal):
    """Tells when it has been written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def write(self, text: str) -> int:
        length = super().write(text)
        self.written.set()
        return length


def test_returns_what_the_function_returns() -> None:
    """`run` gives back what the function that it runs returns."""

    async def answer() -> int:
        await anyio.lowlevel.checkpoint()
        return 42

    assert run(answer, waiting_for="an answer") == 42


@pytest.mark.usefixtures("interruptible")
def test_interrupt_is_passed_on() -> None:
    """Ctrl-C ends what runs with KeyboardInterrupt."""

    async def interrupted() -> NoReturn:
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, waiting_for="nothing")


def test_where_there_are_no_core_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, there is nothing to be seen to."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    monkeypatch.setitem(sys.modules, "resource", None)
    leave_no_core()

    assert resource.getrlimit(resource.RLIMIT_CORE) == before


def test_long_wait_is_told_and_erased() -> None:
    """On a terminal the notice tells what is waited for, and is gone afterwards."""
    terminal = Watched()

    with waiting("token endpoint id.example.com\x1b", stream=terminal, every=0.001):
        assert terminal.written.wait(10)

    text = terminal.getvalue()
    assert text.startswith("\r\x1b[Kwaiting for token endpoint id.example.com\\x1b … 0 s")
    assert text.endswith("\r\x1b[K")


def test_short_wait_is_not_told() -> None:
    """What does not take long writes nothing."""
    terminal = Watched()

    with waiting("nothing", stream=terminal):
        pass

    assert terminal.getvalue() == ""


def test_nothing_is_told_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is no terminal, no notice is ever written."""
    with waiting("nothing", every=0.0):
        pass

    assert capsys.readouterr().err == ""


def test_no_standard_error_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without standard error waits in silence."""
    monkeypatch.setattr(sys, "stderr", None)

    with waiting("nothing"):
        pass


def test_terminal_that_is_gone_is_no_error() -> None:
    """A terminal that was closed meanwhile stops the notice, and nothing else."""

    class Gone(Watched):
        def write(self, text: str) -> NoReturn:
            self.written.set()
            raise OSError(5, "Input/output error")

    terminal = Gone()

    with waiting("nothing", stream=terminal, every=0.001):
        assert terminal.written.wait(10)


class TestEnd:
    """``gql`` ends when it is done."""

    @pytest.mark.parametrize("wait", ["threading.Event().wait", "lambda: None"])
    def test_waits_for_nobody_for_ever(self, wait: str) -> None:
        """A thread may hang, in a keyring or a file system; what was written is there."""
        code = (
            "import threading; from gqlauth._cli import main;"
            f" threading.Thread(target={wait}).start();"
            " main(['auth', '--no-such'])"
        )

        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )

        assert (ran.returncode, ran.stderr.splitlines()[0]) == (
            2,
            'gql: no such option "--no-such"',
        )

    def test_waits_for_what_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may be about to."""
        event = Event()
        thread = Thread(target=event.wait)
        thread.start()
        monkeypatch.setattr(_gql, "PATIENCE", 0.0)
        try:
            assert _gql._is_held_up()
        finally:
            event.set()
        monkeypatch.undo()
        assert not _gql._is_held_up()
