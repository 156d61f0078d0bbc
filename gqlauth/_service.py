"""`AuthService`: names to strategies, and the lifetime of all that gets their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import anyio

from gqlauth._cache import TokenCache
from gqlauth._clock import Clock, SystemClock
from gqlauth._config import RETRY_ON, Config, Endpoint
from gqlauth._config._urls import check_urls
from gqlauth._options import AuthOptions
from gqlauth._portal import Portal
from gqlauth._sources import Sources, listening
from gqlauth._stores._opening import store_of
from gqlauth._token_clients import TokenClients
from gqlauth.errors import GqlAuthError, ServiceClosedError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

    import httpx

    from gqlauth._httpx import EndpointAuth
    from gqlauth._status import EndpointStatus
    from gqlauth._token import Strategy, Token
    from gqlauth.events import OnEvent


class AuthService:
    """Tokens for the endpoints of a configuration: fetched, cached, refreshed, put into requests.

    Enter it with ``async with``; it belongs to the event loop that it is entered in. On leaving,
    what is under way ends, and who waits for a token gets `ServiceClosedError`.

    Args:
        config: the endpoints; none for a service that is used by `auth_for` alone.
        clock: what tells the time, for tests.
        token_transport: what token requests go through instead of the network, for tests.
        max_entries: how many tokens are kept; the one not asked for longest goes first.
        short_lived: whether the process ends soon, as a command does: no token is refreshed ahead,
            the store is ``auto`` by default, and `client` uses the connections of token requests.
        on_event: what is called with each event of `gqlauth.events`, on the event loop: it must
            not block. What it raises is logged, once.

    Raises:
        GqlAuthError: when `on_event` would have to be awaited.

    """

    def __init__(  # noqa: PLR0913 - all but one by name
        self,
        config: Config | None = None,
        *,
        clock: Clock | None = None,
        token_transport: httpx.AsyncBaseTransport | None = None,
        max_entries: int = 10_000,
        short_lived: bool = False,
        on_event: OnEvent | None = None,
    ) -> None:
        self.config = Config() if config is None else config
        self._clock: Clock = SystemClock() if clock is None else clock
        events, kind = listening(on_event)
        self._cache = TokenCache(
            clock=self._clock, max_entries=max_entries, ahead=not short_lived, events=events
        )
        self._short_lived = short_lived
        default = "auto" if short_lived else "memory"
        self._store = store_of(self.config.cache, self._clock, default=default)
        self._http = TokenClients(token_transport)
        #: The way in for the threads beside its event loop.
        self.portal = Portal()
        parts = (self._cache, self._http, self._clock, self._store)
        self._sources = Sources(self.config, *parts, events=events, kind=kind)

    @classmethod
    def from_config(
        cls, path: str | Path | None = None, *, on_event: OnEvent | None = None
    ) -> Self:
        """Return a service for a configuration file: `path`, or the first that is found.

        Args:
            path: the file; None to look for it.
            on_event: what is called with each event of `gqlauth.events`.

        Raises:
            ConfigError: when there is none, or with all that is wrong in it.
            GqlAuthError: when `on_event` would have to be awaited.

        """
        from gqlauth._config import find, load  # noqa: PLC0415 - not for a service made in code

        return cls(load(find(path)).require(), on_event=on_event)

    async def __aenter__(self) -> Self:
        await self.portal.open()
        if self._store is not None:
            await self._store.start()
        await self._cache.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # In the order opposite to that of entering, as task groups want it.
        try:
            await self._cache.stop()
        finally:
            try:
                if self._store is not None:
                    await self._store.aclose()
            finally:
                try:
                    with anyio.CancelScope(shield=True):
                        await self._http.aclose()
                finally:
                    await self.portal.close()

    def endpoint(self, name: str | None = None) -> Endpoint:
        """Return the endpoint called `name`, or the default one.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        return self.config.endpoint(name)

    def auth(self, name: str | None = None) -> EndpointAuth:
        """Return the authentication of an endpoint, for ``auth=…`` of a client of httpx.

        Requests of an endpoint without ``auth`` go out bare.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        from gqlauth._httpx import EndpointAuth  # noqa: PLC0415 - diagnostics need no httpx

        endpoint = self.endpoint(name)
        return EndpointAuth(
            None if endpoint.auth is None else self._sources.of(endpoint.name),
            name=endpoint.name,
            origins=(endpoint.url, *endpoint.origins),
            retry_on=endpoint.retry_on,
            portal=self.portal,
        )

    def auth_for(  # noqa: PLR0913 - as many as an endpoint has settings, all but two by name
        self,
        strategy: Strategy,
        *,
        url: str,
        name: str = "",
        options: AuthOptions | None = None,
        origins: Collection[str] = (),
        retry_on: Collection[str] = RETRY_ON,
    ) -> EndpointAuth:
        """Return the authentication of an endpoint that no file configures.

        Strategies of one kind with equal fields share their token, with those of files too.

        Args:
            strategy: how its token is fetched.
            url: the endpoint; the token goes to its origin alone.
            name: what errors and logs call it; the URL's host if it is empty.
            options: time-outs and the like.
            origins: further origins that may see the token.
            retry_on: the codes in a GraphQL answer that mean "token rejected".

        Raises:
            ConfigError: for a URL that is none, or is ``http`` where that is not allowed.

        """
        from gqlauth._http import httpx  # noqa: PLC0415 - diagnostics need no httpx
        from gqlauth._httpx import EndpointAuth  # noqa: PLC0415 - the same

        options = AuthOptions() if options is None else options
        check_urls(strategy, (url, *origins), insecure=options.allow_insecure_http)
        name = name or httpx.URL(url).host
        source = self._sources.made(name, strategy, options)
        return EndpointAuth(
            source, name=name, origins=(url, *origins), retry_on=retry_on, portal=self.portal
        )

    def client(
        self,
        name: str | None = None,
        *,
        authenticate: bool = True,
        timeout: float | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **settings: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.AsyncClient:
        """Return an httpx client that is set up for an endpoint.

        It carries the endpoint's token, headers and time-out (seconds), and follows no redirect.
        The headers go to the origins that may see the token, and to no other. Where the client
        proves itself by a certificate, TLS shows that to the API, too: tokens may be bound to it
        (RFC 8705, section 3). Further `settings` are those of ``httpx.AsyncClient``, such as
        ``limits``.

        Raises:
            ConfigError: when there is no such endpoint, or its ``ca_file``, or the environment's
                proxy or certificates cannot be used.

        """
        from gqlauth._http_client import endpoint_client  # noqa: PLC0415 - diagnostics need no httpx

        endpoint = self.endpoint(name)
        auth = self.auth(endpoint.name) if authenticate else None
        if self._short_lived and transport is None and not settings:
            transport = self._http.lent(endpoint)
        return endpoint_client(endpoint, auth, timeout=timeout, transport=transport, **settings)

    async def token(
        self, name: str | None = None, *, min_ttl: float = 0.0, refresh: bool = False
    ) -> Token:
        """Return a token of an endpoint that is valid now, and for `min_ttl` seconds more.

        Where even a new token does not live so long, that one is returned. With `refresh` a new
        one is fetched in any case.

        Raises:
            ConfigError: when there is no such endpoint, or it has no ``auth``.
            SecretError: when a secret that is needed cannot be had.
            TokenError: when there is no token to be had.
            ServiceClosedError: when the service was not entered, or closes.

        """
        source = self._sources.known.get(name) or self._sources.of(name)
        if refresh:
            return await source.token(renew=True)
        if min_ttl > 0:
            return await source.lasting(min_ttl)
        return source.fresh() or await source.token()

    def status(self, name: str | None = None) -> tuple[EndpointStatus, ...]:
        """Return what diagnostics show of one endpoint, or of all: no secret, and no token.

        Nothing is asked over the network, and no secret's command is run.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        chosen = self.config.endpoints.values() if name is None else [self.endpoint(name)]
        return tuple(self._sources.report(endpoint) for endpoint in chosen)

    async def check(self, name: str | None = None) -> EndpointStatus:
        """Fetch a new token of an endpoint, and return the status that this leads to.

        Raises:
            ConfigError: when there is no such endpoint.
            ServiceClosedError: when the service was not entered, or closes.

        """
        endpoint = self.endpoint(name)
        if endpoint.auth is None:
            return self._sources.report(endpoint)
        try:
            await self._sources.of(endpoint.name).token(renew=True)
        except ServiceClosedError:
            raise
        except GqlAuthError as error:
            return self._sources.report(endpoint, checked=True, error=error)
        return self._sources.report(endpoint, checked=True)

    @property
    def has_store(self) -> bool:
        """Tell whether tokens may be kept in a store, too, as far as that is plain beforehand."""
        return self._store is not None and not self._store.is_off

    async def recall(self, *names: str) -> None:
        """Take over what is stored of the tokens of endpoints, so that `status` tells it.

        They are those called `names`, or all. Nothing is fetched, and no secret's command is run.
        Without a store, this does nothing.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        await self._sources.recall(*names)

    async def clear(self, name: str | None = None) -> int:
        """Forget the tokens of one endpoint, or of all, in all processes; return how many.

        Raises:
            ConfigError: when there is no such endpoint.
            GqlAuthError: when the store failed: what is there may be used by others still.

        """
        return await self._sources.forget(*([] if name is None else [name]))
