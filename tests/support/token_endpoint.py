"""A token endpoint in this process: real requests in, scripted answers out."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

URL = "https://id.example.com/token"


class Stream(httpx.AsyncByteStream):
    """A body in the pieces given, as a network would bring it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await anyio.lowlevel.checkpoint()
            yield piece


class FakeTokenEndpoint(httpx.AsyncBaseTransport):
    """Answers with what `script` holds, in order, and then with new tokens for ever.

    A script's item is an httpx.Response, an exception to raise, or a function of the request that
    returns one of them.
    """

    def __init__(
        self,
        *script: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response],
        expires_in: object = 3600,
    ) -> None:
        self.script = list(script)
        self.expires_in = expires_in
        self.requests: list[httpx.Request] = []
        #: Answers wait for it where it is set to an event.
        self.gate: anyio.Event | None = None
        self.arrived = anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        number = len(self.requests)
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        else:
            await anyio.lowlevel.checkpoint()
        item = self.script.pop(0) if self.script else None
        if callable(item):
            item = item(request)
        if isinstance(item, Exception):
            raise item
        return self.token(f"token-{number}") if item is None else item

    def token(self, text: str, **fields: object) -> httpx.Response:
        answer = {"access_token": text, "token_type": "Bearer", "expires_in": self.expires_in}
        return raw(httpx.Response(200, json={**answer, **fields}))

    @property
    def forms(self) -> list[dict[str, list[str]]]:
        return [
            parse_qs(request.content.decode(), keep_blank_values=True) for request in self.requests
        ]


def raw(response: httpx.Response) -> httpx.Response:
    """Return `response` with its body unread, as a network brings it."""
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=Stream([response.content]),
    )


def answer(
    status: int, body: bytes | str = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return httpx.Response(
        status,
        headers={"content-type": "application/json", **(headers or {})},
        stream=Stream([content]),
    )


def basic_credentials(request: httpx.Request) -> str:
    """Return what Basic carries, undecoded but for base64."""
    scheme, _, text = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(text).decode()
