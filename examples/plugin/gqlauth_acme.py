"""Acme sign-in: trade an API key for a token."""

import attrs

from gqlauth import Secret, Token, TokenEndpoint


@attrs.frozen
class AcmeKey:
    """Acme sign-in with an API key."""

    #: Where the token is asked for.
    token_url: str
    #: The API key.
    api_key: Secret

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        """Trade the key for a token."""
        return await endpoint.grant({"grant_type": "urn:acme:key", "key": self.api_key})
