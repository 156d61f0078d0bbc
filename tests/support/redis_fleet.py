"""Services over one Redis, each of which stands for a worker of a fleet."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth import AuthService, Secret
from gqlauth._clock import SystemClock
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions, CacheOptions
from gqlauth._secret_sources import EnvSource
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: The variable that the secret of all workers stands in.
SECRET: Final = "ACME_SECRET"


class MovedClock(SystemClock):
    """The clocks of this machine, and so many seconds more."""

    __slots__ = ("ahead",)

    def __init__(self) -> None:
        self.ahead = 0.0

    def wall(self) -> float:
        return SystemClock.wall() + self.ahead

    def monotonic(self) -> float:
        return SystemClock.monotonic() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.ahead += seconds


@attrs.define
class Fleet:
    """Makes workers that ask one token endpoint, and share what they get."""

    url: str
    _stack: AsyncExitStack
    clock: MovedClock = attrs.field(factory=MovedClock)
    fake: AuthorizationServer = attrs.field(factory=AuthorizationServer)
    options: AuthOptions = attrs.field(factory=AuthOptions)

    async def worker(self, url: str | None = None, **cache: Any) -> AuthService:
        """Return one more worker, which runs."""
        service = self.idle(url, **cache)
        return await self._stack.enter_async_context(service)

    def idle(self, url: str | None = None, **cache: Any) -> AuthService:
        """Return a worker that does not run yet."""
        endpoints = {
            name: Endpoint(
                name=name,
                url=f"https://{name}.example.com/graphql",
                auth=EndpointAuthConfig(
                    type="client_credentials", strategy=strategy(name), options=self.options
                ),
            )
            for name in ("orders", "bills")
        }
        config = Config(endpoints=endpoints, cache=CacheOptions(store=url or self.url, **cache))
        return AuthService(config, clock=self.clock, token_transport=self.fake)

    @property
    def fetched(self) -> int:
        """Return how many token requests there were."""
        return len(self.fake.requests)


def strategy(client_id: str) -> ClientCredentials:
    """Return how a worker gets its tokens: the same way as all others."""
    return ClientCredentials(
        token_url="https://id.example.com/token",
        client_id=client_id,
        client_secret=Secret.from_source(EnvSource(SECRET)),
    )


@asynccontextmanager
async def running_fleet(url: str) -> AsyncIterator[Fleet]:
    """Give what makes workers over a Redis, until the end of the block."""
    async with AsyncExitStack() as stack:
        yield Fleet(url, stack)


async def text(service: AuthService, name: str = "orders", **how: Any) -> str:
    """Return the text of the token that a worker gets."""
    return (await service.token(name, **how)).reveal()
