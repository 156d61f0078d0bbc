"""The events that gqlauth logs.

The library configures no logging. Its events go through a structlog logger of its own, which
wraps the stdlib logger ``gqlauth`` and never looks at structlog's global configuration: the
default of that prints to standard output, unredacted. Where nobody listens, an event costs one
question to the stdlib logger, and structlog is not imported.

A record's message reads ``token fetched endpoint=orders elapsed=0.12``; its attribute ``gqlauth``
is the event as a mapping.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from gqlauth._redact import escape_control, redact_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

_LOGGER: Final = logging.getLogger("gqlauth")
# Where an application configures no logging, the stdlib would print our warnings all the same.
_LOGGER.addHandler(logging.NullHandler())
# From the stdlib logger to the caller: `Events.emit`, `_emit`, and one of the functions below.
_FRAMES: Final = 4


def debugging() -> bool:
    """Tell whether somebody listens to what `debug` logs: for what is dear to put together."""
    return _LOGGER.isEnabledFor(logging.DEBUG)


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
