"""The body of a request in one piece, and that of an answer within a bound, whatever it holds.

httpx decodes a compressed chunk in one go, however large it comes out: a gzip bomb of a few
hundred kilobytes would fill the memory. So the raw bytes are read, and inflated up to the bound.
"""

from __future__ import annotations

import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._http import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

#: Bytes of a token endpoint's answer that are read at the most, before and after inflating.
MAX_BODY: Final = 1024 * 1024

# What zlib can read by itself: gzip and zlib, told apart by their first bytes.
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
# Pieces that can be left of a closed connection, at the most: what was read of it last, in chunks
# of one byte.
_LEFT: Final = 64 * 1024


@asynccontextmanager
async def streamed(  # noqa: PLR0913 - those of a request
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    limits: httpx.Timeout,
    content: bytes = b"",
) -> AsyncIterator[httpx.Response]:
    """Send a request, following no redirect, and give its answer, whose body is still to be read.

    `limits` are what httpx may wait for.

    Raises:
        httpx.HTTPError: when the connection fails.

    """
    request = client.build_request(method, url, headers=headers, timeout=limits, content=content)
    request.stream = _OnePiece(content)
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        yield response
    finally:
        await response.aclose()


class _OnePiece(httpx.AsyncByteStream):
    """The body of a request, in one piece.

    httpx has a generator for that: where sending fails it is left unfinished to the garbage
    collector, and trio warns of it.
    """

    def __init__(self, content: bytes) -> None:
        self._pieces = [content]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        return self._pieces.pop()


@attrs.frozen
class Body:
    """A body, or what keeps it from being read."""

    content: bytes = attrs.field(repr=False)
    #: What is the matter with it, to follow "an answer that"; empty where nothing is.
    trouble: str = ""


async def read_body(response: httpx.Response) -> Body:
    """Return the body of a streamed answer, decompressed.

    One that passes `MAX_BODY`, as it is sent or inflated, or that is compressed in a way that
    cannot be read, comes back empty, with what is the matter: the status may still tell all that
    is wanted. The answer is closed then.

    Raises:
        httpx.HTTPError: when the connection fails.

    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        return Body(b"", "comes in a Content-Encoding that was not asked for")
    # Not `aiter_raw()`, which refuses an answer made in memory, as tests have it.
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    pieces = aiter(stream)
    body = await _read(pieces, "" if encoding == "identity" else encoding)
    if body.trouble:
        await _abandon(response, pieces)
    return body


async def _read(pieces: AsyncIterator[bytes], encoding: str) -> Body:
    content = bytearray()
    received = 0
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding else None
    async for piece in pieces:
        received += len(piece)
        if inflater is None:
            content += piece
        elif not inflater.eof:  # what comes after the end would only be kept by it, unasked
            try:
                content += inflater.decompress(piece, MAX_BODY + 1 - len(content))
            except zlib.error:
                return Body(b"", f"is no valid {encoding}")
        # What inflates to nothing must end as well.
        if max(received, len(content)) > MAX_BODY:
            return Body(b"", f"is longer than {MAX_BODY} bytes")
    return Body(bytes(content))


async def _abandon(response: httpx.Response, pieces: AsyncIterator[bytes]) -> None:
    """Close an answer that is not read to its end, and the generators that read it.

    httpx and httpcore read by generators within generators. What stops half-way is left to the
    garbage collector, which needs a task that nobody waits for, and trio warns of it. Once the
    connection is closed, reading on ends them all.
    """
    await response.aclose()
    with suppress(httpx.HTTPError):
        for _ in range(_LEFT):
            if await anext(pieces, None) is None:
                break
