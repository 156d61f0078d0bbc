"""A log of all that anyone says, with all that each record holds."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Everything(logging.StreamHandler[io.StringIO]):
    """Writes each record with all that it holds."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)}"


@contextmanager
def listening(name: str | None = None) -> Iterator[Everything]:
    """Log all that a logger says; by default all that anyone does, as who looks into it would."""
    logger, handler = logging.getLogger(name), Everything()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
