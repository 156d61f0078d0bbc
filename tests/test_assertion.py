"""Client assertions: the keys, the algorithms, and what is signed (RFC 7515, RFC 7523)."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gqlauth import Secret, SecretError, StrategyError
from gqlauth._assertion import LIFETIME, Signer, private_key_signer, secret_signer

NOW = 1_800_000_000.7
AUDIENCE = "https://id.example.com/token"

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")


def jwk(key: Any, **fields: Any) -> Secret:
    return Secret(
        json.dumps({**(key if isinstance(key, dict) else key.as_dict(private=True)), **fields})
    )


def pem(key: Any) -> Secret:
    return Secret(key.as_pem(private=True).decode())


def read(signer: Signer, key: Any) -> jwt.Token:
    """Return an assertion of `signer`, verified by `key`."""
    text = signer.assertion("orders", AUDIENCE, NOW).reveal()
    return jwt.decode(text, key, algorithms=[signer.algorithm])


class TestAssertion:
    def test_it_says_who_to_whom_and_until_when(self) -> None:
        """RFC 7523, section 3."""
        token = read(private_key_signer(jwk(EC)), EC)
        assert token.header == {"alg": "ES256", "typ": "JWT"}
        assert {**token.claims, "jti": ""} == {
            "iss": "orders",
            "sub": "orders",
            "aud": AUDIENCE,
            "jti": "",
            "iat": 1_800_000_000,
            "exp": 1_800_000_000 + LIFETIME,
        }

    def test_each_has_an_id_of_its_own(self) -> None:
        """A server takes one only once."""
        signer = private_key_signer(jwk(EC))
        assert read(signer, EC).claims["jti"] != read(signer, EC).claims["jti"]

    def test_the_key_and_the_certificate_are_named(self) -> None:
        """By what the server knows them by (RFC 7515, sections 4.1.4 and 4.1.8)."""
        token = read(private_key_signer(jwk(EC), key_id="k-1", thumbprint="t-1"), EC)
        assert (token.header["kid"], token.header["x5t#S256"]) == ("k-1", "t-1")

    @pytest.mark.parametrize(("key_id", "kid"), [(None, "own"), ("named", "named")])
    def test_a_jwk_names_itself(self, key_id: str | None, kid: str) -> None:
        """Unless it is named otherwise."""
        assert private_key_signer(jwk(EC, kid="own"), key_id=key_id).key_id == kid

    def test_it_is_a_secret(self) -> None:
        """It is worth as much as a password while it lives."""
        assert isinstance(private_key_signer(jwk(EC)).assertion("a", "b", NOW), Secret)


class TestAlgorithms:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
    def test_rsa(self, algorithm: str) -> None:
        """RFC 7518, sections 3.3 and 3.5; PEM and JWK alike."""
        assert (
            read(private_key_signer(pem(RSA), algorithm=algorithm), RSA).claims["sub"] == "orders"
        )

    @pytest.mark.parametrize(
        ("curve", "algorithm"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")]
    )
    def test_an_elliptic_curve_has_one(self, curve: Any, algorithm: str) -> None:
        """RFC 7518, section 3.4."""
        key = ECKey.generate_key(curve)
        signer = private_key_signer(pem(key))
        assert signer.algorithm == algorithm
        assert read(signer, key).claims["sub"] == "orders"

    @pytest.mark.parametrize(
        ("curve", "named", "listed", "algorithm"),
        [
            ("Ed25519", None, None, "Ed25519"),
            ("Ed25519", None, ["EdDSA", "RS256"], "EdDSA"),
            ("Ed25519", None, ["EdDSA", "Ed25519"], "Ed25519"),
            ("Ed25519", "EdDSA", ["Ed25519"], "EdDSA"),
            ("Ed448", None, None, "Ed448"),
        ],
    )
    def test_an_edwards_curve_has_two_names(
        self, curve: Any, named: str | None, listed: list[str] | None, algorithm: str
    ) -> None:
        """RFC 9864 has a name for each curve; older servers know EdDSA alone."""
        key = OKPKey.generate_key(curve)
        signer = private_key_signer(pem(key), algorithm=named, listed=listed)
        assert signer.algorithm == algorithm
        verify = JWSRegistry.algorithms[algorithm].verify
        assert verify(b"message", signer.signature(b"message"), key)

    @pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
    def test_secret(self, algorithm: str) -> None:
        """RFC 7518, section 3.2."""
        signer = secret_signer(Secret("a secret of enough length"), algorithm=algorithm)
        key = OctKey.import_key("a secret of enough length")
        assert read(signer, key).claims["sub"] == "orders"

    @pytest.mark.parametrize(
        ("listed", "algorithm"),
        [(["PS256", "ES256"], "PS256"), (["RS256", "PS256"], "RS256"), (["ES256"], "RS256")],
    )
    def test_the_first_that_both_know_is_taken(self, listed: list[str], algorithm: str) -> None:
        """Where the server's list has none, it may not be true."""
        assert private_key_signer(pem(RSA), listed=listed).algorithm == algorithm

    @pytest.mark.parametrize(("named", "algorithm"), [(None, "PS384"), ("RS256", "RS256")])
    def test_a_jwk_says_what_it_is_for(self, named: str | None, algorithm: str) -> None:
        """Unless another is named."""
        signer = private_key_signer(jwk(RSA, alg="PS384"), algorithm=named, listed=["RS256"])
        assert signer.algorithm == algorithm

    def test_one_that_does_not_fit_the_key_is_told(self) -> None:
        """With those that do."""
        with pytest.raises(StrategyError) as caught:
            private_key_signer(pem(EC), algorithm="RS256")
        assert str(caught.value) == (
            'token_endpoint_auth_signing_alg "RS256" does not fit this private_key, '
            "which signs by: ES256"
        )

    def test_one_that_is_not_for_secrets_is_told(self) -> None:
        """The server would compare a signature with nothing."""
        with pytest.raises(StrategyError, match='"ES256" does not fit a client_secret, which'):
            secret_signer(Secret("a secret of enough length"), algorithm="ES256")


