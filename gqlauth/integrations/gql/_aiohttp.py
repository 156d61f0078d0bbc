"""A middleware for aiohttp's client: what `EndpointAuth` does, for requests of aiohttp."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING

from aiohttp.payload import BytesPayload

from gqlauth._http import httpx
from gqlauth._subscriptions._opening import Veiled
from gqlauth.integrations.gql._logs import redact_logs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from gqlauth import AuthService


def aiohttp_middleware(service: AuthService, name: str | None = None) -> ClientMiddlewareType:
    """Return a middleware that puts the token of an endpoint into requests of aiohttp.

    It is for gql's ``AIOHTTPTransport(client_session_args={"middlewares": (…,)})``, and for any
    ``aiohttp.ClientSession(middlewares=(…,))`` from aiohttp 3.12 on. It keeps what `EndpointAuth`
    promises: the token goes to the endpoint's origins alone, an ``Authorization`` of the request's
    own wins, and a request that is refused for its token is sent once more where that is safe.
    The endpoint's ``headers`` are not set.

    Raises:
        ConfigError: when there is no such endpoint.

    """
    auth = service.auth(name)
    redact_logs()

    async def authenticated(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        mirrored = await _mirrored(request)
        before = mirrored.headers.copy()
        async with aclosing(auth.async_auth_flow(mirrored)) as flow:
            sent = await anext(flow)
            while True:
                with dressed(request, _added(sent.headers, before)):
                    response = await handler(request)
                try:
                    sent = await flow.asend(_answered(response, sent))
                except StopAsyncIteration:
                    return response
                except BaseException:
                    response.close()
                    raise
                response.release()

    return authenticated


class _Unseen(httpx.AsyncByteStream):
    """A body that is not looked into, and cannot be sent again."""


class _Answered(httpx.AsyncByteStream):
    """The body of an answer, read where it is looked into; aiohttp keeps it for its caller."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield await self._response.read()


async def _mirrored(request: ClientRequest) -> httpx.Request:
    """Return the request as httpx would have it."""
    body = request.body
    stream = content = None
    if isinstance(body, BytesPayload):  # what is text, bytes or JSON is at hand
        content = await body.as_bytes()
    elif body:
        stream = _Unseen()
    return httpx.Request(
        request.method,
        str(request.url),
        headers=list(request.headers.items()),
        content=content,
        stream=stream,
    )


def _added(headers: httpx.Headers, before: httpx.Headers) -> Veiled:
    """Return the headers that are not as they were before."""
    return Veiled(one for one in headers.items() if before.get(one[0]) != one[1])


@contextmanager
def dressed(request: ClientRequest, headers: Veiled) -> Iterator[None]:
    """Let a request carry headers while it is under way, and no longer.

    The answer, and what aiohttp raises because of it, hold those of the request and print them;
    and a middleware around this one may send it again.
    """
    request.headers.update(headers)
    try:
        yield
    finally:
        for name in headers:
            request.headers.popall(name, None)


def _answered(response: ClientResponse, sent: httpx.Request) -> httpx.Response:
    """Return the answer as httpx would have it, its body unread."""
    # aiohttp has decompressed it.
    headers = [one for one in response.headers.items() if one[0].lower() != "content-encoding"]
    return httpx.Response(
        response.status, headers=headers, stream=_Answered(response), request=sent
    )
