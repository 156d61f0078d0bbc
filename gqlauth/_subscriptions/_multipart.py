"""Multipart bodies (RFC 2046, section 5.1.1) whose parts are JSON, as they come in pieces."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from gqlauth._subscriptions._bounds import LARGEST_EVENT, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOUNDARY: Final = re.compile(
    r';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE
)
#: Where the server names none, as incremental delivery over HTTP has it.
_DEFAULT_BOUNDARY: Final = "-"
# The empty line that ends the headers of a part.
_EMPTY_LINE: Final = re.compile(rb"(?:\A|\n)\r?\n")
# The longest that comes before and behind the boundary itself, in a delimiter.
_AROUND: Final = 8


class Parts:
    """Reads the parts of a body."""

    def __init__(self, content_type: str) -> None:
        """Begin at the beginning of a body of that type."""
        found = _BOUNDARY.search(content_type)
        boundary = _DEFAULT_BOUNDARY
        if found is not None:
            boundary = found[2] or re.sub(r"\\(.)", r"\1", found[1])
        self._boundary = boundary.encode("latin-1", "replace")
        delimiter = re.escape(self._boundary)
        self._delimiter = re.compile(rb"(?:\A|\r?\n)--" + delimiter + rb"(--|[ \t]*\r?\n)")
        # The end of a JSON object, and maybe of the part: the line of its delimiter is open yet.
        self._end = re.compile(rb"\}\s*(?:\n--" + delimiter + rb"\s*)?\Z")
        self._buffer = bytearray()
        # Up to where neither the headers nor the part end, and where its own text begins.
        self._searched = 0
        self._body: int | None = None
        self._in_part = False
        # Whether that text was handed on already.
        self._is_told = False
        #: Whether the last part has ended.
        self.is_complete = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the texts of the parts that are complete with another `piece` of the body.

        A part whose text is a whole JSON object is complete, though its end is not there, or not
        all of it: some servers send that only with the next part.

        Raises:
            TooLargeError: when one is larger than any should be.

        """
        self._buffer += piece
        if len(self._buffer) > LARGEST_EVENT:
            raise TooLargeError
        while not self.is_complete:
            if self._in_part and self._body is None:
                headers = _EMPTY_LINE.search(self._buffer, self._searched)
                if headers is None:
                    self._searched = max(0, len(self._buffer) - 2)
                    break
                # The line end of an empty part is the delimiter's, too.
                self._body, self._searched = headers.end(), headers.end() - 1
            found = self._delimiter.search(self._buffer, self._searched)
            if found is None:
                known = len(self._buffer) - len(self._boundary) - _AROUND
                self._searched = max(self._searched, known)
                break
            if self._in_part and not self._is_told:
                yield bytes(self._buffer[self._body : found.start()])
            self.is_complete = found[1] == b"--"
            del self._buffer[: found.end()]
            self._in_part, self._is_told, self._body, self._searched = True, False, None, 0
        if self._body is not None and not self._is_told:
            last = max(self._body, len(self._buffer) - len(self._boundary) - 2 * _AROUND)
            end = self._end.search(self._buffer, last)
            text = b"" if end is None else bytes(self._buffer[self._body : end.start() + 1])
            if text and _is_object(text):
                self._is_told = True
                yield text


def _is_object(text: bytes) -> bool:
    """Tell whether a text is a whole JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
