"""A Redis that is down, stands still, is slow, full or empty again: requests go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import pytest

from gqlauth._options import AuthOptions
from gqlauth._stores._guarded import LIMIT, SHORTEST_REST
from gqlauth._stores._redis_client import ANSWERING
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from tests.support.faults import tcp_proxy
from tests.support.redis_fleet import SECRET, Fleet, running_fleet, text
from tests.support.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.faults import TcpProxy
    from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("coredis_leftovers"),
    # What is told of those that are collected within a test.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

#: Seconds that a token may take to come while a Redis stands still: what that has, and as the
#: machine is busy.
LONGEST = 2 * LIMIT + 6.0


@pytest.fixture
def broken() -> Iterator[RedisServer]:
    """Run a Redis for one test, which may do with it what it likes."""
    with redis_server() as running:
        yield running


@pytest.fixture
def proxy(broken: RedisServer) -> Iterator[TcpProxy]:
    """Run a proxy before it, that breaks what passes."""
    with tcp_proxy(broken.url) as running:
        yield running


@pytest.fixture
async def fleet(broken: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    """Make workers over it."""
    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setenv(SECRET, "s3cr3t")
    async with running_fleet(broken.url) as made:
        yield made


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return why the store failed, each time that it was told."""
    told = [one for one in caplog.messages if one.startswith("token store failed")]
    return [one.partition('why="')[2].partition('" again')[0] for one in told]


