"""Where a connection for subscriptions leads, and where in it the token stands."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from gqlauth._config import as_http
from gqlauth._http import httpx
from gqlauth._request_headers import origin
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._config import Endpoint
    from gqlauth._token import Token


def place_of(endpoint: Endpoint, url: str | None) -> httpx.URL:
    """Return where to connect, in the words of HTTP, if a token of the endpoint may go there.

    Raises:
        ConfigError: when it may not.

    """
    try:
        given = httpx.URL(endpoint.url if url is None else url)
        place = httpx.URL(as_http(str(given)))
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
    if token is None:
        return copy.deepcopy(dict(given))
    return placed(given, path or token.header_name, token.header_value)


def placed(given: Mapping[str, Any], path: str, text: str) -> Mapping[str, Any]:
    """Return what was given, with a text at a path where there was nothing."""
    payload: dict[str, Any] = copy.deepcopy(dict(given))
    *folders, name = path.split(".")
    table = payload
    for folder in folders:
        table = table.setdefault(folder, {})
    table.setdefault(name, text)
    return payload
