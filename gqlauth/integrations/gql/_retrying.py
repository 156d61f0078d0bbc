"""When a session of gql that connects again by itself should give up, and what it may repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gql.transport.exceptions import TransportQueryError, TransportServerError
from tenacity import (
    retry,
    retry_if_exception,
    retry_unless_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
    wait_random_exponential,
)

from gqlauth import _log
from gqlauth._causes import causes
from gqlauth._graphql import asks_query
from gqlauth.errors import ConfigError, ServiceClosedError, TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gql import GraphQLRequest
    from graphql import ExecutionResult

#: Seconds: the first pause is at most this long, each further one twice that, up to the other.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
#: How often an operation is tried, at the most; the pauses are at least so long, as the session
#: must connect first, and twice that, and so on.
TRIES: Final = 5

_CONNECT_PAUSE: Final = wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)
_EXECUTE_PAUSE: Final = wait_exponential(FIRST_PAUSE) + wait_random(0, FIRST_PAUSE)
_REFUSALS: Final = (401, 403)


def is_fatal(error: BaseException | None) -> bool:
    """Tell whether an error means that authentication failed, and trying again is of no use.

    It does where the API refuses a fresh token, the authorization server refuses the client, the
    configuration is wrong, or the service is closed: be it the error itself or a cause of it.
    """
    return any(
        isinstance(one, TokenRefusedError | ConfigError | ServiceClosedError)
        or (isinstance(one, TransportServerError) and one.code in _REFUSALS)
        for one in causes(error)
    )


def retry_connect(connect: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Connect until it succeeds, or `is_fatal` says that it will not.

    It is for ``client.connect_async(reconnecting=True, retry_connect=retry_connect)``. That
    session waits for ever where connecting raises; so a fatal error is logged, and the session
    goes on unconnected: each operation then fails with ``TransportConnectionFailed``, its cause
    being that error, and makes the session try once more.
    """
    persistent = retry(retry=retry_if_exception(_may_pass), wait=_CONNECT_PAUSE)(connect)

    async def connected() -> None:
        try:
            await persistent()
        except Exception as error:  # noqa: BLE001 - it is fatal, as all others were tried again
            _log.warning("the session stays unconnected: authentication failed", error=str(error))

    return connected


def retry_execute(
    execute: Callable[..., Awaitable[ExecutionResult]],
) -> Callable[..., Awaitable[ExecutionResult]]:
    """Execute a query up to five times, unless `is_fatal` says that this is of no use.

    It is for ``client.connect_async(reconnecting=True, retry_execute=retry_execute)``. What may be
    a mutation is executed once, as it may have run; so is what the server answers with errors.
    """
    persistent = retry(
        retry=retry_if_exception(_may_pass) & retry_unless_exception_type(TransportQueryError),
        stop=stop_after_attempt(TRIES),
        wait=_EXECUTE_PAUSE,
        reraise=True,
    )(execute)

    async def executed(request: GraphQLRequest, **settings: Any) -> ExecutionResult:  # noqa: ANN401 - gql's own
        again = persistent if asks_query(request.payload) else execute
        return await again(request, **settings)

    return executed


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Exception) and not is_fatal(error)
