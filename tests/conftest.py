"""What all tests share."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from gqlauth._http import httpx

# Where it is the continuation of httpx that is installed, that is what tests mean by the name.
if httpx.__name__ == "httpx2":
    import httpx2

    httpx2.alias_httpx()

if TYPE_CHECKING:
    from collections.abc import Iterator


#: The loggers that the command line sets, and the root.
LOGGERS = (None, "gqlauth", "httpx", "httpcore", "httpx2", "httpcore2")

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every async test on both event loops."""
    backend: str = request.param
    return backend


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end what runs: whoever runs the tests in the background may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True, scope="session")
def _no_tokens_of_this_machine() -> Iterator[None]:
    """Ask no keyring of this machine for a key, write none into it, and store no token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.delenv("GQLAUTH_CACHE_KEY", raising=False)
        yield


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Undo what a test configured of logging: handlers, filters and levels."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger.level, logger.handlers[:], logger.filters[:]) for logger in loggers]
    yield
    for logger, (level, handlers, filters) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.filters[:] = filters