def private_pem(key: Any, password: bytes | None = None) -> str:
    none = serialization.NoEncryption()
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        none if password is None else serialization.BestAvailableEncryption(password),
    )
    return pem.decode()


class TestTrouble:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("not-a-key", "is no private key in PEM, and no JWK"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "is no private key"),
            (
                private_pem(EC.private_key, b"password"),
                "is an encrypted key: it is wanted without its password",
            ),
            (EC.as_pem(private=False).decode(), "is a public key: the private one is wanted"),
            (
                private_pem(dsa.generate_private_key(1024)),
                "is a key that cannot sign here: neither RSA, EC nor Ed25519",
            ),
            (
                private_pem(ec.generate_private_key(ec.SECP256K1())),
                "is a key that cannot sign here: EC on secp256k1",
            ),
            (pem(OKPKey.generate_key("X25519")).reveal(), "cannot sign here: OKP on X25519"),
            ("{", "is no valid JWK"),
            ('{"kty": "EC"}', "is no valid JWK"),
            ('{"kty": []}', "is no valid JWK"),
            (
                json.dumps({"keys": [EC.as_dict(private=True)]}),
                "is a set of keys: one JWK is wanted",
            ),
            ('{"kty": "oct", "k": "c2VjcmV0"}', "its kty is neither RSA, EC nor OKP"),
            (json.dumps(EC.as_dict(private=False)), "is a public key: the private one is wanted"),
            (jwk(EC, use="enc").reveal(), "is a key that is not for signing"),
            (jwk(EC, alg="ECDH-ES").reveal(), "not for signing here, as its alg says: ECDH-ES"),
            (jwk(EC, key_ops=["verify"]).reveal(), "is a key that is not for signing"),
        ],
    )
    def test_what_is_no_private_key_is_told_without_it(self, text: str, told: str) -> None:
        """Neither the words nor the variables of a traceback show what was read."""
        with pytest.raises(SecretError) as caught:
            private_key_signer(Secret(text))
        # But for the frame of the test itself, which knows the key.
        frames = caught.value.__traceback__.tb_next if caught.value.__traceback__ else None
        shown = traceback.TracebackException(SecretError, caught.value, frames, capture_locals=True)

        assert told in str(caught.value)
        assert str(caught.value).startswith("the secret (given in code) ")
        assert caught.value.__context__ is None
        assert not any(len(line) > 8 and line in "".join(shown.format()) for line in text.split())

    def test_a_public_key_is_no_client_secret(self) -> None:
        """Anyone may have it."""
        with pytest.raises(SecretError, match="is a public key, which is no secret"):
            secret_signer(Secret(EC.as_pem(private=False).decode()))

    @pytest.mark.parametrize(
        ("make", "method"),
        [(secret_signer, "client_secret_jwt"), (private_key_signer, "private_key_jwt")],
    )
    def test_the_missing_extra_is_named(
        self, monkeypatch: pytest.MonkeyPatch, make: Any, method: str
    ) -> None:
        """With what installs it."""
        monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
        with pytest.raises(StrategyError) as caught:
            make(Secret("a secret of enough length"))
        assert str(caught.value) == (
            f'{method} needs an extra that is not installed: pip install "gqlauth[jwt]"'
        )
