"""How a Redis is connected to, and what is told of it where that fails.

coredis is imported here, which takes the better part of a second: import this in a thread, and
only where there is a Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import coredis
from coredis import exceptions
from coredis.connection import TCPLocation
from coredis.credentials import AbstractCredentialProvider, UserPass
from coredis.pool import ClusterConnectionPool
from coredis.retry import ConstantRetryPolicy

from gqlauth import _log
from gqlauth._causes import by_system, causes
from gqlauth._stores._store import PassingError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from anyio.abc import TaskStatus

    from gqlauth._redis_url import RedisURL
    from gqlauth._secret import Secret

T = TypeVar("T")
Client: TypeAlias = "coredis.Redis[bytes] | coredis.RedisCluster[bytes]"

_FORBIDDEN: Final = "the user may not do what is needed"
_READ_ONLY: Final = "it is read-only, as replicas are"
_TOO_OLD: Final = "it is too old: Redis 6 is wanted, or newer"
# What goes wrong within a script comes as a text with more around it; older ones have no words of
# their own for some.
_IN_SCRIPTS: Final = {
    "OOM ": "it is full",
    "READONLY ": _READ_ONLY,
    "NOPERM ": _FORBIDDEN,
    "user executing the script": _FORBIDDEN,
}

#: Seconds that connecting may take, and an answer.
CONNECTING: Final = 1.0
ANSWERING: Final = 1.5
#: Seconds after which a connection on which nothing comes is closed: longer than anybody waits,
#: and short, as a Redis has room for few connections and a fleet has many workers.
IDLE: Final = 20
#: Connections that a process has at the most, to one machine. What is asked of a Redis goes over
#: one of them, all at once.
CONNECTIONS: Final = 2


def client(
    url: RedisURL, password: Secret | None, context: ssl.SSLContext | None, idle: int = IDLE
) -> Client:
    """Return a client; it is to be entered, in a task that lives as long as it.

    Args:
        url: where the Redis is.
        password: the user's, with its text at hand.
        context: what verifies the Redis, if it is over TLS.
        idle: seconds after which a connection on which nothing comes is closed.

    """
    named = url.username is not None or password is not None
    credentials = _Credentials(url.username, password) if named else None
    # What was sent over a connection that had been closed meanwhile is sent again: there is
    # nothing that may not be asked for twice.
    again = ConstantRetryPolicy((exceptions.ConnectionError,), retries=1, delay=0.0)
    shared: dict[str, Any] = {
        "credential_provider": credentials,
        "ssl_context": context,
        "connect_timeout": CONNECTING,
        "stream_timeout": ANSWERING,
        "max_idle_time": idle,
        "max_connections": CONNECTIONS,
    }
    own: dict[str, Any] = {"verify_version": False, "retry_policy": again}
    if url.cluster:
        pool = ClusterConnectionPool(
            [TCPLocation(host, port) for host, port in url.hosts],
            max_connections_per_node=True,
            # It takes a command that hosted clusters refuse.
            skip_full_coverage_check=True,
            **shared,
        )
        return coredis.RedisCluster(connection_pool=pool, **own)
    host, port = url.hosts[0] if url.hosts else (None, None)
    return coredis.Redis(host, port, url.database, unix_socket_path=url.path, **shared, **own)


async def answered(request: Awaitable[T]) -> T:
    """Return the answer to a request.

    Raises:
        PassingError: when there is none, or it is an error.
        TimeoutError: when it takes too long.

    """
    try:
        return await request
    except (exceptions.RedisError, ExceptionGroup) as error:  # whoever leaves a client gets groups
        trouble = told(error)
    raise PassingError(trouble)


async def kept(
    context: AbstractAsyncContextManager[T],
    work: Callable[[T], Awaitable[object]],
    *,
    task_status: TaskStatus[T],
) -> None:
    """Stay in `context` until `work` with what it gives is done, in a task of its own.

    What goes wrong once it is entered ends that, and nothing else: the tasks around are those of
    a service.
    """
    has_begun = False
    try:
        async with context as entered:
            has_begun = True
            task_status.started(entered)
            await work(entered)
    except Exception as error:
        if not has_begun:
            raise
        _log.debug("connection to the token store ended", why=told(error))


def told(error: Exception) -> str:
    """Return what is told of an error.

    Never in the words of the server: one that does not know a command quotes what it was called
    with, and that is a password where a client logs in.
    """
    known: dict[type[BaseException], str] = {
        exceptions.AuthenticationFailureError: "it refuses the password, or the user",
        exceptions.AuthenticationRequiredError: 'it wants a password: set "password"',
        exceptions.AuthorizationError: _FORBIDDEN,
        exceptions.BusyLoadingError: "it is still loading",
        exceptions.ReadOnlyError: _READ_ONLY,
        exceptions.UnknownCommandError: _TOO_OLD,
        exceptions.ProtocolError: _TOO_OLD,
    }
    came_of = list(causes(error))
    for one in came_of:
        if type(one) in known:
            return known[type(one)]
        if isinstance(one, exceptions.ResponseError):
            words = (told for word, told in _IN_SCRIPTS.items() if word in str(one))
            return next(words, f"it refuses what is asked: {type(one).__name__}")
    why = next(filter(None, map(_why, reversed(came_of))), type(error).__name__)
    return f"it cannot be reached: {why}"


def _why(error: BaseException) -> str:
    return (by_system(error) if isinstance(error, OSError) else "") or str(error)


class _Credentials(AbstractCredentialProvider):
    """Who logs in to a Redis: the text of the password is put in where it is sent."""

    def __init__(self, username: str | None, password: Secret | None) -> None:
        self._username = username
        self._password = password

    async def get_credentials(self) -> UserPass:
        # "default" is who logs in with a password alone.
        password = "" if self._password is None else self._password.reveal()
        return UserPass(self._username or "default", password)
