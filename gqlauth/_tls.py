"""Whom gqlauth trusts to say who a server is: the system's own store of certificates."""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def system_context() -> ssl.SSLContext:
    """Return what verifies servers by the system's store, or `SSL_CERT_FILE`, `SSL_CERT_DIR`.

    It is one for the process, and cheap: a store that is read is read for the first connection
    that wants it.

    Raises:
        OSError: when one of the variables names what cannot be read.

    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return _named(file or None, folder or None)
    return _store()


def own_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that is nobody else's, so that a client's certificate may be loaded.

    It verifies servers by `ca_file`, or by what `system_context` does.

    Raises:
        ConfigError: when the file, or what the environment names, cannot be read.

    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if ca_file is not None:
            return ssl.create_default_context(cafile=ca_file)
        if file or folder:
            return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:
        what = "SSL_CERT_FILE or SSL_CERT_DIR" if ca_file is None else f"ca_file {ca_file}"
        raise ConfigError(f"{what} cannot be used: {error}") from error
    return _new_store()


@cache
def _named(file: str | None, folder: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=file, capath=folder)


@cache
def _store() -> ssl.SSLContext:
    return _new_store()


def _new_store() -> ssl.SSLContext:
    # Where the store is a file, truststore reads it for each connection: 30 ms, in which an event
    # loop does nothing else.
    if sys.platform not in {"darwin", "win32"} and ssl.get_default_verify_paths().cafile:
        return _FileStore(ssl.PROTOCOL_TLS_CLIENT)
    import truststore  # noqa: PLC0415 - as said above

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _FileStore(ssl.SSLContext):
    """Trusts what OpenSSL's own files hold; they are read once, for the first connection."""

    _is_read = False

    def wrap_bio(self, *args: Any, **settings: Any) -> ssl.SSLObject:  # noqa: ANN401 - as inherited
        """Return the TLS of a connection, as inherited."""
        if not self._is_read:
            self.set_default_verify_paths()
            self._is_read = True
        return super().wrap_bio(*args, **settings)
