"""``type = "client_credentials"``: a client that asks for a token in its own name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth import Secret, Token
from gqlauth_strategies import _fields
from gqlauth_strategies._client import Client

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint

# The form fields that have keys of their own, and what those are called.
_OWN: Final = {
    "audience": "audience",
    "authorization_details": "authorization_details",
    "client_assertion": "token_endpoint_auth_method",
    "client_assertion_type": "token_endpoint_auth_method",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "grant_type": "type",
    "resource": "resource",
    "scope": "scopes",
}


@attrs.frozen(kw_only=True)
class ClientCredentials(Client):
    """The client credentials grant (RFC 6749, section 4.4)."""

    #: The scopes to ask for (RFC 6749, section 3.3); their order means nothing.
    scopes: tuple[str, ...] = attrs.field(
        default=(), converter=_fields.texts, validator=_fields.scope_names
    )
    #: The API that the token is for, as Auth0 and others name it.
    audience: str | None = attrs.field(default=None, validator=_fields.text)
    #: The APIs that the token is for (RFC 8707, section 2).
    resource: tuple[str, ...] = attrs.field(
        default=(), converter=_fields.texts, validator=_fields.resources
    )
    #: What the token is to allow, in more than scopes (RFC 9396, section 2), each with its `type`.
    authorization_details: tuple[Mapping[str, Any], ...] = attrs.field(
        default=(), converter=_fields.tables, validator=_fields.details
    )
    #: Extra form fields of the token request.
    params: Mapping[str, str | Secret] = attrs.field(factory=dict)

    @params.validator
    def _has_no_key_of_its_own(
        self, field: attrs.Attribute[Any], params: Mapping[str, str | Secret]
    ) -> None:
        for name in params:
            if name in _OWN:
                raise ValueError(f'{field.name}: "{name}" has a key of its own: {_OWN[name]}')

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        """Ask for a token for what is configured: scopes, audience, resources, and details."""
        form: dict[str, str | Secret | tuple[str, ...]] = {"grant_type": "client_credentials"}
        if self.scopes:
            form["scope"] = " ".join(self.scopes)
        if self.audience is not None:
            form["audience"] = self.audience
        if self.resource:
            form["resource"] = self.resource
        if self.authorization_details:
            form["authorization_details"] = json.dumps(self.authorization_details)
        return await endpoint.grant({**form, **self.params})
