"""One answer that is a stream of events: server-sent ones, or the parts of a multipart answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from gqlauth._cli._listener import unwrapped
from gqlauth._http import httpx
from gqlauth._resending import media_type
from gqlauth._subscriptions._failures import LostError
from gqlauth._subscriptions._multipart import Parts
from gqlauth._subscriptions._sse import EventStream
from gqlauth._tries import described

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gqlauth._token import Token


@attrs.frozen(eq=False)
class Stream:
    """An answer whose events are yet to come, and the token that it was asked for with."""

    response: httpx.Response
    token: Token | None

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the events until the server says that it is complete.

        Raises:
            LostError: when it ends before.
            TooLargeError: when an event is.

        """
        response = self.response
        # From here on, nobody knows how long the next event may take.
        response.request.extensions["timeout"]["read"] = None
        is_sse = media_type(response).startswith("text/event-stream")
        reader = _Sse() if is_sse else _Multipart(response.headers["content-type"])
        try:
            async for piece in response.aiter_bytes():
                for event in reader.feed(piece):
                    yield event
                if reader.is_complete:
                    return
        except httpx.TransportError as error:
            raise LostError(described(error)) from error
        raise LostError("it ended without saying that it is complete")


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
