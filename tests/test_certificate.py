"""The certificate of a client: its files, and what is told where they cannot be used."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from gqlauth import ConfigError, Secret, _tls
from gqlauth._certificate import Certificate, Shown
from tests.support.certificates import certificate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.certificates import Certificate as Made

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse-battery"
# RFC 8705, appendix A.
RFC_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make a certificate."""
    return certificate(tmp_path_factory.mktemp("certificates"), "own")


@pytest.fixture
def encrypted(own: Made, tmp_path: Path) -> Path:
    """Give the file of its key, encrypted."""
    file = tmp_path / "encrypted.key"
    file.write_bytes(
        own.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    return file


class TestContext:
    async def test_it_is_of_the_certificates_own(self, own: Made) -> None:
        """Nobody else shows what is loaded into it, and servers are verified."""
        one, other = [
            await Certificate(own.certificate_file, own.key_file).context(None) for _ in range(2)
        ]
        assert one is not other
        assert one.verify_mode is ssl.CERT_REQUIRED
        assert one.check_hostname

    async def test_the_key_may_stand_in_the_same_file(self, own: Made, tmp_path: Path) -> None:
        """As some tools write them."""
        both = tmp_path / "both.pem"
        both.write_bytes(own.key_file.read_bytes() + own.certificate_file.read_bytes())
        await Certificate(both).context(None)
        assert await Certificate(both).thumbprint() == (
            await Certificate(own.certificate_file).thumbprint()
        )

    async def test_an_encrypted_key_is_decrypted(self, own: Made, encrypted: Path) -> None:
        """By a secret like any."""
        await Certificate(own.certificate_file, encrypted, Secret(PASSWORD)).context(None)

    async def test_servers_are_verified_by_ca_file(self, own: Made) -> None:
        """If there is one."""
        chosen = Certificate(own.certificate_file, own.key_file)
        context = await chosen.context(own.certificate_file)
        assert len(context.get_ca_certs()) == 1

    async def test_a_wrong_password_is_told_without_it(self, own: Made, encrypted: Path) -> None:
        """But with where it comes from."""
        chosen = Certificate(own.certificate_file, encrypted, Secret("another"))
        with pytest.raises(ConfigError) as caught:
            await chosen.context(None)
        assert str(caught.value) == (
            f"certificate_key_file {encrypted} cannot be used: "
            "the key is not decrypted by certificate_key_password (given in code)"
        )

    async def test_a_password_that_is_missing_is_told(self, own: Made, encrypted: Path) -> None:
        """Nobody is asked for it on the terminal."""
        with pytest.raises(ConfigError, match="the key is encrypted: set certificate_key_password"):
            await Certificate(own.certificate_file, encrypted).context(None)

    async def test_the_key_of_another_is_told(self, own: Made, tmp_path: Path) -> None:
        """Files are mixed up easily."""
        other = certificate(tmp_path, "other")
        with pytest.raises(ConfigError, match="the key is not that of the certificate"):
            await Certificate(own.certificate_file, other.key_file).context(None)

    async def test_a_file_without_a_key_is_told(self, own: Made) -> None:
        """By the file that is wrong."""
        with pytest.raises(ConfigError) as caught:
            await Certificate(own.certificate_file).context(None)
        assert str(caught.value) == (
            f"certificate_file {own.certificate_file} cannot be used: "
            "a certificate and its key are wanted, in PEM"
        )

    async def test_a_folder_is_told(self, own: Made, tmp_path: Path) -> None:
        """In the system's words."""
        with pytest.raises(ConfigError, match=f"certificate_key_file {tmp_path} cannot be used: "):
            await Certificate(own.certificate_file, tmp_path).context(None)


class TestThumbprint:
    async def test_it_is_that_of_the_first_certificate(self, own: Made, tmp_path: Path) -> None:
        """RFC 8705, appendix A; what follows is the chain."""
        file = tmp_path / "chain.pem"
        file.write_text(RFC_CERTIFICATE + own.certificate_file.read_text())
        assert await Certificate(file).thumbprint() == (
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
        )

    async def test_a_file_without_a_certificate_is_told(self, own: Made) -> None:
        """A key has none."""
        with pytest.raises(ConfigError, match="it holds no certificate in PEM"):
            await Certificate(own.key_file).thumbprint()

    async def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """With its path."""
        file = tmp_path / "missing.pem"
        with pytest.raises(ConfigError, match=f"certificate_file {file} cannot be used: No such"):
            await Certificate(file).thumbprint()


class TestStamp:
    async def test_it_changes_with_either_file(self, tmp_path: Path) -> None:
        """Certificates are renewed while a service runs."""
        made = certificate(tmp_path, "renewed")
        chosen = Certificate(made.certificate_file, made.key_file)
        stamps = [await chosen.stamp(), await chosen.stamp()]
        for file in (made.certificate_file, made.key_file):
            os.utime(file, ns=(1, 1))
            stamps.append(await chosen.stamp())

        assert stamps[0] == stamps[1]
        assert len(set(stamps)) == 3

    async def test_a_missing_file_is_told(self, own: Made, tmp_path: Path) -> None:
        """By its key."""
        chosen = Certificate(own.certificate_file, tmp_path / "missing.key")
        with pytest.raises(ConfigError, match=r"certificate_key_file .* cannot be used: No such"):
            await chosen.stamp()


class TestTrust:
    """Whom a connection trusts that shows a certificate."""

    async def test_it_is_the_systems_store(
        self, own: Made, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where nothing else is named."""
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.delenv("SSL_CERT_DIR", raising=False)
        context = await Certificate(own.certificate_file, own.key_file).context(None)
        assert isinstance(context, type(_tls.system_context()))
        assert context is not _tls.system_context()

    async def test_the_environment_is_heard(
        self, own: Made, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As for a connection without one."""
        monkeypatch.setenv("SSL_CERT_FILE", str(own.certificate_file))
        context = await Certificate(own.certificate_file, own.key_file).context(None)
        assert len(context.get_ca_certs()) == 1

    async def test_what_cannot_be_read_is_told(
        self, own: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the setting that names it."""
        chosen = Certificate(own.certificate_file, own.key_file)
        missing = tmp_path / "missing.pem"
        with pytest.raises(ConfigError, match=rf"^ca_file {missing} cannot be used: "):
            await chosen.context(missing)
        monkeypatch.setenv("SSL_CERT_FILE", str(missing))
        with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE or SSL_CERT_DIR cannot be used: "):
            await chosen.context(None)


class TestShown:
    async def test_its_files_are_read_before_a_request_that_needs_them(
        self, tmp_path: Path
    ) -> None:
        """They are loaded once, and again when they are renewed."""
        own = certificate(tmp_path, "own")
        loaded: list[object] = []

        class Noted(Certificate):
            async def load(self, context: ssl.SSLContext) -> None:
                await super().load(context)
                loaded.append(context)

        context = ssl.create_default_context()
        shown = Shown(Noted(own.certificate_file, own.key_file), context)
        for _ in range(2):
            await shown(None)
        assert loaded == [context]
        os.utime(own.certificate_file, (1, 1))
        await shown(None)
        assert loaded == [context] * 2

    async def test_one_that_cannot_be_used(self, tmp_path: Path) -> None:
        """What is wrong is told in place of the request."""
        shown = Shown(Certificate(tmp_path / "none.pem"), ssl.create_default_context())
        with pytest.raises(ConfigError, match=r"certificate_file .*none\.pem cannot be used"):
            await shown(None)
