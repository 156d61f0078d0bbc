"""A server for GraphQL over websockets, on a real socket: it does what a test tells it to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import attrs
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from ssl import SSLContext

    from websockets.asyncio.server import Server as Listener
    from websockets.http11 import Request, Response
    from websockets.typing import Subprotocol

#: The protocol of today, and the older one.
TODAY = "graphql-transport-ws"
OLDER = "graphql-ws"


@attrs.frozen
class Rejects:
    """A greeting: the connection is closed instead of acknowledged."""

    code: int
    reason: str = ""
    #: Before ``connection_init`` is read.
    at_once: bool = False


@attrs.frozen
class Answers:
    """A greeting: the handshake is answered by that status."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Says:
    """A greeting: a message before ``connection_ack``, or instead of it; or nothing at all."""

    message: str = ""
    acknowledges: bool = False


class Connection:
    """One connection, from the server's side."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        assert socket.request is not None
        self.headers = socket.request.headers
        self.path = socket.request.path
        self.payload: Any = None
        #: What came, but for pings.
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        #: Pings are not answered before it is set.
        self.answers_pings = asyncio.Event()
        self.answers_pings.set()
        self.is_closed = asyncio.Event()

    async def received(self, kind: str) -> dict[str, Any]:
        """Wait for the next message, which is of that kind."""
        message = await self.messages.get()
        assert kind == message["type"], message
        return message

    async def say(self, **message: Any) -> None:
        await self.write(json.dumps(message))

    async def write(self, text: str) -> None:
        """Send what need be no message of the protocol."""
        await self._socket.send(text)

    async def event(self, number: Any, query_id: str = "1") -> None:
        """Send an event of a subscription."""
        await self.say(id=query_id, type="next", payload={"data": {"number": number}})

    async def answer(self, number: Any, query_id: str = "1") -> None:
        """Send the one result of a query."""
        await self.event(number, query_id)
        await self.say(id=query_id, type="complete")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)

    def abort(self) -> None:
        """Be gone without a word, as a server that is killed."""
        self.answers_pings.set()
        self._socket.transport.abort()

    async def serve(self) -> None:
        try:
            async for text in self._socket:
                message = json.loads(text)
                if message["type"] == "ping":
                    await self.answers_pings.wait()
                    await self.say(type="pong")
                else:
                    self.messages.put_nowait(message)
        except ConnectionClosed:
            pass
        finally:
            self.is_closed.set()


class _Socket(ServerConnection):
    """One that answers a request of another kind, too: not here."""

    _asks_else = False

    def data_received(self, data: bytes) -> None:
        self._asks_else = self._asks_else or data.startswith(b"POST ")
        if not self._asks_else:
            super().data_received(data)
        elif data.startswith(b"POST "):
            self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


class SubscriptionServer:
    """Accepts connections, each by the next greeting; once there is none, it acknowledges."""

    def __init__(self) -> None:
        self.greetings: list[Rejects | Answers | Says] = []
        #: Who was acknowledged, in order, and all who came.
        self.acknowledged: asyncio.Queue[Connection] = asyncio.Queue()
        self.connections: list[Connection] = []
        #: Set once anybody has sent ``connection_init``.
        self.begun = asyncio.Event()
        #: The headers of each handshake.
        self.handshakes: list[Mapping[str, str]] = []
        self.url = ""

    def close_all(self) -> None:
        """Be gone without a word, on each connection."""
        for connection in self.connections:
            connection.abort()

    def _answer(self, socket: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(dict(request.headers.raw_items()))
        if self.greetings and isinstance(self.greetings[0], Answers):
            told = self.greetings.pop(0)
            assert isinstance(told, Answers)
            response = socket.respond(HTTPStatus(told.status), "")
            response.headers.update(told.headers)
            return response
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        connection = Connection(socket)
        self.connections.append(connection)
        greeting = self.greetings.pop(0) if self.greetings else None
        if isinstance(greeting, Rejects) and greeting.at_once:
            await connection.close(greeting.code, greeting.reason)
            return
        init = json.loads(await socket.recv())
        assert init["type"] == "connection_init"
        connection.payload = init["payload"]
        self.begun.set()
        if isinstance(greeting, Rejects):
            await connection.close(greeting.code, greeting.reason)
            return
        if isinstance(greeting, Says) and greeting.message:
            await socket.send(greeting.message)
        if not isinstance(greeting, Says) or greeting.acknowledges:
            await connection.say(type="connection_ack", payload={"hello": "you"})
            self.acknowledged.put_nowait(connection)
        await connection.serve()


@asynccontextmanager
async def subscription_server(
    *protocols: str, tls: SSLContext | None = None
) -> AsyncIterator[SubscriptionServer]:
    """Run a server, for the protocol of today if no other is named."""
    server = SubscriptionServer()
    listener: Listener
    chosen: list[Subprotocol] = [*(protocols or (TODAY,))]  # type: ignore[list-item]
    async with serve(
        server._serve,
        "127.0.0.1",
        0,
        subprotocols=chosen,
        process_request=server._answer,
        close_timeout=1,
        create_connection=_Socket,
        ssl=tls,
    ) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        scheme = "http" if tls is None else "https"
        server.url = f"{scheme}://127.0.0.1:{port}/graphql"
        yield server
