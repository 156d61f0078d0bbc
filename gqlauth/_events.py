"""What is told of tokens: how they are got, and each request for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gqlauth import _log
from gqlauth._secret import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._answer import Answer
    from gqlauth._entry import Entry
    from gqlauth._exchange import Exchange
    from gqlauth._flight import Flight
    from gqlauth._token import Token
    from gqlauth.errors import GqlAuthError
    from gqlauth.events import CacheState


def state_of(entry: Entry, before: Callable[[Entry, float], bool]) -> CacheState:
    """Return what the cache has when a token is wanted."""
    if entry.token is None:
        return "empty"
    if not before(entry, entry.usable_until):
        return "expired"
    return "fresh" if before(entry, entry.refresh_at) else "refresh due"


class Events:
    """Tells the log. `gqlauth._heard.Heard` tells it to a callback, too, as `gqlauth.events`."""

    __slots__ = ()

    def served(self, name: str) -> None:
        """Tell that a caller got the token at hand: not the log, as that happens all the time."""

    def wanted(self, name: str, cache: CacheState) -> None:
        """Tell that a token is to be got, and what the cache has meanwhile."""
        _log.info("token wanted", endpoint=name, cache=cache)

    def started(self, name: str, strategy: str) -> None:
        """Tell that a strategy is asked for a token."""
        _log.info("fetching a token", endpoint=name, strategy=strategy)

    def request(self, name: str, exchange: Exchange) -> None:  # noqa: ARG002 - the URL tells more
        """Tell what a token request sends, but for its secrets."""
        if not _log.debugging():
            return
        basic = exchange.method.startswith("client_secret_basic")
        _log.debug(
            "token request",
            url=exchange.shown_url,
            attempt=exchange.tries,
            method=exchange.method,
            # The secrets as `Secret`, which tells just where it comes from.
            headers={
                **exchange.headers,
                **({"Authorization": MASK} if basic else {}),
                **exchange.possession,
            },
            form={**exchange.form, **exchange.proven},
        )

    def answer(
        self,
        name: str,  # noqa: ARG002 - the URL tells more
        exchange: Exchange,  # noqa: ARG002 - the answer tells it
        answer: Answer,
        elapsed: float,
        error: GqlAuthError | None,  # noqa: ARG002 - the snippet tells more
    ) -> None:
        """Tell what came back, after `elapsed` seconds, but for its token.

        To be called while that token is alive: it is masked as well where it stands under no name.
        """
        if not _log.debugging():
            return
        _log.debug(
            "token answer",
            url=answer.url,
            status=answer.status,
            elapsed=round(elapsed, 3),
            headers=dict(answer.headers),
            snippet=answer.snippet,
        )

    def lost(self, name: str, exchange: Exchange, elapsed: float, error: BaseException) -> None:
        """Tell that no whole answer came: not the log, which is told what follows from it."""

    def came(self, name: str, flight: Flight, token: Token, elapsed: float) -> None:
        """Tell that a token came, after `elapsed` seconds, or was found where all keep theirs."""
        _log.info(
            "token found" if flight.found else "token fetched",
            endpoint=name,
            expires_in=token.expires_in,
            elapsed=round(elapsed, 3),
            waited=flight.waiting,
            # At the end: what follows the name of a scheme looks like a credential.
            type=token.token_type or token.header_name,
        )

    def failed(
        self,
        name: str,
        flight: Flight,
        error: GqlAuthError,
        elapsed: float,  # noqa: ARG002 - the error tells it
        pause: float,
    ) -> None:
        """Tell that no token could be had: the log, where nobody waits who would tell it."""
        if flight.cache != "empty" and pause > 0:  # else the service was closed
            _log.warning("token refresh failed", endpoint=name, error=str(error), again_in=pause)

    def denied(self, name: str, error: GqlAuthError) -> None:
        """Tell that a caller was told a failure that is remembered: not the log, but the caller."""

    def rejected(self, name: str, answer: str, *, replaced: bool) -> None:
        """Tell that the API refused a token: not the log, which is told what follows from it."""


#: What nobody but the log is told.
LOGGED: Final = Events()
