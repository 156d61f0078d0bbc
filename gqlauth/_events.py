"""What is logged of tokens: how they are fetched, and each request for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth import _log
from gqlauth._secret import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._answer import Answer
    from gqlauth._entry import Entry
    from gqlauth._exchange import Exchange
    from gqlauth._token import Token
    from gqlauth.errors import GqlAuthError


def token_wanted(name: str, entry: Entry, before: Callable[[Entry, float], bool]) -> None:
    """Tell that a token is to be fetched, and what the cache has meanwhile."""
    if entry.token is None:
        state = "empty"
    elif not before(entry, entry.usable_until):
        state = "expired"
    else:
        state = "fresh" if before(entry, entry.refresh_at) else "refresh due"
    _log.info("token wanted", endpoint=name, cache=state)


def token_fetched(name: str, token: Token, elapsed: float, waited: int) -> None:
    """Tell that a token came, after `elapsed` seconds, in which so many callers `waited` for it."""
    _came("token fetched", name, token, elapsed, waited)


def token_found(name: str, token: Token, elapsed: float, waited: int) -> None:
    """Tell that a token was there already, where other processes keep theirs, too."""
    _came("token found", name, token, elapsed, waited)


def _came(event: str, name: str, token: Token, elapsed: float, waited: int) -> None:
    _log.info(
        event,
        endpoint=name,
        expires_in=token.expires_in,
        elapsed=round(elapsed, 3),
        waited=waited,
        # At the end: what follows the name of a scheme looks like a credential.
        type=token.token_type or token.header_name,
    )


def refresh_failed(name: str, error: GqlAuthError, pause: float) -> None:
    """Warn that a token which still serves could not be replaced."""
    _log.warning("token refresh failed", endpoint=name, error=str(error), again_in=pause)


def token_request(exchange: Exchange) -> None:
    """Tell what a token request sends, but for its secrets."""
    if not _log.debugging():
        return
    proof = {"Authorization": MASK} if exchange.method.startswith("client_secret_basic") else {}
    _log.debug(
        "token request",
        url=exchange.shown_url,
        attempt=exchange.tries,
        method=exchange.method,
        # The secrets as `Secret`, which tells just where it comes from.
        headers={**exchange.headers, **proof, **exchange.possession},
        form={**exchange.form, **exchange.proven},
    )


def token_answer(answer: Answer, elapsed: float) -> None:
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
