"""The HTTP library: httpx, or httpx2, which continues it, where that alone is installed.

All else imports it from here, and takes what comes of either: an application may have both, and
hand over a request of the other one.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, Final

try:
    import httpx
except ImportError:
    import httpx2 as httpx  # type: ignore[no-redef]

__all__ = ["LIBRARIES", "accepted", "httpx"]

#: The names of both.
LIBRARIES: Final = ("httpx", "httpx2")


def accepted(cls: type) -> type:
    """Return a subclass of `cls`, an authentication, that clients of each library accept.

    Each takes none but its own; those count that are imported by now, as neither is imported for
    the sake of nobody.
    """
    loaded = [sys.modules[name] for name in LIBRARIES if sys.modules.get(name) is not None]
    others: tuple[Any, ...] = tuple(one.Auth for one in loaded if not issubclass(cls, one.Auth))
    return _with(cls, *others) if others else cls


@cache
def _with(cls: type, *others: type) -> type:
    return type(
        cls.__name__, (cls, *others), {"__module__": cls.__module__, "__doc__": cls.__doc__}
    )
