"""Whom gqlauth trusts to say who a server is; tests/integration asks real servers."""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING

import attrs
import certifi
import pytest
import truststore

from gqlauth import _tls
from gqlauth._http_client import http_client

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _none_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def connect(context: ssl.SSLContext) -> None:
    """Begin TLS as for a connection."""
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="id.example.com")


def test_there_is_one_for_the_process() -> None:
    """Reading the store takes tens of milliseconds."""
    assert _tls.system_context() is _tls.system_context()


def test_it_verifies() -> None:
    """Names and certificates both."""
    context = _tls.system_context()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_the_store_is_read_for_the_first_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks nobody by https does not pay for it, and who asks often pays once."""
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    context = _tls._store.__wrapped__()
    assert context.cert_store_stats()["x509_ca"] == 0

    connect(context)
    read = context.cert_store_stats()["x509_ca"]
    monkeypatch.setattr(context, "set_default_verify_paths", lambda: pytest.fail("read twice"))
    connect(context)

    assert read > 0


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_truststore_asks_where_there_is_no_file(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """Of macOS and Windows their own verification; elsewhere truststore knows where to look."""
    monkeypatch.setattr(sys, "platform", platform)
    none = attrs.make_class("Paths", {"cafile": attrs.field(default=None)})
    monkeypatch.setattr(ssl, "get_default_verify_paths", none)

    assert type(_tls._store.__wrapped__()) is truststore.SSLContext


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_what_the_environment_names_stands_for_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    """As it does for httpx."""
    named = certifi.where() if variable == "SSL_CERT_FILE" else str(tmp_path)
    monkeypatch.setenv(variable, named)

    context = _tls.system_context()

    assert context is _tls.system_context()
    assert type(context) is ssl.SSLContext
    assert bool(context.cert_store_stats()["x509_ca"]) is (variable == "SSL_CERT_FILE")


def test_a_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not passed over for what else there is."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")

    with pytest.raises(FileNotFoundError):
        _tls.system_context()


@pytest.mark.anyio
async def test_clients_verify_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients that carry secrets are made with it, unless they have one of their own."""
    made: list[object] = []
    monkeypatch.setattr("httpx.AsyncClient", lambda **settings: made.append(settings["verify"]))
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    http_client(["https://id.example.com"])
    http_client(["https://id.example.com"], verify=True)
    http_client(["https://id.example.com"], verify=own)

    assert made == [_tls.system_context(), _tls.system_context(), own]
