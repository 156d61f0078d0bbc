"""`EndpointAuth`: put the token of an endpoint into the requests of an httpx client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import httpx

from gqlauth import _log
from gqlauth._graphql import certainly_query, rejection
from gqlauth._secret import Secret
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Generator, Mapping

    from gqlauth._token import TokenSource

#: Bytes of an answer that is looked into for a rejection, at the most, where its length is told.
#: A rejection brings no data and is short; what is long is somebody's data.
LONGEST_REJECTION: Final = 1024 * 1024

_PORTS: Final = {"http": 80, "https": 443}


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Return the origin of a URL: scheme, host and port (RFC 6454, section 4)."""
    return (url.scheme, url.host, url.port or _PORTS.get(url.scheme))


class EndpointAuth(httpx.Auth):
    """Authentication of one GraphQL endpoint, for an ``httpx.AsyncClient``.

    Each request to the endpoint's origin carries a token that is valid now. One that the API
    refuses is replaced, and the request sent once more where that is safe. A request to another
    origin goes out without; and so does one that brings an ``Authorization`` of its own.

    Where there is no token, there is no request: what kept it from being had is raised instead.
    """

    def __init__(
        self,
        source: TokenSource | None,
        *,
        name: str,
        origins: Collection[str],
        retry_on: Collection[str],
    ) -> None:
        """Bind a token source to an endpoint: None for one whose requests go out bare."""
        self._source = source
        self._name = name
        self._origins = frozenset(origin(httpx.URL(place)) for place in origins)
        self._retry_on = tuple(retry_on)
        self._warned: set[tuple[str, str, int | None]] = set()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send `request` with a token; and once more with another, if that one is refused."""
        source = self._source
        if source is None or "authorization" in request.headers or not self._is_ours(request):
            yield request
            return
        token = source.fresh() or await source.token()
        if token.header_name in request.headers:
            yield request
            return
        request.headers[token.header_name] = token.header_value
        response = yield request
        code = await self._refused(request, response)
        if not code:
            return
        source.refused(token)
        if not isinstance(request.stream, httpx.ByteStream):
            _log.warning(
                "the API refused the token, and the body cannot be sent again",
                endpoint=self._name,
                code=code,
            )
            return
        another = await source.token()
        if another.same_text(token):
            return
        _log.info("the API refused the token, sending again", endpoint=self._name, code=code)
        request.headers[another.header_name] = another.header_value
        yield request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[NoReturn, None, None]:  # noqa: ARG002 - httpx calls it so
        """Refuse: tokens are got asynchronously.

        Raises:
            GqlAuthError: always.

        """
        raise GqlAuthError(
            f"{self._name}: this authentication is asynchronous: use httpx.AsyncClient"
        )
        yield  # httpx wants a generator, so that it raises within its own handling

    def _is_ours(self, request: httpx.Request) -> bool:
        place = origin(request.url)
        if place in self._origins:
            return True
        if place not in self._warned:
            self._warned.add(place)
            _log.warning(
                "a request to another origin goes out without the token",
                endpoint=self._name,
                origin="{}://{}:{}".format(*place),
            )
        return False

    async def _refused(self, request: httpx.Request, response: httpx.Response) -> str:
        """Return how `response` says that the token was refused; empty where it does not.

        Only what may safely be sent again counts: a mutation may have run before the answer.
        """
        # httpx follows redirects on its own, if it is told to: what another origin says of a
        # token that it never saw is no refusal.
        if origin(response.request.url) not in self._origins:
            return ""
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return "401"
        if not _may_tell(response):
            return ""
        await response.aread()
        told = rejection(response.content, self._retry_on)
        if told is None or not (told.nothing_ran or certainly_query(_content(request))):
            return ""
        return told.code


class EndpointHeaders:
    """An httpx request hook: adds the endpoint's headers to requests to its own origins."""

    def __init__(self, headers: Mapping[str, str | Secret], origins: Collection[str]) -> None:
        """Bind headers to origins; secrets among them are resolved for each request."""
        self._headers = headers
        self._origins = frozenset(origin(httpx.URL(place)) for place in origins)

    async def __call__(self, request: httpx.Request) -> None:
        """Add the headers that the request has not."""
        if origin(request.url) not in self._origins:
            return
        for name, value in self._headers.items():
            if name not in request.headers:
                request.headers[name] = (
                    (await value.resolve()).reveal() if isinstance(value, Secret) else value
                )


def _may_tell(response: httpx.Response) -> bool:
    """Tell whether an answer may be read ahead: one JSON document, and not a long one."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return False
    length = response.headers.get("content-length", "0")
    return not length.isdecimal() or int(length) <= LONGEST_REJECTION


def _content(request: httpx.Request) -> bytes:
    try:
        return request.content
    except httpx.RequestNotRead:
        return b""
