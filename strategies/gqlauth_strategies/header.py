"""``type = "header"``: an API key under a header name of the API's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from gqlauth import Secret, Token
from gqlauth_strategies import _fields

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint


@attrs.frozen
class Header:
    """A static credential in a header of its own, read anew once the API has refused it."""

    #: The name of the header, such as ``X-Api-Key``.
    name: str = attrs.field(validator=_fields.header_name)
    #: What it holds.
    value: Secret = attrs.field(validator=_fields.secret)
    #: A word before the value, such as `ApiKey`, with a space between them.
    prefix: str = attrs.field(default="")

    @prefix.validator
    def _is_one_word(self, field: attrs.Attribute[Any], prefix: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]*", prefix):
            raise ValueError(f"{field.name}: must be one word, in ASCII")

    @property
    def header_name(self) -> str:
        """Return the header that the credential goes into, for who shows it before it is had."""
        return self.name

    async def fetch(self, _endpoint: TokenEndpoint) -> Token:
        """Return the value as it is now; one that is a JWT ends when its ``exp`` says so."""
        return Token(
            await self.value.resolve(), token_type=self.prefix, header_name=self.header_name
        )
