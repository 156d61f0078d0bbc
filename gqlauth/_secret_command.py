"""Where secrets come from: a command, which is run each time that its secret is read.

What it prints stands in no variable of a frame that an error passes through: see
`gqlauth._secret_sources`.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from gqlauth._secret_sources import MAX_SECRET, secret_text
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from anyio.abc import ByteReceiveStream, Process

#: Seconds that a command has.
COMMAND_LIMIT: Final = 10.0
#: Characters of a failed command's standard error that are told, and bytes of it that are kept.
TOLD: Final = 500
_KEPT: Final = 16 * TOLD


def _words(_instance: object, _field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    if not value or not value[0]:
        raise ValueError('a command is a list: the program, then its arguments: ["op", "read", …]')
    if any("\0" in word for word in value):
        raise ValueError("an argument has a NUL in it")


@attrs.frozen
class CommandSource:
    """What a command prints, without the newline at its end. No shell is involved."""

    #: The program and its arguments. They are not shown: an argument may be secret itself.
    argv: tuple[str, ...] = attrs.field(validator=_words, repr=False)
    # Where it runs: in the configuration file's folder, or what was trusted would run another
    # script of the same name where somebody else's folder is the working directory. None for the
    # working directory, for one that is given in code.
    folder: Path | None = attrs.field(
        default=None, kw_only=True, repr=False, metadata={"key": False}
    )

    async def read(self) -> str:
        """Run the command, and return what it prints.

        It has 10 s, and nothing to read on its standard input. When it is given up, all that it
        started is killed. Its standard error is told when it fails, its output never.

        Raises:
            SecretError: when it cannot be started, fails, takes too long, or prints nothing, more
                than 64 KiB, or what is no UTF-8.

        """
        found = await self._run()
        if isinstance(found, SecretError):
            raise found
        return found

    def check(self) -> str | None:
        """Tell whether there is no such program; nothing is run."""
        import shutil  # noqa: PLC0415 - only diagnostics ask

        if shutil.which(self._program) is None:
            return self._failed("is not on the PATH, or not executable")
        return None

    async def _run(self) -> str | SecretError:
        from subprocess import DEVNULL, PIPE  # noqa: PLC0415 - most secrets need no command

        try:
            # A cancellation must find a process that can be killed.
            with anyio.CancelScope(shield=True):
                process = await anyio.open_process(
                    (self._program, *self.argv[1:]),
                    stdin=DEVNULL,
                    stdout=PIPE,
                    stderr=PIPE,
                    cwd=self.folder,
                    start_new_session=True,
                )
        except OSError as error:
            return SecretError(self._failed(_not_started(error)))
        assert process.stdout is not None
        assert process.stderr is not None
        printed, told = _Pipe(process.stdout, MAX_SECRET), _Pipe(process.stderr, _KEPT)
        done = False
        try:
            with anyio.move_on_after(COMMAND_LIMIT):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(told.drain)
                    await printed.drain(stop_when_full=True)
                    if not printed.full:
                        await process.wait()
                    # What it left running may hold its standard error open for ever.
                    if printed.full or (printed.data and process.returncode == 0):
                        tasks.cancel_scope.cancel()
                done = True
        finally:
            await _ended(process, kill=not done or printed.full)
        if not done:
            return SecretError(
                self._failed(f"did not end within {COMMAND_LIMIT:g} s", printed, told)
            )
        if not printed.full and (process.returncode or not printed.data):
            how = _ending(process.returncode) if process.returncode else "printed nothing"
            return SecretError(self._failed(how, printed, told))
        return secret_text(printed.data, f"command {self.argv[0]}", "printed nothing")

    @property
    def _program(self) -> str:
        """Return what is started: a name is looked for on the PATH, a path begins in the folder."""
        program = self.argv[0]
        is_name = Path(program).name == program
        return program if is_name or self.folder is None else str(self.folder / program)

    def _failed(self, how: str, printed: _Pipe | None = None, told: _Pipe | None = None) -> str:
        text = f"command {self.argv[0]} {how}"
        said = "" if told is None or printed is None else _said(printed.data, told.data)
        return f'{text}: "{said}"' if said else text

    def __str__(self) -> str:
        return f"command {self.argv[0]}" + (" …" if len(self.argv) > 1 else "")


@attrs.define
class _Pipe:
    """What a process writes, up to a limit; no ``repr`` shows it."""

    _stream: ByteReceiveStream
    _limit: int
    data: bytearray = attrs.field(factory=bytearray, repr=False)

    @property
    def full(self) -> bool:
        return len(self.data) > self._limit

    async def drain(self, *, stop_when_full: bool = False) -> None:
        """Read to the end: a process must not wait for a full pipe, and what it says is bounded."""
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while not (stop_when_full and self.full):
                self._keep(await self._stream.receive())

    def _keep(self, chunk: bytes) -> None:
        self.data += chunk[: self._limit + 1 - len(self.data)]


async def _ended(process: Process, *, kill: bool) -> None:
    """Wait for the end of `process`, killing it and all that it started if that is asked for."""
    with anyio.CancelScope(shield=True):
        if kill:
            # It began a session of its own, and so a process group; there are none on Windows.
            with suppress(ProcessLookupError, PermissionError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
        await process.aclose()


def _not_started(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not on the PATH"
    if isinstance(error, PermissionError):
        return "is not executable"
    return f"cannot be started: {error.strerror}"


def _ending(status: int) -> str:
    if status > 0:
        return f"failed with exit status {status}"
    names = {member.value: member.name for member in signal.Signals}
    return f"was ended by {names.get(-status, f'signal {-status}')}"


def _said(printed: bytearray, told: bytearray) -> str:
    """Return what a command said on its standard error, as it may be shown."""
    from gqlauth._redact import escape_control, redact_text  # noqa: PLC0415 - only for errors

    # What it printed may be the secret, or a part of it, whatever its exit status.
    lines = printed.decode(errors="replace").split("\n")
    said = redact_text(told.decode(errors="replace").strip(), known=lines[:100])
    said = escape_control(said)
    return said if len(said) <= TOLD else f"{said[:TOLD]}…"
