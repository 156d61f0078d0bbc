"""Tokens on disk: one sealed file a key, and a lock that ends with the process that has it."""

from __future__ import annotations

import logging
import stat
from typing import TYPE_CHECKING

import anyio
import pytest
from filelock import FileLock

from gqlauth import Secret, Token
from gqlauth._key import CacheKey
from gqlauth._stores import _disk
from gqlauth._stores._disk import LEFT, LONGEST_PAUSE, SWEEP_EVERY, DiskStore, discard
from gqlauth._stores._seal import Seal, new_key
from gqlauth._stores._store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gqlauth._stores._folder import Folder
    from gqlauth.testing import FrozenClock

pytestmark = pytest.mark.anyio

KEY, OTHER = CacheKey("ab" * 32), CacheKey("cd" * 32)


@pytest.fixture
def store(folder: Folder, seal: Seal, clock: FrozenClock) -> DiskStore:
    return DiskStore(folder, seal, clock)


@pytest.fixture
def another(folder: Folder, seal: Seal, clock: FrozenClock) -> DiskStore:
    """Give the store as another process has it."""
    return DiskStore(folder, seal, clock)


def issued(clock: FrozenClock, text: str = "token", life: float = 600.0) -> Token:
    return Token(text, expires_in=life).issued(clock.wall(), clock.monotonic())


def text(token: Token | None) -> str | None:
    return None if token is None else token.reveal()


