"""What a token endpoint in this process gets, and answers with."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import anyio
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

URL = "https://id.example.com/token"


class Stream(httpx.AsyncByteStream):
    """A body in the pieces given, as a network would bring it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await anyio.lowlevel.checkpoint()
            yield piece


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
