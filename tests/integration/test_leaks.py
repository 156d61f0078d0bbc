"""graphql-python/gql logs questions and answers: no secret of ours comes into its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.httpx import HTTPXAsyncTransport

from gqlauth import AuthService, GqlAuthError, RedactingFilter, Secret
from gqlauth_strategies import ClientCredentials
from tests.leaks.canaries import ACCESS_TOKEN, CLIENT_SECRET, Search
from tests.leaks.listening import listening
from tests.leaks.states import STATES
from tests.leaks.world import data, gives
from tests.support.http_server import http_server

if TYPE_CHECKING:
    from tests.leaks.world import World

pytestmark = pytest.mark.anyio

ME = gql("{ me { id } }")


class Servers:
    """What a state of the leak harness prepares: two servers."""

    def __init__(self, tokens: object, api: object) -> None:
        self.tokens = tokens
        self.api = api


async def asked(tokens: str, api: str) -> None:
    """Ask through gql, and leave what is wrong to the log."""
    strategy = ClientCredentials(
        token_url=f"{tokens}/token",
        client_id="orders-cli",
        client_secret=Secret(CLIENT_SECRET.text),
    )
    async with AuthService() as service:
        transport = HTTPXAsyncTransport(api, auth=service.auth_for(strategy, url=api))
        try:
            async with Client(transport=transport) as session:
                await session.execute(ME)
        except (GqlAuthError, TransportError, httpx.HTTPError):
            return


STATES_OF_BOTH = [
    "valid",
    "rejected",
    "rejected by a page",
    "failing",
    "refused by the API",
    "refused in GraphQL",
    "partial",
    "an API that is a page",
]


@pytest.mark.parametrize("state", STATES_OF_BOTH)
async def test_its_log_tells_no_secret(state: str) -> None:
    """All loggers at DEBUG, with the filter on the handler, whatever the servers echo."""
    with (
        http_server(lambda _: gives(ACCESS_TOKEN)) as tokens,
        http_server(data) as api,
        listening() as everything,
    ):
        everything.addFilter(RedactingFilter())
        world: World = Servers(tokens, api)  # type: ignore[assignment]
        STATES[state].prepare(world)
        await asked(tokens.url, api.url)

    assert "gql.transport" in everything.text
    assert Search()(everything.text) == set()


async def test_without_the_filter() -> None:
    """Where no server echoes, there is nothing to mask."""
    with (
        http_server(lambda _: gives(ACCESS_TOKEN)) as tokens,
        http_server(data) as api,
        listening() as everything,
    ):
        await asked(tokens.url, api.url)

    assert "gql.transport" in everything.text
    assert api.requests[0].headers["authorization"] == f"Bearer {ACCESS_TOKEN.text}"
    assert Search()(everything.text) == set()
