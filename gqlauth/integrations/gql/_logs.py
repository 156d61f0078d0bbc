"""What gql logs, redacted: at DEBUG it prints what is sent and received."""

from __future__ import annotations

import logging
from typing import Final

from gqlauth._log_filter import RedactingFilter

#: The loggers of gql's client, and of the transports that take part.
LOGGERS: Final = (
    "gql.client",
    "gql.transport.aiohttp",
    "gql.transport.appsync",
    "gql.transport.common.adapters.aiohttp",
    "gql.transport.common.adapters.websockets",
    "gql.transport.common.base",
    "gql.transport.httpx",
    "gql.transport.websockets",
)

# One for all, so that a logger has it once.
_FILTER: Final = RedactingFilter()


def redact_logs() -> None:
    """Redact what gql logs from now on, whichever handlers there are."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
