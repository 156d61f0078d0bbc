"""What redaction costs: an event of each level, with few values alive and with many."""

from __future__ import annotations

import secrets
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measure import duration, in_turns
from benchmarks.table import Column, Goal, Table
from gqlauth import Secret, Token, redact_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer

#: Tokens that are alive where there are many.
MANY: Final = 10_000
#: Seconds that redaction of a debug event may take.
GOAL: Final = 50e-6

_INFO: Final = {"event": "token fetched", "endpoint": "orders", "expires_in": 3600, "elapsed": 0.1}
_DEBUG: Final[Mapping[str, Any]] = {
    "event": "token answer",
    "url": "https://id.example.com/oauth2/token",
    "status": 200,
    "elapsed": 0.123,
    "headers": {
        "date": "Tue, 24 Nov 2026 09:30:00 GMT",
        "content-type": "application/json; charset=utf-8",
        "content-length": "173",
        "cache-control": "no-store",
        "x-request-id": "8f14e45f-ceea-467f-a8d5-0123456789ab",
        "set-cookie": "session=abcdef; Path=/; HttpOnly",
    },
    "snippet": '{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}',
}
_FEW_ALIVE: Final = "a debug event, 6 values alive"


async def redaction(_: TokenServer, *, quick: bool) -> list[Table]:
    """Measure what it takes to redact an event."""
    times = 100 if quick else 2_000
    rounds = 1 if quick else 7
    alive: list[object] = [Secret(secrets.token_urlsafe(32)) for _ in range(3)]
    alive += [Token(secrets.token_urlsafe(32)) for _ in range(3)]
    few: dict[str, Subject] = {
        "an info event, 6 values alive": partial(_redacted, _INFO, times),
        _FEW_ALIVE: partial(_redacted, _DEBUG, times),
    }
    rows = await in_turns(few, rounds)
    alive += [Token(secrets.token_urlsafe(32)) for _ in range(MANY)]
    redact_secrets(None, "", dict(_DEBUG))  # that they are new is told once
    many: dict[str, Subject] = {
        f"a debug event, {MANY:,} values alive": partial(_redacted, _DEBUG, times)
    }
    rows |= await in_turns(many, rounds)
    return [
        Table(
            f"Redaction of an event (medians of {rounds} rounds of {times:,})",
            (Column("each", "an event", duration),),
            rows,
            (Goal("redaction of a typical debug event", rows[_FEW_ALIVE]["each"], GOAL, duration),),
        )
    ]


async def _redacted(event: Mapping[str, Any], times: int) -> Figures:
    taken: list[float] = []
    for _ in range(times):
        copy = dict(event)
        started = time.perf_counter()
        redact_secrets(None, "", copy)
        taken.append(time.perf_counter() - started)
    return {"each": median(taken)}
