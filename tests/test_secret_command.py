"""Secrets that commands print: real processes."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from gqlauth import SecretError, _secret_command
from gqlauth._plugins import PluginGroup
from gqlauth._secret_command import CommandSource
from tests.support.trouble import HIDDEN, trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


def shell(script: str, *arguments: str) -> CommandSource:
    return CommandSource(("sh", "-c", script, "sh", *arguments))


def python(script: str, *arguments: str) -> CommandSource:
    return CommandSource((sys.executable, "-S", "-c", script, *arguments))


def test_it_comes_by_entry_point() -> None:
    """As anyone's sources do."""
    assert PluginGroup("gqlauth.secrets", "secret source", SecretError).load("command") is (
        CommandSource
    )


class TestCommand:
    @pytest.mark.parametrize(
        ("printed", "expected"), [("secret", "secret"), (r"a\nb\n\n", "a\nb\n"), ("é", "é")]
    )
    async def test_what_it_prints_is_the_secret(self, printed: str, expected: str) -> None:
        """Without one newline at its end."""
        assert await CommandSource(("printf", printed)).read() == expected

    async def test_no_shell_is_involved(self) -> None:
        """An argument goes as it is."""
        assert await CommandSource(("printf", "%s", "$HOME; *")).read() == "$HOME; *"

    async def test_it_has_nothing_to_read(self) -> None:
        """So that it cannot take what is meant for us, nor wait for it."""
        assert await shell("printf '<%s>' \"$(cat)\"").read() == "<>"

    async def test_it_has_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where its own settings are."""
        monkeypatch.setenv("ACME_PROFILE", "blue")
        assert await shell("echo $ACME_PROFILE").read() == "blue"

    @pytest.mark.parametrize(
        "argv", [("tools/secret",), ("./tools/secret",), ("sh", "tools/secret"), ("cat", "held")]
    )
    async def test_it_runs_in_its_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
    ) -> None:
        """Wherever its user is: in somebody else's folder lies another of that name."""
        for name, told in {"ours": "secret", "theirs": "evil"}.items():
            (tmp_path / name / "tools").mkdir(parents=True)
            (tmp_path / name / "held").write_text(told)
            script = tmp_path / name / "tools" / "secret"
            script.write_text(f"#!/bin/sh\necho {told}\n")
            script.chmod(0o700)
        monkeypatch.chdir(tmp_path / "theirs")
        source = CommandSource(argv, folder=tmp_path / "ours")

        assert source.check() is None
        assert await source.read() == "secret"

    async def test_one_in_code_runs_where_the_program_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There is no file whose folder it could be."""
        monkeypatch.chdir(tmp_path)

        assert await CommandSource(("pwd",)).read() == str(tmp_path)

    def test_only_its_program_is_shown(self) -> None:
        """An argument may be secret."""
        source = CommandSource(("op", "read", HIDDEN))
        assert str(source) == "command op …"
        assert repr(source) == "CommandSource()"
        assert str(CommandSource(("op",))) == "command op"

    @pytest.mark.parametrize("argv", [(), ("",), ("op", "a\0b")])
    def test_it_must_be_one_that_can_be_run(self, argv: tuple[str, ...]) -> None:
        """Said at once, and not when it is needed."""
        with pytest.raises(ValueError, match=r"a command is a list|has a NUL"):
            CommandSource(argv)

    async def test_a_missing_program_is_told(self) -> None:
        """With and without running it."""
        source = CommandSource(("gqlauth-no-such-program", HIDDEN))
        assert source.check() == (
            "command gqlauth-no-such-program is not on the PATH, or not executable"
        )
        assert await trouble(source) == "command gqlauth-no-such-program is not on the PATH"

    def test_a_program_that_is_there_is_not_run_by_a_check(self, tmp_path: Path) -> None:
        """Diagnostics run nothing."""
        assert shell(f"touch {tmp_path}/run").check() is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [(0o644, "is not executable"), (0o755, "cannot be started: Exec format error")],
    )
    async def test_what_is_no_program_is_told(
        self, tmp_path: Path, mode: int, expected: str
    ) -> None:
        """As the system says."""
        path = tmp_path / "program"
        path.write_bytes(b"\x7fELF")
        path.chmod(mode)
        assert await trouble(CommandSource((str(path),))) == f"command {path} {expected}"

    async def test_its_standard_error_is_told_and_its_output_never(self) -> None:
        """Nor where the former repeats the latter."""
        script = f"echo {HIDDEN}; echo oh: {HIDDEN} >&2; exit 3"
        assert await trouble(shell(script)) == ('command sh failed with exit status 3: "oh: ***"')

    async def test_its_standard_error_is_made_harmless(self) -> None:
        """Redacted, escaped, and cut."""
        script = r"printf 'client_secret=abc \033[2J' >&2; printf '%0600d' 0 >&2; exit 1"
        told = f"client_secret=*** \\x1b[2J{'0' * 600}"[:500]
        assert await trouble(shell(script)) == (f'command sh failed with exit status 1: "{told}…"')

    async def test_much_standard_error_holds_nobody_up(self) -> None:
        """It is read to its end, and dropped."""
        source = python("import sys; sys.stderr.write('x' * 1_000_000); print('secret')")
        assert await source.read() == "secret"

    @pytest.mark.parametrize("number", [15, 40])
    async def test_a_signal_that_ended_it_is_told(self, number: int) -> None:
        """By its name, if it has one."""
        name = {15: "SIGTERM", 40: "signal 40"}[number]
        assert await trouble(shell(f"kill -{number} $$")) == f"command sh was ended by {name}"

    @pytest.mark.parametrize(
        ("script", "expected"),
        [
            ("true", "printed nothing"),
            ("echo", "printed nothing"),
            ("echo sign in first >&2", 'printed nothing: "sign in first"'),
            (f"while echo {HIDDEN}; do true; done", "gives more than 64 KiB: that is no secret"),
            (rf"printf '{HIDDEN}\377'", "gives no UTF-8 text"),
        ],
    )
    async def test_what_is_no_secret_is_told(self, script: str, expected: str) -> None:
        """But not shown."""
        assert await trouble(shell(script)) == f"command sh {expected}"


class Held:
    """A socket on which a process says that it is there, and whose end says that it is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def command(self, script: str) -> CommandSource:
        """Return a command that runs `script`, in which `hold` says that it is there."""
        before = (
            "import os, socket, sys, time\n"
            "def hold():\n"
            "    held = socket.socket(socket.AF_UNIX)\n"
            "    held.connect(sys.argv[1])\n"
            "    held.recv(1)\n"
        )
        return python(before + script, str(self.path))

    async def accept(self) -> socket.socket:
        return (await anyio.to_thread.run_sync(self.listener.accept))[0]

    async def gone(self, connection: socket.socket) -> bool:
        with connection, anyio.fail_after(10):
            return await anyio.to_thread.run_sync(connection.recv, 1) == b""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    """Give a socket that tells of processes."""
    made = Held(tmp_path / "held")
    yield made
    made.listener.close()


