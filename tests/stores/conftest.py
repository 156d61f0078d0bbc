"""What the tests of stores share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keyring
import pytest

from gqlauth import Secret
from gqlauth._stores._folder import Folder
from gqlauth._stores._seal import Seal, new_key
from gqlauth._stores._sealing_key import VARIABLE
from gqlauth.testing import FrozenClock
from tests.support.keyrings import InMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_key_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep away what this machine has: keys, keyrings, and tokens."""
    for name in (VARIABLE, "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def ring() -> Iterator[InMemory]:
    """Make a keyring in memory the one that is used."""
    before = keyring.get_keyring()
    backend = InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def seal(clock: FrozenClock) -> Seal:
    return Seal(Secret(new_key()), clock)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Give a folder that is ready."""
    folder = Folder(tmp_path / "cache" / "gqlauth" / "tokens")
    folder.prepare()
    return folder
