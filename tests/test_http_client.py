"""The clients that carry secrets: what the environment says of proxies, within bounds."""

from __future__ import annotations

import os
import sys
from typing import Any

import httpx
import pytest

from gqlauth import AuthService, ConfigError, Secret
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._http_client import Borrowed, http_client, loopback_host
from gqlauth_strategies import ClientCredentials
from tests.support.http_server import Answer, http_server, unused_port

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_for_this_machine_goes_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Plain http is allowed to it because nobody is in between."""
    with http_server(lambda _: Answer(200, b"here")) as server:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
        url = f"http://{host}:{server.port}/graphql"
        service = AuthService(Config(endpoints={"local": Endpoint(name="local", url=url)}))
        async with service.client("local") as client:
            answer = await client.get(url)

    assert answer.text == "here"


async def test_connections_are_borrowed_by_what_is_public_where_need_be() -> None:
    """A library that chooses its transports in another way is asked by `send`."""

    class Other:
        async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
            return await lender.send(request, **how)

    async def lend() -> Any:
        return Other()

    with http_server(lambda _: Answer(200, b"here")) as server:
        async with (
            http_client([server.url]) as lender,
            httpx.AsyncClient(transport=Borrowed(lend)) as client,
        ):
            answer = await client.get(server.url)

    assert answer.text == "here"


async def test_a_token_request_to_this_machine_goes_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy would read the client secret."""
    answer = Answer(200, b'{"access_token": "here", "expires_in": 60}')
    with http_server(lambda _: answer) as server:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")
        strategy = ClientCredentials(
            token_url=f"{server.url}/token", client_id="c", client_secret=Secret("s")
        )
        auth = EndpointAuthConfig(type="client_credentials", strategy=strategy)
        endpoint = Endpoint(name="local", url="https://api.example.com/", auth=auth)
        async with AuthService(Config(endpoints={"local": endpoint})) as service:
            token = await service.token("local")

    assert token.reveal() == "here"


async def test_what_is_no_url_is_not_this_machine() -> None:
    """Who asks it is told."""
    assert loopback_host("http://[::1") == ""
    assert loopback_host("http://localhost:1/") == "localhost"
    assert loopback_host("https://id.example.com/") == ""


async def test_an_address_of_six_is_this_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is written."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    own = httpx.MockTransport(lambda _: httpx.Response(200, text="here"))

    async with http_client(["http://[::1]:1/"], transport=own) as client:
        assert (await client.get("http://[::1]:1/")).text == "here"


async def test_what_is_for_others_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment says."""
    with http_server(lambda request: Answer(200, request.path.encode())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        url = "http://api.example.com/graphql"
        async with http_client([url]) as client:
            answer = await client.get(url)

    assert answer.text == url


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALL_PROXY", "http://me:pa/ss@proxy.example.com", "InvalidURL"),
        ("HTTPS_PROXY", "gopher://me:pa@proxy.example.com", "ValueError"),
        ("SSL_CERT_FILE", "/nowhere/pa", "FileNotFoundError"),
    ],
)
async def test_an_environment_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """By the names of the variables, and never by their values: a proxy may have a password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=rf"cannot be used \({told}\): look at HTTP_PROXY") as got:
        http_client(["https://api.example.com/graphql"])

    assert got.value.__context__ is None
    assert value not in str(got.value)
    assert "pa" not in str(got.value).split("(")[1].split()


async def test_a_proxy_of_another_kind_needs_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is told."""
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example.com")
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigError, match=r"pip install 'httpx\[socks\]'$"):
        http_client(["https://api.example.com/graphql"])
