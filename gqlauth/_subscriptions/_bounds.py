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

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        """Begin with none."""
        # Not a list of the pieces: each takes dozens of bytes more, and there may be millions.
        self._bytes = bytearray()

    def add(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            TooLargeError: when they are too many.

        """
        if len(self._bytes) + len(piece) > LARGEST_EVENT:
            raise TooLargeError
        self._bytes += piece

    def taken(self) -> bytes:
        """Return all, and begin again with none."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken
