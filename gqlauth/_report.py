"""What an endpoint's configuration and the cache amount to, told as an `EndpointStatus`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from gqlauth._registry import NO_AUTH
from gqlauth._secret import Secret
from gqlauth._status import EndpointStatus, State
from gqlauth.errors import ConfigError, GqlAuthError, SecretError, TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._cache import Snapshot
    from gqlauth._config import Endpoint


def report(
    endpoint: Endpoint,
    snapshot: Snapshot | None,
    *,
    wall: float,
    checked: bool = False,
    error: GqlAuthError | None = None,
) -> EndpointStatus:
    """Return the status of `endpoint` at the time `wall`; `error` is what a check came to."""
    if endpoint.auth is None:
        return EndpointStatus(name=endpoint.name, url=endpoint.url, type=NO_AUTH, state="none")
    strategy = endpoint.auth.strategy
    if error is None and snapshot is not None:
        error = snapshot.error
    if error is None:
        error = _misconfigured(strategy)
    token = None if snapshot is None else snapshot.token
    expires_at = None if token is None else token.expires_at
    return EndpointStatus(
        name=endpoint.name,
        url=endpoint.url,
        type=endpoint.auth.type,
        state=_state(snapshot, error, wall=wall, checked=checked),
        error=None if error is None else str(error),
        expires_at=expires_at,
        expires_in=None if expires_at is None else expires_at - wall,
        refresh_at=None if snapshot is None else snapshot.refresh_at,
        scopes=(token.scopes if token is not None else None) or _scopes(strategy),
        fingerprint=None if token is None else token.fingerprint,
        token_url=getattr(strategy, "token_url", None),
        client_id=getattr(strategy, "client_id", None),
        secret_source=next((secret.source for _, secret in _secrets(strategy)), None),
        checked=checked,
    )


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


def _misconfigured(strategy: object) -> SecretError | None:
    """Return what keeps a secret from being read, as far as that is known without reading it."""
    for _, secret in _secrets(strategy):
        try:
            secret.check()
        except SecretError as error:
            return error
    return None


def _secrets(strategy: object) -> Iterator[tuple[str, Secret]]:
    """Yield the secrets of a strategy, by the names of its fields."""
    for name, value in _fields(strategy):
        if isinstance(value, Secret):
            yield name, value
        elif name == "headers" and value:
            yield from ((name, one) for one in value.values() if isinstance(one, Secret))


def _fields(strategy: object) -> Iterator[tuple[str, Any]]:
    if attrs.has(type(strategy)):
        for field in attrs.fields(type(strategy)):
            yield field.name, getattr(strategy, field.name)
    else:
        yield from getattr(strategy, "__dict__", {}).items()


def _scopes(strategy: object) -> tuple[str, ...]:
    scopes = getattr(strategy, "scopes", ())
    return tuple(scopes.split()) if isinstance(scopes, str) else tuple(scopes)
