"""Client assertions: JWTs by which a client proves itself (RFC 7523, section 2.2)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from gqlauth import _jose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gqlauth._secret import Secret

#: What the form says of the assertion (RFC 7523, section 2.2).
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Seconds that an assertion is valid: enough for a slow request, and little to steal.
LIFETIME: Final = 60
#: The methods of client authentication that send one.
METHODS: Final = frozenset({"client_secret_jwt", "private_key_jwt"})


class Signer:
    """Signs the assertions of a client, by one key."""

    # The key is no attribute: whatever walks the slots finds a function.
    __slots__ = ("_sign", "algorithm", "key_id", "thumbprint")

    def __init__(
        self,
        sign: Callable[[bytes], bytes],
        algorithm: str,
        *,
        key_id: str | None = None,
        thumbprint: str | None = None,
    ) -> None:
        self._sign = sign
        self.algorithm = algorithm
        #: The name that the server knows the key by.
        self.key_id = key_id
        #: The ``x5t#S256`` of the certificate that belongs to the key.
        self.thumbprint = thumbprint

    def signature(self, message: bytes) -> bytes:
        """Return the signature of `message` (RFC 7515, section 5.1)."""
        return self._sign(message)

    def assertion(self, client_id: str, audience: str, wall: float) -> Secret:
        """Return an assertion for one request, made at the time `wall` (RFC 7523, section 3)."""
        header = {
            "alg": self.algorithm,
            "typ": "JWT",
            **({} if self.key_id is None else {"kid": self.key_id}),
            **({} if self.thumbprint is None else {"x5t#S256": self.thumbprint}),
        }
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": int(wall),
            "exp": int(wall) + LIFETIME,
        }
        return _jose.compact(header, claims, self._sign)


def secret_signer(
    client_secret: Secret, *, algorithm: str | None = None, listed: Collection[str] | None = None
) -> Signer:
    """Return what signs by a secret, which is resolved, for ``client_secret_jwt``.

    `algorithm` is the one that was named, and `listed` are those that the server tells.

    Raises:
        StrategyError: when joserfc is not installed, or the algorithm is not for secrets.
        SecretError: when the secret cannot be used.

    """
    key = _jose.secret_key("client_secret_jwt", client_secret)
    chosen = _jose.algorithm(_jose.SYMMETRIC, algorithm, listed, "a client_secret")
    return Signer(_jose.signing(key, chosen), chosen)


def private_key_signer(
    private_key: Secret,
    *,
    key_id: str | None = None,
    thumbprint: str | None = None,
    algorithm: str | None = None,
    listed: Collection[str] | None = None,
) -> Signer:
    """Return what signs by a private key, which is resolved, for ``private_key_jwt``.

    The key is PEM or a JWK (RFC 7517), whose ``kid`` and ``alg`` hold where nothing else is named.

    Raises:
        StrategyError: when joserfc is not installed, or the algorithm does not fit the key.
        SecretError: when the secret is no private key that can sign.

    """
    key = _jose.private_key("private_key_jwt", private_key)
    chosen = _jose.private_key_algorithm(key, private_key, algorithm, listed, "this private_key")
    return Signer(
        _jose.signing(key, chosen), chosen, key_id=key_id or key.kid, thumbprint=thumbprint
    )
