"""Where the key that tokens are sealed with comes from.

From ``GQLAUTH_CACHE_KEY``, from a secret of the configuration, or from the system's keyring, in
this order: the library keyring is slow to import.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import anyio
import attrs

from gqlauth._keyring import KeyringSource
from gqlauth._secret import Secret
from gqlauth._secret_sources import EnvSource, FileSource
from gqlauth._stores._seal import Seal, new_key
from gqlauth._stores._store import StoreError
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from gqlauth._clock import Clock
    from gqlauth._stores._folder import Folder

VARIABLE: Final = "GQLAUTH_CACHE_KEY"
#: Under which names the key is kept in the keyring.
SERVICE: Final = "gqlauth"
USERNAME: Final = "token store"

# Seconds in which another process is done with making a key.
_MAKING: Final = 5.0
# Keyrings that keep nothing, as a variable of the library keyring names them.
_NONE: Final = ("keyring.backends.fail.Keyring", "keyring.backends.null.Keyring")


class NoKeyError(StoreError):
    """There is no key, and none was asked for."""


@attrs.frozen
class SealingKey:
    """A key, and where it comes from."""

    #: None where it is not read, as only a look was asked for.
    secret: Secret | None
    origin: str

    def seal(self, clock: Clock) -> Seal | None:
        """Return the seal that it makes; None where it was not read.

        Raises:
            StoreError: when it makes none.

        """
        if self.secret is None:
            return None
        try:
            return Seal(self.secret, clock)
        except ValueError as error:
            trouble = str(error)
        if self.secret.reference is None:
            mend = f'keyring del {SERVICE} "{USERNAME}" removes it'
            raise StoreError(f"the key in {self.origin} {trouble}: {mend}")
        raise StoreError(
            str(self.secret.error(f"{trouble}; this makes one: openssl rand -base64 32"))
        )


async def sealing_key(
    reference: Secret | None, *, folder: Folder | None, look: bool = False
) -> SealingKey:
    """Return the key that tokens are sealed with.

    Args:
        reference: what the configuration says of it.
        folder: where those who find no key in the keyring wait while one of them makes it; None
            where no keyring is asked, as tokens are shared with other machines.
        look: whether this is for diagnostics: then no command is run, and no key is made.

    Raises:
        NoKeyError: when none was set, and there is no keyring.
        StoreError: when the one that was set cannot be had.

    """
    if os.environ.get(VARIABLE):
        reference = Secret.from_source(EnvSource(VARIABLE))
    if reference is not None:
        if look and not isinstance(reference.reference, EnvSource | FileSource | KeyringSource):
            return SealingKey(None, reference.source)
        try:
            return SealingKey(await reference.resolve(), reference.source)
        except SecretError as error:
            trouble = str(error)
        raise StoreError(trouble)
    if folder is None:
        raise _no_key()
    lack = lack_of_key(reference)
    if lack is not None:
        raise lack
    from gqlauth._threads import for_stores  # noqa: PLC0415 - only a keyring wants it

    # It may wait for a user who never comes; who gave up need not.
    found = await anyio.to_thread.run_sync(
        _of_keyring, folder, look, abandon_on_cancel=True, limiter=for_stores()
    )
    if isinstance(found, StoreError):
        raise found
    return SealingKey(found, "the keyring")


def lack_of_key(reference: Secret | None) -> NoKeyError | None:
    """Return why there is no key, where that is plain without asking anything for one."""
    if reference is not None or os.environ.get(VARIABLE):
        return None
    if os.environ.get("PYTHON_KEYRING_BACKEND") in _NONE:
        return _no_key("; the keyring is switched off")
    from importlib.util import find_spec  # noqa: PLC0415 - not where there is a key

    # A module of that name that is there already may be one without a specification.
    if sys.modules.get("keyring") is None and find_spec("keyring") is None:
        return _no_key(', or pip install "gqlauth[keyring]"')
    return None


def _of_keyring(folder: Folder, look: bool) -> Secret | StoreError | None:  # noqa: FBT001 - in a thread
    """Return the key that the keyring has, or is given now; None where there is none yet."""
    import keyring  # noqa: PLC0415 - see the module's docstring
    from keyring.errors import NoKeyringError  # noqa: PLC0415 - the same

    try:
        text = keyring.get_password(SERVICE, USERNAME)
        if text is None and not look:
            text = _made(folder)
    except StoreError as error:
        return error
    except NoKeyringError:
        return _no_key("; this system has no keyring that can be used")
    except Exception as error:  # noqa: BLE001 - a backend may raise anything
        # Not in its words: a backend may quote what it has read.
        return _no_key(f"; the keyring cannot be used ({type(error).__name__})")
    if text is None:
        return None if look else _no_key("; the keyring keeps nothing")
    return Secret(text)


def _made(folder: Folder) -> str | None:
    """Return the key that was made, here or by another process at the same time."""
    import keyring  # noqa: PLC0415 - see the module's docstring
    from filelock import FileLock  # noqa: PLC0415 - once for a user

    folder.prepare()
    with FileLock(folder.path / "keyring.lock", timeout=_MAKING, mode=0o600):
        if keyring.get_password(SERVICE, USERNAME) is None:
            keyring.set_password(SERVICE, USERNAME, new_key())
    return keyring.get_password(SERVICE, USERNAME)


def _no_key(more: str = "") -> NoKeyError:
    return NoKeyError(f"no key to encrypt tokens with: set {VARIABLE}{more}")
