"""What a token endpoint's answer says: a `Token`, or why there is none (RFC 6749, section 5).

No I/O here: bytes in, a token or an error out.
"""

from __future__ import annotations

import json
import math
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

import attrs

from gqlauth import _log
from gqlauth._redact import escape_control, redact_text
from gqlauth._token import Token
from gqlauth.errors import TokenError, TokenRefusedError, TokenUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gqlauth._dpop import Prover
    from gqlauth._secret import Secret

#: Statuses that say "later", not "no".
_LATER: Final = frozenset({408, 425, 429})
#: OAuth errors that say "later" (RFC 6749, section 4.1.2.1; servers send them here as well).
_LATER_ERRORS: Final = frozenset({"temporarily_unavailable", "server_error"})
#: OAuth errors that say "no", whatever the status (RFC 6749, section 5.2; RFC 8707, section 2;
#: RFC 9396, section 5; RFC 9449, sections 5 and 8).
_NO_ERRORS: Final = frozenset(
    {
        "invalid_authorization_details",
        "invalid_client",
        "invalid_dpop_proof",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_target",
        "unauthorized_client",
        "unsupported_grant_type",
        "use_dpop_nonce",
    }
)
_REASONS: Final = {
    "invalid_authorization_details": "refused the authorization details",
    "invalid_client": "refused the client",
    "invalid_dpop_proof": "refused the DPoP proof",
    "invalid_scope": "refused the scope",
    "invalid_target": "refused the audience or resource",
    "unauthorized_client": "refused the client",
    "unsupported_grant_type": "refused the grant",
}
_REQUEST_ID_HEADERS: Final = (
    "x-request-id",
    "x-correlation-id",
    "x-ms-request-id",
    "x-okta-request-id",
    "x-amzn-requestid",
    "cf-ray",
)
#: Characters of a body that an error shows, and of a description.
SNIPPET: Final = 500
# So much is redacted before it is cut, so that the cut does not halve a secret and hide it.
_LOOK: Final = 8 * SNIPPET
# More digits are no number that means anything here.
_DIGITS: Final = 100


class TryAgainError(Exception):
    """Wraps a `TokenError` that another try may mend."""

    def __init__(self, error: TokenError) -> None:
        super().__init__(error)
        self.error = error