class TestProcesses:
    async def test_what_a_command_leaves_running_holds_nobody_up(self, held: Held) -> None:
        """A program may start another that serves its next call."""
        source = held.command("if os.fork(): print('secret')\nelse: os.close(1); hold()")
        assert await source.read() == "secret"
        (await held.accept()).close()

    async def test_a_command_that_takes_too_long_is_killed(
        self, held: Held, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With all that it started."""
        limits: list[float] = []
        scope = anyio.CancelScope()

        def limited(seconds: float) -> anyio.CancelScope:
            limits.append(seconds)
            return scope

        monkeypatch.setattr(anyio, "move_on_after", limited)
        source = held.command("print('oh', file=sys.stderr, flush=True); os.fork(); hold()")
        told: list[str] = []

        async def read() -> None:
            told.append(await trouble(source))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            connections = [await held.accept(), await held.accept()]
            scope.cancel()
        assert told == [f'command {sys.executable} did not end within 10 s: "oh"']
        assert limits == [10.0]
        for connection in connections:
            assert await held.gone(connection)

    async def test_a_cancelled_command_is_killed(self, held: Held) -> None:
        """With all that it started, before the cancellation goes on."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(held.command("os.fork(); hold()").read)
            connections = [await held.accept(), await held.accept()]
            tasks.cancel_scope.cancel()
        for connection in connections:
            assert await held.gone(connection)

    async def test_a_system_without_process_groups_ends_the_command_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Windows has none."""
        monkeypatch.delattr(os, "killpg")
        monkeypatch.setattr(_secret_command, "COMMAND_LIMIT", 0.2)
        assert await trouble(CommandSource(("sleep", "600"))) == (
            "command sleep did not end within 0.2 s"
        )
