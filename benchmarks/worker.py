"""Workers of a fleet, some hundred in one process: each has a service, and connections, of its own.

The process is told what to do by lines of JSON, and answers each by one. It is started by
`benchmarks.fleet`, and ends when nobody tells it anything any more.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import anyio

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks.ours import URL
from benchmarks.peers import CLIENT_ID
from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import CacheOptions
from gqlauth._secret_sources import EnvSource
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

#: The variable that the secret of all workers stands in.
SECRET: Final = "ORDERS_CLIENT_SECRET"


def service_over(redis: str, token_urls: Sequence[str]) -> AuthService:
    """Return a worker's service: an endpoint for each token URL, called by its place in there."""
    endpoints = {}
    for number, token_url in enumerate(token_urls):
        strategy = ClientCredentials(
            token_url=token_url,
            client_id=CLIENT_ID,
            client_secret=Secret.from_source(EnvSource(SECRET)),
        )
        auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
        endpoints[str(number)] = Endpoint(name=str(number), url=URL, auth=auth)
    return AuthService(Config(endpoints=endpoints, cache=CacheOptions(store=redis)))


class Misses(logging.Handler):
    """Counts what the store could not do: each is a warning, and none an error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - as `Handler`
        """Count one more."""
        self.count += 1


class Workers:
    """The workers of this process."""

    def __init__(self, services: Sequence[AuthService], random: Random) -> None:
        self._services = services
        self._misses = Misses()
        logging.getLogger("gqlauth").addHandler(self._misses)
        self._random = random
        self._seconds: list[float] = []
        self._failed = 0

    async def work(self, *, keys: int, seconds: float, begin: float, pause: float) -> None:
        """Let each ask for a token of some key, over and over.

        Args:
            keys: of how many it is one: the first ones.
            seconds: how long.
            begin: within how many seconds they begin, one after another.
            pause: seconds between two questions of one worker, on the average.

        """
        until = anyio.current_time() + seconds
        async with anyio.create_task_group() as tasks:
            for service in self._services:
                first = anyio.current_time() + self._random.uniform(0, begin)
                tasks.start_soon(self._work, service, keys, first, until, pause)

    async def _work(
        self, service: AuthService, keys: int, at: float, until: float, pause: float
    ) -> None:
        while at < until:
            await anyio.sleep_until(at)
            await self._ask(service, str(self._random.randrange(keys)))
            at = anyio.current_time() + self._random.expovariate(1 / pause)

    async def all_ask(self, *, key: int, workers: int) -> None:
        """Let so many of them ask for a token of one key, at once."""
        async with anyio.create_task_group() as tasks:
            for service in self._services[:workers]:
                tasks.start_soon(self._ask, service, str(key))

    async def _ask(self, service: AuthService, name: str) -> None:
        start = perf_counter()
        try:
            await service.token(name)
        except Exception:  # noqa: BLE001 - counted, whatever it is
            self._failed += 1
        self._seconds.append(perf_counter() - start)

    def found(self) -> dict[str, Any]:
        """Return the seconds of each call since this was last asked, and what went wrong."""
        found = {"seconds": self._seconds, "failed": self._failed, "misses": self._misses.count}
        self._seconds, self._failed, self._misses.count = [], 0, 0
        return found


async def _main(redis: str, token_urls: Sequence[str], workers: int, seed: int) -> None:
    async with AsyncExitStack() as stack:
        services = [service_over(redis, token_urls) for _ in range(workers)]
        for service in services:
            await stack.enter_async_context(service)
        all_of_them = Workers(services, Random(seed))
        todo: dict[str, Callable[..., Awaitable[None]]] = {
            "work": all_of_them.work,
            "all_ask": all_of_them.all_ask,
        }
        print(json.dumps("ready"), flush=True)
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            name, arguments = json.loads(line)
            await todo[name](**arguments)
            print(json.dumps(all_of_them.found()), flush=True)


if __name__ == "__main__":
    anyio.run(_main, *json.loads(sys.stdin.readline()))
