"""A folder for sealed tokens that nobody but the user may write."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from gqlauth._stores._store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of a file that are read at the most: no token is so long.
LARGEST: Final = 1024 * 1024
#: What the name of a file ends in until it is whole.
HALF: Final = ".new"

# The year 9999, in seconds since the epoch.
_LAST: Final = 253e9


def token_folder() -> Path:
    """Return where tokens of this user are kept on disk."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where tokens are stored

    return user_cache_path("gqlauth", appauthor=False) / "tokens"


class Folder:
    """A folder of small files, each of which is whole or not there.

    What it is made with (mode 0700, files 0600) is for it alone, and so is the one above.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the folder if there is none, and look whether it is for the user alone.

        Raises:
            StoreError: when it cannot be made, or another user owns it or may write in it.

        """
        self._placed()
        try:
            self.path.parent.parent.mkdir(parents=True, exist_ok=True)
            for each in (self.path.parent, self.path):
                each.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path} cannot be made: {reason(error)}") from None
        self.check()

    def check(self) -> None:
        """Look whether the folder, if there is one, is for the user alone.

        Raises:
            StoreError: when another user owns it or may write in it, or it is a link.

        """
        self._placed()
        try:
            if self.path.is_symlink():
                raise StoreError(f"{self.path} is a symbolic link: remove it")
            for each in (self.path.parent, self.path):
                trouble = _trouble(each)
                if trouble is not None:
                    raise StoreError(trouble)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path} cannot be looked at: {reason(error)}") from None

    def _placed(self) -> None:
        # As it is where a user has neither a variable HOME nor an entry of its own, as in some
        # containers: it would be made wherever the process happens to be.
        if not self.path.is_absolute():
            raise StoreError("there is no home directory to keep them in: set HOME")

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none."""
        # A link is none of ours, nor is a pipe, which would be waited for.
        flags = os.O_RDONLY
        for name_of_flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
            flags |= getattr(os, name_of_flag, 0)
        try:
            descriptor = os.open(self.path / name, flags)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read(LARGEST)

    def write(self, name: str, data: bytes, ends: float) -> None:
        """Write a file under its name once it is whole; nobody else may read it.

        `ends` is when it may be swept, in seconds since the epoch.
        """
        import tempfile  # noqa: PLC0415 - a token that is there is only read

        descriptor, new = tempfile.mkstemp(dir=self.path, prefix=".", suffix=HALF)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            # What is modified then ends then: who sweeps need open none.
            os.utime(new, (min(max(ends, 0.0), _LAST),) * 2)
            Path(new).replace(self.path / name)
        except BaseException:
            with suppress(OSError):
                Path(new).unlink()
            raise

    def remove(self, name: str) -> bool:
        """Remove a file; tell whether there was one."""
        try:
            (self.path / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def mark(self, name: str) -> tuple[int, int] | None:
        """Return what changes as a file is written anew; None where there is none."""
        try:
            found = (self.path / name).stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def ended(self, before: float) -> Iterator[tuple[str, float]]:
        """Yield the files that ended before a time, and when; in seconds since the epoch."""
        with os.scandir(self.path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another has swept it
                    ended = entry.stat(follow_symlinks=False).st_mtime
                    if ended < before:
                        yield entry.name, ended


def reason(error: OSError) -> str:
    """Return why the system refused, without what it is called here."""
    return error.strerror or type(error).__name__


def _trouble(path: Path) -> str | None:
    """Return who else may write in a folder; None where nobody may, or no mode tells."""
    if not hasattr(os, "geteuid"):
        return None
    found = path.stat()
    if found.st_uid != os.geteuid():
        return f"{path} belongs to another user"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write in {path}: chmod go-w {quote(str(path))}"
    return None
