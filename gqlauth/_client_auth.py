"""How a client proves itself to the token endpoint (RFC 6749, section 2.3).

The names are those of RFC 7591, section 2, of OpenID Connect and of RFC 8705, section 2; and
``client_secret_basic_raw`` is for servers that refuse a form-encoded Basic.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, Self, get_args
from typing import Literal as _Literal
from urllib.parse import quote

import attrs

from gqlauth import _assertion
from gqlauth._certificate import Certificate
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._assertion import Signer
    from gqlauth._metadata import Metadata
    from gqlauth._secret import Secret

ClientAuthMethod = _Literal[
    "client_secret_basic",
    "client_secret_basic_raw",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]
METHODS: Final[tuple[str, ...]] = get_args(ClientAuthMethod)


@attrs.frozen(kw_only=True)
class Client:
    """A client, as it is configured: its name, and what it can prove itself by."""

    id: str | None = None
    secret: Secret | None = None
    #: What signs its assertions: PEM or a JWK.
    private_key: Secret | None = None
    #: The name that the server knows that key by.
    key_id: str | None = None
    certificate: Certificate | None = None
    #: The method that was named; None where it follows from the others.
    method: str | None = None
    #: The algorithm that was named.
    signing_alg: str | None = None
    #: Whom its assertions are for: a URL, ``issuer``, or ``token_url`` as by default.
    audience: str | None = None

    @classmethod
    def of(cls, strategy: object) -> Self:
        """Return the client that the fields of a strategy tell of, as far as it has them."""
        return cls(
            id=getattr(strategy, "client_id", None),
            secret=getattr(strategy, "client_secret", None),
            private_key=getattr(strategy, "private_key", None),
            key_id=getattr(strategy, "key_id", None),
            certificate=Certificate.of(strategy),
            method=getattr(strategy, "token_endpoint_auth_method", None),
            signing_alg=getattr(strategy, "token_endpoint_auth_signing_alg", None),
            audience=getattr(strategy, "assertion_audience", None),
        )

    def method_for(self, metadata: Metadata | None) -> str:
        """Return the method to use: the one that was named, or what follows from what there is.

        Raises:
            StrategyError: for one that is not known, or that wants what there is not.

        """
        if self.method is None:
            return self._following(metadata)
        if self.method not in METHODS:
            raise StrategyError(
                f'unknown token_endpoint_auth_method "{self.method}"; known: {", ".join(METHODS)}'
            )
        wanted, there = {
            "private_key_jwt": ("private_key", self.private_key),
            "tls_client_auth": ("certificate_file", self.certificate),
            "self_signed_tls_client_auth": ("certificate_file", self.certificate),
            "none": ("", ""),
        }.get(self.method, ("client_secret", self.secret))
        if there is None:
            raise StrategyError(f'token_endpoint_auth_method "{self.method}" needs a {wanted}')
        return self.method

    def _following(self, metadata: Metadata | None) -> str:
        # By what is stronger. Not client_secret_jwt: servers advertise it to all their clients,
        # and refuse it to those that were not registered for it.
        if self.private_key is not None:
            return "private_key_jwt"
        if self.certificate is not None:
            return "tls_client_auth"
        if self.secret is None:
            return "none"
        listed = None if metadata is None else metadata.auth_methods
        basic = listed is None or "client_secret_basic" in listed
        return "client_secret_basic" if basic else "client_secret_post"

    async def proof(self, url: str, metadata: Metadata | None) -> Proof:
        """Return what proves it in a request to `url`, with its secrets resolved.

        Raises:
            StrategyError: when it has not what its method wants, or lacks a package.
            SecretError: when a secret cannot be had, or used.
            ConfigError: when its certificate cannot be read.

        """
        method = self.method_for(metadata)
        issuer = None if metadata is None else metadata.issuer
        named = {None: url, "token_url": url, "issuer": issuer}
        audience = named.get(self.audience, self.audience)
        if audience is None:
            raise StrategyError('assertion_audience "issuer" needs an issuer')
        if method in _assertion.METHODS and self.id is None:
            raise StrategyError(f'token_endpoint_auth_method "{method}" needs a client_id')
        return Proof(
            method=method,
            client_id=self.id,
            client_secret=await self.secret.resolve()
            if self.secret is not None and method.startswith("client_secret_")
            else None,
            signer=await self._signer(method, None if metadata is None else metadata.signing_algs),
            audience=audience,
            certified=self.certificate is not None,
        )

    async def _signer(self, method: str, listed: tuple[str, ...] | None) -> Signer | None:
        if method == "client_secret_jwt" and self.secret is not None:
            return _assertion.secret_signer(
                await self.secret.resolve(), algorithm=self.signing_alg, listed=listed
            )
        if method == "private_key_jwt" and self.private_key is not None:
            certificate = self.certificate
            return _assertion.private_key_signer(
                await self.private_key.resolve(),
                key_id=self.key_id,
                thumbprint=None if certificate is None else await certificate.thumbprint(),
                algorithm=self.signing_alg,
                listed=listed,
            )
        return None


@attrs.frozen(kw_only=True)
class Proof:
    """What proves a client in one request; the secret is resolved."""

    method: str
    client_id: str | None = None
    client_secret: Secret | None = None
    #: What makes the assertions, for the methods that send them.
    signer: Signer | None = None
    #: Whom the assertions are for.
    audience: str = ""
    #: TLS shows a certificate.
    certified: bool = False

    def headers(self) -> Mapping[str, str]:
        """Return the headers by which the client proves itself."""
        return auth_headers(self.method, self.client_id, self.client_secret)

    def fields(self, wall: float) -> Mapping[str, str | Secret]:
        """Return the form fields by which the client proves itself, or says who it is.

        An assertion is another at each call; `wall` is the time.
        """
        fields = auth_fields(self.method, self.client_id, self.client_secret)
        if self.signer is None or self.client_id is None:
            return fields
        return {
            **fields,
            "client_assertion_type": _assertion.ASSERTION_TYPE,
            "client_assertion": self.signer.assertion(self.client_id, self.audience, wall),
        }


def auth_headers(
    method: str, client_id: str | None, client_secret: Secret | None
) -> Mapping[str, str]:
    """Return the headers by which a client proves itself; `client_secret` is resolved."""
    if client_id is None or client_secret is None:
        return {}
    if method == "client_secret_basic":
        user = _form_encode(client_id).encode()
        return {"Authorization": _basic(user, _form_encode(client_secret.reveal()))}
    if method == "client_secret_basic_raw":
        # By itself: that it cannot be encoded must not be told with the secret beside it.
        user = client_id.encode()
        return {"Authorization": _basic(user, client_secret.reveal())}
    return {}


def auth_fields(
    method: str, client_id: str | None, client_secret: Secret | None
) -> Mapping[str, str | Secret]:
    """Return the form fields by which a client proves itself, or says who it is."""
    if client_id is None or method.startswith("client_secret_basic"):
        return {}
    if method == "client_secret_post" and client_secret is not None:
        return {"client_id": client_id, "client_secret": client_secret}
    return {"client_id": client_id}


def _form_encode(text: str) -> str:
    # RFC 6749, section 2.3.1. A space goes as %20, which servers read that decode a form as well
    # as those that decode a URL; a plus is only read by the former.
    return quote(text, safe="")


def _basic(user: bytes, password: str) -> str:
    return "Basic " + base64.b64encode(user + b":" + password.encode()).decode("ascii")
