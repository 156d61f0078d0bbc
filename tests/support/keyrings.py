"""Keyrings for tests, of keyring's own kind."""

from __future__ import annotations

from threading import Event

from keyring.backend import KeyringBackend


class InMemory(KeyringBackend):
    """A keyring that forgets as the process ends."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.trouble: Exception | None = None
        #: Whether it keeps what it is given.
        self.keeps = True

    def get_password(self, service: str, username: str) -> str | None:
        if self.trouble is not None:
            raise self.trouble
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.keeps:
            self.entries[service, username] = password


class Silent(KeyringBackend):
    """A keyring that waits for its user for ever."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        Event().wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        Event().wait()
