"""The tokens of one endpoint: its place in the cache, its strategy, and the way to the server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from gqlauth import _log
from gqlauth._events import LOGGED
from gqlauth._flight import Flight
from gqlauth._key import cache_key
from gqlauth._refusals import Pace, Trouble
from gqlauth._shared import Shared, why_alone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gqlauth._cache import TokenCache
    from gqlauth._clock import Clock
    from gqlauth._entry import Snapshot
    from gqlauth._events import Events
    from gqlauth._options import AuthOptions
    from gqlauth._stores._guarded import Guarded
    from gqlauth._token import Strategy, Token
    from gqlauth._token_clients import TokenClients
    from gqlauth.errors import TokenRefusedError


class Source:
    """The tokens of one endpoint: its place in the cache, and how to fill it.

    A token that the API refuses is replaced. Where it refuses the replacement too, before it
    accepted any, more of them are of no use (a wrong audience, a wrong scope), and none is fetched
    for a while: what is at hand is sent, so that an API that has come to its senses is heard.
    Where it accepts some requests and refuses others, whatever the token, they are replaced more
    and more seldom.
    It is counted for the endpoint and not for the key, as others that share the token may be
    content with it.
    """

    __slots__ = (
        "_alone",
        "_cache",
        "_clock",
        "_events",
        "_http",
        "_options",
        "_pace",
        "_strategy",
        "_trouble",
        "key",
        "name",
        "shared",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - it ties together what there is
        self,
        name: str,
        strategy: Strategy,
        options: AuthOptions,
        cache: TokenCache,
        http: TokenClients,
        clock: Clock,
        store: Guarded | None = None,
        *,
        events: Events = LOGGED,
    ) -> None:
        self.name = name
        key = cache_key(strategy, options)
        self.key = key.digest
        self._alone = why_alone(strategy, key) if store is not None else ""
        #: Its place in the store that other processes use, if they have a use for its tokens.
        self.shared: Shared | None = None
        if store is not None and not self._alone:
            self.shared = Shared(key, store, cache, clock)
        self._strategy = strategy
        self._options = options
        self._cache = cache
        self._http = http
        self._clock = clock
        self._events = events
        self._trouble: Trouble | None = None
        self._pace: Pace | None = None

    def fresh(self) -> Token | None:
        """Return the token if it is fresh, without waiting."""
        return self._cache.fresh(self.key)

    async def token(self, *, renew: bool = False) -> Token:
        """Return a token that is valid now; with `renew`, one that is asked for now.

        Raises:
            GqlAuthError: when there is none.
            TokenRefusedError: when there is none, and the API refused the last ones.

        """
        rejection = None if renew else self._held()
        if rejection is not None:
            usable = self._cache.usable(self.key)
            if usable is not None:
                self._events.served(self.name)
                return usable
            # Another endpoint may have asked for one just now: that costs nothing.
            known = self._cache.look(self.key)
            if known is None or not known.in_flight:
                self._events.denied(self.name, rejection)
                raise rejection.for_endpoint(self.name)
        acquisition = _Renewal(self) if renew else self
        token = self._cache.seek(self.key, acquisition, renew=renew)
        if isinstance(token, Flight):
            # Here and not a coroutine further down: ten thousand may wait.
            await token.done.wait()
            token = token.outcome(self.name)
        else:
            self._events.served(self.name)
        trouble = self._trouble
        if (
            trouble is not None
            and trouble.suspect.same_text(token)
            and self._cache.restore(self.key, token, self.refresh_window)
        ):
            # The replacement is what was refused: it is as if it had been refused again.
            reason = f"the API rejected the credential{trouble.how}, and there is no other"
            trouble.hold(token, reason, self._clock.monotonic())
        return token

    async def lasting(self, seconds: float) -> Token:
        """Return a token that is valid for `seconds` more, or one that is new.

        Raises what `token` does.
        """
        asked = self._clock.monotonic()
        token = self.fresh() or await self.token()
        if self._lasts(token, seconds):
            return token
        if token.issued_monotonic < asked:  # it is not one that this very call has fetched
            token = await self.token(renew=True)
        if not self._lasts(token, seconds):
            _log.warning("a new token lives shorter than asked for", endpoint=self.name)
        return token

    def _lasts(self, token: Token, seconds: float) -> bool:
        return token.expires_at is None or token.expires_at - self._clock.wall() >= seconds

    def refused(self, token: Token, how: str) -> bool:
        """Forget `token`, as the API refused it; tell whether another may be had.

        `how` is told to who reads the log, or the status: ``401``, ``200, UNAUTHENTICATED``.
        """
        replaced = self._refused(token, f" ({how})")
        self._events.rejected(self.name, how, replaced=replaced)
        return replaced

    def _refused(self, token: Token, how: str) -> bool:
        ended = token.expires_at is not None and token.expires_at <= self._clock.wall()
        if ended or not self._cache.keeps(self.key, token):
            # A late answer: the token ended under way, or another has taken its place, or a
            # flight brings one.
            self._invalidate(token)
            return self._held() is None
        if self._held() is not None:
            return False
        trouble = self._trouble
        if trouble is None:
            trouble = self._trouble = Trouble(self.name, token, how)
        if trouble.suspect.same_text(token):
            trouble.how = how
            pace = self._pace = self._pace or Pace(self.name)
            allowed = pace.allows(token, how, self._clock.monotonic())
            if allowed:
                self._invalidate(token)
            return allowed
        reason = f"the API rejected a fresh token{how}; check audience and scopes"
        trouble.hold(token, reason, self._clock.monotonic())
        return False

    def accepted(self, token: Token) -> None:  # noqa: ARG002 - whichever it was
        """Take note that the API accepted `token`: what was wrong with others is over."""
        self._trouble = None

    def look(self) -> Snapshot | None:
        """Return what is known of the token; one that the API rejects does not serve."""
        snapshot = self._cache.look(self.key)
        rejection = None if self._trouble is None else self._trouble.rejection
        if snapshot is None or rejection is None:
            return snapshot
        return attrs.evolve(snapshot, usable=False, error=rejection)

    def forget(self) -> bool:
        """Forget all that this process knows of the token; tell whether there was one."""
        self._trouble = self._pace = None
        return self._cache.forget(self.key)

    @property
    def store(self) -> tuple[str, str]:
        """Return where its tokens are kept, and what there is to say of that."""
        if self.shared is None:
            return "memory", self._alone
        return self.shared.store.kind, self.shared.store.detail

    def recall(self, token: Token) -> None:
        """Take over `token`, which the store has: for diagnostics."""
        self._cache.restore(self.key, token, self.refresh_window)

    def _invalidate(self, token: Token) -> None:
        kept = self._cache.invalidate(self.key, token)
        if kept and self.shared is not None:
            # Once, however many refusals come; and nobody waits for that: until it is done, what
            # was refused is not taken over again.
            self._cache.later(partial(self.shared.store.forget, self.shared.key, token))

    def _held(self) -> TokenRefusedError | None:
        """Return why no other token is fetched now; None where one may be."""
        return None if self._trouble is None else self._trouble.held(self._clock.monotonic())

    @property
    def timeout(self) -> float:
        """Return the seconds that one acquisition has."""
        return self._options.timeout

    @property
    def refresh_window(self) -> float | None:
        """Return the seconds before the end in which it is refreshed, if it is set."""
        return self._options.refresh_window

    @property
    def token_url(self) -> str | None:
        """Return where its tokens are asked for, if that was configured, or discovered."""
        url: str | None = getattr(self._strategy, "token_url", None)
        metadata = self._http.known(getattr(self._strategy, "issuer", None))
        if url is not None or metadata is None:
            return url
        certificate = getattr(self._strategy, "certificate_file", None)
        return metadata.token_url(certified=certificate is not None)

    async def fetch(self, deadline: float, *, renew: bool = False) -> Token:
        """Get a token until `deadline` of the event loop's clock.

        That is one which another process has got, or else what the strategy fetches.
        """
        if self.shared is None:
            return await self._ready(deadline)()
        return await self.shared.token(
            partial(self._ready, deadline), within=self.timeout, deadline=deadline, renew=renew
        )

    def _ready(self, deadline: float) -> Callable[[], Awaitable[Token]]:
        """Return what fetches a token by the strategy, with all that it takes imported."""
        from gqlauth._endpoint import TokenEndpoint  # noqa: PLC0415 - diagnostics fetch nothing

        endpoint = TokenEndpoint(
            self._strategy,
            options=self._options,
            network=self._http,
            clock=self._clock,
            deadline=deadline,
            name=self.name,
            events=self._events,
        )

        async def fetched() -> Token:
            self._events.started(self.name, type(self._strategy).__name__)
            return await self._strategy.fetch(endpoint)

        return fetched


class _Renewal:
    """The acquisition of a token that was asked for, whatever is known."""

    __slots__ = ("_source",)

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def timeout(self) -> float:
        return self._source.timeout

    @property
    def refresh_window(self) -> float | None:
        return self._source.refresh_window

    async def fetch(self, deadline: float) -> Token:
        return await self._source.fetch(deadline, renew=True)
