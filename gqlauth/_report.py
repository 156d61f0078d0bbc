"""What an endpoint's configuration and the cache amount to, told as an `EndpointStatus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gqlauth._registry import NO_AUTH
from gqlauth._status import EndpointStatus, State
from gqlauth.errors import ConfigError, GqlAuthError, TokenError, TokenRefusedError

if TYPE_CHECKING:
    from gqlauth._config import Endpoint
    from gqlauth._entry import Snapshot


def report(  # noqa: PLR0913 - all but two by name
    endpoint: Endpoint,
    snapshot: Snapshot | None,
    *,
    wall: float,
    token_url: str | None = None,
    store: tuple[str, str] = ("memory", ""),
    checked: bool = False,
    error: GqlAuthError | None = None,
) -> EndpointStatus:
    """Return the status of `endpoint` at the time `wall`; `error` is what a check came to.

    `token_url` is where its tokens are asked for, as far as that is known, and `store` where they
    are kept, and what there is to say of that.
    """
    if endpoint.auth is None:
        return EndpointStatus(name=endpoint.name, url=endpoint.url, type=NO_AUTH, state="none")
    strategy = endpoint.auth.strategy
    if error is None and snapshot is not None:
        error = snapshot.error
    if error is None:
        problem = next(endpoint.problems(), None)
        error = None if problem is None else ConfigError(problem)
    token = None if snapshot is None else snapshot.token
    expires_at = None if token is None else token.expires_at
    return EndpointStatus(
        name=endpoint.name,
        url=endpoint.url,
        type=endpoint.auth.type,
        state=_state(snapshot, error, wall=wall, checked=checked),
        error=None if error is None else _told(error),
        expires_at=expires_at,
        expires_in=None if expires_at is None else expires_at - wall,
        refresh_at=None if snapshot is None else snapshot.refresh_at,
        scopes=(token.scopes if token is not None else None) or _scopes(strategy),
        fingerprint=None if token is None else token.fingerprint,
        token_url=token_url or getattr(strategy, "token_url", None),
        client_id=getattr(strategy, "client_id", None),
        secret_source=next((secret.source for secret in endpoint.auth.secrets()), None),
        store=store[0],
        store_detail=store[1] or None,
        checked=checked,
    )


def _told(error: GqlAuthError) -> str:
    """Return what an error says, and below it what may mend it, where that is known."""
    hint = error.hint if isinstance(error, TokenError) else ""
    return f"{error}\nhint: {hint}" if hint else str(error)


def _state(
    snapshot: Snapshot | None, error: GqlAuthError | None, *, wall: float, checked: bool
) -> State:
    """Classify, the most telling first: what a check came to, a token that serves, a failure."""
    if checked and error is not None:
        return _failed(error, "unreachable")
    if snapshot is not None and snapshot.usable:
        due = snapshot.refresh_at is not None and snapshot.refresh_at <= wall
        return "refreshing" if snapshot.in_flight or due else "valid"
    if error is not None:
        return _failed(error, "failing")
    if snapshot is not None and snapshot.in_flight:
        return "refreshing"
    return "empty" if snapshot is None or snapshot.token is None else "expired"


def _failed(error: GqlAuthError, passing: State) -> State:
    if isinstance(error, ConfigError):
        return "misconfigured"
    return "rejected" if isinstance(error, TokenRefusedError) else passing


def _scopes(strategy: object) -> tuple[str, ...]:
    scopes = getattr(strategy, "scopes", ())
    return tuple(scopes.split()) if isinstance(scopes, str) else tuple(scopes)
