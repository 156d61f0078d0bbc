"""A crash tells no secret: wherever it comes, and though the variables of all frames be shown."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import anyio.to_thread
import attrs
import httpx
import pytest
from structlog.tracebacks import ExceptionDictTransformer, extract

import gqlauth._answer
import gqlauth._endpoint
import gqlauth._exchange
from gqlauth import AuthService, Secret, StrategyError, Token, TokenEndpoint
from gqlauth._secret_sources import EnvSource
from gqlauth_strategies import ClientCredentials
from tests.leaks.canaries import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    HEADER_KEY,
    PARAMETER,
    PLAIN,
    Canary,
    Search,
)
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
SEARCH = Search()


class CrashError(Exception):
    """A bug, somewhere."""


def crash(*_args: object, **_settings: object) -> NoReturn:
    raise CrashError


def gives_a_token(_request: httpx.Request) -> httpx.Response:
    return answer(200, json.dumps({"access_token": ACCESS_TOKEN.text, "expires_in": 60}))


class HaltError(BaseException):
    """What ends a program, such as Ctrl-C."""


def interrupted(_request: httpx.Request) -> NoReturn:
    raise HaltError


#: Where it crashes; what is replaced, by its name, or the transport.
PLACES: dict[str, tuple[object, str] | Callable[[httpx.Request], httpx.Response]] = {
    "as the request is sent": crash,
    "by an interrupt": interrupted,
    "as the client's proof is made": (gqlauth._exchange.Exchange, "request_headers"),
    "as the form is made": (gqlauth._exchange.Exchange, "body"),
    "as the answer is read": (gqlauth._endpoint, "read_body"),
    "as the answer is parsed": (json, "loads"),
    "as the token is made": (Token, "issued"),
    "as the answer is understood": (gqlauth._answer.Answer, "token"),
}


def shown(error: BaseException) -> dict[str, str]:
    """Return what a crash may come to in a log, by its renderers."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "crashed", None, info)
    with_locals = ExceptionDictTransformer(show_locals=True, locals_max_string=10_000)
    return {
        "traceback": "".join(traceback.format_exception(error)),
        "traceback with locals": "".join(told.format()),
        "structlog": json.dumps(ExceptionDictTransformer(show_locals=False)(info)),
        "structlog with locals": json.dumps(with_locals(info)),
        "logging": logging.Formatter().format(record),
        "extracted": repr(extract(*info, show_locals=True, locals_max_string=10_000)),
    }


def told_by(error: BaseException) -> dict[str, set[Canary]]:
    found = {way: SEARCH(text) for way, text in shown(error).items()}
    return {way: canaries for way, canaries in found.items() if canaries}


def strategy() -> ClientCredentials:
    return ClientCredentials(
        token_url="https://id.example.com/token",
        client_id="orders-cli",
        client_secret=Secret.from_source(EnvSource("ORDERS_SECRET")),
        params={"device": Secret(PARAMETER.text)},
        headers={"X-Key": Secret(HEADER_KEY.text)},
    )


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_SECRET", CLIENT_SECRET.text)


async def crashed(place: object, monkeypatch: pytest.MonkeyPatch, asked: Any) -> BaseException:
    """Return what comes of it when a request for a token crashes at `place`."""
    respond: Any = place if callable(place) else gives_a_token
    transport = httpx.MockTransport(respond)
    try:
        async with AuthService(token_transport=transport) as service:
            auth = service.auth_for(asked, url=API)
            flow = auth.async_auth_flow(httpx.Request("POST", API))
            with monkeypatch.context() as patch:
                if isinstance(place, tuple):
                    owner, name = place
                    patch.setattr(owner, name, crash)
                await anext(flow)
    except BaseException as error:  # noqa: BLE001 - whatever comes of it is looked at
        return error
    raise AssertionError(f"nothing crashed: {place}")


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"]
)
@pytest.mark.parametrize("place", PLACES)
async def test_tells_no_secret(place: str, method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the traceback, nor the variables of any frame of ours."""
    asked = attrs.evolve(strategy(), token_endpoint_auth_method=method)
    error: BaseException | None = await crashed(PLACES[place], monkeypatch, asked)

    while error is not None:
        assert told_by(error) == {}
        error = error.__cause__ or error.__context__


async def test_in_a_thread() -> None:
    """Nor where a synchronous client has asked."""
    async with AuthService(token_transport=httpx.MockTransport(crash)) as service:
        flow = service.auth_for(strategy(), url=API).sync_auth_flow(httpx.Request("POST", API))
        with pytest.raises(StrategyError) as caught:
            await anyio.to_thread.run_sync(next, flow)

    error: BaseException | None = caught.value
    while error is not None:
        assert told_by(error) == {}
        error = error.__cause__ or error.__context__


async def test_a_strategy_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that fails does not bring our variables to light."""

    class Plugin:
        secret = Secret(PLAIN.text)

        async def fetch(self, endpoint: TokenEndpoint) -> Token:
            await endpoint.grant({"grant_type": "x", "key": self.secret})
            raise CrashError

    Plugin.token_url = "https://id.example.com/token"  # type: ignore[attr-defined]
    error = await crashed(gives_a_token, monkeypatch, Plugin())

    assert told_by(error) == {}


async def test_a_secret_source_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that quotes what was read is not repeated."""

    class Vault:
        async def read(self) -> str:
            raise CrashError(f"the vault said {PLAIN.text!r}")

        def __str__(self) -> str:
            return "vault"

    asked = ClientCredentials(
        token_url="https://id.example.com/token",
        client_id="x",
        client_secret=Secret.from_source(Vault()),
    )
    error = await crashed(gives_a_token, monkeypatch, asked)

    assert SEARCH(f"{error} {error!r}") == set()


def test_finds_what_a_frame_holds() -> None:
    """What a variable of a frame holds is found, as it must be where it is one of ours."""

    def ours() -> NoReturn:
        value = PLAIN.text
        assert value
        raise CrashError

    with pytest.raises(CrashError) as caught:
        ours()

    assert told_by(caught.value).keys() == {
        "traceback with locals",
        "structlog with locals",
        "extracted",
    }
    assert sys.exc_info() == (None, None, None)
