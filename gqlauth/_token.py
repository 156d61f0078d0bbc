"""`Token`, and the protocols that others implement."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import sys
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, runtime_checkable

from gqlauth._known import KNOWN
from gqlauth._secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gqlauth._endpoint import TokenEndpoint

# What a header value may carry (RFC 9110, section 5.5), without the obsolete bytes above ASCII.
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20\x09\x21-\x7e]*[\x21-\x7e])?")
#: What a header may be called (RFC 9110, section 5.6.2).
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# The year 9999, in seconds since the epoch: a JWT that ends later has another unit, or a mistake.
_LAST_EXPIRY: Final = 253e9
# Header, claims and signature.
_JWT_PARTS: Final = 3


class Token:
    """An access token, or a static credential: what proves a request, and for how long.

    Args:
        text: the credential itself, or a `Secret` that is resolved. It never prints; `reveal`
            gives it away.
        token_type: the scheme before it in the header (RFC 6749, section 7.1); empty for none.
        expires_in: its lifetime in seconds from when it was asked for. None means as long as a
            JWT says of itself, and else for ever.
        scopes: the scopes that were granted, if they are known.
        header_name: the header that it is sent in.
        presenter: what else goes into a request with it; None where the header is all.

    Raises:
        SecretError: when `text` is a `Secret` that cannot stand in a header, or is not resolved.
        ValueError: when another text cannot stand there, `header_name` and `token_type` cannot,
            or `expires_in` is no number of seconds.

    """

    # The header's value is what each request needs, so that is what is kept; the text is its end.
    # It is no attribute, but what a function returns: whatever walks the slots finds that. It is a
    # method of the text's own, as ten thousand functions of ours would take five times the memory.
    __slots__ = (
        "__weakref__",
        "_text_at",
        "_value",
        "expires_in",
        "header_name",
        "issued_at",
        "issued_monotonic",
        "presenter",
        "scopes",
        "token_type",
    )

    def __init__(  # noqa: PLR0913 - all but the text by name
        self,
        text: str | Secret,
        *,
        token_type: str = "Bearer",  # noqa: S107 - no password: the name of a scheme
        expires_in: float | None = None,
        scopes: tuple[str, ...] | None = None,
        header_name: str = "Authorization",
        presenter: Presenter | None = None,
    ) -> None:
        prefix = f"{token_type} " if token_type else ""
        # All but the text, so that a traceback which shows variables can show this one.
        self._value: Callable[[], str] = str
        self._text_at = len(prefix)
        # One for all; a plugin may bring an enumeration.
        self.token_type = sys.intern(token_type) if type(token_type) is str else token_type
        self.expires_in = expires_in
        self.scopes = scopes
        self.header_name = header_name
        self.presenter = presenter
        #: When it was asked for, in seconds since the epoch; None until somebody says so.
        self.issued_at: float | None = None
        #: The same by the monotonic clock.
        self.issued_monotonic = 0.0
        wrong = _what_is_wrong(text.reveal() if isinstance(text, Secret) else text)
        if wrong and isinstance(text, Secret):
            raise text.error(wrong)
        wrong = (wrong and f"the token {wrong}") or _what_does_not_fit(
            token_type, expires_in, header_name
        )
        if wrong:
            del text  # the same traceback would show it
            raise ValueError(wrong)
        value = prefix + (text.reveal() if isinstance(text, Secret) else text)
        self._value = value.__str__
        KNOWN.remember(self, Token.reveal)

    def issued(
        self, wall: float, monotonic: float, *, default_lifetime: float | None = None
    ) -> Token:
        """Say when this token was asked for, by both clocks; what was said first, stands.

        A lifetime that is not known is then that of the JWT, if it is one, and else
        `default_lifetime` in seconds.
        """
        if self.issued_at is None:
            self.issued_at = wall
            self.issued_monotonic = monotonic
            if self.expires_in is None:
                expiry = _jwt_expiry(self.reveal())
                left = None if expiry is None else expiry - wall
                # A JWT that was just given out and has ended already shows that a clock is wrong.
                outlived = left is not None and left <= 0 and default_lifetime is not None
                self.expires_in = default_lifetime if left is None or outlived else left
        return self

    @property
    def expires_at(self) -> float | None:
        """Return when it ends, in seconds since the epoch; None for never, or not yet known."""
        if self.expires_in is None or self.issued_at is None:
            return None
        return self.issued_at + self.expires_in

    @property
    def header_value(self) -> str:
        """Return the value of the header, the token in it: for the line that sends it."""
        return self._value()

    @property
    def fingerprint(self) -> str:
        """Return what may be shown of it: the first 8 hex digits of its SHA-256."""
        return hashlib.sha256(self.reveal().encode()).hexdigest()[:8]

    def reveal(self) -> str:
        """Return the text of the token."""
        return self._value()[self._text_at :]

    def same_text(self, other: Token) -> bool:
        """Tell whether `other` is the same credential, however it was got."""
        return (
            self._value() == other._value()
            and self.header_name.lower() == other.header_name.lower()
        )

    def __dir__(self) -> list[str]:
        # What shows all that dir() names calls the properties, too: this one shows the token.
        return [name for name in super().__dir__() if name != "header_value"]

    def __repr__(self) -> str:
        return f"Token({self.token_type or self.header_name} {self.fingerprint}…)"

    def __copy__(self) -> Token:
        return self

    def __deepcopy__(self, memo: object) -> Token:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Token is not pickled: it would be written out in the clear")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()


def _what_is_wrong(text: object) -> str:
    """Return what keeps `text` from standing in a header, without showing it; "" for nothing."""
    if not (text and isinstance(text, str)):
        return "is empty, or no text"
    return "" if _HEADER_VALUE.fullmatch(text) else "has characters that no header may carry"


def _what_does_not_fit(token_type: str, expires_in: object, header_name: str) -> str:
    """Return what is wrong with what stands around a token's text; "" for nothing."""
    if token_type and not _HEADER_VALUE.fullmatch(token_type):
        return "token_type has characters that no header may carry"
    if not HEADER_NAME.fullmatch(header_name):
        return "header_name is no name that a header may have"
    if expires_in is None or (
        isinstance(expires_in, int | float)
        and not isinstance(expires_in, bool)
        and math.isfinite(expires_in)
    ):
        return ""
    return "expires_in is no number of seconds"


