"""OpenTelemetry: spans and metrics of what happens to tokens; the extra ``gqlauth[otel]``.

Names are those of the semantic conventions for HTTP where they have one, and ``gqlauth.*`` else.
Attributes tell the endpoint's name, the strategy, the token endpoint's host and kinds of errors: no
secret, no token, no claim, no client id, and no text of a server's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs

from gqlauth._version import __version__
from gqlauth.events import (
    Event,
    FetchFailed,
    FetchStarted,
    TokenAnswered,
    TokenDenied,
    TokenFetched,
    TokenFound,
    TokenRejected,
    TokenRequested,
    TokenServed,
    TokenWanted,
)

try:
    from opentelemetry import context, metrics, trace
except ModuleNotFoundError as error:
    raise ImportError(
        "gqlauth.integrations.otel needs the library opentelemetry: pip install 'gqlauth[otel]'",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextvars import Token as Reset

    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
    from opentelemetry.trace import Span, TracerProvider

    from gqlauth.events import OnEvent

#: The version of the semantic conventions that the names for HTTP are taken from.
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.23.1"
#: Seconds: where the conventions part the durations of requests.
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: Where the providers are from that the API has by itself: they tell nobody.
_NOBODY: Final = ("opentelemetry.trace", "opentelemetry.metrics")
_PORTS: Final = {"https": 443, "http": 80}

_ENDPOINT: Final = "gqlauth.endpoint"
_CACHE: Final = "gqlauth.cache"
_STRATEGY: Final = "gqlauth.strategy"
_FOUND: Final = "gqlauth.found"
_ERROR: Final = "error.type"

_Attributes = dict[str, str | bool | int | float]


def telemetry(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> OnEvent | None:
    """Return what ``AuthService(on_event=…)`` takes to tell OpenTelemetry.

    That is None where it would tell nobody, as there is no SDK: none is set up, and
    ``opentelemetry.sdk`` is not installed. Such a service then costs what it does without.

    Call it once in a process, and give what it returns to each service: metrics of one name have
    one source. It may be called before the SDK is set up, if that is OpenTelemetry's own.

    Args:
        tracer_provider: where the spans go; None for the global provider.
        meter_provider: where the metrics go; None for the global provider.

    """
    tracers = tracer_provider or trace.get_tracer_provider()
    meters = meter_provider or metrics.get_meter_provider()
    nobody = all(type(one).__module__.startswith(_NOBODY) for one in (tracers, meters))
    if nobody and find_spec("opentelemetry.sdk") is None:
        return None
    return _Telemetry(tracers, meters)


@attrs.define(eq=False)
class _UnderWay:
    """A span that is the current one until it ends."""

    span: Span
    reset: Reset[Context]
    strategy: str | None = None

    @classmethod
    def begun(cls, span: Span) -> _UnderWay:
        return cls(span, context.attach(trace.set_span_in_context(span)))

    def end(self, attributes: _Attributes) -> None:
        self.span.set_attributes(attributes)
        if _ERROR in attributes:
            # Without a description: that may be text of a server's.
            self.span.set_status(trace.StatusCode.ERROR)
        self.span.end()
        context.detach(self.reset)


# What the task that an acquisition, or its request, runs in is about.
_acquisition: ContextVar[_UnderWay | None] = ContextVar("gqlauth_acquisition", default=None)
_request: ContextVar[_UnderWay | None] = ContextVar("gqlauth_request", default=None)


class _Telemetry:
    """Tells OpenTelemetry what events tell."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self._tracer = tracers.get_tracer("gqlauth", __version__, _SCHEMA)
        meter = meters.get_meter("gqlauth", __version__, _SCHEMA)
        self._requests = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )
        self._fetches = meter.create_histogram(
            "gqlauth.token.fetch.duration",
            "s",
            "How long it took to get a token, with all tries, or to fail.",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )
        self._waits = meter.create_counter(
            "gqlauth.token.waits", "{caller}", "Callers who waited for a token."
        )
        self._denials = meter.create_counter(
            "gqlauth.token.denials", "{caller}", "Callers who were told a remembered failure."
        )
        self._rejections = meter.create_counter(
            "gqlauth.token.rejections", "{rejection}", "Tokens that the API refused."
        )
        # Each request may be a hit: it is counted here, and read when somebody wants to know.
        self._hits: defaultdict[str, int] = defaultdict(int)
        self._ends: dict[str, float] = {}
        meter.create_observable_counter(
            "gqlauth.token.hits",
            [self._hits_until_now],
            "{caller}",
            "Callers who got the token at hand, without waiting.",
        )
        meter.create_observable_gauge(
            "gqlauth.token.time_to_expiry",
            [self._times_to_expiry],
            "s",
            "How long the token that came last still lives.",
        )

    def __call__(self, event: Event) -> None:
        """Tell what `event` tells."""
        match event:
            case TokenServed():
                self._hits[event.endpoint] += 1
            case TokenWanted():
                self._begin(event)
            case FetchStarted():
                under_way = _acquisition.get()
                if under_way is not None:
                    under_way.strategy = event.strategy
            case TokenRequested():
                self._send(event)
            case TokenAnswered():
                self._answered(event)
            case TokenFetched() | FetchFailed():
                self._end(event)
            case TokenDenied():
                self._denials.add(1, {_ENDPOINT: event.endpoint, _ERROR: event.kind})
            case TokenRejected():
                replaced = {"gqlauth.replaced": event.replaced}
                self._rejections.add(1, {_ENDPOINT: event.endpoint, **replaced})

    def _begin(self, event: TokenWanted) -> None:
        attributes = {_ENDPOINT: event.endpoint, _CACHE: event.cache}
        span = self._tracer.start_span("gqlauth fetch token", attributes=attributes)
        _acquisition.set(_UnderWay.begun(span))

    def _end(self, event: TokenFetched | FetchFailed) -> None:
        under_way = _acquisition.get()
        attributes: _Attributes = {_ENDPOINT: event.endpoint, _CACHE: event.cache}
        waits: _Attributes = {_ENDPOINT: event.endpoint}
        if isinstance(event, FetchFailed):
            attributes[_ERROR] = waits[_ERROR] = event.kind
        else:
            attributes[_FOUND] = isinstance(event, TokenFound)
            self._ends[event.endpoint] = event.expires_at or 0.0
        if under_way is not None and under_way.strategy is not None:
            attributes[_STRATEGY] = under_way.strategy
        self._fetches.record(event.elapsed, attributes)
        if event.waited:
            self._waits.add(event.waited, waits)
        if under_way is not None:
            _acquisition.set(None)
            under_way.end(attributes)

    def _send(self, event: TokenRequested) -> None:
        attributes: _Attributes = {_ENDPOINT: event.endpoint, **_request_attributes(event.url)}
        if event.attempt > 1:
            attributes["http.request.resend_count"] = event.attempt - 1
        span = self._tracer.start_span("POST", kind=trace.SpanKind.CLIENT, attributes=attributes)
        _request.set(_UnderWay.begun(span))

    def _answered(self, event: TokenAnswered) -> None:
        attributes: _Attributes = {}
        if event.status is not None:
            attributes["http.response.status_code"] = event.status
        if event.kind:
            attributes[_ERROR] = event.kind
        self._requests.record(event.elapsed, {**_request_attributes(event.url), **attributes})
        under_way = _request.get()
        if under_way is not None:
            _request.set(None)
            under_way.end(attributes)

    def _hits_until_now(self, _: CallbackOptions) -> Iterable[Observation]:
        for name, number in list(self._hits.items()):
            yield metrics.Observation(number, {_ENDPOINT: name})

    def _times_to_expiry(self, _: CallbackOptions) -> Iterator[Observation]:
        now = time.time()
        for name, end in list(self._ends.items()):
            if end > now:
                yield metrics.Observation(end - now, {_ENDPOINT: name})


def _request_attributes(url: str) -> _Attributes:
    """Return what a token request is told by. Not the URL: its path may tell whose it is."""
    parts = urlsplit(url)
    return {
        "http.request.method": "POST",
        "server.address": parts.hostname or "",
        "server.port": parts.port or _PORTS.get(parts.scheme, 0),
    }
