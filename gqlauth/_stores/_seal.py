"""`Seal`: a token as bytes that tell nothing, and that nobody can change or swap."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from typing import TYPE_CHECKING, Any, Final

from gqlauth._token import Token

if TYPE_CHECKING:
    from gqlauth._clock import Clock
    from gqlauth._key import CacheKey
    from gqlauth._secret import Secret

#: Bytes of the key.
KEY_BYTES: Final = 32
#: Seconds by which a token may be issued in the future: clocks of machines differ by that much.
SKEW: Final = 60.0

# What each sealed token begins with, the version of what follows being the last byte of it.
_MAGIC: Final = b"gqlauth"
_VERSION: Final = b"\x01"
# Bytes that tell one key from another, without telling the key; and of the nonce (NIST SP
# 800-38D, section 8.2.2: random ones of 96 bits serve a key for 2^32 tokens).
_KEY_ID: Final = 8
_NONCE: Final = 12
_HEADER: Final = len(_MAGIC) + len(_VERSION) + _KEY_ID


class UnsealedError(Exception):
    """Bytes are no token of this key; the text tells why, as in ``the file … is torn``."""


class OthersTokenError(UnsealedError):
    """Bytes are a token that was got with other secrets: whoever has those has a use for it."""


class Seal:
    """Seals tokens with AES-256-GCM, and opens them.

    What is sealed begins with ``gqlauth``, a version, and eight bytes that tell keys apart; the
    nonce and the ciphertext follow. The header and the cache's key are authenticated with it, so
    that one token's bytes are of no use in another's place. The environment variables that the
    secrets for it stand in are known again by a keyed digest: with other values, it may be
    somebody else's.

    Args:
        key: what they are encrypted with: 32 bytes, in base64.
        clock: what tells the age of a token.

    Raises:
        ValueError: when the key is none.

    """

    __slots__ = ("_cipher", "_clock", "_header", "_places_key", "_variables_key")

    def __init__(self, key: Secret, clock: Clock) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - dear

        if not _is_key(key):
            raise ValueError(f"is no base64 of {KEY_BYTES} bytes")
        self._clock = clock
        self._cipher = AESGCM(_decoded(key))
        key_id = hmac.digest(_decoded(key), b"gqlauth: which key", "sha256")[:_KEY_ID]
        self._header = _MAGIC + _VERSION + key_id
        self._variables_key = hmac.digest(_decoded(key), b"gqlauth: which variables", "sha256")
        self._places_key = hmac.digest(_decoded(key), b"gqlauth: which place", "sha256")

    def place(self, key: CacheKey) -> str:
        """Return what the place of `key` is called where others see it: it tells nothing.

        It is another for who has another key to seal with, or other values of the variables: they
        have no use for each other's tokens.
        """
        named = f"{key.digest} {self._variables(key)}"
        return hmac.digest(self._places_key, named.encode(), "sha256").hex()

    def sealed(self, key: CacheKey, token: Token) -> bytes:
        """Return `token`, which has been issued and has an end, as bytes for the place of `key`."""
        nonce = os.urandom(_NONCE)
        return (
            self._header
            + nonce
            + self._cipher.encrypt(
                nonce, _content(token, self._variables(key)), self._header + key.digest.encode()
            )
        )

    def opened(self, key: CacheKey, data: bytes) -> Token:
        """Return the token that was sealed for the place of `key`.

        It is as old as it is: it ends by both clocks when it would have ended where it was issued.

        Raises:
            UnsealedError: when the bytes are torn, changed, for another place, sealed with another
                key, or of another version; or when the clock says that it is yet to be issued.
            OthersTokenError: when the secrets had other values when it was got.

        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

        header, nonce, rest = data[:_HEADER], data[_HEADER:][:_NONCE], data[_HEADER + _NONCE :]
        if len(nonce) < _NONCE or not header.startswith(_MAGIC):
            raise UnsealedError("is torn")
        if header[len(_MAGIC) :][: len(_VERSION)] != _VERSION:
            raise UnsealedError("is of another version of gqlauth")
        if header != self._header:
            raise UnsealedError("was sealed with another key")
        try:
            token, issued_at, variables = _read(
                self._cipher.decrypt(nonce, rest, self._header + key.digest.encode())
            )
        except InvalidTag:
            trouble = "is torn, was changed, or is in another's place"
        except (ValueError, LookupError, TypeError):
            trouble = "holds no token"
        else:
            if variables != self._variables(key):
                raise OthersTokenError(f"was got with another value of {', '.join(key.variables)}")
            wall = self._clock.wall()
            age = max(0.0, wall - issued_at)
            if issued_at <= wall + SKEW:
                return token.issued(min(issued_at, wall), self._clock.monotonic() - age)
            trouble = "is yet to be issued: the clock was set back"
        # Not with the cause, which may hold a token.
        raise UnsealedError(trouble)

    def _variables(self, key: CacheKey) -> str:
        """Return what tells the values of the key's variables apart, and tells nothing of them."""
        values = json.dumps([(name, os.environ.get(name)) for name in key.variables])
        return hmac.digest(self._variables_key, values.encode(), "sha256").hex()


def _content(token: Token, variables: str) -> bytes:
    assert token.issued_at is not None
    assert token.expires_in is not None
    return json.dumps(
        {
            "text": token.reveal(),
            "token_type": token.token_type,
            "header_name": token.header_name,
            "scopes": token.scopes,
            "issued_at": token.issued_at,
            "expires_in": token.expires_in,
            "variables": variables,
        }
    ).encode()


def _read(content: bytes) -> tuple[Token, float, str]:
    """Return the token that `_content` wrote, when it was issued, and by which variables."""
    told: dict[str, Any] = json.loads(content)
    token = Token(
        told["text"],
        token_type=told["token_type"],
        expires_in=float(told["expires_in"]),
        scopes=None if told["scopes"] is None else tuple(told["scopes"]),
        header_name=told["header_name"],
    )
    return token, float(told["issued_at"]), str(told["variables"])


def new_key() -> str:
    """Return a new key, as `Seal` wants it."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _is_key(key: Secret) -> bool:
    try:
        return len(_decoded(key)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _decoded(key: Secret) -> bytes:
    # Either alphabet (RFC 4648, sections 4 and 5), with its padding or without.
    text = key.reveal().strip().rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
