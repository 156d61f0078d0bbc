"""What `AuthService(on_event=…)` is told, beside the log.

Imported only where somebody listens: a service that nobody listens to pays for none of it.
"""

from __future__ import annotations

from asyncio import CancelledError
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from gqlauth import _log
from gqlauth import events as told
from gqlauth._causes import in_words
from gqlauth._events import Events
from gqlauth._source import Source
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from gqlauth._answer import Answer
    from gqlauth._exchange import Exchange
    from gqlauth._flight import Flight
    from gqlauth._token import Token
    from gqlauth.events import CacheState, Event, OnEvent


class Heard(Events):
    """Tells the log, and a callback, which harms nobody whatever it raises.

    Raises:
        GqlAuthError: when `on_event` would have to be awaited.

    """

    __slots__ = ("_failed", "_on_event")

    def __init__(self, on_event: OnEvent) -> None:
        called = getattr(on_event, "__call__", on_event)  # noqa: B004 - for what it is made of
        if iscoroutinefunction(on_event) or iscoroutinefunction(called):
            raise GqlAuthError("on_event is called and never awaited: give it a plain function")
        self._on_event = on_event
        self._failed = False

    def tell(self, event: Event) -> None:
        """Call back with `event`; who reads the log is warned once if that fails."""
        try:
            self._on_event(event)
        # Whoever listens must harm nobody. Nothing is awaited here: this cancels nobody of ours.
        except (Exception, CancelledError) as error:  # noqa: BLE001 - as above
            if not self._failed:
                self._failed = True
                on = type(event).__name__
                _log.warning("on_event failed, told once", on=on, why=in_words(error))

    def served(self, name: str) -> None:
        """Tell that a caller got the token at hand."""
        self.tell(told.TokenServed(endpoint=name))

    def wanted(self, name: str, cache: CacheState) -> None:
        """Tell that a token is to be got."""
        super().wanted(name, cache)
        self.tell(told.TokenWanted(endpoint=name, cache=cache))

    def started(self, name: str, strategy: str) -> None:
        """Tell that a strategy is asked for a token."""
        super().started(name, strategy)
        self.tell(told.FetchStarted(endpoint=name, strategy=strategy))

    def request(self, name: str, exchange: Exchange) -> None:
        """Tell that a token request goes out."""
        super().request(name, exchange)
        self.tell(
            told.TokenRequested(
                endpoint=name,
                url=exchange.shown_url,
                method=exchange.method,
                attempt=exchange.tries,
            )
        )

    def answer(
        self,
        name: str,
        exchange: Exchange,
        answer: Answer,
        elapsed: float,
        error: GqlAuthError | None,
    ) -> None:
        """Tell what came back."""
        super().answer(name, exchange, answer, elapsed, error)
        kind = "" if error is None else told.kind_of(error)
        self._ended(name, exchange, elapsed, answer.status, kind)

    def lost(self, name: str, exchange: Exchange, elapsed: float, error: BaseException) -> None:
        """Tell that no whole answer came."""
        self._ended(name, exchange, elapsed, None, told.kind_of(error))

    def _ended(
        self, name: str, exchange: Exchange, elapsed: float, status: int | None, kind: str
    ) -> None:
        self.tell(
            told.TokenAnswered(
                endpoint=name,
                url=exchange.shown_url,
                attempt=exchange.tries,
                elapsed=elapsed,
                status=status,
                kind=kind,
            )
        )

    def came(self, name: str, flight: Flight, token: Token, elapsed: float) -> None:
        """Tell that a token came, or was there already."""
        super().came(name, flight, token, elapsed)
        kind = told.TokenFound if flight.found else told.TokenFetched
        self.tell(
            kind(
                endpoint=name,
                cache=flight.cache,
                elapsed=elapsed,
                waited=flight.waiting,
                expires_in=token.expires_in,
                expires_at=token.expires_at,
            )
        )

    def failed(
        self, name: str, flight: Flight, error: GqlAuthError, elapsed: float, pause: float
    ) -> None:
        """Tell that no token could be had."""
        super().failed(name, flight, error, elapsed, pause)
        self.tell(
            told.FetchFailed(
                endpoint=name,
                cache=flight.cache,
                elapsed=elapsed,
                waited=flight.waiting,
                error=error.for_endpoint(name),
                again_in=pause,
            )
        )

    def denied(self, name: str, error: GqlAuthError) -> None:
        """Tell that a caller was told a failure that is remembered."""
        self.tell(told.TokenDenied(endpoint=name, error=error.for_endpoint(name)))

    def rejected(self, name: str, answer: str, *, replaced: bool) -> None:
        """Tell that the API refused a token."""
        self.tell(told.TokenRejected(endpoint=name, answer=answer, replaced=replaced))


class HeardSource(Source):
    """The tokens of an endpoint, where somebody wants to know of each that is served."""

    __slots__ = ("_served", "_tell")

    def __init__(self, name: str, *rest: Any, events: Heard) -> None:  # noqa: ANN401 - as any source
        super().__init__(name, *rest, events=events)
        # One event for all requests: it is always the same.
        self._served = told.TokenServed(endpoint=name)
        self._tell = events.tell

    def fresh(self) -> Token | None:
        """Return the token if it is fresh, without waiting; tell that it was served."""
        token = self._cache.fresh(self.key)
        if token is not None:
            self._tell(self._served)
        return token
