"""What keeps a text from being read: what the parsers of all formats raise."""

from __future__ import annotations

import attrs


@attrs.define
class SyntaxTroubleError(Exception):
    """What keeps a text from being read, and where, from 1, as far as that is known."""

    message: str
    line: int | None = None
    column: int | None = None
