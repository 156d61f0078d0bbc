"""Workers of a fleet over one Redis: one fetches, one refreshes, and one that dies is in no way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import pytest

from gqlauth._stores._redis import HOLD
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from tests.support.http_server import http_server, json_answer
from tests.support.redis_fleet import SECRET, Fleet, text
from tests.support.slow_tokens import SlowTokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth import AuthService
    from tests.support.redis_server import RedisServer

#: Seconds that any of this may take, on a machine that does other things, too.
LIMIT: Final = 120.0
WORKERS: Final = 20


async def all_texts(workers: list[AuthService], *, refresh: bool = False) -> list[str]:
    """Return what each of the workers gets, as they ask at once."""
    texts: list[str] = []

    async def ask(worker: AuthService) -> None:
        texts.append(await text(worker, refresh=refresh))

    async with anyio.create_task_group() as tasks:
        for worker in workers:
            tasks.start_soon(ask, worker)
    return texts


@pytest.mark.anyio
@pytest.mark.usefixtures("coredis_leftovers")
@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
class TestInOneProcess:
    async def test_one_fetches_for_all(self, fleet: Fleet) -> None:
        """Who begin at the same time."""
        workers = [await fleet.worker() for _ in range(WORKERS)]
        assert await all_texts(workers) == ["token-1"] * WORKERS
        assert fleet.fetched == 1

    async def test_one_fetches_for_who_waits(self, fleet: Fleet, redis: RedisServer) -> None:
        """They are told when it is there, and poll nothing."""
        redis.ask("CONFIG", "RESETSTAT")
        fleet.fake.gate = anyio.Event()
        workers = [await fleet.worker() for _ in range(WORKERS)]
        texts: list[str] = []

        async def ask() -> None:
            texts.extend(await all_texts(workers))

        with anyio.fail_after(LIMIT):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                # Who waits has asked once, has begun to listen, and has asked once more.
                while turns(redis) < 2 * WORKERS - 1:  # noqa: ASYNC110 - nobody tells of it
                    await anyio.sleep(0.01)
                before = turns(redis)
                await anyio.sleep(0.5)
                # On a machine that stands still, a few may look after the lock.
                assert turns(redis) - before < WORKERS
                fleet.fake.gate.set()
        assert texts == ["token-1"] * WORKERS
        assert fleet.fetched == 1

    async def test_one_refreshes_and_the_others_keep_the_good_one(
        self, fleet: Fleet, redis: RedisServer
    ) -> None:
        """Until they are told of the new one: nobody waits."""
        workers = [await fleet.worker() for _ in range(WORKERS)]
        await all_texts(workers)
        fleet.clock.advance(3400)
        fleet.fake.gate = anyio.Event()
        assert await all_texts(workers) == ["token-1"] * WORKERS
        with anyio.fail_after(LIMIT):
            while redis.listeners() < WORKERS - 1:  # noqa: ASYNC110 - nobody tells of it
                await anyio.sleep(0.01)
            assert await all_texts(workers) == ["token-1"] * WORKERS
            fleet.fake.gate.set()
            while await all_texts(workers) != ["token-2"] * WORKERS:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.01)
        assert fleet.fetched == 2

    async def test_a_renewal_is_one_for_all(self, fleet: Fleet) -> None:
        """Who want a new one at the same time share it."""
        workers = [await fleet.worker() for _ in range(WORKERS)]
        await all_texts(workers)
        fleet.clock.advance(1)
        assert await all_texts(workers, refresh=True) == ["token-2"] * WORKERS
        assert fleet.fetched == 2

    async def test_a_refused_token_is_gone_for_all(self, fleet: Fleet, redis: RedisServer) -> None:
        """Who comes later does not send it again."""
        service = fleet.idle()
        async with service:
            source = service._sources.of("orders")
            source.refused(await service.token("orders"), "401")
        assert redis.keys() == []
        assert await text(await fleet.worker()) == "token-2"

    async def test_it_is_cleared_for_all(self, fleet: Fleet) -> None:
        """By whoever has the key, be it running or not."""
        await text(await fleet.worker())
        assert await fleet.idle().clear("orders") == 1
        assert await fleet.idle().clear("orders") == 0
        assert await text(await fleet.worker()) == "token-2"

    async def test_the_status_asks_no_network(self, fleet: Fleet, redis: RedisServer) -> None:
        """It says where tokens are, and what it has itself."""
        await text(await fleet.worker())
        service = fleet.idle()
        before = asked(redis)
        await service.recall()
        (status,) = service.status("orders")
        assert (status.state, status.store) == ("empty", "redis")
        assert status.store_detail == f"{redis.url}, key from env {VARIABLE}"
        assert asked(redis) == before


def asked(redis: RedisServer) -> int:
    """Return how much a Redis was asked by anybody but the tests."""
    calls = redis.calls()
    return sum(calls[name] for name in ("hget", "eval", "subscribe", "hello"))


def turns(redis: RedisServer) -> int:
    """Return how often anybody asked for a turn: who does is told the time."""
    return redis.calls()["time"]


CONFIG: Final = """\
[cache]
store = "{redis}"

