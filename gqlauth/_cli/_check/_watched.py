"""A service for the check of one endpoint, which sees the requests that its token takes."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import anyio
import attrs

from gqlauth._causes import in_words
from gqlauth._client_auth import Client
from gqlauth._config import Config
from gqlauth._endpoint import TokenEndpoint
from gqlauth._service import AuthService
from gqlauth._source import Source
from gqlauth._sources import Sources
from gqlauth._token_clients import TokenClients
from gqlauth._tries import Tries
from gqlauth.errors import GqlAuthError, StrategyError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx

    from gqlauth._config import Endpoint
    from gqlauth._exchange import Value
    from gqlauth._metadata import Metadata
    from gqlauth._options import AuthOptions
    from gqlauth._token import Strategy, Token


@attrs.frozen
class Seen:
    """An answer to a request that a token took."""

    method: str
    url: str
    status: int
    #: Seconds by which this machine's clock is ahead of the server's; None where that tells none.
    skew: float | None


class WatchedService(AuthService):
    """A service of one endpoint, with the parts that getting its token is made of."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(Config(endpoints={endpoint.name: endpoint}))
        self.seen: list[Seen] = []
        self._http = _WatchedClients(self)
        # Without a store: it is to be seen what getting a token takes.
        self._sources = _OneTokenEach(self.config, self._cache, self._http, self._clock, None)

    def now(self) -> float:
        """Return the seconds since the epoch, by this machine's clock."""
        return self._clock.wall()

    async def discovered(self, issuer: str, strategy: object, options: AuthOptions) -> Metadata:
        """Return what `issuer` publishes of itself.

        Raises:
            TokenError: when that cannot be had, or cannot be true.
            ConfigError: when `ca_file` or the certificate cannot be used.

        """
        http = await self.http(issuer, strategy, options)
        return await self._http.metadata(
            issuer, http, self.tries(options), insecure=options.allow_insecure_http
        )

    async def http(self, url: str, strategy: object, options: AuthOptions) -> httpx.AsyncClient:
        """Return what a token request to `url` goes over.

        Raises:
            ConfigError: when `ca_file` or the certificate cannot be used.

        """
        return await self._http.client(url, options.ca_file, Client.of(strategy).certificate)

    async def tried(self, strategy: Strategy, client: Client, options: AuthOptions) -> Token:
        """Return a token that is asked for once, by `client` instead of the strategy's own.

        Raises:
            GqlAuthError: when there is none.

        """
        endpoint = _OneTry(
            strategy,
            options=options,
            network=self._http,
            clock=self._clock,
            deadline=self.tries(options).deadline,
        )
        try:
            return await strategy.fetch(endpoint.by(client))
        except GqlAuthError:
            raise
        except Exception as error:
            # A plugin may raise anything; elsewhere the cache tells it.
            told = f"the strategy failed: {in_words(error)}"
            raise StrategyError(told) from error

    def tries(self, options: AuthOptions) -> Tries:
        """Return the tries of one acquisition that begins now."""
        return Tries(self._clock, anyio.current_time() + options.timeout, options.timeout)


class _WatchedClients(TokenClients):
    """The clients of token requests, each of which tells what is answered."""

    def __init__(self, service: WatchedService) -> None:
        super().__init__(None)
        self._service = service

    def _made(
        self, url: str, ca_file: Path | None, context: ssl.SSLContext | None
    ) -> httpx.AsyncClient:
        client = super()._made(url, ca_file, context)
        client.event_hooks["response"].append(self._note)
        return client

    async def _note(self, response: httpx.Response) -> None:
        request, service = response.request, self._service
        skew = next(_skews(response.headers, service.now()), None)
        service.seen.append(Seen(request.method, str(request.url), response.status_code, skew))


def _skews(headers: Mapping[str, str], wall: float) -> Iterator[float]:
    try:
        yield wall - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return


class _OneTokenEach(Sources):
    """Sources that ask for one token each."""

    __slots__ = ()

    def made(self, name: str, strategy: Strategy, options: AuthOptions) -> Source:
        return _OneToken(name, strategy, options, self._cache, self._http, self._clock)


class _OneToken(Source):
    """A source that asks for no other token where the API refuses the first: one tells all."""

    __slots__ = ()

    def refused(self, token: Token, how: str) -> bool:
        super().refused(token, how)
        return False


class _OneTry(TokenEndpoint):
    """A token endpoint that sends one request, whatever comes of it."""

    __slots__ = ()

    def by(self, client: Client) -> TokenEndpoint:
        self._client = client
        return self

    async def grant(self, form: Mapping[str, Value], *, once: bool = True) -> Token:  # noqa: ARG002 - in any case
        return await super().grant(form, once=True)
