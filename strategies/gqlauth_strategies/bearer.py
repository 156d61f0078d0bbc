"""``type = "bearer"``: a token that somebody else gives out, such as a personal access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gqlauth import Secret, Token
from gqlauth_strategies import _fields

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint


@attrs.frozen
class Bearer:
    """A static bearer token (RFC 6750, section 2.1), read anew once the API has refused it."""

    #: The token.
    token: Secret = attrs.field(validator=_fields.secret)

    async def fetch(self, _endpoint: TokenEndpoint) -> Token:
        """Return the token as it is now; one that is a JWT ends when its ``exp`` says so."""
        return Token(await self.token.resolve())
