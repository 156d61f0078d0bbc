"""Threads of gqlauth's own: neither the application's nor those that hang keep a token from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from gqlauth import AuthService, Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import CacheOptions
from gqlauth._secret_sources import FileSource
from gqlauth._stores._seal import new_key
from gqlauth._stores._sealing_key import VARIABLE
from gqlauth._threads import for_secrets, for_stores
from gqlauth.sync import SyncAuthService
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[AuthService]:
    """Run a service whose secret is a file, and whose tokens are stored on disk."""
    monkeypatch.setenv(VARIABLE, new_key())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    strategy = ClientCredentials(
        token_url="https://id.example.com/token",
        client_id="acme",
        client_secret=Secret.from_source(FileSource(secret)),
    )
    auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
    endpoint = Endpoint(name="orders", url="https://api.example.com/graphql", auth=auth)
    config = Config(endpoints={"orders": endpoint}, cache=CacheOptions(store="disk"))
    async with AuthService(config, token_transport=AuthorizationServer()) as running:
        yield running


async def test_all_threads_of_the_application_wait(
    service: AuthService, caplog: pytest.LogCaptureFixture
) -> None:
    """None of them is needed to get the token that they wait for, or to store it."""
    view, texts = SyncAuthService(service), []
    most = int(anyio.to_thread.current_default_thread_limiter().total_tokens)

    async def ask() -> None:
        token = await anyio.to_thread.run_sync(view.token, "orders")
        texts.append(token.reveal())

    async with anyio.create_task_group() as tasks:
        for _ in range(most + 1):
            tasks.start_soon(ask)

    assert texts == ["token-1"] * (most + 1)
    assert caplog.messages == []


async def test_all_threads_of_the_store_hang(tmp_path: Path) -> None:
    """Secrets are read all the same."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    threads = for_stores()
    hanging = range(int(threads.total_tokens))
    for number in hanging:
        await threads.acquire_on_behalf_of(number)

    assert await FileSource(secret).read() == "s3cret"

    for number in hanging:
        threads.release_on_behalf_of(number)


async def test_there_are_so_many_in_an_event_loop() -> None:
    """Whoever asks in it shares them."""
    assert for_secrets() is for_secrets()
    assert for_secrets() is not for_stores()
