"""The events that gqlauth logs.

The library configures no logging. Its events go through a structlog logger of its own, which
wraps the stdlib logger ``gqlauth`` and never looks at structlog's global configuration: the
default of that prints to standard output, unredacted. Where nobody listens, an event costs one
question to the stdlib logger, and structlog is not imported.

A record's message reads ``token fetched endpoint=orders elapsed=0.12``; its attribute ``gqlauth``
is the event as a mapping.
"""

from __future__ import annotations

import json
import logging
import math
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from gqlauth._redact import escape_control, redact_secrets, redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

_LOGGER: Final = logging.getLogger("gqlauth")
# Where an application configures no logging, the stdlib would print our warnings all the same.
_LOGGER.addHandler(logging.NullHandler())
# Of those that the command line shows from -vv on: they print requests, and answers' headers.
_HTTP_LOGGERS: Final = tuple(logging.getLogger(name) for name in ("httpx", "httpcore"))
# What the command line shows, by the number of its -v.
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)

# From the stdlib logger to the caller: `Events.emit`, `_emit`, and one of the functions below.
_FRAMES: Final = 4


def log(level: int, event: str, /, **fields: object) -> None:
    """Log `event` with its `fields` at a `level` of the stdlib's."""
    if _LOGGER.isEnabledFor(level):
        _emit(level, event, fields)


def debug(event: str, /, **fields: object) -> None:
    """Log what shows how the work is done: each request, each decision."""
    if _LOGGER.isEnabledFor(logging.DEBUG):
        _emit(logging.DEBUG, event, fields)


def info(event: str, /, **fields: object) -> None:
    """Log what happens to tokens: fetched, refreshed, refused."""
    if _LOGGER.isEnabledFor(logging.INFO):
        _emit(logging.INFO, event, fields)


def warning(event: str, /, **fields: object) -> None:
    """Log what somebody should look at, though it works."""
    if _LOGGER.isEnabledFor(logging.WARNING):
        _emit(logging.WARNING, event, fields)


def _emit(level: int, event: str, fields: Mapping[str, object]) -> None:
    _structured().emit(level, event, fields)


@cache
def _structured() -> Any:  # noqa: ANN401 - a class that is made in here
    import structlog  # noqa: PLC0415 - nobody pays for it who does not listen

    class Events(structlog.BoundLoggerBase):
        """Passes events on to the stdlib, at whatever level."""

        def emit(self, level: int, event: str, fields: Mapping[str, object]) -> None:
            args, kwargs = self._process_event("log", event, dict(fields))
            self._logger.log(level, *args, **kwargs)

    return Events(_LOGGER, [redact_secrets, _render], {})


def _render(
    _logger: object, _name: str, event_dict: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    """Give what the stdlib logger is called with: the last of the processors."""
    event = dict(event_dict)
    text = " ".join(
        [event["event"], *(f"{key}={_shown(event[key])}" for key in event if key != "event")]
    )
    return (text,), {"extra": {"gqlauth": event}, "stacklevel": _FRAMES}


def _shown(value: object) -> str:
    text = escape_control(str(value))
    plain = text and not any(character in ' "=' for character in text)
    return text if plain else '"' + text.replace('"', r"\"") + '"'


class RedactingFilter(logging.Filter):
    """Redacts the message, the traceback and the fields of each record that passes.

    It lets everything pass, and changes the record itself: handlers that come later see it
    redacted too.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact `record`, and let it pass."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a log call must not fail, nor show what it cannot read
            message = "(a log record whose message and arguments do not fit)"
        record.msg = redact_text(message)
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact_text(record.exc_text)
        if record.stack_info:
            record.stack_info = redact_text(record.stack_info)
        return True


def configure_for_cli(
    verbosity: int, log_format: Literal["console", "json"], stream: TextIO
) -> None:
    """Show what is logged on `stream`, redacted: for the command line only.

    With 0, warnings; with 1, what happens to tokens; with 2, each decision, and each request as
    httpx tells it; from 3 on all that httpx and httpcore log. ``json`` is one object a line. A
    second call replaces the first.
    """
    handler = _CliHandler(stream)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _ConsoleFormatter())
    # What is said of HTTP comes one step later than what gqlauth itself has to say.
    shown = {_LOGGER: verbosity, **dict.fromkeys(_HTTP_LOGGERS, verbosity - 1)}
    for logger, step in shown.items():
        for old in [old for old in logger.handlers if isinstance(old, _CliHandler)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.setLevel(_LEVELS[min(max(step, 0), len(_LEVELS) - 1)])


class _CliHandler(logging.StreamHandler[TextIO]):
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
