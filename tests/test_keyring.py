"""Secrets from a keyring: a real one of keyring's own kind, kept in memory."""

from __future__ import annotations

import sys
import threading
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

import anyio
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import InitError, KeyringLocked

from gqlauth import AuthService, Secret, SecretError
from gqlauth._keyring import KeyringSource
from gqlauth._plugins import PluginGroup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

HIDDEN = "s3cr3t-value"
EXTRA = 'keyring needs an extra that is not installed: pip install "gqlauth[keyring]"'


class InMemory(KeyringBackend):
    """A keyring that forgets as the process ends."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.trouble: Exception | None = None
        self.threads: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.threads.append(threading.current_thread().name)
        if self.trouble is not None:
            raise self.trouble
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture
def ring() -> Iterator[InMemory]:
    """Make a keyring in memory the one that is used."""
    before = keyring.get_keyring()
    backend = InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


async def trouble(source: KeyringSource) -> str:
    """Return what is told where there is no secret to be had."""
    with pytest.raises(SecretError) as caught:
        await source.read()
    return str(caught.value)


def test_it_comes_by_entry_point() -> None:
    """As anyone's sources do."""
    assert KeyringSource is PluginGroup("gqlauth.secrets", "source", SecretError).load("keyring")


@pytest.mark.parametrize(
    ("name", "service", "username"),
    [
        ("orders/cli", "orders", "cli"),
        ("https://id.example.com/cli", "https://id.example.com", "cli"),
    ],
)
async def test_its_entry_is_the_secret(
    ring: InMemory, name: str, service: str, username: str
) -> None:
    """What stands after the last slash is the user name."""
    keyring.set_password(service, username, HIDDEN)

    secret = await Secret.from_source(KeyringSource(name)).resolve()

    assert secret.reveal() == HIDDEN


async def test_it_is_read_in_a_thread(ring: InMemory) -> None:
    """A keyring that asks its user keeps nobody else waiting."""
    ring.set_password("orders", "cli", HIDDEN)

    await KeyringSource("orders/cli").read()

    assert threading.main_thread().name not in ring.threads


async def test_who_gives_up_does_not_wait(ring: InMemory) -> None:
    """A keyring that waits for a user who never comes holds nobody past the deadline."""
    done = threading.Event()
    ring.get_password = lambda *_: str(done.wait(30))  # type: ignore[method-assign]
    try:
        with anyio.move_on_after(0.01) as scope:
            await KeyringSource("orders/cli").read()
        assert scope.cancelled_caught
    finally:
        done.set()


async def test_rotation_is_picked_up(ring: InMemory) -> None:
    """It is read anew each time."""
    secret = Secret.from_source(KeyringSource("orders/cli"))
    ring.set_password("orders", "cli", "first-value")
    await secret.resolve()
    ring.set_password("orders", "cli", HIDDEN)

    assert (await secret.resolve()).reveal() == HIDDEN


async def test_no_entry(ring: InMemory) -> None:
    """An entry that is not there is told, and how to put it there."""
    assert await trouble(KeyringSource("orders/cli")) == (
        "the keyring has no orders/cli: keyring set orders cli puts it there"
    )


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "the keyring's orders/cli is empty"),
        ("x" * 65_537, "the keyring's orders/cli is more than 64 KiB"),
    ],
)
async def test_an_entry_that_is_no_secret(ring: InMemory, value: str, told: str) -> None:
    """What is empty, or too large for a secret, is refused."""
    ring.set_password("orders", "cli", value)

    assert told == await trouble(KeyringSource("orders/cli"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyringLocked(HIDDEN), "the keyring is locked, so orders/cli cannot be read"),
        (InitError(HIDDEN), "the keyring cannot give orders/cli: InitError"),
    ],
)
async def test_a_keyring_in_trouble(ring: InMemory, error: Exception, told: str) -> None:
    """What is wrong with the keyring is told, though not in its words."""
    ring.trouble = error

    assert told == await trouble(KeyringSource("orders/cli"))


async def test_no_keyring(ring: InMemory) -> None:
    """A system without a keyring is told, and what tells more."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]

    assert await trouble(KeyringSource("orders/cli")) == (
        "this system has no keyring that can be used: keyring --list-backends tells more"
    )


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the library is not installed, the extra is named; diagnostics name it too."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "keyring"]:
        monkeypatch.delitem(sys.modules, name)
    find_spec = PathFinder.find_spec

    def without(name: str, *rest: object) -> object:
        return None if name.startswith("keyring") else find_spec(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(PathFinder, "find_spec", without)

    assert KeyringSource("orders/cli").check() == EXTRA
    assert await trouble(KeyringSource("orders/cli")) == EXTRA


def test_checking_asks_no_keyring(ring: InMemory) -> None:
    """Diagnostics look whether the library is there, and no further."""
    assert KeyringSource("orders/cli").check() is None
    assert ring.threads == []


def test_it_is_named_without_its_value() -> None:
    """It says which entry it is."""
    assert str(KeyringSource("orders/cli")) == "keyring orders/cli"


async def test_a_configuration_reads_it(ring: InMemory, tmp_path: Path) -> None:
    """A reference gives the credential, and the status tells the entry without its value."""
    ring.set_password("orders", "cli", HIDDEN)
    path = tmp_path / "gqlauth.toml"
    path.write_text(
        '[endpoints.orders]\nurl = "https://orders.example.com/graphql"\n'
        'auth = { type = "bearer", token = { keyring = "orders/cli" } }\n',
        encoding="utf-8",
    )
    async with AuthService.from_config(path) as service:
        assert service.status()[0].secret_source == "keyring orders/cli"
        assert ring.threads == []
        assert (await service.token()).reveal() == HIDDEN
        assert HIDDEN not in repr(service.status())


@pytest.mark.parametrize("name", ["", "orders", "/cli", "orders/", "a/b\0"])
def test_a_name_has_two_parts(name: str) -> None:
    """A name without a service or a user name is refused, before anything is read."""
    with pytest.raises(ValueError, match='is named "service/username"'):
        KeyringSource(name)
