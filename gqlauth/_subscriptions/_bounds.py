"""How large an event of a subscription may be."""

from __future__ import annotations

from typing import Final

#: Bytes of one event, at the most: no server sends more on purpose.
LARGEST_EVENT: Final = 64 * 1024 * 1024


class TooLargeError(Exception):
    """An event is larger than `LARGEST_EVENT`."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__(f"an event is larger than {LARGEST_EVENT // 1024 // 1024} MiB")


class Bounded:
    """Bytes that come in pieces, as many as an event may have."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        """Begin with none."""
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            TooLargeError: when they are too many.

        """
        self._size += len(piece)
        if self._size > LARGEST_EVENT:
            raise TooLargeError
        self._pieces.append(piece)

    def taken(self) -> bytes:
        """Return all, and begin again with none."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        return b"".join(pieces)
