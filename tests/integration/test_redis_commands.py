"""``gql`` with a Redis: what it says of it, what it clears, and that nothing leaks into it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import attrs
import pytest

from gqlauth._stores._seal import Seal
from tests.leaks.canaries import ACCESS_TOKEN, CACHE_KEY, JWT, REDIS_PASSWORD
from tests.leaks.world import CONFIG, World, data, gives
from tests.support.http_server import http_server, unused_port
from tests.support.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gqlauth import Token
    from tests.leaks.canaries import Canary
    from tests.support.redis_server import RedisServer

pytestmark = [
    pytest.mark.usefixtures("coredis_leftovers"),
    # What is told of those that are collected within a test.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

ASK: Final = ("api", "{ me }", "-vvv", "-e")
#: Those whose tokens a server grants, and those whose credential is read somewhere.
GRANTED: Final = ("orders", "posted", "raw")
STATIC: Final = ("bearer", "basic", "header")
CACHE: Final = """
[cache]
store = "{redis}"
password = {{ env = "REDIS_PASSWORD" }}
key = {{ env = "ORDERS_CACHE_KEY" }}
"""


@pytest.fixture(scope="module")
def _closed() -> Iterator[RedisServer]:
    with redis_server("--requirepass", REDIS_PASSWORD.text) as running:
        yield running


@attrs.frozen
class Shared:
    """A project full of canaries whose tokens are in a Redis, and that Redis."""

    world: World
    redis: RedisServer

    def search(self) -> set[Canary]:
        """Return the canaries that are in the Redis, be it in names or in values."""
        names = "\n".join(self.redis.dump(password=REDIS_PASSWORD.text))
        # As bytes, and not as Python writes those: two that stand for one letter of a canary are
        # eight characters then, and what is sealed has any two sooner or later.
        values = b"\n".join(self.values()).decode("latin-1")
        return self.world.search(f"{names}\n{values}")

    def values(self) -> list[bytes]:
        """Return what is stored."""
        held = self.redis.dump(password=REDIS_PASSWORD.text).values()
        return [part for fields in held for part in fields]


@pytest.fixture
def shared(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    _closed: RedisServer,
) -> Iterator[Shared]:
    """Give a project whose tokens are in a Redis that wants a password."""
    _closed.ask("FLUSHALL", password=REDIS_PASSWORD.text)
    monkeypatch.setenv("REDIS_PASSWORD", REDIS_PASSWORD.text)
    monkeypatch.setenv("ORDERS_CACHE_KEY", CACHE_KEY.text)
    with http_server(data) as tokens, http_server(data) as api:
        world = World(tmp_path, monkeypatch, capfd, tokens, api)
        world.configure(CONFIG + CACHE, redis=_closed.url)
        yield Shared(world, _closed)


@pytest.mark.parametrize("token", [ACCESS_TOKEN, JWT], ids=lambda token: token.what)
def test_no_value_holds_a_token(shared: Shared, token: Canary) -> None:
    """Nor a secret, nor the key, nor does a name; be it fetched or found."""
    world = shared.world
    world.tokens.respond = lambda _: gives(token)
    for _ in range(2):
        for name in (*GRANTED, *STATIC):
            outcome = world(*ASK, name)
            assert (outcome.code, outcome.leaks) == (0, set())

    assert len(world.tokens.requests) == len(GRANTED)
    assert len(shared.redis.keys(password=REDIS_PASSWORD.text)) == len(GRANTED)
    assert shared.search() == set()
    raw = base64.b64decode(CACHE_KEY.text)
    assert not [value for value in shared.values() if raw in value]


def test_one_that_seals_nothing_is_found(shared: Shared) -> None:
    """The harness looks into the Redis."""

    def plain(_seal: Seal, _key: str, token: Token) -> bytes:
        return token.reveal().encode()

    shared.world.monkeypatch.setattr(Seal, "sealed", plain)

    shared.world(*ASK, "orders")

    assert shared.search() == {ACCESS_TOKEN}


@pytest.mark.parametrize(
    ("command", "code"), [((*ASK, "orders"), 0), (("auth", "clear", "-vvv"), 5)]
)
def test_nothing_is_told_of_a_wrong_password(
    shared: Shared, command: tuple[str, ...], code: int
) -> None:
    """It may be that of something else; who asks goes on, and who clears is told."""
    shared.world.monkeypatch.setenv("REDIS_PASSWORD", REDIS_PASSWORD.text[2:])

    outcome = shared.world(*command)

    assert (outcome.code, outcome.leaks) == (code, set())
    assert 'why="it refuses the password, or the user"' in outcome.stderr


def test_one_that_is_down(shared: Shared) -> None:
    """It is a line, and the request goes through."""
    url = f"redis://127.0.0.1:{unused_port()}"
    shared.world.configure(CONFIG + CACHE, redis=url)

    outcome = shared.world("api", "{ me }", "-e", "orders")

    assert (outcome.code, outcome.leaks) == (0, set())
    (line,) = outcome.stderr.splitlines()
    why = 'why="it cannot be reached: Connection refused"'
    store = f'store="redis ({url}, key from env ORDERS_CACHE_KEY)"'
    assert line.startswith(f"gql: warning: token store failed {store} {why}")


def test_the_status_tells_where_tokens_are(shared: Shared) -> None:
    """And where the key comes from; and why those are not there that are in memory."""
    told = shared.world("auth", "status", "-e", "orders").stdout
    assert f"store   redis ({shared.redis.url}, key from env ORDERS_CACHE_KEY)" in told
    told = shared.world("auth", "status", "-e", "bearer").stdout
    assert "store   memory (no server grants it: it is read where it stands)" in told
    shared.world.monkeypatch.delenv("ORDERS_CACHE_KEY")
    told = shared.world("auth", "status", "-e", "orders").stdout
    assert "cache.key: environment variable ORDERS_CACHE_KEY is not set)" in told


def test_it_is_cleared(shared: Shared) -> None:
    """For all who share it."""
    for name in GRANTED:
        shared.world(*ASK, name)
    assert shared.world("auth", "clear", "-e", "orders").stderr == "gql: forgot 1 token\n"
    assert len(shared.redis.keys(password=REDIS_PASSWORD.text)) == 2
    assert shared.world("auth", "clear").stderr == "gql: forgot 2 tokens\n"
    assert shared.redis.keys(password=REDIS_PASSWORD.text) == []
    assert shared.world("auth", "clear").stderr == "gql: there was no token to forget\n"
