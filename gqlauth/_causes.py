"""What an error came of, and what the system says of one."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as typing's, which takes a while to import
if TYPE_CHECKING:
    from collections.abc import Iterator


def causes(error: BaseException | None, *, implied: bool = False) -> Iterator[BaseException]:
    """Yield `error`, and what it came of; of several that failed together, all.

    Where nobody said what one came of, `implied` adds what was being handled as it was raised.
    Each comes once: an error may be a cause of its own cause.
    """
    passed: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in passed:
            continue
        passed.add(id(one))
        yield one
        waiting.append(one.__cause__ or (one.__context__ if implied else None))
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(one.exceptions)


def in_words(error: BaseException) -> str:
    """Return what kind of error it is, and what it says, unless that fails: it may be anyone's."""
    kind = type(error).__name__
    try:
        return f"{kind}: {error}"
    except Exception:  # noqa: BLE001 - who tells of an error must not fail by another
        return kind


def by_system(error: OSError) -> str:
    """Return what the system says of an error; nothing, where it is none of the system's.

    Each event loop explains it in words of its own. Names that cannot be looked up have numbers of
    their own, below 0; and so has TLS.
    """
    if not error.errno or type(error).__module__ == "ssl":
        return ""
    return os.strerror(error.errno) if error.errno > 0 else error.strerror or ""
