"""Where the key that tokens are sealed with comes from."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import attrs
import pytest
from keyring.errors import KeyringLocked, NoKeyringError

from gqlauth import Secret
from gqlauth._keyring import KeyringSource
from gqlauth._secret_command import CommandSource
from gqlauth._secret_sources import EnvSource, FileSource
from gqlauth._stores._folder import Folder
from gqlauth._stores._seal import Seal, new_key
from gqlauth._stores._sealing_key import (
    SERVICE,
    USERNAME,
    VARIABLE,
    NoKeyError,
    SealingKey,
    sealing_key,
)
from gqlauth._stores._store import StoreError
from gqlauth.errors import Problem
from gqlauth.testing import FrozenClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.keyrings import InMemory

pytestmark = pytest.mark.anyio

KEY = new_key()
NONE = "no key to encrypt tokens with: set GQLAUTH_CACHE_KEY"


@attrs.frozen
class Line:
    """The place of a reference in a configuration file."""

    def problem(self, message: str) -> Problem:
        return Problem(message, file="gqlauth.toml", line=3, key="cache.key")


def text(key: SealingKey) -> str:
    assert key.secret is not None
    return key.secret.reveal()


async def trouble(reference: Secret | None = None, folder: Folder | None = None) -> str:
    """Return why there is no key."""
    with pytest.raises(StoreError) as caught:
        await sealing_key(reference, folder=folder)
    return str(caught.value)


class TestVariable:
    async def test_it_comes_first(
        self, monkeypatch: pytest.MonkeyPatch, ring: InMemory, folder: Folder
    ) -> None:
        """Before a configuration, and before a keyring, which is not even asked."""
        monkeypatch.setenv(VARIABLE, KEY)
        ring.trouble = AssertionError("asked")

        key = await sealing_key(Secret(new_key()), folder=folder)

        assert (text(key), key.origin) == (KEY, f"env {VARIABLE}")

    async def test_an_empty_one_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As elsewhere."""
        monkeypatch.setenv(VARIABLE, "")

        assert await trouble() == NONE

    async def test_keyring_is_not_imported(
        self, monkeypatch: pytest.MonkeyPatch, folder: Folder
    ) -> None:
        """It is slow."""
        monkeypatch.setenv(VARIABLE, KEY)
        monkeypatch.setitem(sys.modules, "keyring", None)

        assert text(await sealing_key(None, folder=folder)) == KEY


