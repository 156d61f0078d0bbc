"""gqlauth itself, as the benchmarks use it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import anyio

from benchmarks.peers import CLIENT_ID, CLIENT_SECRET
from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint
from gqlauth._config._model import EndpointAuthConfig
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from gqlauth._clock import Clock
    from gqlauth._http import httpx
    from gqlauth.events import OnEvent

OURS: Final = "gqlauth"
URL: Final = "https://orders.example.com/graphql"


class MovableClock:
    """The clocks of this machine, which can be put forward, so that nobody waits for an expiry."""

    __slots__ = ("_shift",)

    def __init__(self) -> None:
        self._shift = 0.0

    def forward(self, seconds: float) -> None:
        """Put both clocks forward."""
        self._shift += seconds

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._shift

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic() + self._shift

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        await anyio.sleep(seconds)


def strategy_of(token_url: str, scope: str = "orders:read") -> ClientCredentials:
    """Return what gets tokens from a token endpoint."""
    return ClientCredentials(
        token_url=token_url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        scopes=(scope,),
    )


def service_of(
    token_url: str,
    *,
    keys: int = 1,
    clock: Clock | None = None,
    token_transport: httpx.AsyncBaseTransport | None = None,
    on_event: OnEvent | None = None,
) -> AuthService:
    """Return a service whose endpoints are called ``orders0`` and so on: each has its own token."""
    endpoints = {}
    for number in range(keys):
        strategy = strategy_of(token_url, f"orders:{number}")
        auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
        name = f"orders{number}"
        endpoints[name] = Endpoint(name=name, url=URL, auth=auth)
    config = Config(endpoints=endpoints)
    return AuthService(config, clock=clock, token_transport=token_transport, on_event=on_event)
