"""Discovery, of the real authorization server, by the library and by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gqlauth import AuthService, TokenRefusedError, TokenUnavailableError
from gqlauth._config import load
from tests.support.servers import oidc_provider

if TYPE_CHECKING:
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio


def configured(folder: Path, issuer: str, api: Api, **fields: str) -> Path:
    """Write a file with an endpoint whose tokens come from `issuer`."""
    more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
    file = folder / "gqlauth.toml"
    file.write_text(
        f'[endpoints.api]\nurl = "{api.url}"\n[endpoints.api.auth]\n'
        f'type = "client_credentials"\nissuer = "{issuer}"\nclient_id = "basic"\n'
        f'client_secret = {{ env = "API_CLIENT_SECRET" }}\nscopes = ["api:read"]\n{more}'
    )
    return file


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the client's secret."""
    monkeypatch.setenv("API_CLIENT_SECRET", "basic-secret")


async def test_token_of_an_issuer(provider: Provider, api: Api, tmp_path: Path) -> None:
    """The issuer is all that is configured of the server."""
    file = configured(tmp_path, provider.issuer, api, audience=api.audience)
    async with (
        AuthService.from_config(file) as service,
        httpx.AsyncClient(auth=service.auth("api")) as client,
    ):
        (before,) = service.status()
        answer = await client.post(api.url, json={"query": "{ me { id } }"})
        (after,) = service.status()

    assert answer.json() == {"data": {"me": {"id": "basic"}}}
    assert (before.token_url, after.token_url) == (None, provider.token_url)


async def test_issuer_with_a_slash_more(provider: Provider, api: Api, tmp_path: Path) -> None:
    """It is another issuer, and it is told what to write."""
    file = configured(tmp_path, f"{provider.issuer}/", api)
    async with AuthService(load(file).require()) as service:
        with pytest.raises(TokenRefusedError) as caught:
            await service.token("api")

    assert f'gave metadata of another issuer, "{provider.issuer}"' in str(caught.value)
    assert caught.value.hint == f'set issuer = "{provider.issuer}"'


async def test_issuer_that_is_none(provider: Provider, api: Api, tmp_path: Path) -> None:
    """Both places are looked at, and both are told."""
    file = configured(tmp_path, f"{provider.issuer}/tenant", api)
    async with AuthService(load(file).require()) as service:
        with pytest.raises(TokenRefusedError) as caught:
            await service.token("api")

    assert "/.well-known/oauth-authorization-server/tenant gave 404" in str(caught.value)
    assert "/tenant/.well-known/openid-configuration gave 404" in str(caught.value)


async def test_issuer_that_is_down(api: Api, tmp_path: Path) -> None:
    """It is worth trying again."""
    with oidc_provider() as stopped:
        pass
    file = configured(tmp_path, stopped.issuer, api)
    async with AuthService(load(file).require()) as service:
        with pytest.raises(TokenUnavailableError, match=r"^api: issuer 127.* cannot be reached"):
            await service.token("api")


def test_status_shows_what_was_discovered(provider: Provider, api: Api, tmp_path: Path) -> None:
    """Where it was asked, and not without."""
    file = configured(tmp_path, provider.issuer, api)
    script = str(Path(sys.executable).with_name("gql"))

    def status(*arguments: str) -> Any:
        command = [script, "--config", str(file), "auth", "status", *arguments]
        ran = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
        return ran.stdout

    offline, checked = (
        json.loads(status("--json", *flags))["endpoints"][0]["token_url"]
        for flags in ((), ("--check",))
    )
    assert (offline, checked) == (None, provider.token_url)
    assert provider.token_url in status("--check")
