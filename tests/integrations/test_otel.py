"""OpenTelemetry, by its real SDK: spans and metrics of what happens to tokens."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
)
from opentelemetry.semconv.metrics import http_metrics
from opentelemetry.semconv.schemas import Schemas

from gqlauth import AuthService, Secret, ServiceClosedError, TokenError, __version__
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth.events import Event, FetchFailed, FetchStarted, TokenAnswered, TokenDenied, TokenServed
from gqlauth.integrations.otel import telemetry
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
API = "https://api.example.com/graphql"
STRATEGY = ClientCredentials(
    token_url="https://id.example.com/acme/token?tenant=acme",
    client_id="acme",
    client_secret=Secret("s3cret-of-acme"),
)
ORDERS = {"gqlauth.endpoint": "orders"}
REQUEST = {
    "http.request.method": "POST",
    "server.address": "id.example.com",
    "server.port": 443,
}
REFUSED = '{"error": "invalid_client", "error_description": "who are you?"}'


@attrs.define
class Observed:
    """OpenTelemetry as an application sets it up, but that all stays in memory."""

    exporter: InMemorySpanExporter
    tracers: TracerProvider
    reader: InMemoryMetricReader
    meters: MeterProvider
    on_event: Any

    def service(self, *script: Any, url: str = STRATEGY.token_url or "", **how: Any) -> AuthService:
        strategy = attrs.evolve(STRATEGY, token_url=url)
        auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
        orders = Endpoint(name="orders", url=API, auth=auth)
        config = Config(endpoints={"orders": orders})
        how = {"token_transport": AuthorizationServer(*script), **how}
        return AuthService(config, on_event=self.on_event, **how)

    def spans(self) -> dict[str, list[ReadableSpan]]:
        """Return the spans that have ended, by name."""
        named: dict[str, list[ReadableSpan]] = {}
        for span in self.exporter.get_finished_spans():
            named.setdefault(span.name, []).append(span)
        return named

    def points(self, name: str) -> list[Any]:
        """Return what is measured now under a name."""
        data: Any = self.reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else [])
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def counts(self, name: str) -> list[tuple[dict[str, Any], int]]:
        return [(dict(point.attributes), point.value) for point in self.points(name)]

    def durations(self, name: str) -> list[tuple[dict[str, Any], int]]:
        return [(dict(point.attributes), point.count) for point in self.points(name)]


@pytest.fixture
def observed() -> Iterator[Observed]:
    """Set it up."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = (
        TracerProvider(shutdown_on_exit=False),
        MeterProvider([reader], shutdown_on_exit=False),
    )
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    on_event = telemetry(tracer_provider=tracers, meter_provider=meters)
    yield Observed(exporter, tracers, reader, meters, on_event)
    tracers.shutdown()
    meters.shutdown()


