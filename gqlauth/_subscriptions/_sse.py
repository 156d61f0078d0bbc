"""Server-sent events (WHATWG HTML, section 9.2), as they come in pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._subscriptions._bounds import Bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@attrs.frozen
class Event:
    """One event: its type, empty where it has none, and its data."""

    kind: str
    data: bytes = attrs.field(repr=False)


class EventStream:
    """Reads events out of a stream."""

    def __init__(self) -> None:
        """Begin at its beginning."""
        self._line = Bounded()
        self._data = Bounded()
        self._kind = b""
        self._has_data = False
        self._is_first_line = True
        self._after_return = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that are complete with another `piece` of the stream.

        Raises:
            TooLargeError: when one is larger than any should be.

        """
        if self._after_return and piece:
            piece = piece.removeprefix(b"\n")  # which is of the line end before
            self._after_return = False
        *ended, rest = _LINE_END.split(piece)
        self._after_return = self._after_return or piece.endswith(b"\r")
        for part in ended:
            self._line.add(part)
            event = self._take(self._line.taken())
            if event is not None:
                yield event
        self._line.add(rest)

    def _take(self, line: bytes) -> Event | None:
        """Take a line; return the event that it ends."""
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._ended()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._kind = value
        elif name == b"data":
            self._data.add(b"\n" + value if self._has_data else value)
            self._has_data = True
        return None

    def _ended(self) -> Event | None:
        kind, data = self._kind.decode("utf-8", "replace"), self._data.taken()
        is_event = self._has_data or bool(kind)
        self._kind, self._has_data = b"", False
        return Event(kind, data) if is_event else None
