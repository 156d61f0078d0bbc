"""Secrets from the system's keyring, by the library keyring: the extra ``gqlauth[keyring]``.

That library is imported when a secret is read, and in a thread: it is slow to import, and a
keyring may ask the user to unlock it.
"""

from __future__ import annotations

from typing import Any

import anyio
import attrs

from gqlauth._secret_sources import MAX_SECRET
from gqlauth.errors import SecretError


def _two_parts(_instance: object, _field: attrs.Attribute[Any], value: str) -> None:
    service, _, username = value.rpartition("/")
    if not service or not username or "\0" in value:
        raise ValueError('a keyring\'s secret is named "service/username"')


@attrs.frozen
class KeyringSource:
    """An entry of the system's keyring; wants the extra gqlauth[keyring]."""

    #: Its service and its user name, with a slash between them; the service may have slashes.
    name: str = attrs.field(validator=_two_parts)

    async def read(self) -> str:
        """Return what the keyring holds.

        Raises:
            SecretError: when the library is not installed, there is no keyring, it stays locked,
                or it has no such entry.

        """
        from gqlauth._threads import for_secrets  # noqa: PLC0415 - only who reads one wants it

        # It may wait for a user who never comes; who gave up need not.
        threads = for_secrets()
        found = await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True, limiter=threads)
        if isinstance(found, SecretError):
            raise found
        return found

    def check(self) -> str | None:
        """Tell whether the library is missing; no keyring is asked."""
        from importlib.util import find_spec  # noqa: PLC0415 - only diagnostics ask

        return _missing() if find_spec("keyring") is None else None

    def _read(self) -> str | SecretError:
        try:
            import keyring  # noqa: PLC0415 - see the module's docstring
            from keyring.errors import KeyringError, KeyringLocked, NoKeyringError  # noqa: PLC0415
        except ImportError:
            return SecretError(_missing())
        service, _, username = self.name.rpartition("/")
        try:
            return self._checked(keyring.get_password(service, username))
        except NoKeyringError:
            return SecretError(
                "this system has no keyring that can be used: keyring --list-backends tells more"
            )
        except KeyringLocked:
            return SecretError(f"the keyring is locked, so {self.name} cannot be read")
        except KeyringError as error:
            # Not in its words: a backend may quote what it has read.
            reason = type(error).__name__
            return SecretError(f"the keyring cannot give {self.name}: {reason}")

    def _checked(self, text: str | None) -> str | SecretError:
        if text is None:
            service, _, username = self.name.rpartition("/")
            return SecretError(
                f"the keyring has no {self.name}: keyring set {service} {username} puts it there"
            )
        if len(text) > MAX_SECRET:
            return SecretError(f"the keyring's {self.name} is more than {MAX_SECRET // 1024} KiB")
        return text or SecretError(f"the keyring's {self.name} is empty")

    def __str__(self) -> str:
        return f"keyring {self.name}"


def _missing() -> str:
    return 'keyring needs an extra that is not installed: pip install "gqlauth[keyring]"'
