"""The tokens of one endpoint: its place in the cache, its strategy, and the way to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._key import cache_key
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from gqlauth._cache import TokenCache
    from gqlauth._clock import Clock
    from gqlauth._options import AuthOptions
    from gqlauth._token import Strategy, Token


class Source:
    """The tokens of one endpoint: its place in the cache, and how to fill it."""

    __slots__ = ("_cache", "_clock", "_http", "_options", "_strategy", "key", "name")

    def __init__(  # noqa: PLR0913, PLR0917 - it ties together what there is
        self,
        name: str,
        strategy: Strategy,
        options: AuthOptions,
        cache: TokenCache,
        http: TokenClients,
        clock: Clock,
    ) -> None:
        self.name = name
        self.key = cache_key(strategy, options)
        self._strategy = strategy
        self._options = options
        self._cache = cache
        self._http = http
        self._clock = clock

    def fresh(self) -> Token | None:
        """Return the token if it is fresh, without waiting."""
        return self._cache.fresh(self.key)

    async def token(self, *, renew: bool = False) -> Token:
        """Return a token that is valid now; with `renew`, one that is asked for now."""
        return await self._cache.get(self.key, self, renew=renew)

    def refused(self, token: Token) -> None:
        """Forget `token`, as the API refused it."""
        self._cache.invalidate(self.key, token)

    @property
    def timeout(self) -> float:
        """Return the seconds that one acquisition has."""
        return self._options.timeout

    @property
    def refresh_window(self) -> float | None:
        """Return the seconds before the end in which it is refreshed, if it is set."""
        return self._options.refresh_window

    async def fetch(self, deadline: float) -> Token:
        """Fetch a token by the strategy, until `deadline` of the event loop's clock."""
        from gqlauth._endpoint import TokenEndpoint  # noqa: PLC0415 - diagnostics fetch nothing

        endpoint = TokenEndpoint(
            self._strategy,
            options=self._options,
            client=lambda: self._http.client(self._options.ca_file),
            clock=self._clock,
            deadline=deadline,
        )
        return await self._strategy.fetch(endpoint)


class TokenClients:
    """The httpx clients of token requests: one for each set of trusted certificates."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._transport = transport
        self._clients: dict[Path | None, httpx.AsyncClient] = {}

    def client(self, ca_file: Path | None) -> httpx.AsyncClient:
        """Return the client that trusts what is in `ca_file`, or what the system trusts."""
        client = self._clients.get(ca_file)
        if client is None:
            client = self._clients[ca_file] = self._made(ca_file)
        return client

    def _made(self, ca_file: Path | None) -> httpx.AsyncClient:
        import ssl  # noqa: PLC0415 - only who fetches a token needs them
        from http.cookiejar import CookieJar, DefaultCookiePolicy  # noqa: PLC0415

        import httpx  # noqa: PLC0415

        from gqlauth._version import __version__  # noqa: PLC0415

        try:
            trusted = True if ca_file is None else ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file {ca_file} cannot be used: {error}") from error
        return httpx.AsyncClient(
            transport=self._transport,
            verify=trusted,
            headers={"User-Agent": f"gqlauth/{__version__}"},
            # What one client's answer sets must not ride on another client's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def aclose(self) -> None:
        """Close them all."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()
