"""The source of each endpoint's tokens, made when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._source import Source
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from gqlauth._cache import TokenCache
    from gqlauth._clock import Clock
    from gqlauth._config import Config
    from gqlauth._options import AuthOptions
    from gqlauth._stores._guarded import Guarded
    from gqlauth._token import Strategy
    from gqlauth._token_clients import TokenClients


class Sources:
    """The sources of the endpoints of a configuration, all over one cache and one store."""

    __slots__ = ("_cache", "_clock", "_config", "_http", "_store", "known")

    def __init__(
        self,
        config: Config,
        cache: TokenCache,
        http: TokenClients,
        clock: Clock,
        store: Guarded | None,
    ) -> None:
        self._config = config
        self._cache = cache
        self._http = http
        self._clock = clock
        self._store = store
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

    def made(self, name: str, strategy: Strategy, options: AuthOptions) -> Source:
        """Return a new source for an endpoint that is called `name`."""
        return Source(name, strategy, options, self._cache, self._http, self._clock, self._store)