class TestSpans:
    async def test_of_an_acquisition(self, observed: Observed) -> None:
        """An acquisition is a span, and its request one within."""
        async with observed.service() as service:
            await service.token("orders")

        spans = observed.spans()
        (whole,), (request,) = spans["gqlauth fetch token"], spans["POST"]
        assert (whole.kind, request.kind) == (trace.SpanKind.INTERNAL, trace.SpanKind.CLIENT)
        assert dict(whole.attributes or {}) == ORDERS | {
            "gqlauth.cache": "empty",
            "gqlauth.found": False,
            "gqlauth.strategy": "ClientCredentials",
        }
        assert dict(request.attributes or {}) == ORDERS | REQUEST | {
            "http.response.status_code": 200
        }
        assert request.parent == whole.context
        assert {whole.status.status_code, request.status.status_code} == {trace.StatusCode.UNSET}

    async def test_within_the_span_that_needs_the_token(self, observed: Observed) -> None:
        """It lies within the span of the caller who needs it, which is the current one again."""
        tracer = observed.tracers.get_tracer("application")
        async with observed.service() as service:
            with tracer.start_as_current_span("work") as work:
                await service.token("orders")
                assert trace.get_current_span() is work

        (whole,) = observed.spans()["gqlauth fetch token"]
        assert whole.parent == work.get_span_context()

    async def test_holds_what_the_transport_does(self, observed: Observed) -> None:
        """What instruments httpx finds the span of the request as the current one."""
        found = []

        def respond(_: httpx.Request) -> httpx.Response:
            found.append(trace.get_current_span().get_span_context())
            return answer(200, '{"access_token": "x", "expires_in": 60}')

        async with observed.service(token_transport=httpx.MockTransport(respond)) as service:
            await service.token("orders")

        assert found == [span.context for span in observed.spans()["POST"]]

    async def test_of_each_try(self, observed: Observed) -> None:
        """Each try is a span, and tells which it was, and what went wrong."""
        broken = httpx.ReadError("broken")
        async with observed.service(answer(503), broken) as service:
            await service.token("orders")

        spans = observed.spans()
        told = [
            {name: (span.attributes or {}).get(name) for name in ("error.type", RESENT, STATUS)}
            for span in spans["POST"]
        ]
        assert told == [
            {"error.type": "503", RESENT: None, STATUS: 503},
            {"error.type": "ReadError", RESENT: 1, STATUS: None},
            {"error.type": None, RESENT: 2, STATUS: 200},
        ]
        (whole,) = spans["gqlauth fetch token"]
        assert whole.status.status_code is trace.StatusCode.UNSET

    async def test_of_a_failure(self, observed: Observed) -> None:
        """A failure is told by its kind, without a word of the server's."""
        async with observed.service(answer(401, REFUSED)) as service:
            with pytest.raises(TokenError):
                await service.token("orders")

        for span in observed.exporter.get_finished_spans():
            assert (span.attributes or {})["error.type"] == "invalid_client"
            assert span.status.status_code is trace.StatusCode.ERROR
            assert span.status.description is None
            assert "who are you?" not in span.to_json()

    async def test_end_with_the_service(self, observed: Observed) -> None:
        """What is under way when the service is closed has an end as well."""
        fake = AuthorizationServer()
        fake.gate = anyio.Event()

        async def ask(service: AuthService) -> None:
            with pytest.raises(ServiceClosedError):
                await service.token("orders")

        async with (
            anyio.create_task_group() as tasks,
            observed.service(token_transport=fake) as service,
        ):
            tasks.start_soon(ask, service)
            await fake.arrived.wait()

        spans = observed.spans()
        assert [len(spans[name]) for name in ("POST", "gqlauth fetch token")] == [1, 1]
        (whole,) = spans["gqlauth fetch token"]
        assert (whole.attributes or {})["error.type"] == "ServiceClosedError"

    @pytest.mark.parametrize(
        ("url", "address", "port"),
        [
            ("https://id.example.com:8443/token", "id.example.com", 8443),
            ("http://127.0.0.1/token", "127.0.0.1", 80),
            ("", "", 0),
        ],
    )
    def test_server(self, observed: Observed, url: str, address: str, port: int) -> None:
        """The server is told by host and port, as far as the URL tells them."""
        observed.on_event(
            TokenAnswered(endpoint="x", url=url, attempt=1, elapsed=1, status=None, kind="X")
        )

        ((attributes, _),) = observed.durations("http.client.request.duration")
        assert (attributes["server.address"], attributes["server.port"]) == (address, port)


RESENT = "http.request.resend_count"
STATUS = "http.response.status_code"


