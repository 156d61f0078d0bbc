"""``type = "client_credentials"``: a client that asks for a token in its own name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from gqlauth import Secret, Token
from gqlauth_strategies import _fields

if TYPE_CHECKING:
    from gqlauth import TokenEndpoint

# The form fields that have keys of their own, and what those are called.
_OWN: Final = {
    "audience": "audience",
    "client_assertion": "token_endpoint_auth_method",
    "client_assertion_type": "token_endpoint_auth_method",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "grant_type": "type",
    "resource": "resource",
    "scope": "scopes",
}


@attrs.frozen(kw_only=True)
class ClientCredentials:
    """The client credentials grant (RFC 6749, section 4.4)."""

    #: Where the token is asked for.
    token_url: str
    #: The name that the authorization server knows the client by.
    client_id: str = attrs.field(validator=_fields.text)
    #: What proves the client; none for a public one.
    client_secret: Secret | None = attrs.field(default=None, validator=_fields.secret)
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
    #: How the client proves itself (RFC 7591, section 2); by default ``client_secret_basic``
    #: where there is a secret, and else ``none``.
    token_endpoint_auth_method: (
        Literal["client_secret_basic", "client_secret_basic_raw", "client_secret_post", "none"]
        | None
    ) = attrs.field(default=None)
    #: Extra form fields of the token request.
    params: Mapping[str, str | Secret] = attrs.field(factory=dict)
    #: Extra headers of the token request.
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict, validator=_fields.headers)

    @token_endpoint_auth_method.validator
    def _has_its_secret(self, field: attrs.Attribute[Any], method: str | None) -> None:
        if method not in {None, "none"} and self.client_secret is None:
            raise ValueError(f'{field.name}: "{method}" needs a client_secret')

    @params.validator
    def _has_no_key_of_its_own(
        self, field: attrs.Attribute[Any], params: Mapping[str, str | Secret]
    ) -> None:
        for name in params:
            if name in _OWN:
                raise ValueError(f'{field.name}: "{name}" has a key of its own: {_OWN[name]}')

    @headers.validator
    def _leave_client_authentication_alone(
        self, field: attrs.Attribute[Any], headers: Mapping[str, str | Secret]
    ) -> None:
        method = self.token_endpoint_auth_method or "client_secret_basic"
        proven = self.client_secret is not None and method.startswith("client_secret_basic")
        if proven and any(name.lower() == "authorization" for name in headers):
            raise ValueError(f"{field.name}: Authorization is how {method} proves the client")

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        """Ask for a token with the scopes, audience and resources that are configured."""
        form: dict[str, str | Secret | tuple[str, ...]] = {"grant_type": "client_credentials"}
        if self.scopes:
            form["scope"] = " ".join(self.scopes)
        if self.audience is not None:
            form["audience"] = self.audience
        if self.resource:
            form["resource"] = self.resource
        return await endpoint.grant({**form, **self.params})
