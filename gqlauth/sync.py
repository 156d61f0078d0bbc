"""`SyncAuthService`: an `AuthService` for code that does not await.

The service is the same one, in an event loop: in that of an asynchronous program, whose threads
come to it, or in a thread of its own, for a program that has none.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gqlauth._config import RETRY_ON
from gqlauth._service import AuthService

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path
    from types import TracebackType

    from gqlauth._config import Endpoint
    from gqlauth._http import httpx
    from gqlauth._httpx import EndpointAuth
    from gqlauth._options import AuthOptions
    from gqlauth._status import EndpointStatus
    from gqlauth._token import Strategy, Token

    T = TypeVar("T")

__all__ = ["SyncAuthService"]


class SyncAuthService:
    """The methods of an `AuthService`, for threads: any number of them may call, at any time.

    Of a service that runs in an event loop, it is a view: do not enter it then, and do not use it
    in the thread of that loop. A service that does not run yet is run by ``with``, in a thread of
    its own: what is true of ``async with`` is true of that.

    Each method promises and raises what that of `AuthService` does. Where the service is not
    running, that is `ServiceClosedError`.

    Args:
        service: what gives the tokens.
        backend: the event loop that ``with`` runs it in: ``asyncio`` or ``trio``.

    """

    def __init__(self, service: AuthService, *, backend: str = "asyncio") -> None:
        self._service = service
        self._backend = backend
        self._stack = ExitStack()

    @classmethod
    def from_config(cls, path: str | Path | None = None) -> Self:
        """Return a service for a configuration file: `path`, or the first that is found.

        Raises:
            ConfigError: when there is none, or with all that is wrong in it.

        """
        return cls(AuthService.from_config(path))

    def __enter__(self) -> Self:
        from anyio.from_thread import start_blocking_portal  # noqa: PLC0415 - a view runs nothing

        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal(self._backend))
            stack.enter_context(portal.wrap_async_context_manager(self._service))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not with what the caller's block raised: that is no concern of the service.
        self._stack.close()

    def endpoint(self, name: str | None = None) -> Endpoint:
        """Return the endpoint called `name`, or the default one."""
        return self._service.endpoint(name)

    def auth(self, name: str | None = None) -> EndpointAuth:
        """Return the authentication of an endpoint, for ``httpx.Client(auth=…)``."""
        return self._done(self._service.auth, name)

    def auth_for(  # noqa: PLR0913 - as many as that of the service has
        self,
        strategy: Strategy,
        *,
        url: str,
        name: str = "",
        options: AuthOptions | None = None,
        origins: Collection[str] = (),
        retry_on: Collection[str] = RETRY_ON,
    ) -> EndpointAuth:
        """Return the authentication of an endpoint that no file configures."""
        return self._done(
            self._service.auth_for,
            strategy,
            url=url,
            name=name,
            options=options,
            origins=origins,
            retry_on=retry_on,
        )

    def client(
        self,
        name: str | None = None,
        *,
        authenticate: bool = True,
        timeout: float | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> httpx.Client:
        """Return an ``httpx.Client`` that is set up for an endpoint."""
        from gqlauth._http_client import sync_endpoint_client  # noqa: PLC0415 - status needs none

        endpoint = self.endpoint(name)
        return sync_endpoint_client(
            endpoint,
            self.auth(endpoint.name) if authenticate else None,
            self._service.portal,
            timeout=timeout,
            transport=transport,
        )

    def token(
        self, name: str | None = None, *, min_ttl: float = 0.0, refresh: bool = False
    ) -> Token:
        """Return a token of an endpoint that is valid now, and for `min_ttl` seconds more."""
        call = partial(self._service.token, name, min_ttl=min_ttl, refresh=refresh)
        return self._service.portal.call(call)

    def status(self, name: str | None = None) -> tuple[EndpointStatus, ...]:
        """Return what is known of one endpoint, or of all."""
        return self._done(self._service.status, name)

    def check(self, name: str | None = None) -> EndpointStatus:
        """Fetch a new token of an endpoint, and return the status that this leads to."""
        return self._service.portal.call(partial(self._service.check, name))

    @property
    def has_store(self) -> bool:
        """Tell whether tokens may be kept in a store, too, as far as that is plain beforehand."""
        return self._service.has_store

    def recall(self, *names: str) -> None:
        """Take over what is stored of the tokens of endpoints, so that `status` tells it."""
        return self._service.portal.call(partial(self._service.recall, *names))

    def clear(self, name: str | None = None) -> int:
        """Forget the tokens of one endpoint, or of all; return how many there were."""
        return self._service.portal.call(partial(self._service.clear, name))

    def _done(self, function: Callable[..., T], *args: Any, **settings: Any) -> T:  # noqa: ANN401 - those of the function
        """Call what does not await, in the thread that all of the service belongs to."""

        async def called() -> T:
            return function(*args, **settings)

        return self._service.portal.call(called)
