"""The tokens of one endpoint: its place in the cache, its strategy, and the way to the server."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth import _log
from gqlauth._key import cache_key
from gqlauth.errors import ConfigError, TokenRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from gqlauth._cache import Snapshot, TokenCache
    from gqlauth._clock import Clock
    from gqlauth._options import AuthOptions
    from gqlauth._token import Strategy, Token


#: Seconds for which no token is fetched after the API refused one that had just replaced another:
#: at first, and at the most as it doubles.
FIRST_HOLD: Final = 30.0
LONGEST_HOLD: Final = 300.0


class Source:
    """The tokens of one endpoint: its place in the cache, and how to fill it.

    A token that the API refuses is replaced. Where it refuses the replacement too, before it
    accepted any, more of them are of no use (a wrong audience, a wrong scope), and none is fetched
    for a while: what is at hand is sent, so that an API that has come to its senses is heard.
    It is counted for the endpoint and not for the key, as others that share the token may be
    content with it.
    """

    __slots__ = (
        "_cache",
        "_clock",
        "_held_until",
        "_holds",
        "_http",
        "_options",
        "_rejection",
        "_strategy",
        "_suspect",
        "key",
        "name",
    )

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
        # What the API refused last, and it has accepted none since.
        self._suspect: Token | None = None
        # By the monotonic clock.
        self._held_until = -math.inf
        # How many came in a row.
        self._holds = 0
        self._rejection: TokenRefusedError | None = None

    def fresh(self) -> Token | None:
        """Return the token if it is fresh, without waiting."""
        return self._cache.fresh(self.key)

    async def token(self, *, renew: bool = False) -> Token:
        """Return a token that is valid now; with `renew`, one that is asked for now.

        Raises:
            GqlAuthError: when there is none.
            TokenRefusedError: when there is none, and the API refused the last ones.

        """
        if not renew and self._rejection is not None and self._held():
            usable = self._cache.usable(self.key)
            if usable is not None:
                return usable
            # Another endpoint may have asked for one just now: that costs nothing.
            known = self._cache.look(self.key)
            if known is None or not known.in_flight:
                raise self._rejection.for_endpoint(self.name)
        token = await self._cache.get(self.key, self, renew=renew)
        suspect = self._suspect
        if (
            suspect is not None
            and suspect.same_text(token)
            and not self._cache.keeps(self.key, token)
        ):
            # The replacement is what was refused: it is as if it had been refused again.
            self._cache.restore(self.key, token, self.refresh_window)
            self._hold(token, "the API rejected the credential, and there is no other")
        return token

    def refused(self, token: Token, how: str = "") -> bool:
        """Forget `token`, as the API refused it; tell whether another may be had.

        `how` is told to who reads the log, or the status: ``401``, ``200, UNAUTHENTICATED``.
        """
        held = self._held()
        if not self._cache.keeps(self.key, token):
            # A late answer: another has taken its place, or a flight under way brings one.
            self._cache.invalidate(self.key, token)
            return not held
        if held:
            return False
        if self._suspect is None or self._suspect.same_text(token):
            self._suspect = token
            self._cache.invalidate(self.key, token)
            return True
        what = f" ({how})" if how else ""
        self._hold(token, f"the API rejected a fresh token{what}; check audience and scopes")
        return False

    def accepted(self, token: Token) -> None:  # noqa: ARG002 - which one it was is no matter
        """Take note that the API accepted `token`: what was wrong with others is over."""
        if self._suspect is not None:
            self._pardon()

    def look(self) -> Snapshot | None:
        """Return what is known of the token; one that the API rejects does not serve."""
        snapshot = self._cache.look(self.key)
        if snapshot is None or self._rejection is None:
            return snapshot
        return attrs.evolve(snapshot, usable=False, error=self._rejection)

    def forget(self) -> bool:
        """Forget all that is known of the token; tell whether there was one."""
        self._pardon()
        return self._cache.forget(self.key)

    def _held(self) -> bool:
        return self._clock.monotonic() < self._held_until

    def _hold(self, token: Token, reason: str) -> None:
        pause = min(LONGEST_HOLD, FIRST_HOLD * 2 ** min(self._holds, 10))
        self._suspect = token
        self._holds += 1
        self._held_until = self._clock.monotonic() + pause
        self._rejection = TokenRefusedError(reason, endpoint=self.name)
        _log.warning(reason, endpoint=self.name, no_other_for=pause)

    def _pardon(self) -> None:
        self._suspect = self._rejection = None
        self._held_until = -math.inf
        self._holds = 0

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
