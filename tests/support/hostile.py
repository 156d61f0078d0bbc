"""Asking a token endpoint that means no good, through the whole service."""

from __future__ import annotations

import re
import time
import traceback
from typing import Any

import anyio
import attrs
import httpx

from gqlauth import AuthService, Secret, Token, TokenError
from gqlauth._clock import SystemClock
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth_strategies import ClientCredentials

API = "https://api.example.com/graphql"
SECRET = "hunter2 é+%\\"
#: In each form that it may come back in: as it is, form-encoded, in Python's words, in Basic.
FORMS = ("hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy", "hostile-token")


class Hasty(SystemClock):
    """The clocks of this machine; but a pause between two tries is short."""

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(min(seconds, 0.01))


@attrs.frozen
class Asked:
    """What asking for a token came to."""

    #: What the API saw: the Authorization of each request.
    sent: list[str]
    error: TokenError | None
    elapsed: float


def service_for(token_url: str, timeout: float = 30.0, **options: Any) -> AuthService:
    """Return a service whose endpoint ``api`` gets its tokens there."""
    strategy = ClientCredentials(
        token_url=token_url, client_id="orders", client_secret=Secret(SECRET)
    )
    auth = EndpointAuthConfig(
        type="client_credentials",
        strategy=strategy,
        options=AuthOptions(timeout=timeout, **options),
    )
    endpoint = Endpoint(name="api", url=API, auth=auth)
    return AuthService(Config(endpoints={"api": endpoint}), clock=Hasty())


async def ask(token_url: str, limit: float = 30.0) -> Asked:
    """Ask an API that answers whatever comes, with a token from `token_url`."""
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization", "none"))
        return httpx.Response(200)

    error: TokenError | None = None
    started = time.monotonic()
    async with (
        service_for(token_url, limit) as service,
        service.client("api", transport=httpx.MockTransport(answer)) as client,
    ):
        try:
            await client.post(API)
        except TokenError as caught:
            error = caught
        elapsed = time.monotonic() - started
    return Asked(sent, error, elapsed)


async def token_of(token_url: str, **options: Any) -> Token:
    """Return a token from `token_url`."""
    async with service_for(token_url, **options) as service:
        return await service.token("api")


def shown(error: BaseException) -> str:
    """Return all that any report could show of an error: causes, notes, variables, attributes."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join([*report.format(), repr(error), str(error), repr(vars(error))])


def assert_tells_no_secret(error: TokenError, log: str) -> None:
    """Hold an error, and what was logged meanwhile, to silence."""
    text = shown(error) + log
    assert [form for form in FORMS if form in text] == []
    words = "".join([str(error), *(str(value) for value in vars(error).values()), log])
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", words) is None