def _jwt_expiry(text: str) -> float | None:
    """Return ``exp`` (RFC 7519, section 4.1.4) of a JWT; None for all that is not one."""
    parts = text.split(".")
    if len(parts) != _JWT_PARTS or not text.startswith("eyJ"):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        return None
    # NaN and infinity are no dates either.
    return float(expiry) if 0 < expiry < _LAST_EXPIRY else None


@runtime_checkable
class Strategy(Protocol):
    """A grant: it fetches one token.

    It knows no cache, no lock, no retry, no clock and no log: all of that stands around it. An
    attrs class makes the best strategy, as its fields are then the keys that a configuration may
    have, their types are checked, and equal ones share their token. Those that have a meaning to
    the `TokenEndpoint` are told there: ``token_url``, ``client_id``, ``client_secret`` and more.
    """

    async def fetch(self, endpoint: TokenEndpoint, /) -> Token:
        """Return a new token, asked for now.

        Raises:
            TokenError: when there is none to be had.

        """


class Presenter(Protocol):
    """Puts more into a request than the header that its token is, such as a proof.

    A strategy whose tokens want that gives them one.
    """

    def headers(self, token: Token, method: str, url: str) -> Mapping[str, str]:
        """Return the headers that go with `token` in one request; they are made for each anew."""

    def answered(self, url: str, status: int, headers: Mapping[str, str]) -> bool:
        """Take note of what the API answered to one.

        Tell whether it wants the same request with the same token again, and only with other
        headers: that is no rejection of the token.
        """


class TokenSource(Protocol):
    """Where what sends a request takes its token from."""

    def fresh(self) -> Token | None:
        """Return the token if one is at hand that is fresh, without waiting; else None."""

    async def token(self) -> Token:
        """Return a token that is valid now, waiting for it where that must be.

        Raises:
            GqlAuthError: when there is none: the request must then not be sent.

        """

    def refused(self, token: Token, how: str) -> bool:
        """Take note that the API refused `token`: forget that one, and no other.

        Tell whether it is worth asking for another; `how` is for those who read the log.
        """

    def accepted(self, token: Token) -> None:
        """Take note that the API accepted `token`."""
