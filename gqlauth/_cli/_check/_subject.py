"""What is checked, and what is known of it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gqlauth._client_auth import Client
from gqlauth.errors import StrategyError

if TYPE_CHECKING:
    from gqlauth._cli._check._watched import WatchedService
    from gqlauth._config import Endpoint, EndpointAuthConfig
    from gqlauth._metadata import Metadata
    from gqlauth._token import Token


@attrs.define
class Subject:
    """An endpoint that is checked; the steps leave here what those after them need."""

    endpoint: Endpoint
    service: WatchedService
    metadata: Metadata | None = None
    token: Token | None = None
    #: Whether the claims of the token are not those that were asked for.
    odd_claims: bool = False

    @property
    def auth(self) -> EndpointAuthConfig:
        """Return its authentication, for the steps that only an endpoint with one has."""
        assert self.endpoint.auth is not None
        return self.endpoint.auth

    @property
    def issuer(self) -> str | None:
        """Return who says where the token endpoint is, if that is to be discovered."""
        return None if self.configured_url else getattr(self.auth.strategy, "issuer", None)

    @property
    def configured_url(self) -> str | None:
        """Return the token endpoint, if it is configured."""
        url: str | None = getattr(self.auth.strategy, "token_url", None)
        return url

    @property
    def token_url(self) -> str | None:
        """Return the token endpoint, as far as it is known; None for a static credential."""
        if self.metadata is None:
            return self.configured_url
        return self.metadata.token_url(certified=self.client.certificate is not None)

    @property
    def client(self) -> Client:
        """Return the client, as it is configured."""
        return Client.of(self.auth.strategy)

    @property
    def method(self) -> str | None:
        """Return how the client proves itself; None where it cannot, or has no need to."""
        if self.token_url is None:
            return None
        try:
            return self.client.method_for(self.metadata)
        except StrategyError:  # told where the token is asked for
            return None
