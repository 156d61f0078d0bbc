"""The tries of one acquisition: when there is another, after which pause, and until when."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import attrs

from gqlauth import _log
from gqlauth._answer import TryAgainError, shown
from gqlauth._causes import by_system, causes
from gqlauth._http import httpx
from gqlauth.errors import TokenError, TokenRefusedError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tenacity import RetryCallState

    from gqlauth._clock import Clock
    from gqlauth._secret import Secret

_T = TypeVar("_T")

#: Requests that one acquisition sends at the most to each place that it asks.
TRIES: Final = 4
#: Seconds: the first pause is at most this long, each further one twice that, up to the other.
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 8.0
#: Seconds for connecting, and for each piece of an answer, at the most, and as a part of the time
#: of the whole acquisition: a stalled try leaves time for another; the deadline bounds them all.
STALLED: Final = 10.0
STALLED_PART: Final = 1 / 2

#: What a connection was too slow with.
LATE: Final[dict[type[Exception], str]] = {
    httpx.ConnectTimeout: "connecting took too long",
    httpx.ReadTimeout: "the answer took too long",
    httpx.WriteTimeout: "sending took too long",
}

# What fails before anything was sent, and so may be tried again whatever the request does.
_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@attrs.frozen
class Tries:
    """How often, and how long, one acquisition asks."""

    clock: Clock
    #: When it must be over, by the event loop's clock.
    deadline: float
    #: The seconds that it has in all.
    timeout: float

    @property
    def limits(self) -> httpx.Timeout:
        """Return what httpx may wait for."""
        # A connection of the pool is at hand; the deadline alone bounds the wait for it.
        return httpx.Timeout(min(STALLED, self.timeout * STALLED_PART), pool=None)

    def remaining(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, self.deadline - anyio.current_time())

    async def run(self, what: str, send: Callable[[], Awaitable[_T]]) -> _T:
        """Return what `send` does, called again where it raises `TryAgainError`.

        `what` is for who reads the log: ``token request``.

        Raises:
            TokenError: when it failed for good, or too often, or no time is left.

        """
        # A static token needs none of it.
        from tenacity import AsyncRetrying, retry_if_exception_type  # noqa: PLC0415

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TryAgainError),
            stop=self._stop,
            wait=_pause,
            sleep=self.clock.sleep,
            before_sleep=partial(_log_pause, what),
            reraise=True,
        )
        try:
            return await retrying(send)
        except TryAgainError as again:
            raise again.error from again.error.__cause__

    def _stop(self, state: RetryCallState) -> bool:
        """Tell whether to give up: no try is left, or the next would come after the deadline."""
        too_late = anyio.current_time() + state.upcoming_sleep >= self.deadline
        return too_late or state.attempt_number >= TRIES


def lost(
    error: Exception, secrets: Sequence[Secret] = (), *, once: bool = False
) -> TokenError | TryAgainError:
    """Return what a request comes to that got no whole answer, as `error` tells.

    `secrets` are those that were sent. With `once`, it is tried again only if nothing was.
    """
    told = partial(_told_of, secrets=secrets)
    _forget_request(error, told)
    failure: TokenError
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        # Not with its text, which may quote a header.
        failure = TokenRefusedError(f"cannot be asked: {type(error).__name__}")
        again = False
    else:
        garbled = isinstance(error, httpx.RemoteProtocolError)
        what = "gave no valid answer" if garbled else "cannot be reached"
        failure = TokenUnavailableError(f"{what}: {told(described(error))}")
        again = not once or isinstance(error, _NOTHING_SENT)
    failure.__cause__ = error
    return TryAgainError(failure) if again else failure


def _pause(state: RetryCallState) -> float:
    """Return the seconds before the next try: full jitter, or what the server asks for."""
    asked = _failure(state).retry_after
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (state.attempt_number - 1))
    # Not for secrecy, but so that a fleet does not come back in one beat.
    return random.random() * longest if asked is None else asked  # noqa: S311


def _failure(state: RetryCallState) -> TokenError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, TryAgainError)
    return error.error


def _log_pause(what: str, state: RetryCallState) -> None:
    error = _failure(state)
    _log.info(
        f"{what} failed, trying again",
        reason=error.reason,
        status=error.status,
        attempt=state.attempt_number,
        pause=round(state.upcoming_sleep, 3),
    )


def described(error: Exception) -> str:
    """Return what is to be told of a failed connection, without what was sent."""
    broken: dict[type[Exception], str] = {
        httpx.ReadError: "the connection broke off",
        httpx.WriteError: "the connection broke off",
    }
    kind = type(error)
    text = LATE.get(kind) or _not_connected(error) or str(error) or _refused_certificate(error)
    # h11 quotes the bytes that came, which may be those that were sent.
    return (text or broken.get(kind) or kind.__name__).partition(": bytearray(")[0]


def _not_connected(error: Exception) -> str:
    """Return why the system made no connection, where it told so: httpx says just that none was."""
    if not isinstance(error, httpx.ConnectError):
        return ""
    failed = (by_system(one) for one in causes(error, implied=True) if isinstance(one, OSError))
    return next(filter(None, failed), "")


def _refused_certificate(error: BaseException) -> str:
    """Return why a server's certificate was refused, which on trio only a cause tells."""
    from ssl import SSLError  # noqa: PLC0415 - an error has time

    return next((str(one) for one in causes(error, implied=True) if isinstance(one, SSLError)), "")


def _told_of(text: str, secrets: Sequence[Secret]) -> str:
    """Return what may be told of what a library says went wrong."""
    # h11 quotes the bytes that came, which may be those that were sent.
    return shown(text.partition(": bytearray(")[0], secrets)


def _forget_request(error: BaseException, told: Callable[[str], str]) -> None:
    """Drop what holds the request of `error`, and of what caused it: itself, frames, its text."""
    for seen in causes(error, implied=True):
        seen.__traceback__ = None
        seen.args = tuple(told(part) if isinstance(part, str) else part for part in seen.args)
        if isinstance(seen, httpx.RequestError):
            seen._request = None  # noqa: SLF001 - httpx has no way to take it back
