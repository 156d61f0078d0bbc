"""No event tells a secret, whatever the servers echo; nor does the log of a failing callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gqlauth import AuthService, GqlAuthError, Secret, events
from gqlauth.events import Event, TokenFound
from gqlauth.integrations.otel import telemetry
from gqlauth_strategies import ClientCredentials
from tests.leaks.canaries import ACCESS_TOKEN, CLIENT_SECRET, HEADER_KEY, PARAMETER, Search
from tests.leaks.listening import listening
from tests.leaks.showing import leaks_of
from tests.leaks.test_objects import gives

if TYPE_CHECKING:
    from gqlauth.events import OnEvent

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
SEARCH = Search()
STRATEGY = ClientCredentials(
    token_url=f"https://id.example.com/token?key={quote(PARAMETER.text)}",
    client_id="orders-cli",
    client_secret=Secret(CLIENT_SECRET.text),
    headers={"X-Key": Secret(HEADER_KEY.text)},
)


async def live(on_event: OnEvent) -> None:
    """Get a token, use it, have it refused, get none, and be denied one."""
    api = httpx.MockTransport(
        lambda request: httpx.Response(401, text=request.headers["authorization"])
    )
    async with AuthService(token_transport=gives(ACCESS_TOKEN.text), on_event=on_event) as service:
        auth = service.auth_for(STRATEGY, url=API, name="orders")
        async with httpx.AsyncClient(auth=auth, transport=api) as client:
            flow = auth.async_auth_flow(httpx.Request("POST", API))
            for _ in range(2):  # the second is served
                await anext(flow)
                await flow.aclose()
                flow = auth.async_auth_flow(httpx.Request("POST", API))
            for _ in range(2):
                with pytest.raises(GqlAuthError):
                    await client.post(API, json={"query": "{ me }"})


async def test_no_event_tells_a_secret() -> None:
    """Whatever shows it."""
    told: list[Event] = []
    await live(told.append)
    seen = {type(one) for one in told}
    every: set[Any] = {
        one for one in vars(events).values() if isinstance(one, type) and issubclass(one, Event)
    }

    assert {str(one): found for one in told if (found := leaks_of(one, SEARCH))} == {}
    # One that is found is told as one that is fetched.
    assert every - seen == {Event, TokenFound}


async def test_a_callback_that_fails_tells_none() -> None:
    """What it raises is redacted in the log, and raised to nobody."""

    def failing(event: Event) -> None:
        raise ValueError(f"{event} {CLIENT_SECRET.text}")

    with listening("gqlauth") as everything:
        await live(failing)

    assert "on_event failed" in everything.text
    assert SEARCH(everything.text) == set()


async def test_opentelemetry_is_told_none() -> None:
    """No span and no metric has one, nor the client's id, nor more of a URL than its host."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    on_event = telemetry(tracer_provider=tracers, meter_provider=meters)
    assert on_event is not None
    await live(on_event)
    data: Any = reader.get_metrics_data()
    told = "".join([*(span.to_json() for span in exporter.get_finished_spans()), data.to_json()])

    assert SEARCH(told) == set()
    assert STRATEGY.client_id not in told
    assert "/token" not in told
    assert "gqlauth.token.denials" in told
    assert leaks_of(on_event, SEARCH) == set()
    meters.shutdown()
