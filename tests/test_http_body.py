"""The body of an answer, read within a bound."""

from __future__ import annotations

import gzip
import itertools
import zlib
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from gqlauth._http_body import MAX_BODY, Body, read_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

pytestmark = pytest.mark.anyio

GOOD = b'{"access_token": "t"}'


class Connection(httpx.AsyncByteStream):
    """A body that comes piece by piece, until the connection is closed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.given = 0
        self.is_closed = False
        self.is_finished = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for piece in self._pieces:
                await anyio.lowlevel.checkpoint()
                if self.is_closed:
                    raise httpx.ReadError("closed")
                self.given += len(piece)
                yield piece
        finally:
            self.is_finished = True

    async def aclose(self) -> None:
        self.is_closed = True


class Endless(httpx.AsyncByteStream):
    """A body that comes whether it is closed or not."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return b"torn"


async def read(pieces: Iterable[bytes], encoding: str = "identity") -> tuple[Body, Connection]:
    """Return the body of an answer that comes in `pieces`, and where it came from."""
    connection = Connection(pieces)
    response = httpx.Response(200, headers={"content-encoding": encoding}, stream=connection)
    return await read_body(response), connection


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-Gzip", gzip.compress),
        ("deflate", zlib.compress),
    ],
)
async def test_body_is_read_in_its_encoding(encoding: str, encoded: type[bytes]) -> None:
    """Though nothing compressed was asked for, and byte by byte."""
    body, _ = await read([bytes([byte]) for byte in encoded(GOOD)], encoding)

    assert body == Body(GOOD)


@pytest.mark.parametrize("size", [MAX_BODY, MAX_BODY + 1])
async def test_body_may_be_a_mebibyte(size: int) -> None:
    """And no byte more."""
    body, _ = await read([b"x" * size])

    assert (len(body.content), body.trouble) == (
        (MAX_BODY, "") if size == MAX_BODY else (0, "is longer than 1048576 bytes")
    )


@pytest.mark.parametrize(
    ("encoding", "first", "rest"),
    [
        ("identity", b"", b"x" * 65536),
        ("gzip", gzip.compress(b"x" * (MAX_BODY + 1)), b""),
        ("gzip", gzip.compress(GOOD), b"x" * 65536),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x00\x00\x00\xff\xff" * 10_000),
    ],
    ids=["endless", "bomb", "endless tail", "endless nothing"],
)
async def test_body_without_end_is_given_up(encoding: str, first: bytes, rest: bytes) -> None:
    """After a mebibyte of what is sent, or of what it inflates to."""
    body, connection = await read(itertools.chain([first], itertools.repeat(rest)), encoding)

    assert body == Body(b"", "is longer than 1048576 bytes")
    assert connection.given < MAX_BODY + 2 * 65536


@pytest.mark.parametrize(
    ("encoding", "trouble"),
    [
        ("gzip", "is no valid gzip"),
        ("deflate", "is no valid deflate"),
        ("br", "comes in a Content-Encoding that was not asked for"),
        ("gzip, gzip", "comes in a Content-Encoding that was not asked for"),
    ],
)
async def test_body_that_cannot_be_read_is_told(encoding: str, trouble: str) -> None:
    """With what is the matter with it."""
    body, _ = await read([b"torn"], encoding)

    assert body == Body(b"", trouble)


@pytest.mark.parametrize("more", [[b"more"], itertools.repeat(b"more")], ids=["short", "endless"])
async def test_body_that_is_given_up_leaves_nothing_open(more: Iterable[bytes]) -> None:
    """The answer is closed, and what reads it is at its end: nothing is left to a collector."""
    _, connection = await read(itertools.chain([b"torn"], more), "gzip")

    assert connection.is_closed
    assert connection.is_finished


async def test_body_that_goes_on_when_it_is_closed_is_left_at_last() -> None:
    """A transport that takes no notice of being closed holds nobody up for ever."""
    endless = Endless()
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=endless)

    assert await read_body(response) == Body(b"", "is no valid gzip")


async def test_connection_that_fails_is_told_by_httpx() -> None:
    """What is no body is none."""

    def lost() -> Iterable[bytes]:
        yield b"{"
        raise httpx.ReadError("reset")

    with pytest.raises(httpx.ReadError):
        await read(lost())
