"""Both HTTP libraries: clients of either take our authentication, and either will do for us."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest

from gqlauth import AuthService, EndpointAuth, Secret
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

API = "https://orders.example.com/graphql"
#: A library by itself, as far as an `AuthService` goes.
ALONE = """\
import sys
sys.modules["httpx"] = None
import anyio, gqlauth, httpx2
from gqlauth_strategies import ClientCredentials

def answer(request):
    return httpx2.Response(200, json={"access_token": "t-1", "expires_in": 60})

async def main():
    strategy = ClientCredentials(token_url="https://id.example.com/token", client_id="orders")
    async with gqlauth.AuthService(token_transport=httpx2.MockTransport(answer)) as service:
        auth = service.auth_for(strategy, url="https://orders.example.com/graphql")
        api = httpx2.MockTransport(lambda r: httpx2.Response(200, json=r.headers["authorization"]))
        async with httpx2.AsyncClient(auth=auth, transport=api) as client:
            print((await client.get("https://orders.example.com/graphql")).json())

anyio.run(main)
"""


def strategy() -> ClientCredentials:
    return ClientCredentials(
        token_url="https://id.example.com/token", client_id="orders", client_secret=Secret("s3cr3t")
    )


async def body() -> AsyncIterator[bytes]:
    """Give a body as a stream."""
    yield b'{"query": "{ me }"}'


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
class TestEither:
    async def test_a_refused_token_is_replaced(self, library: Any) -> None:
        """And a query sent again, by a client of either."""
        tokens = []

        def api(request: Any) -> Any:
            tokens.append(request.headers["authorization"])
            return library.Response(401 if len(tokens) == 1 else 200, json={"data": {}})

        async with AuthService(token_transport=AuthorizationServer()) as service:
            auth = service.auth_for(strategy(), url=API)
            transport = library.MockTransport(api)
            async with library.AsyncClient(auth=auth, transport=transport) as client:
                answer = await client.post(API, json={"query": "{ me }"})

        assert answer.status_code == 200
        assert tokens == ["Bearer token-1", "Bearer token-2"]

    async def test_a_body_that_is_gone_is_not_sent_again(self, library: Any) -> None:
        """A stream was read when it was sent."""
        async with AuthService(token_transport=AuthorizationServer()) as service:
            auth = service.auth_for(strategy(), url=API)
            transport = library.MockTransport(lambda _: library.Response(401))
            async with library.AsyncClient(auth=auth, transport=transport) as client:
                answer = await client.post(API, content=body())

        assert answer.status_code == 401

    async def test_an_answer_that_a_hook_takes_is_left_alone(self, library: Any) -> None:
        """Its body is gone."""

        async def take(response: Any) -> None:
            async for _ in response.aiter_raw():
                pass

        async with AuthService(token_transport=AuthorizationServer()) as service:
            auth = service.auth_for(strategy(), url=API)
            transport = library.MockTransport(lambda _: library.Response(200, content=body()))
            hooks = {"response": [take]}
            async with (
                library.AsyncClient(auth=auth, transport=transport, event_hooks=hooks) as client,
                client.stream("GET", API) as answer,
            ):
                assert answer.status_code == 200


async def test_it_is_called_what_it_is() -> None:
    """What is made for both is an `EndpointAuth`, and says so."""
    async with AuthService() as service:
        auth = service.auth_for(strategy(), url=API)

    assert isinstance(auth, EndpointAuth)
    assert type(auth).__name__ == "EndpointAuth"
    assert type(auth).__doc__ == EndpointAuth.__doc__


def test_one_alone() -> None:
    """Where httpx is not installed, its continuation does all."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, check=True, text=True)

    assert done.stdout == "Bearer t-1\n"
