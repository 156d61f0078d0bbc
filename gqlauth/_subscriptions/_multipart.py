"""Multipart bodies (RFC 2046, section 5.1.1) whose parts are JSON, as they come in pieces."""

from __future__ import annotations

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
# What tells where a JSON object begins and ends, within a string and without.
_FIRST: Final = re.compile(rb"\S")
_IN_STRING: Final = re.compile(rb'["\\]')
_BETWEEN: Final = re.compile(rb'["{}]')
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
        self._buffer = bytearray()
        # Up to where neither the headers nor the part end, and where its own text begins.
        self._searched = 0
        self._body: int | None = None
        self._in_part = False
        # The object that the text is, and whether that was handed on already.
        self._object = _Object()
        self._is_told = False
        #: Whether the last part has ended.
        self.is_complete = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the texts of the parts that are complete with another `piece` of the body.

        A JSON object is the whole text of a part, and that is complete with it: some servers send
        the delimiter behind it only with the next part, or the end of the delimiter's line.

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
            self._object = _Object()
        if self._body is not None and not self._is_told:
            end = self._object.end(self._buffer, self._body)
            if end is not None:
                self._is_told = True
                yield bytes(self._buffer[self._body : end])


class _Object:
    """Finds where a JSON object ends, and reads nothing of it twice."""

    def __init__(self) -> None:
        self._seen = 0
        self._depth = 0
        self._in_string = False
        self._is_other = False

    def end(self, text: bytearray, begin: int) -> int | None:
        """Return where the object ends that `text` has at `begin`; None where it is not there yet.

        Each time the text may have grown. Another value than an object has no end.
        """
        at = max(self._seen, begin)
        while not self._is_other and (found := self._syntax.search(text, at)) is not None:
            at = found.end()
            match found[0]:
                case b'"' if self._depth:
                    self._in_string = not self._in_string
                case b"\\" if self._depth:
                    at += 1  # what is escaped, be it there yet or not
                case b"{":
                    self._depth += 1
                case b"}" if self._depth:
                    self._depth -= 1
                    if self._depth == 0:
                        return at
                case _:
                    self._is_other = True
        self._seen = max(at, len(text))
        return None

    @property
    def _syntax(self) -> re.Pattern[bytes]:
        if self._in_string:
            return _IN_STRING
        return _BETWEEN if self._depth else _FIRST
