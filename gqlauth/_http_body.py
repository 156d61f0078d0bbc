"""Read the body of an answer within a bound, whatever the server sends.

httpx decodes a compressed chunk in one go, however large it comes out: a gzip bomb of a few
hundred kilobytes would fill the memory. So the raw bytes are read, and inflated up to the bound.
"""

from __future__ import annotations

import zlib
from typing import Final

import attrs
import httpx

#: Bytes of a token endpoint's answer that are read at the most, before and after inflating.
MAX_BODY: Final = 1024 * 1024

# What zlib can read by itself: gzip and zlib, told apart by their first bytes.
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


@attrs.frozen
class Body:
    """A body, or what keeps it from being read."""

    content: bytes = attrs.field(repr=False)
    #: What is the matter with it, to follow "an answer that"; empty where nothing is.
    trouble: str = ""


async def read_body(response: httpx.Response) -> Body:
    """Return the body of a streamed answer, decompressed.

    One that passes `MAX_BODY`, or that is compressed in a way that cannot be read, comes back
    empty, with what is the matter: the status may still tell all that is wanted.

    Raises:
        httpx.HTTPError: when the connection fails.

    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        return Body(b"", "comes in a Content-Encoding that was not asked for")
    content = bytearray()
    inflater = None if encoding in {"", "identity"} else zlib.decompressobj(_GZIP_OR_ZLIB)
    # Not `aiter_raw()`, which refuses an answer made in memory, as tests have it.
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    async for chunk in stream:
        if inflater is None:
            content += chunk
        else:
            try:
                content += inflater.decompress(chunk, MAX_BODY + 1 - len(content))
            except zlib.error:
                return Body(b"", f"is no valid {encoding}")
        if len(content) > MAX_BODY:
            return Body(b"", f"is longer than {MAX_BODY} bytes")
    return Body(bytes(content))
