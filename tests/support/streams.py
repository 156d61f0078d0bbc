"""A server whose answers are streams of events, which a test sends one by one."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_SSE = "text/event-stream"
_MULTIPART = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'


class Sent:
    """One answer, as far as it was sent."""

    def __init__(self, headers: Mapping[str, str], response: web.StreamResponse) -> None:
        #: What it was asked for with.
        self.headers = headers
        #: Set when nothing more is to come, or nobody is there to read it.
        self.is_over = asyncio.Event()
        self._response = response

    async def say(self, told: object) -> None:
        """Send what a GraphQL server tells of an event."""
        text = json.dumps(told).encode()
        if self._response.content_type == _SSE:
            await self._response.write(b"event: next\ndata: %b\n\n" % text)
        else:
            # What ends a part comes with it, as servers do that.
            part = b'\r\n\r\n{"payload": %b}\r\n--graphql' % text
            await self._response.write(part)

    async def event(self, number: int) -> None:
        await self.say({"data": {"number": number}})

    async def complete(self) -> None:
        """Say that it is complete."""
        sse = self._response.content_type == _SSE
        await self._response.write(b"event: complete\ndata:\n\n" if sse else b"--\r\n")
        self.is_over.set()

    def break_off(self) -> None:
        """End it without a word."""
        self.is_over.set()


class StreamServer:
    """Answers each request by a stream, or by what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.kind = _SSE
        #: The statuses of the next answers, where these are no streams.
        self.statuses: list[int] = []
        #: The streams that were asked for.
        self.asked: asyncio.Queue[Sent] = asyncio.Queue()
        self.site: web.TCPSite | None = None

    async def refuse(self) -> None:
        """Take no more connections."""
        assert self.site is not None
        await self.site.stop()

    def speak_multipart(self) -> None:
        """Answer by parts from now on."""
        self.kind = _MULTIPART

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.statuses and (status := self.statuses.pop(0)) != 200:
            return web.json_response({"errors": [{"message": "no"}]}, status=status)
        response = web.StreamResponse(headers={"Content-Type": self.kind})
        await response.prepare(request)
        await response.write(b": it begins\n\n" if self.kind == _SSE else b"--graphql")
        sent = Sent(dict(request.headers), response)
        self.asked.put_nowait(sent)
        try:
            await sent.is_over.wait()
        finally:
            sent.is_over.set()
        if request.transport is not None:
            request.transport.close()
        return response


@asynccontextmanager
async def stream_server() -> AsyncIterator[StreamServer]:
    """Run one on loopback."""
    server = StreamServer()
    app = web.Application()
    app.add_routes([web.post("/graphql", server.answer)])
    runner = web.AppRunner(app, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    try:
        server.site = web.TCPSite(runner, "127.0.0.1", 0)
        await server.site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/graphql"
        yield server
    finally:
        await runner.cleanup()
