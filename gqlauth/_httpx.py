"""`EndpointAuth`: put the token of an endpoint into the requests of an httpx client."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import attrs

from gqlauth import _log
from gqlauth._graphql import executed, rejection
from gqlauth._http import accepted, httpx
from gqlauth._portal import Portal
from gqlauth._request_headers import heard, note, origin, present
from gqlauth._resending import media_type, why_once

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Generator

    from gqlauth._token import Token, TokenSource

#: Bytes of an answer that is looked into for a rejection, at the most, where its length is told.
#: A rejection brings no data and is short; what is long is somebody's data.
LONGEST_REJECTION: Final = 1024 * 1024

_UNAUTHORIZED: Final = 401
_AUTHORIZATION: Final = b"authorization"
_AUTHORIZATION_LENGTH: Final = len(_AUTHORIZATION)
_SUCCESS: Final = range(200, 300)


class EndpointAuth(httpx.Auth):
    """Authentication of one GraphQL endpoint, for clients of httpx, or of httpx2.

    Each request to the endpoint's origin carries a token that is valid now. One that the API
    refuses is replaced, and the request sent once more where that is safe. A request to another
    origin goes out without; and so does one that brings an ``Authorization`` of its own.

    Where there is no token, there is no request: what kept it from being had is raised instead.

    A ``Client`` that does not await is for the threads beside the event loop of the service.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Return one that clients of both libraries accept, as far as they are imported."""
        made: Self = super().__new__(accepted(cls))
        return made

    def __init__(
        self,
        source: TokenSource | None,
        *,
        name: str,
        origins: Collection[str],
        retry_on: Collection[str],
        portal: Portal | None = None,
    ) -> None:
        """Bind a token source to an endpoint: None for one whose requests go out bare."""
        self._source = source
        self._name = name
        self._portal = Portal() if portal is None else portal
        urls = [httpx.URL(place) for place in origins]
        self._origins = frozenset(origin(url) for url in urls)
        self._told = frozenset((url.scheme, url.host, url.port) for url in urls)
        self._retry_on = tuple(retry_on)
        self._codes = tuple(code.encode() for code in retry_on)
        self._warned: set[tuple[str, str, int | None]] = set()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send `request` with a token; and once more with another, if that one is refused."""
        source = self._source
        url = request.url
        if (
            source is None
            or _is_authorized(request)
            # As `origin` has it, but for default ports: httpx tells none of them.
            or ((url.scheme, url.host, url.port) not in self._told and self._is_foreign(url))
        ):
            yield request
            return
        token = source.fresh() or await source.token()
        if token.header_name != "Authorization":
            if token.header_name in request.headers:
                yield request
                return
            note(request, token.header_name, token)  # httpx drops none but Authorization by itself
        refused: Token | None = None
        while True:
            present(token, request)
            response = yield request
            if token.presenter is not None and _wants_another(token, request, response):
                present(token, request)
                response = yield request
                heard(token, response)
            # Most answers that were read already, by a hook or as there is no network, need no
            # more than this look; it is in line as each request comes this way.
            try:
                plain = (
                    response.status_code in _SUCCESS
                    and response.is_closed
                    and response.request is request
                    and len(content := response.content) <= LONGEST_REJECTION
                    and b"errors" not in content
                )
            except RuntimeError:  # ResponseNotRead of either library: a hook took it as a stream
                plain = False
            if plain:
                source.accepted(token)
                return
            refusal = await self._refusal(source, token, request, response)
            # One replacement is enough.
            if (
                refusal is None
                or not source.refused(token, refusal.how)
                or refused is not None
                or self._is_once(refusal)
            ):
                return
            refused, token = token, await source.token()
            if token.same_text(refused):
                return
            _log.info(
                "the API refused the token, sending again", endpoint=self._name, answer=refusal.how
            )

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Do as `async_auth_flow`, in whose steps the event loop of the service is asked.

        What awaits the network stays in this thread: the request, and its answer.

        Raises:
            ServiceClosedError: when the service is not running.
            GqlAuthError: in the thread of that event loop, which would wait for itself.

        """
        if self._source is None:
            yield request
            return
        flow = self.async_auth_flow(request)
        response: httpx.Response | None = None
        while (sent := self._portal.call(partial(_step, flow, response))) is not None:
            try:
                response = yield sent
                if _may_tell(response):
                    response.read()  # here, as it is not to be read in the loop
            except BaseException:
                # Here, as the service may be closed: it awaits nothing on its way out.
                with suppress(StopIteration):
                    flow.aclose().send(None)
                raise

    def _is_foreign(self, url: httpx.URL) -> bool:
        """Warn, once for each origin, that a request to it goes out bare; tell so."""
        place = origin(url)
        if place not in self._warned:
            self._warned.add(place)
            _log.warning(
                "a request to another origin goes out without the token",
                endpoint=self._name,
                origin="{}://{}:{}".format(*place),
            )
        return True

    def _is_once(self, refusal: _Refusal) -> bool:
        """Tell whether what was refused must not be sent again; warn of it then."""
        if refusal.why_once:
            _log.warning(
                f"the API refused the token, and {refusal.why_once}",
                endpoint=self._name,
                answer=refusal.how,
            )
        return bool(refusal.why_once)

    async def _refusal(
        self,
        source: TokenSource,
        token: Token,
        request: httpx.Request,
        response: httpx.Response,
    ) -> _Refusal | None:
        """Return how `response` refuses `token`; None where it does not.

        That it accepts the token is told to `source`.
        """
        asked = response.request
        # httpx follows redirects on its own, if it is told to: what another origin says of a
        # token, or ours of a request that lost it on the way, is no refusal; nor is what anybody
        # says of a proof that was made for another place.
        if asked is not request and (
            token.presenter is not None
            or origin(asked.url) not in self._origins
            or asked.headers.get(token.header_name) != token.header_value
        ):
            return None
        status = response.status_code
        content = b""
        told = None
        short = _may_tell(response)
        if short:
            content = await response.aread()
            for code in self._codes:  # most answers hold none, and need no parsing
                if code in content:
                    told = rejection(content, self._retry_on)
                    if told is None and status != _UNAUTHORIZED:
                        return None  # data beside the error: this says nothing of the token
                    break
        if told is None and status != _UNAUTHORIZED:
            if status in _SUCCESS:
                source.accepted(token)
            return None
        if told is not None:
            nothing_ran = told.nothing_ran
        else:  # of what is long not even that is known
            nothing_ran = not executed(content) if short else not _is_json(media_type(response))
        if asked.method != request.method:  # the request was answered, by a redirect
            nothing_ran = False
        how = ", ".join([str(status), *([told.code] if told is not None else [])])
        return _Refusal(how, why_once(request, response, nothing_ran=nothing_ran))


@attrs.frozen
class _Refusal:
    """An answer that refuses the token."""

    #: Such as ``401`` or ``200, UNAUTHENTICATED``.
    how: str
    #: Why the request must not be sent again; empty where it may.
    why_once: str


async def _step(
    flow: AsyncGenerator[httpx.Request, httpx.Response], response: httpx.Response | None
) -> httpx.Request | None:
    """Return what `flow` sends after `response`, which is None at its start; None at its end."""
    try:
        return await (anext(flow) if response is None else flow.asend(response))
    except StopAsyncIteration:
        return None


def _is_authorized(request: httpx.Request) -> bool:
    """Tell whether a request brings an ``Authorization`` of its own."""
    # What httpx does for `in` takes twice as long: it looks for an encoding of all headers first.
    for name, _ in request.headers.raw:
        if len(name) == _AUTHORIZATION_LENGTH and name.lower() == _AUTHORIZATION:
            return True
    return False


def _wants_another(token: Token, request: httpx.Request, response: httpx.Response) -> bool:
    """Tell whether the same request is to go once more, with the same token but other headers."""
    return (
        response.request is request  # and not one that a redirect made of it
        and heard(token, response)
        and not why_once(request, response, nothing_ran=True)
    )


def _may_tell(response: httpx.Response) -> bool:
    """Tell whether an answer may be read ahead: one JSON document, and not a long one."""
    kind = length = b""
    # In one go, as this is done for each answer.
    for name, value in response.headers.raw:
        lowered = name.lower()
        if lowered == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
        elif lowered == b"content-length":
            length = value
    return (kind == b"application/json" or kind.endswith(b"+json")) and not (
        length.isdigit() and int(length) > LONGEST_REJECTION
    )


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")
