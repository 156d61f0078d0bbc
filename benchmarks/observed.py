"""What it costs to be told: a fresh token alone, by who listens to the service."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, contextmanager
from importlib.util import find_spec
from time import process_time
from typing import TYPE_CHECKING, Final

from benchmarks.measure import count, duration, in_turns, ratio
from benchmarks.ours import service_of
from benchmarks.table import Column, Goal, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Figures, Subject
    from benchmarks.token_endpoint import TokenServer
    from gqlauth import AuthService
    from gqlauth.events import Event, OnEvent

#: What a service may cost whose telemetry tells nobody, as many times one without any: measuring
#: the same thing twice gives no less.
MOST_TIMES: Final = 1.05

_NOBODY: Final = "nobody listens"
_ABSENT: Final = "OpenTelemetry, no SDK installed"
_CALLBACK: Final = "a callback that does nothing"
_IDLE: Final = "OpenTelemetry, an SDK not set up"
_SDK: Final = "OpenTelemetry, with its SDK"


async def observed(server: TokenServer, *, quick: bool) -> list[Table]:
    """Measure a fresh token alone: nobody is told, or a callback, or OpenTelemetry."""
    times = 500 if quick else 5_000
    rounds = 5 if quick else 200
    async with AsyncExitStack() as stack:
        subjects: dict[str, Subject] = {}
        for name, on_event in _listeners().items():
            service = service_of(server.run().url, on_event=on_event)
            subjects[name] = _tokens(await stack.enter_async_context(service), times)
        for subject in subjects.values():  # the token is fetched
            await subject()
        rows = await in_turns(subjects, rounds, large=False)
    for figures in rows.values():
        figures["times"] = figures["seconds"] / rows[_NOBODY]["seconds"]
    goals = [
        Goal("service.token() where no SDK is installed", rows[name]["times"], MOST_TIMES, ratio)
        for name in (_ABSENT,)
        if name in rows
    ]
    return [
        Table(
            f"Being told: a fresh token alone (medians of {rounds} rounds of {count(times)})",
            (Column("seconds", "time", duration), Column("times", "x nobody", ratio)),
            rows,
            tuple(goals),
        )
    ]


def _nothing(_: Event) -> None:
    """Do nothing."""


def _listeners() -> dict[str, OnEvent | None]:
    """Return who listens, by what the row is called; OpenTelemetry where it is installed."""
    listeners: dict[str, OnEvent | None] = {_NOBODY: None, _CALLBACK: _nothing}
    if find_spec("opentelemetry") is None:
        return listeners
    from gqlauth.integrations.otel import telemetry  # noqa: PLC0415 - where it is installed

    with _no_sdk():
        listeners[_ABSENT] = telemetry()
    if find_spec("opentelemetry.sdk") is None:
        return listeners
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - where it is installed
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    listeners[_IDLE] = telemetry()
    listeners[_SDK] = telemetry(
        tracer_provider=TracerProvider(),
        meter_provider=MeterProvider([InMemoryMetricReader()]),
    )
    return listeners


@contextmanager
def _no_sdk() -> Iterator[None]:
    """Have no SDK installed, meanwhile."""
    name = "opentelemetry.sdk"
    there = sys.modules.pop(name, None)
    # So the import system is told that there is none.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if there is not None:
            sys.modules[name] = there


def _tokens(service: AuthService, times: int) -> Subject:
    async def subject() -> Figures:
        token = service.token
        start = process_time()
        for _ in range(times):
            await token("orders0")
        return {"seconds": (process_time() - start) / times}

    return subject
