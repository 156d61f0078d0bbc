"""The API of the pages with subscriptions: HTTP and websockets on one loopback socket."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from aiohttp import web

from tests.support.http_server import Request
from tests.support.pages import TOKEN, graphql_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http_server import Answer


async def _ask(request: web.Request) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = Request(request.method, request.path, headers, await request.read())
    answer: Answer = graphql_api(asked)
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)


async def _subscribe(request: web.Request) -> web.StreamResponse:
    """Tell of three orders whoever subscribes with the token of the pages."""
    socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
    await socket.prepare(request)
    async for message in socket:
        told = message.json()
        if told["type"] == "connection_init":
            if told["payload"].get("Authorization") != f"Bearer {TOKEN}":
                await socket.close(code=4403)
                break
            await socket.send_json({"type": "connection_ack"})
        elif told["type"] == "subscribe":
            for number in (1, 2, 3):
                event = {"data": {"orderPlaced": {"id": str(number)}}}
                await socket.send_json({"type": "next", "id": told["id"], "payload": event})
            await socket.send_json({"type": "complete", "id": told["id"]})
    return socket


@contextmanager
def live_api() -> Iterator[str]:
    """Run the API in a thread of its own; give its address."""
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.add_routes([web.post("/graphql", _ask), web.get("/graphql", _subscribe)])
    runner = web.AppRunner(app, shutdown_timeout=1)

    async def start() -> str:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result()
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