[endpoints.orders]
url = "{api}"

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}"
client_id = "orders-cli"
client_secret = {{ env = "ACME_SECRET" }}
timeout = 100
"""


class TestProcesses:
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "GQLAUTH_CACHE_KEY": new_key(),
            "GQLAUTH_TRUST": "1",
            SECRET: "s3cr3t",
        }

    @contextmanager
    def commands(
        self, folder: Path, redis: RedisServer, environment: dict[str, str], tokens: SlowTokens
    ) -> Iterator[list[subprocess.Popen[str]]]:
        """Give a list of commands to come, which all end with the block."""
        with (
            http_server(tokens) as server,
            http_server(lambda _: json_answer({"data": {}})) as api,
        ):
            text = CONFIG.format(redis=redis.url, api=api.url, tokens=server.url)
            (folder / "gqlauth.toml").write_text(text)
            started: list[subprocess.Popen[str]] = []
            try:
                yield started
            finally:
                tokens.gate.set()
                for process in started:
                    process.kill()
                    process.communicate()

    @staticmethod
    def gql(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("gql")), "api", "{ me { id } }"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_several_at_once_make_one_token_request(
        self, tmp_path: Path, redis: RedisServer, environment: dict[str, str]
    ) -> None:
        """As processes of one fleet do."""
        tokens = SlowTokens()
        tokens.gate.set()
        with self.commands(tmp_path, redis, environment, tokens) as started:
            started += [self.gql(tmp_path, environment) for _ in range(4)]
            outcomes = [(*each.communicate(timeout=LIMIT), each.returncode) for each in started]
        assert {(said, code) for _, said, code in outcomes} == {("", 0)}
        assert tokens.count == 1

    def test_one_that_is_killed_delays_the_others_for_a_while(
        self, tmp_path: Path, redis: RedisServer, environment: dict[str, str]
    ) -> None:
        """Its lock ends by itself; then one fetches, for all that wait."""
        tokens = SlowTokens()
        with self.commands(tmp_path, redis, environment, tokens) as started:
            started.append(self.gql(tmp_path, environment))
            assert tokens.asked.wait(LIMIT)
            started += [self.gql(tmp_path, environment) for _ in range(2)]
            until = time.monotonic() + LIMIT
            while redis.listeners() < 1:
                assert time.monotonic() < until
                time.sleep(0.05)  # nobody tells of it
            (lock,) = redis.keys()
            started[0].send_signal(signal.SIGKILL)
            assert 0 < redis.ask("PTTL", lock) <= HOLD * 1e3
            outcomes = [(each.communicate(timeout=LIMIT), each.returncode) for each in started[1:]]
        assert {(said, code) for (_, said), code in outcomes} == {("", 0)}
        assert tokens.count == 2
