"""Subscriptions of ``gql api`` over WebSocket tell no secret, whatever the server sends back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.leaks.canaries import ACCESS_TOKEN, HEADER_KEY, PLAIN
from tests.leaks.world import CONFIG
from tests.support.subscriptions import Answers, Rejects, Says
from tests.support.threaded import websocket_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.leaks.world import Leak, World
    from tests.support.subscriptions import Connection

    Script = Callable[[Connection], Coroutine[Any, Any, None]]

WATCH = "subscription { tick }"
KEY_HEADER = ("-H", f"X-Api-Key: {PLAIN.text}")
#: Each way to listen, with what is sent then, and comes back: a reason for closing has 123 bytes.
WAYS = {
    "token": ((), f"{ACCESS_TOKEN.text} {HEADER_KEY.text}"),
    "-v": (("--include", "-v"), f"{ACCESS_TOKEN.text} {HEADER_KEY.text}"),
    "-vvv": (("-vvv", *KEY_HEADER), f"{ACCESS_TOKEN.text} {HEADER_KEY.text} {PLAIN.text}"),
    "own": (
        ("-vvv", "--log-format", "json", "-H", f"Authorization: Bearer {PLAIN.text}"),
        f"{HEADER_KEY.text} {PLAIN.text}",
    ),
    "none": (("--silent", "--no-auth", "-vv", *KEY_HEADER), f"{HEADER_KEY.text} {PLAIN.text}"),
    "dry run": (("--dry-run", *KEY_HEADER), ""),
}
LIVE = """
[endpoints.live]
url = "{url}"
headers = {{ "X-Key" = {{ env = "ORDERS_KEY" }} }}
subscriptions = {{ transport = "ws" }}
timeout = 5.0

[endpoints.live.auth]
type = "client_credentials"
token_url = "{tokens}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
"""


def greetings(echo: str) -> dict[str, Rejects | Answers | Says]:
    """Return how a server may not let a connection come to be, and send back what was sent."""
    refused = {"type": "connection_error", "payload": {"message": echo}}
    return {
        "rejects": Rejects(4403, echo),
        "wrong": Rejects(4400, echo),
        "handshake": Answers(401, {"WWW-Authenticate": echo}),
        "redirect": Answers(302, {"Location": f"ws://127.0.0.1:9/{quote(echo)}"}),
        "older": Says(json.dumps(refused)),
        "protocol": Says(json.dumps({"type": echo})),
    }


def scripts(echo: str) -> dict[str, Script]:
    """Return how it may do so later on."""

    async def fails(connection: Connection) -> None:
        await connection.received("subscribe")
        await connection.say(id="1", type="next", payload={"errors": [{"message": echo}]})
        await connection.say(id="1", type="error", payload=[{"message": echo}])

    async def babbles(connection: Connection) -> None:
        await connection.received("subscribe")
        await connection.say(id="1", type="next", payload=echo)
        await connection.say(id="1", type="complete")

    async def closes(connection: Connection) -> None:
        await connection.received("subscribe")
        await connection.close(4400, echo)

    async def goes_away(connection: Connection) -> None:
        await connection.received("subscribe")
        await connection.close(1001, echo)

    return {"fails": fails, "babbles": babbles, "closes": closes, "goes away": goes_away}


def leaks_of(world: World, url: str, options: tuple[str, ...]) -> set[Leak]:
    """Listen at an endpoint whose subscriptions come over WebSocket; return what is told."""
    world.configure(CONFIG + LIVE.replace("{url}", url))
    return world("api", WATCH, "-e", "live", *options, echoes=True).leaks


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("greeting", greetings(""))
def test_greetings(world: World, greeting: str, way: str) -> None:
    """What keeps a connection from coming to be is told without what was sent."""
    options, echo = WAYS[way]
    with websocket_server(greetings=(greetings(echo)[greeting],) * 2) as server:
        assert leaks_of(world, server.url, options) == set()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", scripts(""))
def test_events(world: World, script: str, way: str) -> None:
    """So are errors in events, and reasons for an end."""
    options, echo = WAYS[way]
    with websocket_server(scripts(echo)[script]) as server:
        assert leaks_of(world, server.url, options) == set()
