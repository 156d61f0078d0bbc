"""What a request to an endpoint carries, and a request to anyone else does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gqlauth._http import httpx
from gqlauth._secret import Secret

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gqlauth._token import Token

_PORTS: Final = {"http": 80, "https": 443}
#: Under this name a request's extensions hold the headers that are for the endpoint alone, by name;
#: httpx copies both to the request that a redirect leads to. A secret is known, and so masked
#: where the answer echoes it, as long as the object lives that it came in.
_OWN: Final = "gqlauth.headers"
# What a header may carry (RFC 9110, section 5.5), without the obsolete bytes above ASCII.
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20\x09\x21-\x7e]*[\x21-\x7e])?")


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return the origin of a URL: scheme, host and port (RFC 6454, section 4)."""
    return (url.scheme, url.host, _PORTS.get(url.scheme) if url.port is None else url.port)


def note(request: httpx.Request, name: str, held: object) -> None:
    """Note on a request that a header is for the endpoint alone, and what it came in."""
    request.extensions[_OWN] = {**request.extensions.get(_OWN, {}), name: held}


def present(token: Token, request: httpx.Request) -> None:
    """Put a token into a request, and what else goes with it."""
    request.headers[token.header_name] = token.header_value
    if token.presenter is not None:
        headers = token.presenter.headers(token, request.method, str(request.url))
        for name, value in headers.items():
            request.headers[name] = value
            note(request, name, token)


def heard(token: Token, response: httpx.Response) -> bool:
    """Tell who puts a token into requests what was answered; tell whether it is to do so anew."""
    assert token.presenter is not None
    asked = response.request
    return token.presenter.answered(str(asked.url), response.status_code, response.headers)


class EndpointHeaders:
    """An httpx request hook: adds the endpoint's headers to requests to its own origins.

    From a request to another origin, such as one that a redirect leads to, it takes them off.
    """

    def __init__(self, headers: Mapping[str, str | Secret], origins: Collection[str]) -> None:
        """Bind headers to origins; secrets among them are resolved for each request."""
        self._headers = headers
        self._origins = frozenset(origin(httpx.URL(place)) for place in origins)

    async def __call__(self, request: httpx.Request) -> None:
        """Add the headers that the request has not."""
        if origin(request.url) not in self._origins:
            for name in request.extensions.get(_OWN, ()):
                request.headers.pop(name, None)
            return
        for name, value in self._headers.items():
            if name not in request.headers:
                held = await _resolved(value)
                request.headers[name] = held.reveal() if isinstance(held, Secret) else held
                note(request, name, held)


async def _resolved(value: str | Secret) -> str | Secret:
    """Return `value` with its text at hand, if it is one that a header may carry.

    The HTTP client would log a value that it refuses.
    """
    if not isinstance(value, Secret):
        return value
    held = await value.resolve()
    if not _HEADER_VALUE.fullmatch(held.reveal()):
        raise held.error("has characters that no header may carry")
    return held
