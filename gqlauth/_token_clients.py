"""What token requests go over: httpx clients, turns, and what is known of issuers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

import anyio

from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    import httpx

    from gqlauth._certificate import Certificate, Stamp
    from gqlauth._config import Endpoint
    from gqlauth._discovery import Discovery
    from gqlauth._dpop import Possession
    from gqlauth._metadata import Metadata
    from gqlauth._tries import Tries

    _Key = tuple[str, Path | None, Certificate | None]

#: Connections to one server at the most, and how many of them are kept open when idle.
CONNECTIONS: Final = 50
KEPT_ALIVE: Final = 20


class TokenClients:
    """The httpx clients of token requests: one for each certificate, and for whom it trusts.

    Each loopback host has one of its own, as its requests go through no proxy.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._transport = transport
        self._possession: Possession | None = None
        # Each with the state that the files of its certificate were in.
        self._clients: dict[_Key, tuple[httpx.AsyncClient, Stamp | None]] = {}
        # The last one whose certificate was renewed: it may still have an answer to come.
        self._replaced: httpx.AsyncClient | None = None
        # Those of servers that nobody asks any more are gone by themselves.
        self._turns: WeakValueDictionary[str, anyio.Semaphore] = WeakValueDictionary()
        self._discovery: Discovery | None = None

    @property
    def possession(self) -> Possession:
        """Return what proves possession of the keys that tokens are bound to."""
        if self._possession is None:
            from gqlauth._dpop import Possession  # noqa: PLC0415 - few tokens are bound

            self._possession = Possession()
        return self._possession

    def turn(self, url: str) -> anyio.Semaphore:
        """Return what lets in as many requests at once as the server of `url` gets connections.

        The others queue here, first come, first served. In httpx's pool each one that waits costs
        each one that is answered, and a thousand of them stand still.
        """
        server = "/".join(url.split("/", 3)[:3])
        turn = self._turns.get(server)
        if turn is None:
            turn = self._turns[server] = anyio.Semaphore(CONNECTIONS, fast_acquire=True)
        return turn

    async def metadata(
        self, issuer: str, client: httpx.AsyncClient, tries: Tries, *, insecure: bool
    ) -> Metadata:
        """Return what `issuer` publishes of itself, kept for an hour."""
        if self._discovery is None:
            from gqlauth._discovery import Discovery  # noqa: PLC0415 - not all discover

            self._discovery = Discovery()
        return await self._discovery.metadata(issuer, client, tries, insecure=insecure)

    def known(self, issuer: str | None) -> Metadata | None:
        """Return what was found of `issuer` last, if anything was."""
        if issuer is None or self._discovery is None:
            return None
        return self._discovery.known(issuer)

    def moved(self, issuer: str) -> None:
        """Take note that the token endpoint is not where `issuer` said: it is asked again."""
        assert self._discovery is not None
        self._discovery.forget(issuer)

    async def client(
        self, url: str, ca_file: Path | None, certificate: Certificate | None = None
    ) -> httpx.AsyncClient:
        """Return the client for `url` that trusts what is in `ca_file`, or in the system.

        It shows `certificate`, as its files are now.
        """
        from gqlauth._http_client import loopback_host  # noqa: PLC0415 - diagnostics ask nobody

        key = (loopback_host(url), ca_file, certificate)
        stamp, context = None, None
        if certificate is not None:
            stamp = await certificate.stamp()
            if key not in self._clients or self._clients[key][1] != stamp:
                context = await certificate.context(ca_file)
        client, of = self._clients.get(key, (None, None))
        if client is None or of != stamp:
            # Another may have made it meanwhile: then that one is used, and the context dropped.
            made = self._made(url, ca_file, context)
            self._clients[key] = made, stamp
            await self._replace(client)
            return made
        return client

    def lent(self, endpoint: Endpoint) -> httpx.AsyncBaseTransport | None:
        """Return what sends requests to `endpoint` over the same connections as token requests.

        None where they trust others, or show a certificate.
        """
        from gqlauth._certificate import Certificate  # noqa: PLC0415 - diagnostics ask nobody
        from gqlauth._http_client import Borrowed  # noqa: PLC0415 - the same

        strategy = endpoint.auth and endpoint.auth.strategy
        if self._transport is not None or endpoint.ca_file or Certificate.of(strategy):
            return None
        return Borrowed(partial(self.client, endpoint.url, None))

    async def _replace(self, client: httpx.AsyncClient | None) -> None:
        """Keep `client`, if there is one, until the next is replaced."""
        if client is not None:
            last, self._replaced = self._replaced, client
            if last is not None:
                await last.aclose()

    def _made(
        self, url: str, ca_file: Path | None, context: ssl.SSLContext | None
    ) -> httpx.AsyncClient:
        import ssl  # noqa: PLC0415 - only who fetches a token needs them
        from http.cookiejar import CookieJar, DefaultCookiePolicy  # noqa: PLC0415

        from gqlauth._http import httpx  # noqa: PLC0415
        from gqlauth._http_client import http_client  # noqa: PLC0415
        from gqlauth._version import __version__  # noqa: PLC0415

        trusted: ssl.SSLContext | bool = True if context is None else context
        try:
            if context is None and ca_file is not None:
                trusted = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"ca_file {ca_file} cannot be used: {error}") from error
        return http_client(
            [url],
            transport=self._transport,
            verify=trusted,
            # The turns bound them: one server's do not keep another's waiting.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_ALIVE),
            headers={"User-Agent": f"gqlauth/{__version__}"},
            # What one client's answer sets must not ride on another client's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def aclose(self) -> None:
        """Close them all."""
        await self._replace(self._replaced)
        while self._clients:
            _, (client, _) = self._clients.popitem()
            await client.aclose()
