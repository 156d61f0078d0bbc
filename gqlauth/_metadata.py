"""What an authorization server publishes of itself (RFC 8414, section 2), as far as it is used."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Metadata:
    """The metadata of an authorization server, which was found to be its own."""

    issuer: str
    token_endpoint: str
    #: Where a client asks that shows a certificate (RFC 8705, section 5), if that is elsewhere.
    mtls_token_endpoint: str | None = None
    #: The methods of client authentication that it takes; None where it is silent.
    auth_methods: tuple[str, ...] | None = None
    #: The algorithms that client assertions may be signed by; None where it is silent.
    signing_algs: tuple[str, ...] | None = None
    #: The algorithms that proofs of DPoP may be signed by (RFC 9449, section 5.1), likewise.
    dpop_algs: tuple[str, ...] | None = None

    def token_url(self, *, certified: bool) -> str:
        """Return where a client asks for its tokens that shows a certificate, or shows none."""
        return (self.mtls_token_endpoint if certified else None) or self.token_endpoint
