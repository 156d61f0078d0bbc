"""How a Redis is connected to: by each kind of URL, and as whom."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from gqlauth import Secret
from gqlauth._secret_sources import EnvSource
from tests.support.certificates import certificate
from tests.support.http_server import unused_port
from tests.support.redis_fleet import Fleet, text
from tests.support.redis_server import redis_cluster, redis_server
from tests.support.tls_front import tls_front

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gqlauth import AuthService
    from tests.support.certificates import Certificate
    from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("coredis_leftovers"),
    # What is told of those that are collected within a test.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

ROOT = Path(__file__).parents[2]
#: What docs/security.md says that a user needs.
RULES = re.findall(
    r"ACL SETUSER \S+ on >\S+ (.*)", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
)[0].split()
PASSWORD = "pass word: 50%/é"
VARIABLE_OF_PASSWORD = "REDIS_PASSWORD"
#: Seconds that any of this may take, on a machine that does other things, too.
LIMIT = 60.0


def password(monkeypatch: pytest.MonkeyPatch, value: str = PASSWORD) -> Secret:
    """Return a password that stands in a variable."""
    monkeypatch.setenv(VARIABLE_OF_PASSWORD, value)
    return Secret.from_source(EnvSource(VARIABLE_OF_PASSWORD))


async def shares(fleet: Fleet, url: str, **cache: Any) -> bool:
    """Tell whether one worker takes over what another has got."""
    texts = [await text(await fleet.worker(url, **cache)) for _ in range(2)]
    return texts == ["token-1", "token-1"] and fleet.fetched == 1


class TestPlaces:
    async def test_tcp(self, fleet: Fleet, redis: RedisServer) -> None:
        """With a database of one's choice."""
        assert await shares(fleet, redis.url.removesuffix("0") + "3")
        assert redis.keys() == []

    async def test_without_a_database(self, fleet: Fleet, redis: RedisServer) -> None:
        """It is the first."""
        assert await shares(fleet, redis.url.removesuffix("/0"))
        assert len(redis.keys()) == 1

    async def test_a_socket(self, fleet: Fleet, redis: RedisServer) -> None:
        """With its path."""
        assert await shares(fleet, f"redis+unix://{redis.socket}")
        assert len(redis.keys()) == 1

    async def test_a_socket_with_a_database(self, fleet: Fleet, redis: RedisServer) -> None:
        """Which the query names."""
        assert await shares(fleet, f"redis+unix://{redis.socket}?db=3")
        assert redis.keys() == []

    async def test_a_cluster(self, fleet: Fleet, cluster: RedisServer) -> None:
        """One of its machines must be there at first."""
        places = f"127.0.0.1:{unused_port()},127.0.0.1:{cluster.port}"
        assert await shares(fleet, f"redis+cluster://{places}")
        assert len(cluster.keys()) == 1

    async def test_who_waits_in_a_cluster(self, fleet: Fleet, cluster: RedisServer) -> None:
        """Is told, as elsewhere."""
        workers = [await fleet.worker(f"redis+cluster://127.0.0.1:{cluster.port}") for _ in "abc"]
        fleet.fake.gate = anyio.Event()
        texts: list[str] = []

        async def ask(worker: AuthService) -> None:
            texts.append(await text(worker))

        with anyio.fail_after(LIMIT):
            async with anyio.create_task_group() as tasks:
                for worker in workers:
                    tasks.start_soon(ask, worker)
                while cluster.listeners() < 2:  # noqa: ASYNC110 - nobody tells of it
                    await anyio.sleep(0.01)
                fleet.fake.gate.set()
        assert texts == ["token-1"] * 3
        assert fleet.fetched == 1

    async def test_a_cluster_that_is_not_there(
        self, fleet: Fleet, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It may come: it is looked for again."""
        url = f"redis+cluster://127.0.0.1:{unused_port()}"
        assert not await shares(fleet, url)
        assert "it cannot be reached: Connection refused" in caplog.messages[0]
        assert caplog.messages[0].startswith("token store failed")


@pytest.fixture(scope="module")
def _cluster() -> Iterator[RedisServer]:
    with redis_cluster() as running:
        yield running


@pytest.fixture
def cluster(_cluster: RedisServer) -> RedisServer:
    """Give a cluster with nothing in it."""
    _cluster.ask("FLUSHALL")
    return _cluster


class TestTls:
    async def test_by_an_authority_of_ones_own(
        self, fleet: Fleet, redis: RedisServer, tmp_path: Path, authority: Certificate
    ) -> None:
        """Which ``ca_file`` holds."""
        with tls_front(redis.port, certificate(tmp_path, "server", issuer=authority)) as port:
            url = f"rediss://127.0.0.1:{port}/0"
            assert await shares(fleet, url, ca_file=authority.certificate_file)
            assert len(redis.keys()) == 1

    async def test_by_what_the_environment_names(
        self,
        fleet: Fleet,
        redis: RedisServer,
        tmp_path: Path,
        authority: Certificate,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As all servers that gqlauth asks."""
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
        with tls_front(redis.port, certificate(tmp_path, "server", issuer=authority)) as port:
            assert await shares(fleet, f"rediss://127.0.0.1:{port}/0")

    async def test_one_that_is_not_known(
        self,
        fleet: Fleet,
        redis: RedisServer,
        tmp_path: Path,
        authority: Certificate,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Nothing is said to it; that is told, and the request goes on."""
        with tls_front(redis.port, certificate(tmp_path, "server", issuer=authority)) as port:
            assert not await shares(fleet, f"rediss://127.0.0.1:{port}/0")
        assert "certificate verify failed" in caplog.messages[0]
        assert redis.keys() == []

    async def test_one_of_another_name(
        self,
        fleet: Fleet,
        redis: RedisServer,
        tmp_path: Path,
        authority: Certificate,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is known, and not the one that was asked for."""
        with tls_front(redis.port, certificate(tmp_path, "server", issuer=authority)) as port:
            url = f"rediss://localhost:{port}/0"
            assert not await shares(fleet, url, ca_file=authority.certificate_file)
        assert "certificate verify failed: Hostname mismatch" in caplog.messages[0]

    async def test_a_file_that_holds_no_certificate(
        self, fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """There is no Redis then."""
        file = tmp_path / "none.pem"
        file.write_text("")
        assert not await shares(fleet, "rediss://127.0.0.1:1", ca_file=file)
        why = f'tokens are kept in memory alone why="ca_file {file} cannot be used: '
        assert caplog.messages[0].startswith(why)

    async def test_a_cluster(self, fleet: Fleet, tmp_path: Path, authority: Certificate) -> None:
        """Each of its machines is known by its certificate."""
        own = certificate(tmp_path, "server", issuer=authority)
        behind = unused_port()
        with (
            tls_front(behind, own) as port,
            redis_cluster("--cluster-announce-port", str(port), port=behind) as cluster,
        ):
            url = f"rediss+cluster://127.0.0.1:{port}"
            assert await shares(fleet, url, ca_file=authority.certificate_file)
            assert len(cluster.keys()) == 1


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    """Make the authority that the server is known by."""
    return certificate(tmp_path, "authority")


@pytest.fixture(scope="module")
def closed() -> Iterator[RedisServer]:
    """Run a Redis that wants a password."""
    with redis_server("--requirepass", PASSWORD) as running:
        yield running


class TestLogin:
    async def test_with_a_password(
        self, fleet: Fleet, closed: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is a secret, and stands beside the URL."""
        closed.ask("FLUSHALL", password=PASSWORD)
        assert await shares(fleet, closed.url, password=password(monkeypatch))
        assert len(closed.keys(password=PASSWORD)) == 1

    @pytest.mark.parametrize("given", [False, True])
    async def test_with_a_wrong_one(
        self,
        fleet: Fleet,
        closed: RedisServer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        *,
        given: bool,
    ) -> None:
        """Or none: it is told, and the request goes on."""
        wrong = password(monkeypatch, "wr0ng") if given else None
        assert not await shares(fleet, closed.url, password=wrong)
        told = "refuses the password, or the user" if given else "wants a password: set "
        assert f"it {told}" in caplog.messages[0]
        assert caplog.messages[0].startswith("token store failed")

    async def test_with_one_that_cannot_be_read(
        self, fleet: Fleet, closed: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It may come: it is read again."""
        missing = Secret.from_source(EnvSource(VARIABLE_OF_PASSWORD))
        assert not await shares(fleet, closed.url, password=missing)
        assert f"environment variable {VARIABLE_OF_PASSWORD} is not set" in caplog.messages[0]
        assert caplog.messages[0].startswith("token store failed")

    async def test_a_new_one_is_picked_up(
        self, fleet: Fleet, closed: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the old one was refused, and a while."""
        closed.ask("FLUSHALL", password=PASSWORD)
        worker = await fleet.worker(closed.url, password=password(monkeypatch, "old"))
        await text(worker)
        assert closed.keys(password=PASSWORD) == []
        monkeypatch.setenv(VARIABLE_OF_PASSWORD, PASSWORD)
        fleet.clock.advance(30)
        await text(worker, "bills")
        assert len(closed.keys(password=PASSWORD)) == 1

    async def test_as_a_user_that_may_do_what_is_needed(
        self, fleet: Fleet, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And nothing else."""
        redis.ask("ACL", "SETUSER", "worker", "reset", "on", f">{PASSWORD}", *RULES)
        url = redis.url.replace("//", "//worker@")
        workers = [await fleet.worker(url, password=password(monkeypatch)) for _ in range(2)]
        assert [await text(worker) for worker in workers] == ["token-1"] * 2
        source = workers[0]._sources.of("orders")
        assert source.shared is not None
        async with source.shared.store.lock(source.shared.key, 0.0) as held:
            assert held
            other = workers[1]._sources.of("orders").shared
            assert other is not None
            async with other.store.lock(other.key, 0.1) as held_too:
                assert held_too is False
        assert await workers[0].clear() == 1

    async def test_as_a_user_without_a_password(self, fleet: Fleet, redis: RedisServer) -> None:
        """There are such, where a network is closed."""
        redis.ask("ACL", "SETUSER", "open", "reset", "on", "nopass", *RULES)
        assert await shares(fleet, redis.url.replace("//", "//open@"))

    async def test_as_a_user_that_may_not(
        self, fleet: Fleet, redis: RedisServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is told, and the request goes on."""
        redis.ask("ACL", "SETUSER", "guest", "reset", "on", "nopass", "~other:*", "+@all")
        assert not await shares(fleet, redis.url.replace("//", "//guest@"))
        assert "the user may not do what is needed" in caplog.messages[0]


class TestStrangers:
    async def test_one_that_is_too_old(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Not in its words, which quote the password."""
        with redis_server("--rename-command", "HELLO", "") as old:
            assert not await shares(fleet, old.url, password=password(monkeypatch))
        assert "it is too old: Redis 6 is wanted, or newer" in caplog.messages[0]
        assert PASSWORD not in caplog.text

    async def test_one_that_is_none(self, fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
        """It is told, and the request goes on."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            Thread(target=answer_all, args=(listener,), daemon=True).start()
            port = listener.getsockname()[1]
            assert not await shares(fleet, f"redis://127.0.0.1:{port}")
            listener.shutdown(socket.SHUT_RDWR)
        assert "it cannot be reached: " in caplog.messages[0]


def answer_all(listener: socket.socket) -> None:
    """Answer all that is said, as what is no Redis."""
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
