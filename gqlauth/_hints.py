"""What may mend a token request that was refused: the next thing to look at.

A server need not say why it refuses a client, and many do not. Where one does, its words decide;
else what is known of the method by which the client proved itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._client_auth import Proof
    from gqlauth.errors import TokenError

_HINTS: Final = {
    "invalid_authorization_details": "check authorization_details, and their types",
    "invalid_scope": "check the scopes: the client may not have them, or the server not know them",
    "invalid_target": "check audience and resource",
    "unsupported_grant_type": "check token_url: it may be another endpoint of the server",
}
#: What servers say that want a proof of possession (RFC 9449).
_PROOF_WANTED: Final = frozenset({"invalid_dpop_proof", "use_dpop_nonce"})
# What TLS calls the other side's refusal, and what it looks like where that does not get through.
_ALERT: Final = re.compile(r"\balert\b")
_BROKEN: Final = re.compile(r"\balert\b|\bEOF\b|broke off")
# What servers say of an assertion, each in its own words, the more certain ones first: that it is
# for somebody else; that its key is another, or unknown; that it is signed by another algorithm,
# at another time, by nobody that they know.
_AUDIENCE: Final = re.compile(r"\baud(ience)?s?\b", re.IGNORECASE)
_KEY: Final = re.compile(r"signature|\bkid\b|\bkey id\b|public key|\bx5t\b", re.IGNORECASE)
_ALGORITHM: Final = re.compile(r"\balg(orithm)?\b", re.IGNORECASE)
_TIME: Final = re.compile(
    r"expired|in the future|not (yet )?(active|valid)|time range", re.IGNORECASE
)
_CLIENT: Final = re.compile(r"client.* (does not exist|not found)|unknown client", re.IGNORECASE)
# What oidc-provider says of Basic that is not form-encoded.
_ENCODED: Final = re.compile(r"not properly encoded")
# Statuses of what is no token endpoint, and what a page begins with.
_NO_ENDPOINT: Final = frozenset({404, 405, 410})
_PAGE: Final = "<"
_SUCCESS: Final = range(200, 300)
# Seconds by which two clocks may differ before that is worth telling.
_SKEW: Final = 30.0


@attrs.frozen
class Refusal:
    """A token request that failed."""

    error: TokenError
    #: Where it was sent, and what proved the client.
    url: str
    proof: Proof
    #: It carried a proof of possession.
    possession: bool
    #: The seconds by which this machine's clock was ahead of the server's.
    skew: float

    def hint(self) -> str:
        """Return what is known to mend it, or nothing."""
        error = self.error
        if error.status is None:
            return self._for_tls()
        if error.error in _PROOF_WANTED and not self.possession:
            return "set dpop = true: the server wants tokens that are bound to a key"
        if error.error == "invalid_dpop_proof":
            return self._for_clock("a proof is valid for a short while")
        if not self._is_of_the_client():
            return _HINTS.get(error.error, "") or self._for_place()
        hints: dict[str, Callable[[], str]] = {
            "none": self._without_proof,
            "client_secret_jwt": self._for_assertion,
            "private_key_jwt": self._for_assertion,
            "tls_client_auth": self._for_certificate,
            "self_signed_tls_client_auth": self._for_certificate,
        }
        return hints.get(self.proof.method, self._for_secret)()

    def _is_of_the_client(self) -> bool:
        """Tell whether it is the client that was refused, and not what it asked for."""
        error, raw = self.error, self.proof.method == "client_secret_basic_raw"
        return (
            error.error == "invalid_client"
            # Keycloak calls a wrong secret so; elsewhere it is a grant that is not for the client.
            or (error.error == "unauthorized_client" and error.status in {401, 403})
            # Some servers refuse a client with a page or with nothing at all, and a 403 at times.
            or (not error.error and error.status in {401, 403})
            or (raw and _ENCODED.search(error.error_description) is not None)
        )

    def _for_tls(self) -> str:
        reason = self.error.reason
        # By TLS 1.3 a client has sent its request before its certificate is refused.
        if self.proof.certified and _BROKEN.search(reason):
            return "the server may not trust the certificate, and so break off"
        return "the server may want a certificate_file" if _ALERT.search(reason) else ""

    def _for_place(self) -> str:
        error = self.error
        page = error.snippet.startswith(_PAGE) and error.status in _SUCCESS
        lost = error.status in _NO_ENDPOINT and not error.error
        return f"is {error.url} the token endpoint?" if page or lost else ""

    def _without_proof(self) -> str:
        return "the server may want a client_secret"

    def _for_secret(self) -> str:
        method = self.proof.method
        others = {
            "client_secret_basic": '"client_secret_post"',
            "client_secret_basic_raw": '"client_secret_basic" or "client_secret_post"',
        }.get(method, '"client_secret_basic"')
        if method == "client_secret_basic" and self._encoding_matters():
            others += ' or "client_secret_basic_raw"'
        return f"the server may want token_endpoint_auth_method = {others}"

    def _encoding_matters(self) -> bool:
        """Tell whether Basic differs with and without the form-encoding of id and secret."""
        raw = attrs.evolve(self.proof, method="client_secret_basic_raw")
        return self.proof.headers() != raw.headers()

    def _for_assertion(self) -> str:
        signer = self.proof.signer
        assert signer is not None  # these methods have one
        other = '"issuer"' if self.proof.audience == self.url else '"token_url"'
        audience = f"want assertion_audience = {other}"
        what = "secret" if self.proof.method == "client_secret_jwt" else "key"
        named = "" if signer.key_id is None else f' "{signer.key_id}" (kid)'
        key = f"not know the {what}{named} that signed the assertion"
        algorithm = f'want another token_endpoint_auth_signing_alg than "{signer.algorithm}"'
        causes = (
            (_AUDIENCE, f"the server may {audience}"),
            (_KEY, f"the server may {key}"),
            (_ALGORITHM, f"the server may {algorithm}"),
            (_TIME, "check the clock: an assertion is valid for a minute"),
            (_CLIENT, "check client_id"),
        )
        said = self.error.error_description
        named_by_server = (told for words, told in causes if words.search(said))
        return (
            self._for_clock("an assertion is valid for a minute")
            or next(named_by_server, "")
            or f"the server may {audience}, or {key} by {signer.algorithm}"
        )

    def _for_clock(self, what: str) -> str:
        if abs(self.skew) < _SKEW:
            return ""
        how = "ahead of" if self.skew > 0 else "behind"
        return f"this machine's clock is {abs(self.skew):.0f} s {how} the server's, by which {what}"

    def _for_certificate(self) -> str:
        if self.proof.method == "self_signed_tls_client_auth":
            return "the server must know this very certificate: it is registered with the client"
        return (
            "the server must trust who issued the certificate, and know its subject: "
            "that is registered with the client"
        )
