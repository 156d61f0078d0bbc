"""The client of a grant: where it asks, what it is called, and how it proves itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from gqlauth import Secret
from gqlauth_strategies import _fields

# The keys that each method of client authentication cannot do without.
_WANTED: Final = {
    "client_secret_basic": "client_secret",
    "client_secret_basic_raw": "client_secret",
    "client_secret_post": "client_secret",
    "client_secret_jwt": "client_secret",
    "private_key_jwt": "private_key",
    "tls_client_auth": "certificate_file",
    "self_signed_tls_client_auth": "certificate_file",
}
# What has no meaning without something else.
_BESIDE: Final = {
    "key_id": "private_key",
    "certificate_key_file": "certificate_file",
    "certificate_key_password": "certificate_file",
}


@attrs.frozen(kw_only=True)
class Client:
    """The fields of every grant in which a client asks a token endpoint."""

    #: Where the token is asked for.
    token_url: str | None = attrs.field(default=None, metadata={"or": "issuer"})
    #: The authorization server, which publishes where the token is asked for (RFC 8414, or OpenID
    #: Connect Discovery).
    issuer: str | None = attrs.field(default=None)
    #: The name that the authorization server knows the client by.
    client_id: str = attrs.field(validator=_fields.text)
    #: What proves the client: a secret that the server knows, too.
    client_secret: Secret | None = attrs.field(default=None, validator=_fields.secret)
    #: What proves the client: a private key, in PEM or as a JWK, whose public one the server knows.
    private_key: Secret | None = attrs.field(default=None, validator=_fields.secret)
    #: The name that the server knows that key by (`kid`); by default what a JWK says of itself.
    key_id: str | None = attrs.field(default=None, validator=_fields.text)
    #: What proves the client: a certificate (PEM), with its chain.
    certificate_file: Path | None = None
    #: The key of the certificate (PEM), if it does not stand in the same file.
    certificate_key_file: Path | None = attrs.field(default=None)
    #: What that key is encrypted with, if it is.
    certificate_key_password: Secret | None = attrs.field(default=None, validator=_fields.secret)
    #: How the client proves itself (RFC 7591, section 2); by default it follows from what it has.
    token_endpoint_auth_method: (
        Literal[
            "client_secret_basic",
            "client_secret_basic_raw",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
            "tls_client_auth",
            "self_signed_tls_client_auth",
            "none",
        ]
        | None
    ) = attrs.field(default=None)
    #: What the client's assertions are signed by; by default it follows from the key.
    token_endpoint_auth_signing_alg: (
        Literal[
            "RS256",
            "RS384",
            "RS512",
            "PS256",
            "PS384",
            "PS512",
            "ES256",
            "ES384",
            "ES512",
            "Ed25519",
            "Ed448",
            "EdDSA",
            "HS256",
            "HS384",
            "HS512",
        ]
        | None
    ) = attrs.field(default=None)
    #: Whom the client's assertions are for (`aud`): `token_url`, as by default, `issuer`, or what
    #: the server wants to be called.
    assertion_audience: str | None = attrs.field(default=None, validator=_fields.text)
    #: Bind the tokens to a key, and prove its possession by each request (DPoP, RFC 9449).
    dpop: bool = False
    #: That key, in PEM or as a JWK; by default the process makes one of its own.
    dpop_key: Secret | None = attrs.field(default=None, validator=_fields.secret)
    #: Extra headers of the token request.
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict, validator=_fields.headers)

    @property
    def auth_method(self) -> str:
        """Return how the client proves itself, as far as that is known without its server."""
        if self.token_endpoint_auth_method is not None:
            return self.token_endpoint_auth_method
        if self.private_key is not None:
            return "private_key_jwt"
        if self.certificate_file is not None:
            return "tls_client_auth"
        return "none" if self.client_secret is None else "client_secret_basic"

    @token_url.validator
    def _is_known_by_one_of_two(self, field: attrs.Attribute[Any], value: str | None) -> None:
        if value is None and self.issuer is None:
            raise ValueError(f"{field.name}: missing, and so is issuer: one of them is wanted")
        if value is not None and self.issuer is not None:
            raise ValueError(
                f"{field.name}: is discovered where there is an issuer: drop one of them"
            )

    @issuer.validator
    def _is_an_issuer(self, field: attrs.Attribute[Any], value: str | None) -> None:
        if value is not None and ("?" in value or "#" in value):
            raise ValueError(f"{field.name}: has a query or a fragment (RFC 8414, section 2)")

    @key_id.validator
    @certificate_key_file.validator
    @certificate_key_password.validator
    def _has_what_it_belongs_to(self, field: attrs.Attribute[Any], value: object) -> None:
        wanted = _BESIDE[field.name]
        if value is not None and getattr(self, wanted) is None:
            raise ValueError(f"{field.name}: there is no {wanted} that it belongs to")

    @token_endpoint_auth_method.validator
    def _has_what_it_needs(self, field: attrs.Attribute[Any], method: str | None) -> None:
        wanted = _WANTED.get(method or "")
        if wanted is not None and getattr(self, wanted) is None:
            raise ValueError(f'{field.name}: "{method}" needs a {wanted}')

    @token_endpoint_auth_signing_alg.validator
    def _fits_the_method(self, field: attrs.Attribute[Any], algorithm: str | None) -> None:
        method = "client_secret_jwt" if (algorithm or "").startswith("HS") else "private_key_jwt"
        if algorithm is not None and self.auth_method != method:
            raise ValueError(f'{field.name}: "{algorithm}" is for {method} alone')

    @assertion_audience.validator
    def _is_for_an_assertion(self, field: attrs.Attribute[Any], audience: str | None) -> None:
        if audience is None:
            return
        if not self.auth_method.endswith("_jwt"):
            raise ValueError(f"{field.name}: {self.auth_method} sends no assertion")
        if audience == "issuer" and self.issuer is None:
            raise ValueError(f"{field.name}: there is no issuer: set it to the URL that is meant")

    @dpop_key.validator
    def _is_for_proofs(self, field: attrs.Attribute[Any], key: Secret | None) -> None:
        if key is not None and not self.dpop:
            raise ValueError(f"{field.name}: is for dpop = true alone")

    @headers.validator
    def _leave_client_authentication_alone(
        self, field: attrs.Attribute[Any], headers: Mapping[str, str | Secret]
    ) -> None:
        if self.auth_method.startswith("client_secret_basic") and any(
            name.lower() == "authorization" for name in headers
        ):
            raise ValueError(
                f"{field.name}: Authorization is how {self.auth_method} proves the client"
            )
        if self.dpop and any(name.lower() == "dpop" for name in headers):
            raise ValueError(f"{field.name}: DPoP is how dpop proves possession")
