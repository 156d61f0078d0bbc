"""What it amounts to that an API refuses tokens: which are replaced, and when none is any more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gqlauth import _log
from gqlauth.errors import TokenRefusedError

if TYPE_CHECKING:
    from gqlauth._token import Token

#: Seconds for which no token is fetched after the API refused one that had just replaced another:
#: at first, and at the most as it doubles.
FIRST_HOLD: Final = 30.0
LONGEST_HOLD: Final = 300.0
#: Young tokens that are replaced in a row though the API accepts tokens in between, and seconds
#: that each further one takes.
MOST_IN_A_ROW: Final = 5
PACE: Final = 30.0


class Trouble:
    """An API that refused a token, and has accepted none since."""

    __slots__ = ("_holds", "_name", "_rejection", "_told", "_until", "how", "suspect")

    def __init__(self, name: str, suspect: Token, how: str) -> None:
        self._name = name
        #: What it refused last, and how.
        self.suspect = suspect
        self.how = how
        # How often it refused a replacement in a row, and until when that keeps others back.
        self._holds = 0
        self._until = -math.inf
        self._rejection: TokenRefusedError | None = None
        self._told = False

    @property
    def rejection(self) -> TokenRefusedError | None:
        """Return what is told of a replacement that was refused; None as long as none was."""
        return self._rejection

    def hold(self, token: Token, reason: str, now: float) -> None:
        """Keep others back, as it refused `token`, which was a replacement."""
        pause = min(LONGEST_HOLD, FIRST_HOLD * 2 ** min(self._holds, 10))
        self.suspect = token
        self._holds += 1
        self._until = now + pause
        self._rejection = TokenRefusedError(reason, endpoint=self._name)
        self._told = False
        _log.info(reason, endpoint=self._name, no_other_for=pause)

    def held(self, now: float) -> TokenRefusedError | None:
        """Return why no other token is fetched now; None where one may be.

        Who reads the log is warned once, when this keeps back a first one: before, nobody misses
        any.
        """
        if self._rejection is None or now >= self._until:
            return None
        if not self._told:
            self._told = True
            _log.warning(
                self._rejection.reason, endpoint=self._name, no_other_for=self._until - now
            )
        return self._rejection


class Pace:
    """How often young tokens are replaced: a few in a row, and then one in so many seconds.

    An API that refuses some requests whatever the token, and accepts others, would else cost a
    token for each that it refuses.
    """

    __slots__ = ("_name", "_spent_until", "_told")

    def __init__(self, name: str) -> None:
        self._name = name
        # When all of the row is there again.
        self._spent_until = -math.inf
        self._told = False

    def allows(self, token: Token, how: str, now: float) -> bool:
        """Tell whether `token`, which the API refused, may be replaced; count it."""
        age = now - token.issued_monotonic
        life = math.inf if token.expires_in is None else token.expires_in
        # That one which is old is refused is no wonder, and costs little.
        young = age < min(PACE, life / 2)
        wait = self._spent_until - now - (MOST_IN_A_ROW - 1) * PACE
        if young and wait > 0:
            self._warn(how, wait)
            return False
        self._spent_until = min(max(now, self._spent_until) + PACE, now + MOST_IN_A_ROW * PACE)
        self._told = False
        return True

    def _warn(self, how: str, wait: float) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                f"the API refuses some requests whatever the token{how}; check audience and scopes",
                endpoint=self._name,
                no_other_for=wait,
            )
