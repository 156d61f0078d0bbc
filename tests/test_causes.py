"""What an error came of."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from gqlauth._causes import by_system, causes, in_words


def of(error: Exception, cause: BaseException | None = None, *, handled: bool = False) -> Exception:
    """Return an error that came of another, or was raised as that was handled."""
    if handled:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


ROOT = OSError("root")


def test_those_that_were_named() -> None:
    """The error first, and then each from what it was raised."""
    middle = of(ValueError(), ROOT)
    error = of(LookupError(), middle)

    assert list(causes(error)) == [error, middle, ROOT]


def test_what_was_handled() -> None:
    """Counts only where that is asked for."""
    error = of(LookupError(), ROOT, handled=True)

    assert list(causes(error)) == [error]
    assert list(causes(error, implied=True)) == [error, ROOT]


def test_several_that_failed_together() -> None:
    """Each with its own causes, in order; and then what the group came of."""
    first, second = of(ValueError(), ROOT), ValueError()
    cause = LookupError()
    group = of(ExceptionGroup("both", [first, second]), cause)

    assert list(causes(group)) == [group, first, ROOT, second, cause]


def test_a_circle() -> None:
    """Each comes once, also where an error is a cause of its own cause."""
    error, cause = LookupError(), ValueError()
    error.__cause__, cause.__cause__ = cause, error

    assert list(causes(error)) == [error, cause]


def test_nothing() -> None:
    """Of no error comes none."""
    assert list(causes(None)) == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ECONNREFUSED, "as an event loop has it"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("no number"), ""),
        (ssl.SSLError(1, "a number of its own"), ""),
    ],
)
def test_in_the_words_of_the_system(error: OSError, told: str) -> None:
    """Which are the same with each event loop; there are none for what is not the system's."""
    assert by_system(error) == told


class SilentError(Exception):
    """One that fails to say anything."""

    def __str__(self) -> str:
        raise AttributeError("message")


@pytest.mark.parametrize(
    ("error", "told"), [(KeyError("x"), "KeyError: 'x'"), (SilentError(), "SilentError")]
)
def test_in_words(error: Exception, told: str) -> None:
    """An error that cannot say what it is about is told by its kind."""
    assert in_words(error) == told
