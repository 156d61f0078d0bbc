"""A protected API that is asked one question, with the token of a strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from gqlauth import AuthService
from gqlauth.testing import AuthorizationServer

if TYPE_CHECKING:
    from gqlauth import Strategy

API = "https://orders.example.com/graphql"


async def ask(
    strategy: Strategy, fake: AuthorizationServer | None = None, *, refused: int = 0
) -> list[httpx.Headers]:
    """Return the headers of the requests that the API got; it refuses the first `refused`."""
    got: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        # A copy: the same request is sent again with another token.
        got.append(request.headers.copy())
        return httpx.Response(401 if len(got) <= refused else 200, json={"data": {}})

    async with (
        AuthService(token_transport=fake or AuthorizationServer()) as service,
        httpx.AsyncClient(
            auth=service.auth_for(strategy, url=API), transport=httpx.MockTransport(answer)
        ) as client,
    ):
        await client.post(API, json={"query": "{ me { id } }"})
    return got


async def authorization(strategy: Strategy, fake: AuthorizationServer | None = None) -> str:
    """Return the ``Authorization`` that the API got."""
    (headers,) = await ask(strategy, fake)
    return headers["authorization"]
