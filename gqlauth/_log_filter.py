"""The filter by which an application redacts what it logs, and what its libraries log."""

from __future__ import annotations

import logging
from typing import Final

from gqlauth._redact import redact, redact_text, traceback_text

# What every record has; the rest came as ``extra``, or from other filters.
_OWN: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_UNREADABLE: Final = "(a log record whose message and arguments do not fit)"


class RedactingFilter(logging.Filter):
    """A filter for the handlers of the stdlib's logging: it redacts each record that passes.

    It masks what `redact_secrets` masks: in the message with its arguments, the traceback, the
    stack, and what came as ``extra``. The message then has its arguments in it, and the traceback
    is text (``exc_text``): the exception itself, which others might print, is taken off, as
    `logging.handlers.QueueHandler` does.

    It lets every record pass, and never raises. It changes the record, so that handlers which
    come later see it redacted, too. Put it on handlers: on a logger, the records of the loggers
    below would not come by.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact `record`, and let it pass."""
        # A mapping may be the event of a structlog that formats by the stdlib: it stays one.
        if isinstance(record.msg, str) or record.args:
            try:
                record.msg = record.getMessage()
            except Exception:  # noqa: BLE001 - a log call must not fail, nor show what cannot be read
                record.msg = _UNREADABLE
            record.args = None
        record.msg = redact(record.msg)
        if record.exc_info:
            record.exc_text = record.exc_text or traceback_text(record.exc_info)
            record.exc_info = None
        for name in ("exc_text", "stack_info", "message"):
            text = getattr(record, name, None)
            if isinstance(text, str):
                setattr(record, name, redact_text(text))
        for name in record.__dict__.keys() - _OWN:
            record.__dict__[redact(name)] = redact(record.__dict__.pop(name), name=name)
        return True