def names(folder: Folder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


class TestLoadAndSave:
    async def test_a_token_outlives_its_process(
        self, store: DiskStore, another: DiskStore, clock: FrozenClock
    ) -> None:
        """Another has it, as old as it is."""
        await store.save(KEY, issued(clock))
        clock.advance(5)

        token = await another.load(KEY)

        assert token is not None
        assert (token.reveal(), token.issued_at) == ("token", clock.wall() - 5)

    async def test_there_is_none(self, store: DiskStore) -> None:
        """Nor any trouble."""
        assert await store.load(KEY) is None

    async def test_the_key_is_the_name_of_a_file_for_the_user_alone(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """There is no other file, and nothing to read in it."""
        await store.save(KEY, issued(clock))

        assert names(folder) == [f"{KEY.digest}.sealed"]
        found = (folder.path / f"{KEY.digest}.sealed").stat()
        assert stat.S_IMODE(found.st_mode) == 0o600

    async def test_the_newer_one_stays(self, store: DiskStore, clock: FrozenClock) -> None:
        """Whoever is late overwrites nothing."""
        old = issued(clock, "old")
        clock.advance(1)
        await store.save(KEY, issued(clock, "new"))
        await store.save(KEY, old)

        assert text(await store.load(KEY)) == "new"

    async def test_the_newer_one_comes(self, store: DiskStore, clock: FrozenClock) -> None:
        """In the old one's place."""
        await store.save(KEY, issued(clock, "old"))
        clock.advance(1)
        await store.save(KEY, issued(clock, "new"))

        assert text(await store.load(KEY)) == "new"

    async def test_keys_are_apart(self, store: DiskStore, clock: FrozenClock) -> None:
        """Each has its own token."""
        await store.save(KEY, issued(clock, "a"))
        await store.save(OTHER, issued(clock, "b"))

        assert [text(await store.load(key)) for key in (KEY, OTHER)] == ["a", "b"]

    async def test_nothing_is_open(self, store: DiskStore, clock: FrozenClock) -> None:
        """So there is nothing to close."""
        await store.aclose()
        await store.save(KEY, issued(clock))

        assert text(await store.load(KEY)) == "token"


class TestDropped:
    @pytest.fixture
    async def damaged(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> Callable[[str], Path]:
        """Give what damages the token of a key."""
        await store.save(KEY, issued(clock))
        await store.save(OTHER, issued(clock))
        path, other = (folder.path / f"{key.digest}.sealed" for key in (KEY, OTHER))
        good = path.read_bytes()
        stranger = Seal(Secret(new_key()), clock)
        damages = {
            "empty": b"",
            "torn": good[:-1],
            "of another version": good[:7] + b"\x09" + good[8:],
            "of another key": stranger.sealed(KEY, issued(clock)),
            "swapped": other.read_bytes(),
        }

        def damage(how: str) -> Path:
            path.write_bytes(damages[how])
            return path

        return damage

    @pytest.mark.parametrize(
        ("how", "why"),
        [
            ("empty", "is torn"),
            ("torn", "is torn, was changed, or is in another's place"),
            ("of another version", "is of another version of gqlauth"),
            ("of another key", "was sealed with another key"),
            ("swapped", "is torn, was changed, or is in another's place"),
        ],
    )
    async def test_what_cannot_be_opened(
        self,
        store: DiskStore,
        damaged: Callable[[str], Path],
        caplog: pytest.LogCaptureFixture,
        how: str,
        why: str,
    ) -> None:
        """It is a miss, it is gone, and it is told at -v."""
        caplog.set_level(logging.INFO, logger="gqlauth")
        path = damaged(how)

        assert await store.load(KEY) is None

        assert not path.exists()
        told = [(record.levelno, record.getMessage()) for record in caplog.records]
        assert told == [(logging.INFO, f'stored token dropped file={path} why="{why}"')]

    async def test_what_was_got_with_other_secrets_stays(
        self,
        store: DiskStore,
        folder: Folder,
        clock: FrozenClock,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """It is a miss, that is told at -v, and those who have them have it."""
        caplog.set_level(logging.INFO, logger="gqlauth")
        key = CacheKey(KEY.digest, variables=("ACME",))
        monkeypatch.setenv("ACME", "theirs")
        await store.save(key, issued(clock, "their-token"))
        monkeypatch.setenv("ACME", "ours")

        assert await store.load(key) is None

        path = folder.path / f"{key.digest}.sealed"
        why = "was got with another value of ACME"
        assert caplog.messages == [f'stored token left file={path} why="{why}"']
        monkeypatch.setenv("ACME", "theirs")
        assert text(await store.load(key)) == "their-token"


class TestForget:
    async def test_that_token(self, store: DiskStore, clock: FrozenClock) -> None:
        """It is gone for all."""
        token = issued(clock)
        await store.save(KEY, token)

        assert [await store.forget(KEY, token), await store.forget(KEY, token)] == [True, False]
        assert await store.load(KEY) is None

    async def test_no_other(self, store: DiskStore, clock: FrozenClock) -> None:
        """What has taken its place meanwhile stays."""
        await store.save(KEY, issued(clock, "new"))

        assert not await store.forget(KEY, issued(clock, "old"))
        assert text(await store.load(KEY)) == "new"

    async def test_whichever_there_is(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """Also one that cannot be opened; and no other key's."""
        for key in (KEY, OTHER):
            await store.save(key, issued(clock))
        (folder.path / f"{KEY.digest}.sealed").write_bytes(b"x")

        assert [await discard(folder, KEY), await discard(folder, KEY)] == [True, False]
        assert names(folder) == [f"{OTHER.digest}.sealed"]


class TestSweep:
    async def test_what_has_ended_goes(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """Whosever it is, with the next that is saved."""
        await store.save(OTHER, issued(clock, life=10))
        clock.advance(SWEEP_EVERY)
        await store.save(KEY, issued(clock))

        assert names(folder) == [f"{KEY.digest}.sealed"]

    async def test_not_each_time(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """Once an hour will do."""
        await store.save(OTHER, issued(clock, life=10))
        clock.advance(SWEEP_EVERY - 1)
        await store.save(KEY, issued(clock))

        assert names(folder) == [f"{KEY.digest}.sealed", f"{OTHER.digest}.sealed"]

    async def test_what_was_left_goes_after_a_day(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """Locks, and what was half written; what is none of ours stays."""
        for name, age in {"a.lock": LEFT, ".x.new": LEFT, "b.lock": 60.0, "mine": 2 * LEFT}.items():
            folder.write(name, b"", clock.wall() - age - 1)
        await store.save(KEY, issued(clock))

        assert names(folder) == [f"{KEY.digest}.sealed", "b.lock", "mine"]


class TestLock:
    async def test_one_at_a_time(
        self, store: DiskStore, another: DiskStore, clock: FrozenClock
    ) -> None:
        """The other one waits as long as it has, and is told that it was in vain."""
        async with store.lock(KEY, 5) as first:
            begin = clock.monotonic()
            async with another.lock(KEY, 5) as second:
                waited = clock.monotonic() - begin

        assert (first, second) == (True, False)
        assert 5 <= waited < 5 + 2 * LONGEST_PAUSE

    async def test_the_next_gets_it(self, store: DiskStore, another: DiskStore) -> None:
        """When the first is done."""
        for each in (store, another, store):
            async with each.lock(KEY, 0) as held:
                assert held

    async def test_a_folder_that_was_removed_is_made_again(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """A process may live for long."""
        folder.path.rmdir()
        async with store.lock(KEY, 0) as held:
            assert held
            await store.save(KEY, issued(clock))
        assert text(await store.load(KEY)) == "token"

    async def test_one_that_others_may_write_by_now_is_not_used(
        self, store: DiskStore, folder: Folder
    ) -> None:
        """And it is told how to mend that."""
        folder.path.chmod(0o777)
        with pytest.raises(StoreError, match="others may write in"):
            async with store.lock(KEY, 0):
                raise AssertionError

    async def test_keys_are_apart(self, store: DiskStore, another: DiskStore) -> None:
        """Nobody waits for another key."""
        async with store.lock(KEY, 0), another.lock(OTHER, 0) as held:
            assert held

    async def test_news_wakes_who_waits(
        self, store: DiskStore, another: DiskStore, clock: FrozenClock
    ) -> None:
        """A token that was saved is worth a look, before the lock is free."""
        outcomes: list[tuple[bool, float]] = []

        async def waiting() -> None:
            async with another.lock(KEY, 1e9) as held:
                outcomes.append((held, clock.monotonic()))

        async with store.lock(KEY, 0), anyio.create_task_group() as tasks:
            tasks.start_soon(waiting)
            while clock.monotonic() < 1_001:  # it looks again and again
                await anyio.lowlevel.checkpoint()
            await store.save(KEY, issued(clock))

        assert [held for held, _ in outcomes] == [False]

    async def test_one_that_is_held_is_not_swept(
        self, store: DiskStore, folder: Folder, clock: FrozenClock
    ) -> None:
        """However old its file is."""
        folder.write(f"{KEY.digest}.lock", b"", 1.0)
        async with store.lock(KEY, 0):
            found = (folder.path / f"{KEY.digest}.lock").stat()

        assert found.st_mtime == clock.wall()
        assert stat.S_IMODE(found.st_mode) == 0o600

    async def test_it_is_let_go_of_where_the_work_fails(
        self, store: DiskStore, another: DiskStore
    ) -> None:
        """And what went wrong is what is raised."""
        with pytest.raises(ValueError, match="work"):
            async with store.lock(KEY, 0):
                raise ValueError("work")
        async with another.lock(KEY, 0) as held:
            assert held

    def test_who_gave_up_takes_none(self, folder: Folder, clock: FrozenClock) -> None:
        """A lock that comes later, as the file system took its time, is let go of at once."""
        turn = _disk._Turn(folder, f"{KEY.digest}.lock", clock)
        turn.leave()

        assert not turn.take()
        with FileLock(folder.path / f"{KEY.digest}.lock", timeout=0):
            pass
