"""Server-sent events, read as they come in pieces."""

from __future__ import annotations

import tracemalloc

import pytest

from gqlauth._subscriptions import _bounds
from gqlauth._subscriptions._bounds import TooLargeError
from gqlauth._subscriptions._sse import Event, EventStream


def read(*pieces: bytes) -> list[Event]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_pieces(end: bytes) -> None:
    """They may be cut anywhere; lines end in each of three ways."""
    lines = [b"event: next", b"data: a", b"data:", b"data:  b", b"", b"data: c", b"", b""]
    text = end.join(lines)
    expected = [Event("next", b"a\n\n b"), Event("", b"c")]

    assert read(*(text[index : index + 1] for index in range(len(text)))) == expected
    for cut in range(len(text)):
        assert read(text[:cut], b"", text[cut:]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\n\n\n", []),
        (b": a comment\n\n", []),
        (b"id: 7\nretry: 5\nother\n\n", []),
        (b"event: complete\n\n", [Event("complete", b"")]),
        (b"event: next\ndata\n\n", [Event("next", b"")]),
        (b"event: a\nevent: b\ndata: 1\n\n", [Event("b", b"1")]),
        (b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n", [Event("", b"1")]),
        (b"data: cut off\n", []),
        (b"data:1:2\n\n", [Event("", b"1:2")]),
    ],
)
def test_lines(text: bytes, expected: list[Event]) -> None:
    """Comments and other fields say nothing, and an event ends with an empty line."""
    assert read(text) == expected


@pytest.mark.parametrize("pieces", [[b"data: 12345"], [b"data: 123\n", b"data: 4567\n"]])
def test_bound(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """An event is not larger than any should be, be it one line or many."""
    monkeypatch.setattr(_bounds, "LARGEST_EVENT", 10)
    assert read(b"data: 123\n\n" * 5) == [Event("", b"123")] * 5
    with pytest.raises(TooLargeError):
        read(*pieces, b"data: 8901\n")


def test_memory() -> None:
    """Many short lines take about as much memory as they are long."""
    lines = b"data:x\n" * 20_000
    stream = EventStream()
    list(stream.feed(b"data:x\n"))
    tracemalloc.start()
    try:
        for _ in range(3):
            list(stream.feed(lines))
        del lines
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 400_000
