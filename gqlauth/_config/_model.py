"""What a configuration says, once it is read: values, without the how."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - shown in the public signature of these values
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._options import AuthOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._secret import Secret
    from gqlauth._token import Strategy
    from gqlauth.errors import Place

#: The codes in a GraphQL answer that mean "token rejected", where an endpoint names none.
RETRY_ON: Final = (
    "UNAUTHENTICATED",
    "invalid-jwt",
    "UnauthorizedException",
    "ExpiredSignatureError",
)


@attrs.frozen(kw_only=True)
class EndpointAuthConfig:
    """The ``auth`` of an endpoint: a strategy, and how its tokens are got."""

    #: The printed form of the strategy's name.
    type: str
    strategy: Strategy
    options: AuthOptions = attrs.field(factory=AuthOptions)
    #: Where it stands in the file; None when it was given in code.
    place: Place | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True)
class Endpoint:
    """One GraphQL endpoint."""

    name: str
    url: str
    headers: Mapping[str, str | Secret] = attrs.field(factory=dict)
    #: Seconds for each of connecting, sending, and waiting for the next piece of an answer.
    timeout: float = 30.0
    #: The error codes inside a GraphQL answer that mean "token rejected".
    retry_on: tuple[str, ...] = RETRY_ON
    #: Origins beside that of `url` that may see the token.
    origins: tuple[str, ...] = ()
    #: None where requests go out bare.
    auth: EndpointAuthConfig | None = None
    place: Place | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration."""

    #: The file that it was read from; None when it was given in code.
    path: Path | None = None
    endpoints: Mapping[str, Endpoint] = attrs.field(factory=dict)
    default_endpoint: str | None = None
