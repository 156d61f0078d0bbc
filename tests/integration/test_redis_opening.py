"""A Redis as the configuration names it: what it wants, and what is looked at without asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import Secret
from gqlauth._clock import SystemClock
from gqlauth._key import CacheKey
from gqlauth._options import CacheOptions
from gqlauth._secret_command import CommandSource
from gqlauth._secret_sources import EnvSource
from gqlauth._stores._opening import store_of
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from tests.support.http_server import unused_port

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth._stores._guarded import Guarded

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("coredis_leftovers"),
    # What is told of those that are collected within a test.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

KEY = CacheKey("ab" * 32)
OFF = "tokens are kept in memory alone why="
PASSWORD = Secret.from_source(EnvSource("REDIS_PASSWORD"))


def nowhere(**options: Any) -> Guarded:
    """Return a store in a Redis that nobody can ask anything."""
    url = f"redis://127.0.0.1:{unused_port()}/0"
    found = store_of(CacheOptions(store=url, **options), SystemClock(), default="auto")
    assert found is not None
    return found


async def test_without_a_key(caplog: pytest.LogCaptureFixture) -> None:
    """It must be set: what is in a keyring is known on one machine."""
    store = nowhere()
    assert await store.load(KEY) is None
    why = f"no key to encrypt tokens with: set {VARIABLE}"
    assert caplog.messages == [f'{OFF}"{why}"']
    assert str(store) == f"memory ({why})"


async def test_with_a_key_that_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told how to make one, and not shown."""
    monkeypatch.setenv(VARIABLE, "s3cr3t")
    assert await nowhere().load(KEY) is None
    assert "is no base64 of 32 bytes; this makes one: openssl rand -base64 32" in caplog.text
    assert "s3cr3t" not in caplog.text


async def test_a_look_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Over no network, and says where the key comes from."""
    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setenv("REDIS_PASSWORD", "made-up")
    store = nowhere(password=PASSWORD)
    assert await store.look([KEY]) == {}
    assert store.detail.endswith(f"/0, key from env {VARIABLE}")
    assert caplog.messages == []


async def test_a_look_runs_no_command(tmp_path: Path) -> None:
    """Neither for the key nor for the password."""
    command = Secret.from_source(CommandSource(("touch", str(tmp_path / "ran"))))
    store = nowhere(key=command, password=command)
    assert await store.look([KEY]) == {}
    assert store.detail.endswith("/0, key from command touch …")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, f"no key to encrypt tokens with: set {VARIABLE}"),
        ({"password": PASSWORD}, "environment variable REDIS_PASSWORD is not set"),
    ],
    ids=["key", "password"],
)
async def test_a_look_tells_what_is_missing(options: dict[str, Secret], why: str) -> None:
    """As far as nothing need be read for that."""
    store = nowhere(**options)
    assert await store.look([KEY]) == {}
    assert str(store) == f"memory ({why})"


async def test_nothing_is_discarded_without_a_key(caplog: pytest.LogCaptureFixture) -> None:
    """What the token is called there follows from it."""
    assert await nowhere().discard([KEY]) is None
    assert "no key to encrypt tokens with" in caplog.text


async def test_discarding_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told that it cannot be asked."""
    monkeypatch.setenv(VARIABLE, new_key())
    assert await nowhere().discard([KEY]) is None
    assert "it cannot be reached: Connection refused" in caplog.text
