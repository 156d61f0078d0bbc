"""What diagnostics show of an endpoint: no secret in it, and no token."""

from __future__ import annotations

from typing import Literal

import attrs

State = Literal[
    "none",  # the endpoint has no auth
    "empty",  # no token yet
    "valid",
    "refreshing",  # in the refresh window, or a flight is under way
    "expired",
    "failing",  # the last acquisition failed in a way that is worth trying again
    "misconfigured",
    "unreachable",  # the check did not get through to the authorization server
    "rejected",  # the authorization server, or the API, refused
]


@attrs.frozen(kw_only=True)
class EndpointStatus:
    """The state of one endpoint's authentication, as ``gql auth status`` shows it."""

    #: What the configuration calls it.
    name: str
    #: Where the GraphQL API is.
    url: str
    #: The printed form of ``auth.type``; ``none`` without auth.
    type: str
    #: How its authentication stands.
    state: State
    #: What is wrong, if anything is.
    error: str | None = None
    #: When the token ends, in seconds since the epoch.
    expires_at: float | None = None
    #: Seconds until it ends.
    expires_in: float | None = None
    #: When its refresh is due, in seconds since the epoch.
    refresh_at: float | None = None
    #: The scopes that were granted, or else those that are asked for.
    scopes: tuple[str, ...] = ()
    #: The first 8 hex digits of the token's SHA-256.
    fingerprint: str | None = None
    #: Where its tokens are asked for; None where no token is, or where that is not discovered yet.
    token_url: str | None = None
    #: The name that the authorization server knows the client by.
    client_id: str | None = None
    #: Where the secret comes from, such as ``env ORDERS_CLIENT_SECRET``.
    secret_source: str | None = None
    #: Where tokens are kept: ``memory``, ``disk`` or ``redis``.
    store: str = "memory"
    #: Where that is, or why they are not kept elsewhere.
    store_detail: str | None = None
    #: Whether the authorization server was asked for this.
    checked: bool = False