async def test_down_at_start(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and looked for again after a while."""
    broken.stop()
    workers = [await fleet.worker() for _ in range(2)]
    assert [await text(worker) for worker in workers] == ["token-1", "token-2"]
    assert await text(workers[0], "bills") == "token-3"
    assert warnings(caplog) == ["it cannot be reached: Connection refused"] * 2

    broken.start()
    fleet.clock.advance(SHORTEST_REST)
    assert await text(workers[0], refresh=True) == "token-4"
    assert await text(workers[1], "bills") == "token-5"
    assert await text(await fleet.worker()) == "token-4"
    assert await text(await fleet.worker(), "bills") == "token-5"


async def test_stopped_in_the_middle(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has a token goes on with it, and who needs one fetches it."""
    worker = await fleet.worker()
    assert await text(worker) == "token-1"
    broken.stop()
    assert await text(worker) == "token-1"
    assert await text(worker, "bills") == "token-2"
    assert warnings(caplog) == ["it cannot be reached: Connection refused"]


async def test_stopped_while_somebody_waits(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It need not wait any longer for what nobody will tell."""
    fleet.fake.gate = anyio.Event()
    workers = [await fleet.worker() for _ in range(3)]
    texts: list[str] = []

    async def ask(number: int) -> None:
        texts.append(await text(workers[number]))

    with anyio.fail_after(LONGEST):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, 0)
            await fleet.fake.arrived.wait()
            for number in (1, 2):
                tasks.start_soon(ask, number)
            while broken.listeners() < 2:  # noqa: ASYNC110 - nobody tells of it
                await anyio.sleep(0.01)
            broken.stop()
            while fleet.fetched < 3:  # noqa: ASYNC110 - nobody tells of it
                await anyio.sleep(0.01)
            fleet.fake.gate.set()
    assert sorted(texts) == ["token-1", "token-2", "token-3"]
    assert set(warnings(caplog)) == {"it cannot be reached: Connection refused"}


async def test_restarted_empty(fleet: Fleet, broken: RedisServer) -> None:
    """The connections are made anew, without a word, and what is fetched is shared."""
    first, second = [await fleet.worker() for _ in range(2)]
    assert [await text(worker) for worker in (first, second)] == ["token-1"] * 2
    broken.stop()
    broken.start()
    assert broken.keys() == []
    assert await text(first) == "token-1"
    assert [await text(worker, "bills") for worker in (first, second)] == ["token-2"] * 2


async def test_one_that_stands_still(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A token takes a while longer, once; when it goes on, it is asked over new connections."""
    worker = await fleet.worker()
    assert await text(worker) == "token-1"
    broken.stand_still()
    with anyio.fail_after(LONGEST):
        assert await text(worker, "bills") == "token-2"
    with anyio.fail_after(LIMIT):
        assert await text(worker, refresh=True) == "token-3"
    assert warnings(caplog) == ["it takes too long"]

    broken.go_on()
    fleet.clock.advance(SHORTEST_REST)
    assert await text(worker, refresh=True) == "token-4"
    assert await text(await fleet.worker()) == "token-4"
    assert len(warnings(caplog)) == 1


async def test_one_that_stands_still_when_a_token_has_come(
    fleet: Fleet, broken: RedisServer
) -> None:
    """Who asked gets it, though there is no time left to wait until it is stored."""

    def stand_still(_request: object) -> dict[str, object]:
        broken.stand_still()
        return {"access_token": "made-last", "token_type": "Bearer", "expires_in": 3600}

    fleet.options = AuthOptions(timeout=ANSWERING / 2)
    worker = await fleet.worker()
    assert await text(worker, "bills") == "token-1"
    fleet.fake.script = [stand_still]
    assert await text(worker) == "made-last"

    broken.go_on()
    fleet.clock.advance(SHORTEST_REST)
    assert await text(worker, refresh=True) == "token-3"
    assert await text(await fleet.worker()) == "token-3"


async def test_one_that_is_slow(fleet: Fleet, proxy: TcpProxy) -> None:
    """It is used all the same."""
    proxy.set({"kind": "latency", "seconds": 0.1, "jitter": 0.1})
    url = f"redis://127.0.0.1:{proxy.port}/0"
    assert [await text(await fleet.worker(url)) for _ in range(2)] == ["token-1"] * 2


async def test_one_that_swallows_what_is_said(
    fleet: Fleet, proxy: TcpProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """As firewalls do, that have forgotten a connection: a new one is made after a while."""
    worker = await fleet.worker(f"redis://127.0.0.1:{proxy.port}/0")
    assert await text(worker) == "token-1"
    proxy.set({"kind": "stall"})
    with anyio.fail_after(LONGEST):
        assert await text(worker, "bills") == "token-2"
    assert warnings(caplog) == ["it takes too long"]

    proxy.set()
    fleet.clock.advance(SHORTEST_REST)
    assert await text(worker, "bills", refresh=True) == "token-3"
    assert await text(await fleet.worker(), "bills") == "token-3"


async def test_connections_that_break(
    fleet: Fleet, proxy: TcpProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """Some time after they were used: others are made, without a word."""
    proxy.set({"kind": "reset_after", "seconds": 0.05})
    worker = await fleet.worker(f"redis://127.0.0.1:{proxy.port}/0")
    assert await text(worker) == "token-1"
    await anyio.sleep(0.2)
    assert await text(worker, "bills") == "token-2"
    assert await text(await fleet.worker(), "bills") == "token-2"
    assert warnings(caplog) == []


async def test_one_that_is_full(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is in it serves, as it throws nothing away by itself; more it does not take."""
    await text(await fleet.worker())
    broken.ask("CONFIG", "SET", "maxmemory", 1)
    worker = await fleet.worker()
    assert await text(worker) == "token-1"
    assert await text(worker, "bills") == "token-2"
    assert warnings(caplog) == ["it is full"]


async def test_one_that_takes_only_what_is_read(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A replica is one; the requests go on."""
    broken.ask("REPLICAOF", "127.0.0.1", 1)
    assert await text(await fleet.worker()) == "token-1"
    assert warnings(caplog) == ["it is read-only, as replicas are"]


async def test_one_with_no_room_for_connections(
    fleet: Fleet, broken: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Fleets are large."""
    broken.ask("CONFIG", "SET", "maxclients", 1)
    workers = [await fleet.worker() for _ in range(2)]
    assert [await text(worker) for worker in workers] == ["token-1", "token-2"]
    (why,) = warnings(caplog)
    # It says that it has no room, and closes the connection: the end may be seen first.
    assert why.startswith("it cannot be reached: ")


async def test_closing_waits_for_nobody(fleet: Fleet, broken: RedisServer) -> None:
    """Also while a Redis stands still."""
    service = fleet.idle()
    async with service:
        await text(service)
        broken.stand_still()
        began = time.monotonic()
    assert time.monotonic() - began < LIMIT
