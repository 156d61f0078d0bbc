"""DPoP: proofs that who sends a token holds the key that it is bound to (RFC 9449)."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

import attrs

from gqlauth import _jose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gqlauth._clock import Clock
    from gqlauth._secret import Secret
    from gqlauth._token import Token

#: The header of a proof (RFC 9449, section 4.1), and that of a nonce to put into the next one.
HEADER: Final = "DPoP"
NONCE_HEADER: Final = "DPoP-Nonce"
#: What a server says that takes no proof without its nonce (RFC 9449, sections 8 and 9).
NONCE_WANTED: Final = "use_dpop_nonce"

_UNAUTHORIZED: Final = 401
# RFC 9449, section 8.1; none is that long, and it goes into every proof.
_NONCE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,1024}")
_ERROR: Final = re.compile(rf'\bDPoP\b.*\berror\s*=\s*"?{NONCE_WANTED}\b', re.IGNORECASE)


class Nonces:
    """The nonces that servers gave out last: each is for the server that gave it, and no other."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def last(self, url: str) -> str | None:
        """Return the nonce for the server of `url`, if it gave any."""
        return self._last.get(_server(url))

    def heard(self, url: str, headers: Mapping[str, str]) -> bool:
        """Take note of the nonce in an answer of the server of `url`; tell whether it has one."""
        nonce = headers.get(NONCE_HEADER, "")
        if not _NONCE.fullmatch(nonce):
            return False
        self._last[_server(url)] = nonce
        return True


class ProofKey:
    """A key that tokens are bound to: it signs proofs (RFC 9449, section 4.2)."""

    # The key is no attribute: whatever walks the slots finds a function.
    __slots__ = ("_public", "_sign", "algorithm", "thumbprint")

    def __init__(self, key: _jose.PrivateKey, algorithm: str) -> None:
        self._sign: Callable[[bytes], bytes] = _jose.signing(key, algorithm)
        self.algorithm = algorithm
        # Not what a JWK may say beside it, such as who it belongs to.
        self._public = {
            name: value
            for name, value in key.as_dict(private=False).items()
            if name in {"kty", "crv", "x", "y", "n", "e"}
        }
        #: What tokens are bound to: ``jkt`` (RFC 9449, section 6.1; RFC 7638).
        self.thumbprint: str = key.thumbprint()

    def proof(
        self, method: str, url: str, wall: float, *, nonce: str | None, token: Token | None = None
    ) -> Secret:
        """Return the proof for one request, made at the time `wall`.

        `token` is the one that goes with it; there is none in a request for one.
        """
        header = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self._public}
        claims: dict[str, object] = {
            "jti": secrets.token_urlsafe(24),
            "htm": method,
            "htu": _target(url),
            "iat": int(wall),
        }
        if token is not None:
            digest = hashlib.sha256(token.reveal().encode("ascii")).digest()
            claims["ath"] = _jose.base64url(digest).decode("ascii")
        if nonce is not None:
            claims["nonce"] = nonce
        return _jose.compact(header, claims, self._sign)


@attrs.frozen
class Prover:
    """Proves the possession of one key, to authorization servers and to APIs.

    It is the `Presenter` of tokens that are bound to that key.
    """

    key: ProofKey
    clock: Clock
    #: Those of authorization servers, and those of APIs: one host may be both.
    token_nonces: Nonces
    api_nonces: Nonces

    #: How an answer calls a token that is bound to a key (RFC 9449, section 5).
    token_type = "DPoP"  # noqa: S105 - the name of a scheme

    def token_proof(self, url: str) -> Secret:
        """Return the proof for a request for a token."""
        nonce = self.token_nonces.last(url)
        return self.key.proof("POST", url, self.clock.wall(), nonce=nonce)

    def headers(self, token: Token, method: str, url: str) -> Mapping[str, str]:
        """Return what goes with `token` in a request to an API."""
        nonce = self.api_nonces.last(url)
        proof = self.key.proof(method, url, self.clock.wall(), nonce=nonce, token=token)
        return {HEADER: proof.reveal()}

    def answered(self, url: str, status: int, headers: Mapping[str, str]) -> bool:
        """Take note of the nonce in an answer of an API; tell whether it wants a proof with it."""
        return (
            self.api_nonces.heard(url, headers)
            and status == _UNAUTHORIZED
            and _ERROR.search(headers.get("WWW-Authenticate", "")) is not None
        )


class Possession:
    """What a service proves possession by: a key of its own, or those of its configuration."""

    def __init__(self) -> None:
        self._own: ProofKey | None = None
        self._token_nonces = Nonces()
        self._api_nonces = Nonces()

    async def prover(
        self, key: Secret | None, listed: Collection[str] | None, clock: Clock
    ) -> Prover:
        """Return what proves possession of `key`, or of the service's own where that is None.

        `listed` are the algorithms that the server tells; `clock` dates the proofs.

        Raises:
            StrategyError: when joserfc is not installed.
            SecretError: when the key cannot be had, or used.

        """
        return Prover(
            self._own_key() if key is None else _read(await key.resolve(), listed),
            clock,
            self._token_nonces,
            self._api_nonces,
        )

    def _own_key(self) -> ProofKey:
        if self._own is None:
            _jose.need("dpop")
            from joserfc.jwk import ECKey  # noqa: PLC0415 - of an extra

            self._own = ProofKey(ECKey.generate_key("P-256"), "ES256")
        return self._own


def _read(secret: Secret, listed: Collection[str] | None) -> ProofKey:
    key = _jose.private_key("dpop", secret)
    algorithm = _jose.private_key_algorithm(key, secret, None, listed, "this dpop_key")
    return ProofKey(key, algorithm)


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _target(url: str) -> str:
    """Return what a proof says of where it goes: no query, and no fragment (section 4.2)."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", "", ""))
