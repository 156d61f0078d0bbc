"""Where secrets come from: an environment variable, a file, a command.

They register by entry point like anyone's: the name is the one key of a reference in a
configuration, ``{ env = "NAME" }``, and its value is the class's one field. What is read stands
in no variable of a frame that an error passes through: a traceback may show those.
"""

from __future__ import annotations

import os
import signal
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from gqlauth import _file_mode
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from anyio.abc import ByteReceiveStream, Process

#: Bytes that a secret has at the most.
MAX_SECRET: Final = 64 * 1024
#: Seconds that a command has.
COMMAND_LIMIT: Final = 10.0
#: Characters of a failed command's standard error that are told, and bytes of it that are kept.
TOLD: Final = 500
_KEPT: Final = 16 * TOLD


def _nameable(_instance: object, _field: attrs.Attribute[Any], value: str | Path) -> None:
    if not str(value) or "\0" in str(value):
        raise ValueError("is empty, or has a NUL in it")


@attrs.frozen
class EnvSource:
    """An environment variable."""

    #: The name of the variable.
    name: str = attrs.field(validator=_nameable)

    async def read(self) -> str:
        """Return the variable's value.

        Raises:
            SecretError: when it is not set, empty, or no UTF-8.

        """
        trouble = self.check()
        if trouble is not None:
            raise SecretError(trouble)
        return os.environ[self.name]

    def check(self) -> str | None:
        """Tell what is wrong with the variable; None where nothing is."""
        if self.name not in os.environ:
            return f"environment variable {self.name} is not set"
        if not os.environ[self.name]:
            return f"environment variable {self.name} is empty"
        # Bytes that are no UTF-8 come as lone surrogates.
        if any("\ud800" <= character <= "\udfff" for character in os.environ[self.name]):
            return f"environment variable {self.name} is not UTF-8"
        return None

    def __str__(self) -> str:
        return f"env {self.name}"


@attrs.frozen
class FileSource:
    """A file, without the newline at its end."""

    #: The path of the file; a relative one is relative to the configuration file.
    path: Path = attrs.field(validator=_nameable)

    async def read(self) -> str:
        """Return the file's text.

        Raises:
            SecretError: when it is missing, unreadable, no regular file, empty, larger than
                64 KiB, or no UTF-8; or when others may write it, and so have written it.

        """
        # A file system may hang; who gave up need not wait for it.
        found = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
        if isinstance(found, SecretError):
            raise found
        return found

    def check(self) -> str | None:
        """Tell what keeps the file from being read, as far as can be told without reading it."""
        try:
            mode = self.path.stat().st_mode
            if not stat.S_ISREG(mode):
                return self._not_regular(mode)
            if not os.access(self.path, os.R_OK):
                return f"secret file {self.path} is unreadable"
            return _file_mode.trouble(self.path, self.path)
        except OSError as error:
            return self._trouble(error)

    def _read(self) -> str | SecretError:
        # O_NONBLOCK: opening a named pipe would wait for somebody to write.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            # A directory cannot even be opened on every system.
            mode = self.path.stat().st_mode
            if not stat.S_ISREG(mode):
                return SecretError(self._not_regular(mode))
            with os.fdopen(os.open(self.path, flags), "rb") as file:
                trouble = _file_mode.trouble(self.path, file.fileno())
                if trouble is not None:
                    return SecretError(trouble)
                _file_mode.warn(self.path, file.fileno())
                return _text(file.read(MAX_SECRET + 1), f"secret file {self.path}", "is empty")
        except OSError as error:
            return SecretError(self._trouble(error))

    def _not_regular(self, mode: int) -> str:
        kind = "is a directory" if stat.S_ISDIR(mode) else "is no regular file"
        return f"secret file {self.path} {kind}"

    def _trouble(self, error: OSError) -> str:
        if isinstance(error, FileNotFoundError):
            return f"secret file {self.path} does not exist"
        return f"secret file {self.path} is unreadable: {error.strerror}"

    def __str__(self) -> str:
        return f"file {self.path}"


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

        if shutil.which(self.argv[0]) is None:
            return self._failed("is not on the PATH, or not executable")
        return None

    async def _run(self) -> str | SecretError:
        from subprocess import DEVNULL, PIPE  # noqa: PLC0415 - most secrets need no command

        try:
            # A cancellation must find a process that can be killed.
            with anyio.CancelScope(shield=True):
                process = await anyio.open_process(
                    self.argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
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
        return _text(printed.data, f"command {self.argv[0]}", "printed nothing")

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


def _text(data: bytes | bytearray, what: str, nothing: str) -> str | SecretError:
    """Return the text of a secret, or the error to raise: where the data is not in sight."""
    if len(data) > MAX_SECRET:
        return SecretError(f"{what} gives more than {MAX_SECRET // 1024} KiB: that is no secret")
    try:
        # Some editors put a byte order mark before a text.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return SecretError(f"{what} gives no UTF-8 text")
    text = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
    return text or SecretError(f"{what} {nothing}")


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