@attrs.frozen
class Answer:
    """One answer of a token endpoint, whole."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    #: What kept the body from being read, to follow "an answer that"; empty where nothing did.
    trouble: str = ""
    #: What was sent and must not come back to anybody's eyes, all of it resolved.
    sent: Sequence[Secret] = ()

    def token(self, wall: float, prover: Prover | None = None) -> Token:
        """Return the token that the answer brings.

        `wall` is the time, by which a ``Retry-After`` date is told. With a `prover`, it is to be
        bound to that one's key.

        Raises:
            TryAgainError: when another try may mend it.
            TokenRefusedError: when none will.

        """
        fields = self._fields()
        error = _text(fields.get("error")) if fields is not None else ""
        if error:
            raise self._oauth_error(error, fields or {}, wall)
        if self.status in _LATER or self.status >= 500:  # noqa: PLR2004 - server errors
            raise TryAgainError(
                self._error(TokenUnavailableError, "is unavailable", wall, snippet=True)
            )
        if 300 <= self.status < 400 and "location" in self.headers:  # noqa: PLR2004 - redirections
            raise self._error(
                TokenRefusedError,
                f"redirects to {self._location()}, which is not followed: "
                "the secret would go there too",
                wall,
                hint="if that is the right place, set token_url to it",
            )
        if not 200 <= self.status < 300:  # noqa: PLR2004 - success
            raise self._error(TokenRefusedError, "gave an unexpected answer", wall, snippet=True)
        if self.trouble:
            raise self._error(TokenRefusedError, f"gave an answer that {self.trouble}", wall)
        if fields is None:
            what = "gave an answer that is no JSON" if self.body.strip() else "gave an empty answer"
            raise TryAgainError(self._error(TokenRefusedError, what, wall, snippet=True))
        return self._success(fields, wall, prover)

    def _fields(self) -> Mapping[str, Any] | None:
        """Return the answer's fields; None where it is neither JSON nor a form."""
        text = self.body.decode("utf-8-sig", "replace").strip()
        try:
            value = json.loads(text, parse_int=_integer)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind == "application/x-www-form-urlencoded" or text.startswith("access_token="):
                return dict(parse_qsl(text)) or None
            return None
        # A list or a number holds no token, but it is JSON: no other try will mend it.
        return value if isinstance(value, dict) else {}

    def _oauth_error(
        self, error: str, fields: Mapping[str, Any], wall: float
    ) -> TokenError | TryAgainError:
        later = error in _LATER_ERRORS or self.status in _LATER or self.status >= 500  # noqa: PLR2004
        again = later and error not in _NO_ERRORS
        kind = TokenUnavailableError if again else TokenRefusedError
        reason = "is unavailable" if again else _REASONS.get(error, "refused the request")
        told = attrs.evolve(
            self._error(kind, reason, wall),
            error=self.shown(error),
            error_description=self.shown(_text(fields.get("error_description"))),
            error_uri=self.shown(_text(fields.get("error_uri"))),
        )
        return TryAgainError(told) if again else told

    def _success(self, fields: Mapping[str, Any], wall: float, prover: Prover | None) -> Token:
        if fields.get("error"):  # no text, as RFC 6749 wants it, but said all the same
            raise self._error(TokenRefusedError, "gave an answer with an error", wall, snippet=True)
        text = fields.get("access_token")
        if not isinstance(text, str) or not text:
            raise self._error(TokenRefusedError, "gave an answer without an access_token", wall)
        token_type = fields.get("token_type") or "Bearer"
        wanted = "Bearer" if prover is None else prover.token_type
        if not isinstance(token_type, str) or token_type.lower() != wanted.lower():
            raise self._wrong_type(token_type, wall, bound=prover is not None)
        scope = fields.get("scope")
        try:
            return Token(
                text,
                expires_in=self._lifetime(fields.get("expires_in")),
                token_type=wanted,
                scopes=tuple(scope.split()) if isinstance(scope, str) else None,
                presenter=prover,
            )
        except ValueError:
            raise self._error(
                TokenRefusedError, "gave a token with characters that no header may carry", wall
            ) from None

    def _wrong_type(self, token_type: object, wall: float, *, bound: bool) -> TokenError:
        what = f'gave a token of type "{self.shown(str(token_type))}"'
        if bound:  # RFC 9449, section 5: it is not bound to the key, and worth nothing here
            return self._error(
                TokenRefusedError,
                f"{what}, though dpop wants one of type DPoP",
                wall,
                hint="the server may not know DPoP, or not for this client: drop dpop",
            )
        return self._error(
            TokenRefusedError,
            f"{what}, which no strategy here can present",
            wall,
            hint="set dpop = true" if str(token_type).lower() == "dpop" else "",
        )

    def _lifetime(self, value: object) -> float | None:
        """Return ``expires_in`` in seconds; None where it is missing or nonsense."""
        if value is None:
            return None
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                seconds = float(value)
            except (ValueError, OverflowError):
                seconds = math.nan
            # A thousand years are no lifetime, but a mistake in the unit or the type.
            if 0 < seconds < 3.2e10:  # noqa: PLR2004 - see above
                return seconds
        _log.warning("expires_in is nonsense and counts as missing", url=self.url)
        return None

    def _error(
        self,
        kind: type[TokenError],
        reason: str,
        wall: float,
        *,
        snippet: bool = False,
        hint: str = "",
    ) -> TokenError:
        return kind(
            reason,
            url=self.url,
            status=self.status,
            request_id=self._request_id(),
            retry_after=retry_after(self.headers.get("retry-after"), wall),
            snippet=self.snippet if snippet else "",
            hint=hint,
        )

    def _request_id(self) -> str:
        ids = (self.headers[name] for name in _REQUEST_ID_HEADERS if name in self.headers)
        return self.shown(next(ids, ""))

    def _location(self) -> str:
        try:
            target = urlsplit(urljoin(self.url, self.headers.get("location", "")))
        except ValueError:
            return "a place that is no URL"
        # Without userinfo and query, where something secret may stand.
        host = target.netloc.rpartition("@")[2]
        return self.shown(urlunsplit((target.scheme, host, target.path, "", "")))

    @property
    def snippet(self) -> str:
        """Return the beginning of the body, as it may be shown."""
        return self.shown(self.body[:_LOOK].decode("utf-8", "replace"))

    def shown(self, text: str) -> str:
        """Return what may be shown of a server's words: redacted, escaped, and not too long."""
        return shown(text, self.sent)


def shown(text: str, sent: Sequence[Secret]) -> str:
    """Return what may be shown of `text`, in which secrets that were `sent` may have come back.

    It is redacted, escaped, and not too long.
    """
    redacted = redact_text(text[:_LOOK], (secret.reveal() for secret in sent))
    return escape_control(" ".join(redacted.split()))[:SNIPPET]


def retry_after(value: str | None, wall: float) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3).

    It may be seconds or a date; a time that is past counts as no wait; nonsense is None.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - wall
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _integer(digits: str) -> float:
    # Python refuses to make an int of very many digits, and that would be no JSON.
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
