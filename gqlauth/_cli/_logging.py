"""How the command line shows what is logged: on standard error, redacted, by the number of -v."""

from __future__ import annotations

import json
import logging
import math
from typing import Final, Literal, TextIO

from gqlauth._log_filter import RedactingFilter
from gqlauth._redact import escape_control

_OURS: Final = logging.getLogger("gqlauth")
# They print requests, and answers' headers.
_HTTP: Final = tuple(
    logging.getLogger(name) for name in ("httpx", "httpcore", "httpx2", "httpcore2")
)
# What is shown, by the number of -v.
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)


def configure_logging(
    verbosity: int, log_format: Literal["console", "json"], stream: TextIO
) -> None:
    """Show what is logged on `stream`, redacted.

    With 0, warnings; with 1, which file is used and what happens to tokens; with 2, each token
    request and its answer, and each request as httpx tells it; from 3 on all that httpx and
    httpcore log. ``json`` is one object a line. A second call replaces the first.
    """
    handler = _Handler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _ConsoleFormatter())
    # What is said of HTTP comes one step later than what gqlauth itself has to say.
    shown = {_OURS: verbosity, **dict.fromkeys(_HTTP, verbosity - 1)}
    for logger, step in shown.items():
        for old in [old for old in logger.handlers if isinstance(old, _Handler)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.setLevel(_LEVELS[min(max(step, 0), len(_LEVELS) - 1)])


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to standard error; whoever closed that does not want to hear of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the stdlib's name
        pass


def _lines(record: logging.LogRecord) -> list[str]:
    """Return the lines that stand below the message of a redacted record."""
    return [
        escape_control(line)
        for text in (record.exc_text, record.stack_info)
        if text
        for line in text.splitlines()
    ]


class _ConsoleFormatter(logging.Formatter):
    """Writes ``gql: token fetched endpoint=orders``, for people."""

    def format(self, record: logging.LogRecord) -> str:
        who = "gql" if record.name.startswith("gqlauth") else record.name
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return "\n".join([f"{who}: {level}{escape_control(record.getMessage())}", *_lines(record)])


class _JsonFormatter(logging.Formatter):
    """Writes one JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {"event": record.getMessage(), **getattr(record, "gqlauth", {})}
        lines = _lines(record)
        return json.dumps(
            {
                "timestamp": self.formatTime(record),
                "level": record.levelname.lower(),
                "logger": record.name,
                **{key: _finite(value) for key, value in fields.items()},
                **({"exception": "\n".join(lines)} if lines else {}),
            },
            # What renders like this has been redacted as it renders like this.
            default=str,
        )

    def formatTime(  # noqa: N802 - the stdlib's name
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 - the stdlib's signature
    ) -> str:
        """Return the time in UTC, as RFC 3339 has it."""
        from datetime import UTC, datetime  # noqa: PLC0415 - for this format only

        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _finite(value: object) -> object:
    # JSON has no NaN and no infinity.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
