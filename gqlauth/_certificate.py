"""The certificate by which a client proves itself, or that its tokens are bound to (RFC 8705)."""

from __future__ import annotations

import hashlib
import ssl
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final

import attrs

from gqlauth._tls import own_context
from gqlauth.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import NoReturn, Self

    from gqlauth._secret import Secret

#: What tells one state of the files from another: of each its inode, size, and time of change.
Stamp = tuple[tuple[int, int, int], ...]

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


@attrs.frozen
class Certificate:
    """The files of a certificate with its chain, and of its key, all PEM."""

    file: Path
    #: None where the key stands in the same file.
    key_file: Path | None = None
    #: What the key is encrypted with.
    password: Secret | None = None

    @classmethod
    def of(cls, strategy: object) -> Self | None:
        """Return the certificate that the fields of a strategy tell of, if they do."""
        file = getattr(strategy, "certificate_file", None)
        if file is None:
            return None
        key_file = getattr(strategy, "certificate_key_file", None)
        return cls(file, key_file, getattr(strategy, "certificate_key_password", None))

    async def stamp(self) -> Stamp:
        """Return what changes when the files do: they are renewed, often while one runs.

        Raises:
            ConfigError: when a file is not there.

        """
        from anyio.to_thread import run_sync  # noqa: PLC0415 - few have a certificate

        from gqlauth._threads import for_secrets  # noqa: PLC0415 - as above

        return await run_sync(self._stamp, limiter=for_secrets())

    async def context(self, ca_file: Path | None) -> ssl.SSLContext:
        """Return what shows the certificate, and trusts what is in `ca_file`, or in the system.

        Raises:
            ConfigError: when the files cannot be used.
            SecretError: when the password cannot be had.

        """
        context = own_context(ca_file)
        await self.load(context)
        return context

    async def load(self, context: ssl.SSLContext) -> None:
        """Let `context` show the certificate, as its files are now, in connections to come.

        Raises:
            ConfigError: when the files cannot be used.
            SecretError: when the password cannot be had.

        """
        from anyio.to_thread import run_sync  # noqa: PLC0415 - as above

        from gqlauth._threads import for_secrets  # noqa: PLC0415 - as above

        password = None if self.password is None else await self.password.resolve()
        # To decrypt a key is made to take long.
        await run_sync(self._load, context, password, limiter=for_secrets())

    async def thumbprint(self) -> str:
        """Return its ``x5t#S256`` (RFC 7515, section 4.1.8).

        Raises:
            ConfigError: when the file cannot be used.

        """
        from anyio.to_thread import run_sync  # noqa: PLC0415 - as above

        from gqlauth._threads import for_secrets  # noqa: PLC0415 - as above

        return await run_sync(self._thumbprint, limiter=for_secrets())

    def _stamp(self) -> Stamp:
        return tuple(self._stamp_of(*named) for named in self._files())

    def _stamp_of(self, key: str, file: Path) -> tuple[int, int, int]:
        try:
            stat = file.stat()
        except OSError as error:
            _cannot(key, file, error.strerror or type(error).__name__)
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _files(self) -> tuple[tuple[str, Path], ...]:
        files = (("certificate_file", self.file), ("certificate_key_file", self.key_file))
        return tuple((key, file) for key, file in files if file is not None)

    def _load(self, context: ssl.SSLContext, password: Secret | None) -> None:
        # OpenSSL asks on the terminal for a password that it is not given.
        asked: list[None] = []

        def reveal() -> str:
            asked.append(None)
            return "" if password is None else password.reveal()

        try:
            context.load_cert_chain(self.file, self.key_file, reveal)
        except (OSError, ValueError) as error:
            trouble = _trouble(error, password, asked=bool(asked))
        else:
            return
        _cannot(*self._files()[-1], trouble)

    def _thumbprint(self) -> str:
        try:
            text = self.file.read_text("ascii", "replace")
            first = text[text.index(_BEGIN) :].partition(_END)[0] + _END
            der = ssl.PEM_cert_to_DER_cert(first)
        except OSError as error:
            _cannot("certificate_file", self.file, error.strerror or type(error).__name__)
        except ValueError:
            _cannot("certificate_file", self.file, "it holds no certificate in PEM")
        return urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")


class Shown:
    """An httpx request hook: TLS shows a certificate, as its files are when a request is sent."""

    def __init__(self, certificate: Certificate, context: ssl.SSLContext) -> None:
        """Show `certificate` by `context`, which is that of the client and nobody else's."""
        self._certificate = certificate
        self._context = context
        self._loaded: Stamp | None = None

    async def __call__(self, _request: object) -> None:
        """See that it is loaded; connections that are open stay as they are."""
        stamp = await self._certificate.stamp()
        if stamp != self._loaded:
            await self._certificate.load(self._context)
            self._loaded = stamp


def _trouble(error: OSError | ValueError, password: Secret | None, *, asked: bool) -> str:
    """Return what keeps a certificate from being loaded, in words that help."""
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    if asked:
        if password is None:
            return "the key is encrypted: set certificate_key_password"
        return f"the key is not decrypted by certificate_key_password ({password.source})"
    if isinstance(error, ssl.SSLError):
        return "a certificate and its key are wanted, in PEM"
    return getattr(error, "strerror", None) or type(error).__name__


def _cannot(key: str, file: Path, why: str) -> NoReturn:
    raise ConfigError(f"{key} {file} cannot be used: {why}")
