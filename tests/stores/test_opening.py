"""From the ``cache`` table of a configuration to a store."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from gqlauth import Secret, Token
from gqlauth._key import CacheKey
from gqlauth._options import CacheOptions
from gqlauth._secret_command import CommandSource
from gqlauth._stores._opening import store_of
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from gqlauth.testing import FrozenClock

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth._stores._guarded import Guarded

pytestmark = pytest.mark.anyio

KEY = CacheKey("ab" * 32)
OFF = "tokens are kept in memory alone why="


def opened(clock: FrozenClock, store: str | None = "disk", key: Secret | None = None) -> Guarded:
    found = store_of(CacheOptions(store=store, key=key), clock, default="auto")
    assert found is not None
    return found


def issued(clock: FrozenClock) -> Token:
    return Token("token", expires_in=600.0).issued(clock.wall(), clock.monotonic())


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


class TestChoice:
    @pytest.mark.parametrize(("store", "default"), [(None, "memory"), ("memory", "auto")])
    def test_memory_needs_no_store(
        self, clock: FrozenClock, store: str | None, default: str
    ) -> None:
        """It is the default, but for who says otherwise."""
        assert store_of(CacheOptions(store=store), clock, default=default) is None

    @pytest.mark.parametrize(("store", "default"), [(None, "auto"), ("disk", "memory")])
    async def test_disk(
        self,
        clock: FrozenClock,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        store: str | None,
        default: str,
    ) -> None:
        """By default, or by what the configuration says."""
        monkeypatch.setenv(VARIABLE, new_key())
        found = store_of(CacheOptions(store=store), clock, default=default)
        assert found is not None
        folder = tmp_path / "cache" / "gqlauth" / "tokens"

        assert str(found) == f"disk ({folder})"
        await found.save(KEY, issued(clock))

        assert str(found) == f"disk ({folder}, key from env {VARIABLE})"
        assert (folder / f"{KEY.digest}.sealed").exists()


class TestOff:
    @pytest.mark.parametrize(
        ("store", "level"), [("disk", logging.WARNING), ("auto", logging.INFO)]
    )
    async def test_without_a_key(
        self,
        clock: FrozenClock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        store: str,
        level: int,
    ) -> None:
        """It is a warning where a disk was asked for, and else the way it is."""
        caplog.set_level(logging.INFO, logger="gqlauth")
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        found = opened(clock, store)

        assert await found.load(KEY) is None

        (record,) = caplog.records
        assert record.levelno == level
        assert record.getMessage().startswith(f'{OFF}"no key to encrypt tokens with')

    @pytest.mark.parametrize("store", ["disk", "auto"])
    async def test_with_a_key_that_is_none(
        self,
        clock: FrozenClock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        store: str,
    ) -> None:
        """Who set it wanted it to be used."""
        monkeypatch.setenv(VARIABLE, "s3cr3t")

        assert await opened(clock, store).load(KEY) is None

        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "env GQLAUTH_CACHE_KEY) is no base64 of 32 bytes" in record.getMessage()

    async def test_in_a_folder_that_others_may_write(
        self,
        clock: FrozenClock,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        tmp_path: Path,
    ) -> None:
        """Nothing is written there, and it is told how to mend that."""
        monkeypatch.setenv(VARIABLE, new_key())
        folder = tmp_path / "cache" / "gqlauth" / "tokens"
        folder.mkdir(parents=True)
        folder.parent.chmod(0o700)
        folder.chmod(0o777)
        found = opened(clock)

        await found.save(KEY, issued(clock))

        assert list(folder.iterdir()) == []
        assert caplog.messages == [f'{OFF}"others may write in {folder}: chmod go-w {folder}"']


class TestLook:
    async def test_it_makes_nothing(
        self, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Where there is nothing yet."""
        monkeypatch.setenv(VARIABLE, new_key())

        assert await opened(clock).look([KEY]) == {}
        assert not (tmp_path / "cache").exists()

    async def test_it_finds_what_was_saved(
        self, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By another process."""
        monkeypatch.setenv(VARIABLE, new_key())
        await opened(clock).save(KEY, issued(clock))

        found = await opened(clock).look([KEY])

        assert [token.reveal() for token in found.values()] == ["token"]

    async def test_it_runs_no_command(self, clock: FrozenClock, tmp_path: Path) -> None:
        """It says that the key would come from one."""
        key = Secret.from_source(CommandSource(("touch", str(tmp_path / "ran"))))
        found = opened(clock, key=key)

        assert await found.look([KEY]) == {}

        assert found.detail.endswith("tokens, key from command touch …")
        assert not (tmp_path / "ran").exists()


class TestDiscard:
    async def test_it_wants_no_key(
        self, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Who clears may have lost it."""
        monkeypatch.setenv(VARIABLE, new_key())
        await opened(clock).save(KEY, issued(clock))
        monkeypatch.delenv(VARIABLE)

        assert await opened(clock).discard([KEY]) == {KEY}
        assert await opened(clock).discard([KEY]) == set()
        assert caplog.messages == []
