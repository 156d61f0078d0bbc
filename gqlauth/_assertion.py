"""Client assertions: JWTs by which a client proves itself (RFC 7523, section 2.2).

They are signed by joserfc, of the extra ``gqlauth[jwt]``, which is imported when one is wanted.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from gqlauth._secret import Secret
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

    Key = RSAKey | ECKey | OKPKey | OctKey

#: What the form says of the assertion (RFC 7523, section 2.2).
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Seconds that an assertion is valid: enough for a slow request, and little to steal.
LIFETIME: Final = 60
#: The methods of client authentication that send one.
METHODS: Final = frozenset({"client_secret_jwt", "private_key_jwt"})

# What each kind of key can sign by (RFC 7518, section 3.1; RFC 8037; RFC 9864), the usual first.
_SYMMETRIC: Final = ("HS256", "HS384", "HS512")
_ALGORITHMS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("RSA", ""): ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    # "EdDSA" is the older name of both.
    ("OKP", "Ed25519"): ("Ed25519", "EdDSA"),
    ("OKP", "Ed448"): ("Ed448", "EdDSA"),
}


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
        message = b".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        # It is worth as much as a password while it lives.
        return Secret(b".".join((message, _base64(self.signature(message)))).decode("ascii"))


def secret_signer(
    client_secret: Secret, *, algorithm: str | None = None, listed: Collection[str] | None = None
) -> Signer:
    """Return what signs by a secret, which is resolved, for ``client_secret_jwt``.

    `algorithm` is the one that was named, and `listed` are those that the server tells.

    Raises:
        StrategyError: when joserfc is not installed, or the algorithm is not for secrets.
        SecretError: when the secret cannot be used.

    """
    key = _jose_of("client_secret_jwt", _symmetric, client_secret)
    chosen = _algorithm(_SYMMETRIC, algorithm, listed, "a client_secret")
    return Signer(_signing(key, chosen), chosen)


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
    key = _jose_of("private_key_jwt", _private, private_key)
    curve = "" if key.key_type == "RSA" else str(key["crv"])
    fitting = _ALGORITHMS.get((key.key_type, curve))
    if fitting is None:
        raise private_key.error(f"is a key that cannot sign here: {key.key_type} on {curve}")
    if algorithm is None and key.alg is not None and key.alg not in fitting:
        raise private_key.error(
            f"is a key that is not for signing here, as its alg says: {key.alg}"
        )
    chosen = _algorithm(fitting, algorithm or key.alg, listed, "this private_key")
    return Signer(_signing(key, chosen), chosen, key_id=key_id or key.kid, thumbprint=thumbprint)


def _jose_of(method: str, read: Callable[[Secret], Key | str], secret: Secret) -> Key:
    """Return the key that `secret` is.

    What goes wrong is told here, outside of all that has the key in a variable.
    """
    try:
        import joserfc.jwk  # noqa: F401, PLC0415 - of an extra
    except ImportError as error:
        told = f'{method} needs an extra that is not installed: pip install "gqlauth[jwt]"'
        raise StrategyError(told) from error
    key = read(secret)
    if isinstance(key, str):
        raise secret.error(key)
    return key


def _symmetric(secret: Secret) -> Key | str:
    """Return the key, or what is wrong with the secret."""
    from joserfc.jwk import OctKey  # noqa: PLC0415 - as above

    try:
        # Not as it is for joserfc to judge: a short secret is the server's choice.
        return _without_warnings(lambda: OctKey.import_key(secret.reveal()))
    except ValueError:
        return "is a public key, which is no secret"


def _private(secret: Secret) -> Key | str:
    """Return the key, or what is wrong with the secret."""
    key = _from_jwk(secret) if secret.reveal().lstrip().startswith("{") else _from_pem(secret)
    if isinstance(key, str):
        return key
    if not key.is_private:
        return "is a public key: the private one is wanted"
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above

    try:
        key.check_use("sig")
        key.check_key_op("sign")
    except JoseError:
        return "is a key that is not for signing, as its use or key_ops say"
    return key


def _from_jwk(secret: Secret) -> Key | str:
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - as above

    try:
        fields = json.loads(secret.reveal())
        kinds: Mapping[str, type[RSAKey | ECKey | OKPKey]]
        kinds = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}
        kind = kinds.get(fields.get("kty"))
        if kind is not None:
            return kind.import_key(fields)
    except Exception:  # noqa: BLE001 - what it raises may quote the key
        return "is no valid JWK"
    if "keys" in fields:
        return "is a set of keys: one JWK is wanted"
    return "is no JWK of a private key: its kty is neither RSA, EC nor OKP"


def _from_pem(secret: Secret) -> Key | str:
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - as above

    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key: Key = kind.import_key(secret.reveal())
        except JoseError:  # of another kind
            continue
        except TypeError:
            return "is an encrypted key: it is wanted without its password"
        except Exception:  # noqa: BLE001 - what it raises may quote the key
            return "is no private key in PEM, and no JWK"
        return key
    return "is a key that cannot sign here: neither RSA, EC nor Ed25519"


def _algorithm(
    fitting: Collection[str], named: str | None, listed: Collection[str] | None, what: str
) -> str:
    """Return the algorithm: the one that was named, or the first that both sides know."""
    if named is not None:
        if named in fitting:
            return named
        raise StrategyError(
            f'token_endpoint_auth_signing_alg "{named}" does not fit {what}, '
            f"which signs by: {', '.join(fitting)}"
        )
    usual = next(iter(fitting))
    return next((one for one in fitting if listed and one in listed), usual)


def _signing(key: Any, algorithm: str) -> Callable[[bytes], bytes]:  # noqa: ANN401 - by algorithm
    from joserfc.jws import JWSRegistry  # noqa: PLC0415 - as above

    model = JWSRegistry.algorithms[algorithm]
    return lambda message: model.sign(message, key)


def _without_warnings(make: Callable[[], Key]) -> Key:
    import warnings  # noqa: PLC0415 - as above

    from joserfc.errors import SecurityWarning  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return make()


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