class TestReference:
    async def test_it_is_read(self, monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
        """As any secret is."""
        monkeypatch.setenv("OTHER", KEY)

        key = await sealing_key(Secret.from_source(EnvSource("OTHER")), folder=folder)

        assert (text(key), key.origin) == (KEY, "env OTHER")

    async def test_one_that_cannot_be_had(self, folder: Folder) -> None:
        """It is told where it stands; no keyring stands in for it."""
        secret = Secret.from_source(EnvSource("OTHER"), place=Line())

        told = await trouble(secret, folder)

        assert told == "gqlauth.toml:3: cache.key: environment variable OTHER is not set"

    async def test_a_look_runs_no_command(self, folder: Folder, tmp_path: Path) -> None:
        """It is told that there is one."""
        command = CommandSource(("touch", str(tmp_path / "ran")))

        key = await sealing_key(Secret.from_source(command), folder=folder, look=True)

        assert key == SealingKey(None, "command touch …")
        assert not (tmp_path / "ran").exists()

    async def test_a_look_reads_what_is_only_read(
        self, monkeypatch: pytest.MonkeyPatch, ring: InMemory, folder: Folder, tmp_path: Path
    ) -> None:
        """A variable, a file, or an entry of the keyring."""
        monkeypatch.setenv("OTHER", KEY)
        (tmp_path / "key").write_text(KEY)
        ring.set_password("a", "b", KEY)

        for source in (EnvSource("OTHER"), FileSource(tmp_path / "key"), KeyringSource("a/b")):
            key = await sealing_key(Secret.from_source(source), folder=folder, look=True)

            assert text(key) == KEY


class TestKeyring:
    async def test_one_is_made_at_first(self, ring: InMemory, tmp_path: Path) -> None:
        """And kept there for all that follow."""
        folder = Folder(tmp_path / "gqlauth" / "tokens")

        first = await sealing_key(None, folder=folder)
        second = await sealing_key(None, folder=folder)

        assert text(first) == text(second) == ring.entries[SERVICE, USERNAME]
        assert first.origin == "the keyring"
        assert first.seal(FrozenClock())

    async def test_one_that_another_made_meanwhile_is_taken(
        self, ring: InMemory, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two keys for one user would drop each other's tokens."""
        asked = iter([None, KEY, KEY])
        monkeypatch.setattr(ring, "get_password", lambda *_: next(asked))

        assert text(await sealing_key(None, folder=folder)) == KEY
        assert ring.entries == {}

    async def test_a_look_makes_none(self, ring: InMemory, tmp_path: Path) -> None:
        """Nor any folder."""
        folder = Folder(tmp_path / "gqlauth" / "tokens")

        assert await sealing_key(None, folder=folder, look=True) == SealingKey(None, "the keyring")
        assert ring.entries == {}
        assert not folder.path.exists()

    async def test_a_look_finds_one(self, ring: InMemory, folder: Folder) -> None:
        """That is there."""
        ring.set_password(SERVICE, USERNAME, KEY)

        assert text(await sealing_key(None, folder=folder, look=True)) == KEY

    async def test_not_for_other_machines(self, ring: InMemory) -> None:
        """Each would have another key: what they share wants one that they are given."""
        assert await trouble(folder=None) == NONE

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (NoKeyringError(), "this system has no keyring that can be used"),
            (KeyringLocked("s3cr3t"), "the keyring cannot be used (KeyringLocked)"),
            (RuntimeError("s3cr3t"), "the keyring cannot be used (RuntimeError)"),
        ],
    )
    async def test_one_that_cannot_be_used(
        self, ring: InMemory, folder: Folder, error: Exception, told: str
    ) -> None:
        """It is as if there were none, and what it says is not repeated."""
        ring.trouble = error

        with pytest.raises(NoKeyError) as caught:
            await sealing_key(None, folder=folder)

        assert str(caught.value) == f"{NONE}; {told}"

    async def test_one_that_keeps_nothing(self, ring: InMemory, folder: Folder) -> None:
        """The key of this process would be of no use to the next."""
        ring.keeps = False

        assert await trouble(folder=folder) == f"{NONE}; the keyring keeps nothing"

    async def test_a_folder_that_others_may_write(self, ring: InMemory, folder: Folder) -> None:
        """Nothing is made where tokens cannot be kept."""
        folder.path.chmod(0o777)

        assert "others may write" in await trouble(folder=folder)
        assert ring.entries == {}

    @pytest.mark.parametrize("name", ["fail", "null"])
    async def test_one_that_is_switched_off(
        self, monkeypatch: pytest.MonkeyPatch, folder: Folder, name: str
    ) -> None:
        """The library need not be imported to know that."""
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"keyring.backends.{name}.Keyring")
        monkeypatch.setitem(sys.modules, "keyring", None)

        assert await trouble(folder=folder) == f"{NONE}; the keyring is switched off"

    async def test_the_library_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, folder: Folder
    ) -> None:
        """It is an extra."""
        find = PathFinder.find_spec
        monkeypatch.setattr(
            PathFinder,
            "find_spec",
            lambda name, *rest: None if name.startswith("keyring") else find(name, *rest),
        )
        for name in list(sys.modules):
            if name.partition(".")[0] == "keyring":
                monkeypatch.delitem(sys.modules, name)

        told = await trouble(folder=folder)

        assert told == f'{NONE}, or pip install "gqlauth[keyring]"'


class TestSeal:
    def test_of_a_good_key(self) -> None:
        """It opens what it has sealed."""
        assert isinstance(SealingKey(Secret(KEY), "the keyring").seal(FrozenClock()), Seal)

    def test_of_none(self) -> None:
        """Where only a look was asked for."""
        assert SealingKey(None, "the keyring").seal(FrozenClock()) is None

    async def test_of_a_bad_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is told where it comes from, and how to make a good one; and not what it is."""
        monkeypatch.setenv(VARIABLE, "s3cr3t")
        key = await sealing_key(None, folder=None)

        with pytest.raises(StoreError) as caught:
            key.seal(FrozenClock())

        assert str(caught.value) == (
            "the secret (env GQLAUTH_CACHE_KEY) is no base64 of 32 bytes;"
            " this makes one: openssl rand -base64 32"
        )

    def test_of_a_bad_one_in_the_keyring(self) -> None:
        """Somebody may have put it there."""
        with pytest.raises(StoreError) as caught:
            SealingKey(Secret("s3cr3t"), "the keyring").seal(FrozenClock())

        assert str(caught.value) == (
            "the key in the keyring is no base64 of 32 bytes:"
            ' keyring del gqlauth "token store" removes it'
        )
