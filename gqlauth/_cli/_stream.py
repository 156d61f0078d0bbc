"""Subscriptions over HTTP: server-sent events, and multipart answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from gqlauth._cli._failure import API_ERROR, UNAVAILABLE, Failure
from gqlauth._cli._listener import unwrapped
from gqlauth._cli._send import exchange, failing, is_stream, late, reply_of
from gqlauth._http import httpx
from gqlauth._resending import media_type
from gqlauth._subscriptions._bounds import TooLargeError
from gqlauth._subscriptions._multipart import Parts
from gqlauth._subscriptions._sse import EventStream
from gqlauth._tries import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth._cli._answer import Reply
    from gqlauth._cli._listener import Listener
    from gqlauth._cli._send import Call
    from gqlauth._service import AuthService


async def over_http(call: Call, service: AuthService, listener: Listener) -> Reply | None:
    """Ask by a request whose answer is a stream of events; let `listener` take them.

    Return the answer if it is no stream.

    Raises:
        Failure: when no answer could be had, or the stream ends before it is complete.
        GqlAuthError: when there is no token to be had.

    """
    with failing(call):
        async with exchange(call, service) as (client, request, sent):
            with anyio.move_on_after(call.timeout) as scope:
                response = await client.send(request, stream=True)
                if not is_stream(response):
                    return reply_of(response, await response.aread(), sent)
            if scope.cancelled_caught:
                raise late(call)
            try:
                listener.begin(reply_of(response, b"", sent))
                await _read(call, response, listener)
            finally:
                await response.aclose()
    return None


async def _read(call: Call, response: httpx.Response, listener: Listener) -> None:
    """Read a stream to its end."""
    # From here on, nobody knows how long the next event may take.
    response.request.extensions["timeout"]["read"] = None
    is_sse = media_type(response).startswith("text/event-stream")
    reader = _Sse() if is_sse else _Multipart(response.headers["content-type"])
    why = "it ended without saying that it is complete"
    try:
        async for piece in response.aiter_bytes():
            for event in reader.feed(piece):
                listener.take(event)
            if reader.is_complete:
                return
    except httpx.TransportError as error:
        why = described(error)
    except TooLargeError as error:
        raise Failure(f"{call.endpoint.name}: {error}", API_ERROR) from error
    raise Failure(f"{call.endpoint.name}: {listener.loss(why)}", UNAVAILABLE)


class _Sse:
    """Reads the mode of distinct connections of GraphQL over server-sent events."""

    def __init__(self) -> None:
        self._stream = EventStream()
        self.is_complete = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        for event in self._stream.feed(piece):
            if event.kind == "complete":
                self.is_complete = True
                return
            # Some servers name none.
            if event.kind in {"", "message", "next"} and event.data.strip():
                yield event.data


class _Multipart:
    """Reads parts whose events are in their ``payload``."""

    def __init__(self, content_type: str) -> None:
        self._parts = Parts(content_type)

    @property
    def is_complete(self) -> bool:
        return self._parts.is_complete

    def feed(self, piece: bytes) -> Iterator[bytes]:
        for part in self._parts.feed(piece):
            event = unwrapped(part) if part.strip() else None
            if event is not None:
                yield event
