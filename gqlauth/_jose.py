"""Keys that sign, and what they sign: JWTs by joserfc (RFC 7515, RFC 7517, RFC 7519).

It is of the extra ``gqlauth[jwt]``, and is imported when it is wanted.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from gqlauth._secret import Secret
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

    PrivateKey = RSAKey | ECKey | OKPKey

# What each kind of key can sign by (RFC 7518, section 3.1; RFC 8037; RFC 9864), the usual first.
SYMMETRIC: Final = ("HS256", "HS384", "HS512")
_ALGORITHMS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("RSA", ""): ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    # "EdDSA" is the older name of both.
    ("OKP", "Ed25519"): ("Ed25519", "EdDSA"),
    ("OKP", "Ed448"): ("Ed448", "EdDSA"),
}


def need(what: str) -> None:
    """See that joserfc is there, which `what` needs.

    Raises:
        StrategyError: when it is not installed.

    """
    try:
        import joserfc.jwk  # noqa: F401, PLC0415 - of an extra
    except ImportError as error:
        told = f'{what} needs an extra that is not installed: pip install "gqlauth[jwt]"'
        raise StrategyError(told) from error


def secret_key(what: str, secret: Secret) -> OctKey:
    """Return the key that `secret` is, which is resolved, for `what`.

    Raises:
        StrategyError: when joserfc is not installed.
        SecretError: when the secret cannot be used.

    """
    need(what)
    key = _symmetric(secret)
    if isinstance(key, str):
        raise secret.error(key)
    return key


def private_key(what: str, secret: Secret) -> PrivateKey:
    """Return the private key, in PEM or as a JWK, that `secret` is, which is resolved, for `what`.

    What is wrong with it is told here, outside of all that has the key in a variable.

    Raises:
        StrategyError: when joserfc is not installed.
        SecretError: when the secret is no private key that can sign.

    """
    need(what)
    key = _private(secret)
    if isinstance(key, str):
        raise secret.error(key)
    return key


def _symmetric(secret: Secret) -> OctKey | str:
    """Return the key, or what is wrong with the secret."""
    from joserfc.jwk import OctKey  # noqa: PLC0415 - as above

    try:
        # Not as it is for joserfc to judge: a short secret is the server's choice.
        return _without_warnings(lambda: OctKey.import_key(secret.reveal()))
    except ValueError:
        return "is a public key, which is no secret"


def _private(secret: Secret) -> PrivateKey | str:
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


def _from_jwk(secret: Secret) -> PrivateKey | str:
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


def _from_pem(secret: Secret) -> PrivateKey | str:
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - as above

    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key: PrivateKey = kind.import_key(secret.reveal())
        except JoseError:  # of another kind
            continue
        except TypeError:
            return "is an encrypted key: it is wanted without its password"
        except Exception:  # noqa: BLE001 - what it raises may quote the key
            return "is no private key in PEM, and no JWK"
        return key
    return "is a key that cannot sign here: neither RSA, EC nor Ed25519"


def private_key_algorithm(
    key: PrivateKey, secret: Secret, named: str | None, listed: Collection[str] | None, what: str
) -> str:
    """Return the algorithm that `key` signs by; `secret` is what it was read from.

    It is the one that was `named`, else the key's own ``alg``, else the first of those that fit
    which the server `listed`.

    Raises:
        StrategyError: when the one that was named does not fit `what`.
        SecretError: when none fits.

    """
    curve = "" if key.key_type == "RSA" else str(key["crv"])
    fitting = _ALGORITHMS.get((key.key_type, curve))
    if fitting is None:
        raise secret.error(f"is a key that cannot sign here: {key.key_type} on {curve}")
    if named is None and key.alg is not None and key.alg not in fitting:
        raise secret.error(f"is a key that is not for signing here, as its alg says: {key.alg}")
    return algorithm(fitting, named or key.alg, listed, what)


def algorithm(
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


def signing(key: Any, algorithm: str) -> Callable[[bytes], bytes]:  # noqa: ANN401 - by algorithm
    """Return what signs by `key` (RFC 7515, section 5.1); it shows the key to nobody."""
    from joserfc.jws import JWSRegistry  # noqa: PLC0415 - as above

    model = JWSRegistry.algorithms[algorithm]
    return lambda message: model.sign(message, key)


def _without_warnings(make: Callable[[], OctKey]) -> OctKey:
    import warnings  # noqa: PLC0415 - as above

    from joserfc.errors import SecurityWarning  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return make()


def compact(
    header: Mapping[str, object], claims: Mapping[str, object], sign: Callable[[bytes], bytes]
) -> Secret:
    """Return the JWT of a header and claims (RFC 7515, section 3.1): a secret while it lives."""
    message = b".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return Secret(b".".join((message, base64url(sign(message)))).decode("ascii"))


def base64url(data: bytes) -> bytes:
    """Return `data` as JOSE writes bytes (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=")
