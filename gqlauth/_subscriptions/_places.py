"""Where a connection for subscriptions leads, and where in it the token stands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from gqlauth._http import httpx
from gqlauth._request_headers import origin
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._config import Endpoint
    from gqlauth._token import Token

_SCHEMES: Final = {"ws": "http", "wss": "https"}


def place_of(endpoint: Endpoint, url: str | None) -> httpx.URL:
    """Return where to connect, in the words of HTTP, if a token of the endpoint may go there.

    Raises:
        ConfigError: when it may not.

    """
    try:
        given = httpx.URL(endpoint.url if url is None else url)
        place = given.copy_with(scheme=_SCHEMES.get(given.scheme, given.scheme))
    except httpx.InvalidURL:
        raise ConfigError(
            f'endpoint "{endpoint.name}": the url of its subscriptions is no URL'
        ) from None
    places = (endpoint.url, *endpoint.origins)
    if origin(place) not in {origin(httpx.URL(one)) for one in places}:
        raise ConfigError(
            f'endpoint "{endpoint.name}": {given.scheme}://{given.netloc.decode()} is none of its '
            "origins: name it in its origins"
        )
    return place


def payload_with(
    given: Mapping[str, Any], token: Token | None, path: str | None
) -> Mapping[str, Any]:
    """Return what ``connection_init`` carries: what was given, and the token at a path."""
    payload: dict[str, Any] = copy.deepcopy(dict(given))
    if token is not None:
        *folders, name = (path or token.header_name).split(".")
        table = payload
        for folder in folders:
            table = table.setdefault(folder, {})
        table.setdefault(name, token.header_value)
    return payload
