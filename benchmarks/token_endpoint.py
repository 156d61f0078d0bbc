"""A token endpoint in a process of its own, over loopback TCP: it shares no event loop.

The path of a request says how it is answered: ``/RUN/STATUS/DELAY/LIFETIME``, with the delay and
the lifetime in seconds. ``GET /RUN`` tells how many requests of that run came, and ``/graphql`` is
an API that answers at once.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Final, cast
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Characters of a token: as long as a short JWT.
TOKEN_LENGTH: Final = 400


class TokenServer:
    """The token endpoint, seen from the process that measures."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._runs = count(1)

    @property
    def api(self) -> str:
        """Return the URL of an API that takes any token."""
        return f"{self._address}/graphql"

    def run(self, *, delay: float = 0.0, lifetime: float = 3600.0, status: int = 200) -> TokenURL:
        """Return the URL of a token endpoint that nobody has asked anything yet."""
        name = f"{self._address}/{next(self._runs)}"
        return TokenURL(name, f"{name}/{status}/{delay}/{lifetime}")


class TokenURL:
    """The URL of a token endpoint, whose requests are counted."""

    def __init__(self, counted: str, url: str) -> None:
        self._counted = counted
        self.url = url

    def requests(self) -> int:
        """Return how many requests it got."""
        with urlopen(self._counted) as answer:
            return int(answer.read())


@contextmanager
def token_server() -> Iterator[TokenServer]:
    """Run the token endpoint in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            yield TokenServer(process.stdout.readline().strip())
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    """One connection: requests come one after another, as all clients here send them."""

    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        line, *headers = head.decode("ascii").split("\r\n")
        lengths = [
            int(value)
            for name, _, value in (header.partition(":") for header in headers)
            if name.lower() == "content-length"
        ]
        length = lengths[0] if lengths else 0
        if len(rest) < length:
            return
        self._received = rest[length:]
        method, path, _ = line.split(" ")
        self._answer(method, path.strip("/").split("/"))

    def _answer(self, method: str, path: list[str]) -> None:
        run = path[0]
        if method == "GET":
            self._send(200, str(self._counted[run]).encode())
            return
        if run == "graphql":
            self._send(200, b'{"data": {"me": {"id": "orders-cli"}}}')
            return
        self._counted[run] += 1
        status, delay, lifetime = int(path[1]), float(path[2]), float(path[3])
        number = f"{run}.{self._counted[run]}."
        token = {
            "access_token": number + "x" * (TOKEN_LENGTH - len(number)),
            "token_type": "Bearer",
            "expires_in": lifetime,
        }
        content = json.dumps(token if status == 200 else {"error": "server_error"}).encode()  # noqa: PLR2004 - OK
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, status, content)
        else:
            self._send(status, content)

    def _send(self, status: int, content: bytes) -> None:
        assert self._transport is not None
        head = (
            f"HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self._transport.write(head.encode() + content)


async def _serve() -> None:
    counted: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(counted), "127.0.0.1", 0, backlog=4096)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)
    # Whoever started it keeps this end open for as long as it is wanted.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
