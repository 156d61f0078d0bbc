"""What happens to tokens, as ``AuthService(on_event=…)`` is told it.

::

    Event                      what each of them is; its endpoint
    ├── TokenServed            a caller got the token at hand, without waiting
    ├── TokenWanted            an acquisition begins: one for all who want the token
    │   ├── FetchStarted       its strategy is asked
    │   ├── TokenRequested     a request goes to the token endpoint
    │   └── TokenAnswered      what came of that request
    ├── TokenFetched           an acquisition ends: a new token came
    ├── TokenFound             it ends: another process had the token already
    ├── FetchFailed            it ends: no token could be had
    ├── TokenDenied            a caller was told a failure that is remembered: nobody was asked
    └── TokenRejected          the API refused a token

No event holds a secret, a token, a request or an answer. Those of one acquisition come in this
order, in the task that a strategy runs in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from gqlauth._causes import causes
from gqlauth.errors import TokenError

if TYPE_CHECKING:
    from gqlauth.errors import GqlAuthError

#: What the cache has when a token is wanted: none; one that has ended; one that serves while the
#: next is fetched; or one that is good, but was not wanted.
CacheState: TypeAlias = Literal["empty", "expired", "refresh due", "fresh"]

# What may stand for an error in a metric: a server may send anything as its own.
_KNOWN: Final = frozenset(
    {
        # RFC 6749, sections 4.1.2.1 and 5.2.
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        # RFC 8628, section 3.5; RFC 8707, section 2; RFC 9396, section 5; RFC 9449, sections 5, 8.
        "authorization_pending",
        "expired_token",
        "invalid_authorization_details",
        "invalid_dpop_proof",
        "invalid_target",
        "slow_down",
        "use_dpop_nonce",
    }
)


def kind_of(error: BaseException) -> str:
    """Return what kind of error it is, in a word of which there are few: for metrics.

    That is the OAuth error code, if it is one that is known; else the HTTP status, if that is
    what went wrong; else what kind of exception it came of.
    """
    for one in causes(error):
        if not isinstance(one, TokenError):
            return type(one).__name__
        if one.error in _KNOWN:
            return one.error
        if one.status is not None and one.status >= 300:  # noqa: PLR2004 - no success
            return str(one.status)
    return type(one).__name__


@attrs.frozen(kw_only=True)
class Event:
    """What each event is."""

    #: The name of the GraphQL endpoint that the token is for.
    endpoint: str


@attrs.frozen(kw_only=True)
class TokenServed(Event):
    """A caller got the token that is at hand, without waiting."""


@attrs.frozen(kw_only=True)
class TokenWanted(Event):
    """A token is to be got, once for all who want it: the beginning of an acquisition.

    It ends with `TokenFetched`, `TokenFound` or `FetchFailed`.
    """

    #: What there is meanwhile. With ``refresh due``, nobody waits.
    cache: CacheState


@attrs.frozen(kw_only=True)
class FetchStarted(Event):
    """The strategy is asked for a token."""

    #: The name of its class.
    strategy: str


@attrs.frozen(kw_only=True)
class TokenRequested(Event):
    """A request goes to the token endpoint; `TokenAnswered` follows."""

    #: The token endpoint, without what may be secret in its URL.
    url: str
    #: How the client proves itself, such as ``client_secret_basic``.
    method: str
    #: Which try it is, from 1.
    attempt: int


@attrs.frozen(kw_only=True)
class TokenAnswered(Event):
    """A request to the token endpoint came to its end, whatever that is."""

    #: The token endpoint, without what may be secret in its URL.
    url: str
    #: Which try it was, from 1.
    attempt: int
    #: Seconds from the request to the end of its answer.
    elapsed: float
    #: The HTTP status; None where no whole answer came.
    status: int | None
    #: What kind of error it was, as `FetchFailed.kind` has it; empty where a token came.
    kind: str


@attrs.frozen(kw_only=True)
class TokenFetched(Event):
    """A new token came: the end of an acquisition."""

    #: What there was meanwhile, as in `TokenWanted`. With ``refresh due``, it was a refresh.
    cache: CacheState
    #: Seconds that it took in all, with all tries.
    elapsed: float
    #: How many callers waited for it.
    waited: int
    #: Its lifetime in seconds, from when it was asked for; None for no end.
    expires_in: float | None
    #: When it ends, in seconds since the epoch; None for never.
    expires_at: float | None


@attrs.frozen(kw_only=True)
class TokenFound(TokenFetched):
    """Another process had the token already, where a store has those of all."""


@attrs.frozen(kw_only=True)
class FetchFailed(Event):
    """No token could be had: the end of an acquisition."""

    #: What there was meanwhile, as in `TokenWanted`. With ``refresh due``, that serves on.
    cache: CacheState
    #: Seconds that it took in all, with all tries.
    elapsed: float
    #: How many callers waited for it: each gets a copy of the error.
    waited: int
    #: What it failed with.
    error: GqlAuthError
    #: Seconds for which nobody is asked again; 0 as the service was closed.
    again_in: float

    @property
    def kind(self) -> str:
        """Return what kind of error it is: an OAuth error code, a status, a class; for metrics."""
        return kind_of(self.error)


@attrs.frozen(kw_only=True)
class TokenDenied(Event):
    """A caller was told a failure that is remembered, and nobody was asked."""

    #: What had failed.
    error: GqlAuthError

    @property
    def kind(self) -> str:
        """Return what kind of error it is: an OAuth error code, a status, a class; for metrics."""
        return kind_of(self.error)


@attrs.frozen(kw_only=True)
class TokenRejected(Event):
    """The API refused a token."""

    #: How the API refused it: its status, and the error code, if it told one.
    answer: str
    #: Whether another takes its place, and it is forgotten; else others were of no more use.
    replaced: bool


#: What is called with each event, on the event loop of the service: it must not block.
OnEvent: TypeAlias = Callable[[Event], object]
