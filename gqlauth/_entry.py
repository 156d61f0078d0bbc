"""What the cache keeps of one key: a token with its windows, what was refused, a failure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Self

import attrs

from gqlauth.errors import TokenUnavailableError

if TYPE_CHECKING:
    from gqlauth._flight import Flight
    from gqlauth._token import Token
    from gqlauth.errors import GqlAuthError

#: Seconds before the end in which a token is refreshed while it serves: at most, and as a part
#: of its life; and the part by which that is moved at random.
WINDOW: Final = 300.0
WINDOW_PART: Final = 1 / 4
WINDOW_JITTER: Final = 0.1
#: A window that somebody asks for is no more than this part of the life, or every call would
#: ask for another token.
LARGEST_WINDOW_PART: Final = 1 / 2
#: Seconds before the end from which a token is not used any more: at most, and as a part.
MARGIN: Final = 10.0
MARGIN_PART: Final = 1 / 10
#: Refused tokens that are remembered of a key, until one that was not comes.
MOST_REFUSED: Final = 4
#: Seconds for which a failure is remembered: one that will last; and one that may pass, at
#: first, and at the most as it doubles; and at the most where the server asks for more.
LASTING_FAILURE: Final = 5.0
FIRST_FAILURE: Final = 1.0
LONGEST_FAILURE: Final = 30.0
LONGEST_RETRY_AFTER: Final = 3600.0


def usable_until(token: Token) -> float:
    """Return until when `token` is used, by the wall clock."""
    assert token.issued_at is not None
    life = math.inf if token.expires_in is None else token.expires_in
    # Not later than the end, also where that came before the beginning.
    return token.issued_at + life - max(0.0, min(MARGIN, life * MARGIN_PART))


@attrs.frozen
class Snapshot:
    """What the cache knows of a key, for diagnostics."""

    token: Token | None
    #: When its refresh is due, in seconds since the epoch.
    refresh_at: float | None
    #: Whether the token still serves.
    usable: bool
    in_flight: bool
    #: The last failure, if nothing has succeeded since.
    error: GqlAuthError | None


class Failure:
    """A failure that is remembered, so that a thousand callers make one attempt."""

    __slots__ = ("count", "error", "pause", "until")

    def __init__(self, error: GqlAuthError, count: int, pause: float, now: float) -> None:
        self.error = error
        #: How many came in a row.
        self.count = count
        #: Seconds until the next attempt may be made; and when that is, by the monotonic clock.
        self.pause = pause
        self.until = now + pause

    @classmethod
    def after(cls, last: Failure | None, error: GqlAuthError, now: float) -> Self:
        """Return what is remembered of `error`, which followed on the `last` failure, if any."""
        count = 1 if last is None else last.count + 1
        if isinstance(error, TokenUnavailableError):
            pause = min(LONGEST_FAILURE, FIRST_FAILURE * 2 ** min(count - 1, 10))
            if error.retry_after is not None:
                pause = min(LONGEST_RETRY_AFTER, max(pause, error.retry_after))
        else:
            pause = LASTING_FAILURE
        return cls(error, count, pause, now)


class Entry:
    """What is kept of one key."""

    __slots__ = (
        "failure",
        "flight",
        "refresh_at",
        "refused",
        "token",
    )

    def __init__(self) -> None:
        self.token: Token | None = None
        # By the wall clock; by the monotonic one it is this plus the shift. What follows from the
        # token is not kept: there may be ten thousand of it.
        self.refresh_at = -math.inf
        self.flight: Flight | None = None
        self.failure: Failure | None = None
        #: What the API refused, the last at the end: it is not kept if it comes back.
        self.refused: tuple[Token, ...] = ()

    @property
    def usable_until(self) -> float:
        """Return until when the token is used, by the wall clock."""
        return -math.inf if self.token is None else usable_until(self.token)

    @property
    def monotonic_shift(self) -> float:
        """Return by how many seconds the token's monotonic clock is ahead of the wall clock."""
        assert self.token is not None
        assert self.token.issued_at is not None
        return self.token.issued_monotonic - self.token.issued_at

    def has(self, token: Token) -> bool:
        """Tell whether `token` is the one that is kept."""
        return self.token is not None and self.token.same_text(token)

    def keep(self, token: Token, window: float | None, jitter: float) -> None:
        """Keep `token`, and work out until when."""
        assert token.issued_at is not None
        life = math.inf if token.expires_in is None else token.expires_in
        end = token.issued_at + life
        if window is None:
            window = min(WINDOW, life * WINDOW_PART)
        window = min(window * (1 + WINDOW_JITTER * jitter), life * LARGEST_WINDOW_PART)
        self.token = token
        self.refresh_at = min(end - window, self.usable_until)
        self.refused = ()

    def refuse(self, token: Token) -> None:
        """Take note that `token` was refused."""
        others = (one for one in self.refused if not one.same_text(token))
        self.refused = (*others, token)[-MOST_REFUSED:]

    def has_refused(self, token: Token) -> bool:
        """Tell whether `token` is one that was refused lately."""
        return any(one.same_text(token) for one in self.refused)

    def drop(self) -> None:
        """Forget the token."""
        self.token = None
        self.refresh_at = -math.inf