class TestMetrics:
    async def test_requests(self, observed: Observed) -> None:
        """Each token request counts, by the server's host and its answer."""
        async with observed.service(answer(503)) as service:
            await service.token("orders")

        assert observed.durations("http.client.request.duration") == [
            (REQUEST | {STATUS: 503, "error.type": "503"}, 1),
            (REQUEST | {STATUS: 200}, 1),
        ]

    async def test_acquisitions_and_waits(self, observed: Observed) -> None:
        """Each acquisition counts once, and so does each caller who waited for it."""
        async with observed.service() as service, anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(service.token, "orders")

        whole = {"gqlauth.cache": "empty", "gqlauth.strategy": "ClientCredentials"}
        assert observed.durations("gqlauth.token.fetch.duration") == [
            (ORDERS | whole | {"gqlauth.found": False}, 1)
        ]
        assert observed.counts("gqlauth.token.waits") == [(ORDERS, 5)]

    async def test_refreshes(self, observed: Observed) -> None:
        """A refresh counts as an acquisition while another token is there; nobody waits for it."""
        async with observed.service() as service:
            await service.token("orders")
            entry = service._cache._entries[service._sources.of("orders").key]
            entry.refresh_at = 0.0
            await service.token("orders")
            with anyio.fail_after(5):
                while len(observed.spans()["gqlauth fetch token"]) < 2:
                    await anyio.lowlevel.checkpoint()

        kinds = [one["gqlauth.cache"] for one, _ in observed.durations(FETCHES)]
        assert kinds == ["empty", "refresh due"]
        assert observed.counts("gqlauth.token.waits") == [(ORDERS, 1)]

    async def test_hits(self, observed: Observed) -> None:
        """Each caller who got the token at hand counts."""
        async with observed.service() as service:
            for _ in range(4):
                await service.token("orders")

        assert observed.counts("gqlauth.token.hits") == [(ORDERS, 3)]

    async def test_failures(self, observed: Observed) -> None:
        """A failure counts by its kind; so do those who waited, and those who came after it."""
        async with observed.service(answer(401, REFUSED)) as service:
            for _ in range(3):
                with pytest.raises(TokenError):
                    await service.token("orders")

        kind = {"error.type": "invalid_client"}
        whole = {"gqlauth.cache": "empty", "gqlauth.strategy": "ClientCredentials"}
        assert observed.durations(FETCHES) == [(ORDERS | whole | kind, 1)]
        assert observed.counts("gqlauth.token.waits") == [(ORDERS | kind, 1)]
        assert observed.counts("gqlauth.token.denials") == [(ORDERS | kind, 2)]

    async def test_rejections(self, observed: Observed) -> None:
        """Each token that the API refuses counts, by whether another takes its place."""
        api = httpx.MockTransport(lambda _: httpx.Response(401))
        async with observed.service() as service, service.client("orders", transport=api) as client:
            await client.post(API, json={"query": "{ me }"})

        assert observed.counts("gqlauth.token.rejections") == [
            (ORDERS | {"gqlauth.replaced": True}, 1),
            (ORDERS | {"gqlauth.replaced": False}, 1),
        ]

    async def test_time_to_expiry(
        self, observed: Observed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told how long the last token lives; of one that has ended, nothing is."""
        async with observed.service() as service:
            token = await service.token("orders")

        end = token.expires_at or 0.0
        monkeypatch.setattr("time.time", lambda: end - 100)
        ((attributes, left),) = observed.counts("gqlauth.token.time_to_expiry")
        assert attributes == ORDERS
        assert left == pytest.approx(100)
        monkeypatch.setattr("time.time", lambda: end)
        assert observed.counts("gqlauth.token.time_to_expiry") == []

    def test_what_is_not_known(self, observed: Observed) -> None:
        """An event that says nothing to OpenTelemetry is passed over."""
        observed.on_event(Event(endpoint="orders"))

        assert observed.reader.get_metrics_data() is None

    def test_what_comes_without_its_beginning(self, observed: Observed) -> None:
        """An end without a beginning is counted, and ends no span."""
        observed.on_event(FetchStarted(endpoint="orders", strategy="X"))
        error = ServiceClosedError("x")
        observed.on_event(
            FetchFailed(
                endpoint="orders", cache="empty", elapsed=1, waited=0, error=error, again_in=0
            )
        )

        assert len(observed.durations(FETCHES)) == 1
        assert observed.exporter.get_finished_spans() == ()


FETCHES = "gqlauth.token.fetch.duration"


class TestNames:
    async def test_are_those_of_the_conventions(self, observed: Observed) -> None:
        """What the semantic conventions have a name for is called so; all else is ours."""
        async with observed.service(answer(503)) as service:
            await service.token("orders")
            await service.token("orders")
        theirs = {
            error_attributes.ERROR_TYPE,
            http_attributes.HTTP_REQUEST_METHOD,
            http_attributes.HTTP_REQUEST_RESEND_COUNT,
            http_attributes.HTTP_RESPONSE_STATUS_CODE,
            server_attributes.SERVER_ADDRESS,
            server_attributes.SERVER_PORT,
        }
        spans = observed.exporter.get_finished_spans()
        data: Any = observed.reader.get_metrics_data()
        (scope,) = data.resource_metrics[0].scope_metrics
        names = {name for span in spans for name in span.attributes or {}}
        for metric in scope.metrics:
            names |= {name for point in metric.data.data_points for name in point.attributes}

        assert {name for name in names if not name.startswith("gqlauth.")} == theirs
        assert {one.name for one in scope.metrics if not one.name.startswith("gqlauth.")} == {
            http_metrics.HTTP_CLIENT_REQUEST_DURATION
        }
        assert scope.schema_url == Schemas.V1_23_1.value
        assert (scope.scope.name, scope.scope.version) == ("gqlauth", __version__)

    async def test_stand_on_the_page(self, observed: Observed) -> None:
        """Each span, each metric and each attribute stands on the page on observability."""
        told = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
        api = httpx.MockTransport(lambda _: httpx.Response(401))
        async with (
            observed.service(answer(503)) as service,
            service.client("orders", transport=api) as client,
        ):
            await client.post(API, json={"query": "{ me }"})
        observed.on_event(TokenServed(endpoint="x"))
        observed.on_event(TokenDenied(endpoint="x", error=ServiceClosedError("x")))
        data: Any = observed.reader.get_metrics_data()
        measured = data.resource_metrics[0].scope_metrics[0].metrics
        spans = observed.exporter.get_finished_spans()
        names = {name for span in spans for name in (span.name, *(span.attributes or {}))}
        names |= {name for one in measured for name in (one.name, one.unit)}

        assert len(measured) == 7
        assert sorted(name for name in names if f"`{name}`" not in told) == []

    def test_units(self, observed: Observed) -> None:
        """Durations are in seconds, with the buckets of the conventions; the rest are counts."""
        observed.on_event(
            TokenAnswered(endpoint="x", url="", attempt=1, elapsed=0.3, status=200, kind="")
        )
        data: Any = observed.reader.get_metrics_data()
        (metric,) = data.resource_metrics[0].scope_metrics[0].metrics

        assert metric.unit == "s"
        (point,) = metric.data.data_points
        assert list(point.explicit_bounds) == [
            *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
        ]


class TestNobody:
    def test_without_an_sdk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where no SDK is installed, and none set up, there is no callback."""
        monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

        assert telemetry() is None

    def test_with_one_that_is_to_be_set_up(self) -> None:
        """Where it is installed, it may be set up later: what is told then goes to it."""
        code = """
import gqlauth.events as events
from gqlauth.integrations.otel import telemetry
on_event = telemetry()
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
on_event(events.TokenServed(endpoint="orders"))
print(reader.get_metrics_data().to_json())
"""
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        (resource,) = json.loads(ran.stdout)["resource_metrics"]
        (metric,) = resource["scope_metrics"][0]["metrics"]

        assert (metric["name"], metric["data"]["data_points"][0]["value"]) == (
            "gqlauth.token.hits",
            1,
        )

    def test_with_an_sdk_of_somebody_elses(
        self, observed: Observed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is set up counts, whatever is installed."""
        monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)

        assert telemetry(meter_provider=observed.meters) is not None
        assert telemetry(meter_provider=metrics.NoOpMeterProvider()) is None

    def test_without_the_api(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the library, the error says what brings it."""
        monkeypatch.setitem(sys.modules, "opentelemetry", None)
        monkeypatch.delitem(sys.modules, "gqlauth.integrations.otel")

        with pytest.raises(ImportError, match=r"pip install 'gqlauth\[otel\]'$"):
            importlib.import_module("gqlauth.integrations.otel")


def test_it_imports_the_api_alone() -> None:
    """The SDK is the application's choice."""
    code = "import sys, gqlauth.integrations.otel; print('opentelemetry.sdk' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert ran.stdout == "False\n"
