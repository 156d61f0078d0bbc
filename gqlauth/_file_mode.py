"""What every user of the machine may do with the file of a secret."""

from __future__ import annotations

import os
import stat
from functools import cache
from shlex import quote
from typing import TYPE_CHECKING

from gqlauth import _log

if TYPE_CHECKING:
    from pathlib import Path


def trouble(path: Path, file: int | Path) -> str | None:
    """Return why what stands in `file`, which is open or a path, is not used; None if it may be.

    Raises:
        OSError: when the file cannot be looked at.

    """
    if _mode(file) & stat.S_IWOTH:
        return f"others may write secret file {path}: chmod o-w {quote(str(path))}"
    return None


def warn(path: Path, file: int) -> None:
    """Log that others may read `file`, if so: once for each path."""
    if _mode(file) & stat.S_IROTH:
        _warn(str(path))


def _mode(file: int | Path) -> int:
    """Return the mode of a file; none of it where it means nothing.

    On what is mounted read-only, nobody writes; and containers are given their secrets so, to be
    read by everyone in there. Windows has no such modes.
    """
    if not hasattr(os, "statvfs") or os.statvfs(file).f_flag & os.ST_RDONLY:
        return 0
    return os.stat(file).st_mode  # noqa: PTH116 - a descriptor is no path


@cache
def _warn(path: str) -> None:
    _log.warning("others may read a secret file", file=path, mend=f"chmod o-r {quote(path)}")
