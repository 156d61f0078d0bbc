"""An authorization server in this process that publishes metadata, and gives tokens."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from gqlauth import TokenError
from gqlauth._token_clients import TokenClients
from gqlauth._tries import Tries
from gqlauth.testing import FrozenClock
from gqlauth.testing._server import unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from gqlauth._metadata import Metadata

    Script = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

ISSUER = "https://id.example.com"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def metadata(issuer: str = ISSUER, **fields: Any) -> dict[str, Any]:
    """Return a document that `issuer` may publish."""
    return {"issuer": issuer, "token_endpoint": f"{issuer}/token", **fields}


class FakeIssuer(httpx.AsyncBaseTransport):
    """Answers each path with what is scripted for it, the last for ever, and else with 404.

    A script's item is as that of `AuthorizationServer`; a POST that is not scripted gets a token.
    """

    def __init__(self, **scripts: Script | list[Script]) -> None:
        self.scripts: dict[str, list[Script]] = {}
        self.requests: list[httpx.Request] = []
        #: Answers wait for it where it is set to an event.
        self.gate: anyio.Event | None = None
        for name, script in scripts.items():
            path = {"oauth": OAUTH, "openid": OPENID}[name]
            self.scripts[path] = script if isinstance(script, list) else [script]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if self.gate is not None:
            await self.gate.wait()
        else:
            await anyio.lowlevel.checkpoint()
        script = self.scripts.get(request.url.path)
        if not script:
            if request.method == "GET":
                return unread(httpx.Response(404, text="not found"))
            return unread(httpx.Response(200, json={"access_token": "t", "expires_in": 3600}))
        item = script[0] if len(script) == 1 else script.pop(0)
        if callable(item):
            item = item(request)
        if isinstance(item, Exception):
            raise item
        return unread(item)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


def published(document: object, status: int = 200, **headers: str) -> httpx.Response:
    """Return an answer with `document` as JSON."""
    return httpx.Response(status, json=document, headers=headers)


class Search:
    """A search for the metadata of an issuer, in a service with a clock of its own."""

    def __init__(self, fake: FakeIssuer, *, issuer: str = ISSUER, insecure: bool = False) -> None:
        self.fake = fake
        self.issuer = issuer
        self.insecure = insecure
        self.clock = FrozenClock()
        self.network = TokenClients(fake)

    async def find(self, within: float = 30.0) -> Metadata:
        tries = Tries(self.clock, anyio.current_time() + within, within)
        client = await self.network.client(self.issuer, None)
        return await self.network.metadata(self.issuer, client, tries, insecure=self.insecure)

    async def found(self) -> Metadata:
        async with aclosing(self.network):
            return await self.find()

    async def fail(self) -> TokenError:
        with pytest.raises(TokenError) as caught:
            await self.found()
        return caught.value
