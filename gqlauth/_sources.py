"""The source of each endpoint's tokens, made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._events import LOGGED
from gqlauth._report import report
from gqlauth._source import Source
from gqlauth.errors import ConfigError, GqlAuthError

if TYPE_CHECKING:
    from gqlauth._cache import TokenCache
    from gqlauth._clock import Clock
    from gqlauth._config import Config, Endpoint
    from gqlauth._events import Events
    from gqlauth._options import AuthOptions
    from gqlauth._status import EndpointStatus
    from gqlauth._stores._guarded import Guarded
    from gqlauth._token import Strategy
    from gqlauth._token_clients import TokenClients
    from gqlauth.events import OnEvent


class Sources:
    """The sources of the endpoints of a configuration, all over one cache and one store."""

    __slots__ = (
        "_cache",
        "_clock",
        "_config",
        "_events",
        "_http",
        "_kind",
        "_store",
        "known",
    )

    def __init__(  # noqa: PLR0913 - it ties together what there is
        self,
        config: Config,
        cache: TokenCache,
        http: TokenClients,
        clock: Clock,
        store: Guarded | None,
        *,
        events: Events = LOGGED,
        kind: type[Source] = Source,
    ) -> None:
        self._config = config
        self._cache = cache
        self._http = http
        self._clock = clock
        self._store = store
        self._events = events
        self._kind = kind
        #: Those that were asked for, by the name that they were asked for by.
        self.known: dict[str | None, Source] = {}

    def of(self, name: str | None) -> Source:
        """Return the source of the endpoint called `name`, or of the default one.

        Raises:
            ConfigError: when there is no such endpoint, or it has no ``auth``.

        """
        source = self.known.get(name)
        if source is None:
            endpoint = self._config.endpoint(name)
            if endpoint.auth is None:
                raise ConfigError(f'endpoint "{endpoint.name}" has no auth, and so no token')
            # One for the endpoint, whether it is asked for by name or as the default.
            source = self.known.get(endpoint.name) or self.made(
                endpoint.name, endpoint.auth.strategy, endpoint.auth.options
            )
            self.known[name] = self.known[endpoint.name] = source
        return source

    def chosen(self, *names: str) -> list[Source]:
        """Return the sources of the endpoints called `names`, or of all; those that there are.

        Raises:
            ConfigError: when there is no such endpoint.

        """
        chosen = map(self._config.endpoint, names or self._config.endpoints)
        return [self.of(one.name) for one in chosen if one.auth is not None]

    async def recall(self, *names: str) -> None:
        """Take over what is stored of the tokens of endpoints; see `AuthService.recall`."""
        chosen = self.chosen(*names)
        if self._store is not None:
            shared = {one.shared.key: one for one in chosen if one.shared is not None}
            for key, token in (await self._store.look(list(shared))).items():
                shared[key].recall(token)

    async def forget(self, *names: str) -> int:
        """Forget the tokens of endpoints; see `AuthService.clear`."""
        chosen = self.chosen(*names)
        had = {one.key for one in chosen if one.forget()}
        if self._store is not None:
            # All in one go: for each, a store may be opened anew.
            shared = {one.shared.key: one.key for one in chosen if one.shared is not None}
            stored = await self._store.discard(shared)
            if stored is None:
                raise GqlAuthError(f"what is stored could not be forgotten: {self._store}")
            had |= {shared[key] for key in stored}
        return len(had)

    def made(self, name: str, strategy: Strategy, options: AuthOptions) -> Source:
        """Return a new source for an endpoint that is called `name`."""
        return self._kind(
            name,
            strategy,
            options,
            self._cache,
            self._http,
            self._clock,
            self._store,
            events=self._events,
        )

    def report(
        self, endpoint: Endpoint, *, checked: bool = False, error: GqlAuthError | None = None
    ) -> EndpointStatus:
        """Return what diagnostics show of an endpoint."""
        source = None if endpoint.auth is None else self.of(endpoint.name)
        return report(
            endpoint,
            None if source is None else source.look(),
            wall=self._clock.wall(),
            token_url=None if source is None else source.token_url,
            store=("memory", "") if source is None else source.store,
            checked=checked,
            error=error,
        )


def listening(on_event: OnEvent | None) -> tuple[Events, type[Source]]:
    """Return who is told what happens, and the sources that tell of tokens at hand, if need be.

    Raises:
        GqlAuthError: when `on_event` would have to be awaited.

    """
    if on_event is None:
        return LOGGED, Source
    from gqlauth._heard import Heard, HeardSource  # noqa: PLC0415 - for who listens

    return Heard(on_event), HeardSource
