"""Where secrets come from: an environment variable, a file.

They register by entry point like anyone's: the name is the one key of a reference in a
configuration, ``{ env = "NAME" }``, and its value is the class's one field. What is read stands
in no variable of a frame that an error passes through: a traceback may show those.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import anyio
import attrs

from gqlauth import _file_mode
from gqlauth.errors import SecretError

#: Bytes that a secret has at the most.
MAX_SECRET: Final = 64 * 1024


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
        from gqlauth._threads import for_secrets  # noqa: PLC0415 - most are variables

        # A file system may hang; who gave up need not wait for it.
        threads = for_secrets()
        found = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True, limiter=threads)
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
                return secret_text(
                    file.read(MAX_SECRET + 1), f"secret file {self.path}", "is empty"
                )
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


def secret_text(data: bytes | bytearray, what: str, nothing: str) -> str | SecretError:
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
