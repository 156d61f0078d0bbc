"""``type = "basic"``: a user name and a password in each request."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import attrs

from gqlauth import Secret, SecretError, Token
from gqlauth_strategies import _fields

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")


@attrs.frozen
class Basic:
    """Basic authentication (RFC 7617), in UTF-8; the password is read anew once it is refused."""

    #: The user name; it has no colon.
    username: str = attrs.field()
    #: The password.
    password: Secret = attrs.field(validator=_fields.secret)

    @username.validator
    def _can_be_told_from_the_password(self, field: attrs.Attribute[Any], username: str) -> None:
        if ":" in username:
            raise ValueError(f"{field.name}: must have no colon (RFC 7617, section 2)")
        if _CONTROL.search(username):
            raise ValueError(f"{field.name}: must have no control character")
        if _HALF.search(username):
            raise ValueError(f"{field.name}: has half of a character (a lone surrogate)")

    async def fetch(self, _endpoint: TokenEndpoint) -> Token:
        """Return user name and password as they go into ``Authorization``.

        Raises:
            SecretError: when the password has a control character (RFC 7617, section 2).

        """
        password = await self.password.resolve()
        if _CONTROL.search(password.reveal()):
            raise SecretError(f"the password ({password.source}) has a control character")
        return Token(
            base64.b64encode(f"{self.username}:{password.reveal()}".encode()).decode("ascii"),
            token_type="Basic",  # noqa: S106 - the name of a scheme
        )
