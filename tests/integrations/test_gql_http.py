"""Requests of gql over httpx and aiohttp: with the token of an endpoint, and once more without."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import (
    TransportAlreadyConnected,
    TransportConnectionFailed,
    TransportProtocolError,
    TransportQueryError,
    TransportServerError,
)

from gqlauth import ConfigError, Secret, TokenRefusedError
from gqlauth.integrations.gql import aiohttp_middleware, transport
from gqlauth.integrations.gql._logs import LOGGERS, redact_logs
from gqlauth_strategies import Header
from tests.support.http_server import Answer, HttpServer, http_server, json_answer
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from gql.transport.async_transport import AsyncTransport

    from gqlauth import AuthService
    from gqlauth.testing import AuthorizationServer
    from tests.integrations.conftest import Serving
    from tests.support.http_server import Request

    Making = Callable[[AuthService], AsyncTransport]

pytestmark = pytest.mark.anyio

ME = gql("{ me { id } }")
PAY = gql("mutation { pay }")
DATA = {"data": {"me": {"id": "1"}}}
REJECTED = {"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}

#: Whether the tests run on httpx: else httpx2 alone is installed.
WITH_HTTPX = httpx.__name__ == "httpx"
#: Asks by a process of its own, which takes some libraries for not installed.
ASK = """
import asyncio, os, sys
sys.modules.update(dict.fromkeys(os.environ["HIDDEN"].split()))
import gql.transport.httpx
from gql.transport.exceptions import TransportServerError
from gqlauth import AuthService
from gqlauth.integrations.gql import transport

ME = gql.gql("{ me { id } }")

async def main():
    async with AuthService.from_config() as service:
        async with gql.Client(transport=transport(service, "orders")) as session:
            print(await session.execute(ME))
            try:
                await session.execute(ME)
            except TransportServerError as error:
                print(error)
    print(gql.transport.httpx.httpx.__name__)

asyncio.run(main())
"""


class Api:
    """An API that answers by a script, and then with data."""

    def __init__(self) -> None:
        self.script: list[Answer] = []

    def __call__(self, _request: Request) -> Answer:
        return self.script.pop(0) if self.script else json_answer(DATA)


@pytest.fixture
def answers() -> Api:
    return Api()


@pytest.fixture
def api(answers: Api) -> Iterator[HttpServer]:
    with http_server(answers) as server:
        yield server


def by_aiohttp(service: AuthService) -> AsyncTransport:
    return AIOHTTPTransport(
        service.endpoint().url,
        client_session_args={"middlewares": (aiohttp_middleware(service),)},
    )


@pytest.fixture(params=[transport, by_aiohttp])
def making(request: pytest.FixtureRequest) -> Making:
    """Use each of the two libraries."""
    chosen: Making = request.param
    return chosen


def seen(api: HttpServer) -> list[str | None]:
    return [request.headers.get("authorization") for request in api.requests]


class TestRequests:
    async def test_carry_a_token(self, api: HttpServer, serving: Serving, making: Making) -> None:
        """A request carries a token that is valid now."""
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            assert DATA["data"] == await session.execute(ME)

        assert seen(api) == ["Bearer token-1"]

    @pytest.mark.parametrize(
        "refusal",
        [
            Answer(401),
            json_answer({"message": "Bad credentials"}, 401),
            json_answer(REJECTED),
            json_answer(REJECTED, 401),
        ],
    )
    async def test_are_sent_once_more(
        self, api: HttpServer, answers: Api, serving: Serving, making: Making, refusal: Answer
    ) -> None:
        """One that is refused for its token is sent once more with another; a mutation, too."""
        answers.script = [refusal]
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            assert DATA["data"] == await session.execute(PAY)

        assert seen(api) == ["Bearer token-1", "Bearer token-2"]
        assert api.requests[0].body == api.requests[1].body
        assert json.loads(api.requests[1].body)["query"] == "mutation {\n  pay\n}"

    async def test_are_not_sent_a_third_time(
        self, api: HttpServer, answers: Api, serving: Serving, making: Making
    ) -> None:
        """One that is refused with the other token as well is an answer as any."""
        answers.script = [Answer(401)] * 2
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            with pytest.raises(TransportServerError) as caught:
                await session.execute(ME)

        assert caught.value.code == 401
        assert len(api.requests) == 2

    async def test_that_may_have_run(
        self, api: HttpServer, answers: Api, serving: Serving, making: Making
    ) -> None:
        """A mutation that may have run is not sent twice."""
        answers.script = [json_answer({**REJECTED, "data": None})]
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            with pytest.raises(TransportQueryError, match="no"):
                await session.execute(PAY)

        assert len(api.requests) == 1

    async def test_without_a_token(
        self, api: HttpServer, serving: Serving, making: Making, tokens: AuthorizationServer
    ) -> None:
        """Without a token there is no request; gqlauth's own error is the cause of gql's."""
        tokens.script = [answer(401, '{"error": "invalid_client"}')]
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            with pytest.raises(TransportConnectionFailed, match="invalid_client") as caught:
                await session.execute(ME)

        assert isinstance(caught.value.__cause__, TokenRefusedError)
        assert api.requests == []

    async def test_no_other_token(
        self,
        api: HttpServer,
        answers: Api,
        serving: Serving,
        making: Making,
        tokens: AuthorizationServer,
    ) -> None:
        """Where no other token is to be had, that is what is told."""
        tokens.script = [tokens.token("one"), answer(401, '{"error": "invalid_client"}')]
        answers.script = [Answer(401)]
        async with serving(api.url) as service, Client(transport=making(service)) as session:
            with pytest.raises(TransportConnectionFailed, match="invalid_client"):
                await session.execute(ME)

        assert seen(api) == ["Bearer one"]

    async def test_of_nobody(self, api: HttpServer, serving: Serving, making: Making) -> None:
        """Those of an endpoint without authentication go out bare."""
        async with (
            serving(api.url, strategy=None) as service,
            Client(transport=making(service)) as session,
        ):
            await session.execute(ME)

        assert seen(api) == [None]

    async def test_of_another_header(
        self, api: HttpServer, serving: Serving, making: Making
    ) -> None:
        """A credential with a header of its own stands there."""
        async with (
            serving(api.url, strategy=Header("X-Api-Key", Secret("k3y"))) as service,
            Client(transport=making(service)) as session,
        ):
            await session.execute(ME)

        assert api.requests[0].headers["x-api-key"] == "k3y"

    async def test_unknown_endpoint(self, serving: Serving) -> None:
        """An endpoint that is not there is told when the transport is made."""
        async with serving("https://orders.example.com/graphql") as service:
            for make in (transport, aiohttp_middleware):
                with pytest.raises(ConfigError, match='unknown endpoint "order"'):
                    make(service, "order")


class TestHttpx:
    async def test_is_set_up(self, api: HttpServer, serving: Serving) -> None:
        """It has the endpoint's address, headers and time-out, and takes httpx's settings."""
        headers = {"X-Tenant": "acme", "X-Key": Secret("k3y-of-mine")}
        async with serving(f"{api.url}/graphql", headers=headers, timeout=7.0) as service:
            made: Any = transport(service, "orders", limits=httpx.Limits(max_connections=3))
            async with Client(transport=made) as session:
                await session.execute(ME)
                client = made.client

        (request,) = api.requests
        assert request.path == "/graphql"
        assert (request.headers["x-tenant"], request.headers["x-key"]) == ("acme", "k3y-of-mine")
        assert httpx.Timeout(7.0) == client.timeout
        assert made.client is None

    async def test_serializers(self, api: HttpServer, serving: Serving) -> None:
        """It takes gql's own settings."""
        read: list[bytes] = []

        def loads(content: bytes) -> Any:
            read.append(content)
            return json.loads(content)

        async with serving(api.url) as service:
            made = transport(service, json_deserialize=loads)
            async with Client(transport=made) as session:
                await session.execute(ME)

        assert [json.dumps(DATA).encode()] == read

    async def test_connects_once(self, api: HttpServer, serving: Serving) -> None:
        """It is connected once at a time, and again after it was closed."""
        async with serving(api.url) as service:
            made: Any = transport(service)
            async with Client(transport=made):
                with pytest.raises(TransportAlreadyConnected):
                    await made.connect()
            async with Client(transport=made) as session:
                await session.execute(ME)

    async def test_server_error(self, api: HttpServer, answers: Api, serving: Serving) -> None:
        """An answer that is no GraphQL is told by its status, whichever library gql has chosen."""
        answers.script = [Answer(503, b"<html>"), Answer(200, b"<html>")]
        async with serving(api.url) as service, Client(transport=transport(service)) as session:
            with pytest.raises(TransportServerError, match="answered 503 Service Unav") as caught:
                await session.execute(ME)
            with pytest.raises(TransportProtocolError):
                await session.execute(ME)

        assert caught.value.code == 503

    @pytest.mark.parametrize(
        ("hidden", "chosen"),
        [("httpx", "httpx2"), *([("httpx2", "httpx"), ("", "httpx2")] if WITH_HTTPX else [])],
    )
    def test_library_that_gql_chooses(
        self, api: HttpServer, answers: Api, tmp_path: Path, hidden: str, chosen: str
    ) -> None:
        """It works where either is alone, and where gql finds both and would take httpx2."""
        answers.script = [json_answer(DATA), Answer(503)]
        (tmp_path / "gqlauth.toml").write_text(
            f"""
            [endpoints.orders]
            url = "{api.url}"
            auth = {{ type = "bearer", token = {{ env = "API_TOKEN" }} }}
            """,
            encoding="utf-8",
        )
        told = subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=tmp_path,
            env={**os.environ, "HIDDEN": hidden, "API_TOKEN": "t0k3n", "GQLAUTH_TRUST": "1"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout

        assert told.splitlines() == [
            str(DATA["data"]),
            "the API answered 503 Service Unavailable",
            chosen,
        ]
        assert seen(api) == ["Bearer t0k3n"] * 2


@pytest.fixture
async def session(api: HttpServer, serving: Serving) -> AsyncIterator[aiohttp.ClientSession]:
    """Run a session of aiohttp, without gql, whose endpoint is at ``/graphql``."""
    async with (
        serving(f"{api.url}/graphql") as service,
        aiohttp.ClientSession(middlewares=(aiohttp_middleware(service),)) as running,
    ):
        yield running


class TestAiohttp:
    async def test_own_authorization(self, api: HttpServer, session: aiohttp.ClientSession) -> None:
        """A request that has one of its own is left alone."""
        async with session.post(api.url, headers={"Authorization": "Basic bWU6"}) as response:
            await response.read()

        assert seen(api) == ["Basic bWU6"]

    async def test_another_origin(
        self, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A request to another origin goes out without the token."""
        with http_server(lambda _: json_answer({})) as other:
            async with session.post(other.url, json={}) as response:
                await response.read()

        assert seen(other) == [None]
        assert "goes out without the token" in caplog.text

    async def test_redirect(
        self, api: HttpServer, answers: Api, session: aiohttp.ClientSession
    ) -> None:
        """Where aiohttp follows a redirect to another origin, the token stays."""
        with http_server(lambda _: json_answer({})) as other:
            answers.script = [Answer(307, headers={"Location": other.url})]
            async with session.post(api.url, json={}) as response:
                await response.read()

        assert (seen(api), seen(other)) == (["Bearer token-1"], [None])

    async def test_sent_again_by_another_middleware(
        self, api: HttpServer, answers: Api, serving: Serving
    ) -> None:
        """A request that one around it sends again gets a token as if it were the first time."""

        async def twice(request: Any, handler: Any) -> aiohttp.ClientResponse:
            response: aiohttp.ClientResponse = await handler(request)
            response.release()
            await service.clear()
            return await handler(request)  # type: ignore[no-any-return]

        async with serving(f"{api.url}/graphql") as service:
            middlewares = (twice, aiohttp_middleware(service))
            async with (
                aiohttp.ClientSession(middlewares=middlewares) as session,
                session.post(api.url, json={}) as response,
            ):
                assert await response.json() == DATA

        assert seen(api) == ["Bearer token-1", "Bearer token-2"]

    async def test_body_that_cannot_be_sent_again(
        self, api: HttpServer, answers: Api, session: aiohttp.ClientSession
    ) -> None:
        """A body that comes in pieces is not sent twice."""

        async def pieces() -> AsyncIterator[bytes]:
            yield b'{"query": '
            yield b'"{ me }"}'

        answers.script = [Answer(401)]
        headers = {"Content-Length": "19"}
        async with session.post(api.url, data=pieces(), headers=headers) as response:
            assert response.status == 401

        assert len(api.requests) == 1

    async def test_query_in_the_address(
        self, api: HttpServer, answers: Api, session: aiohttp.ClientSession
    ) -> None:
        """A query by GET is sent once more, also where it may have run."""
        answers.script = [json_answer({**REJECTED, "data": None})]
        async with session.get(api.url, params={"query": "{ me }"}) as response:
            assert await response.json() == DATA

        assert len(api.requests) == 2

    async def test_compressed_refusal(
        self, api: HttpServer, answers: Api, session: aiohttp.ClientSession
    ) -> None:
        """An answer that came compressed is understood."""
        body = gzip.compress(json.dumps(REJECTED).encode())
        answers.script = [
            Answer(200, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        ]
        async with session.post(api.url, json={"query": "{ me }"}) as response:
            assert await response.json() == DATA

    async def test_stream(
        self, api: HttpServer, answers: Api, session: aiohttp.ClientSession
    ) -> None:
        """What is no JSON is not read ahead, as it may never end."""
        headers = {
            "Content-Type": "text/event-stream",
            "Content-Length": "1000",
            "Connection": "close",
        }
        answers.script = [Answer(200, b"data: {}\n\n", headers)]
        async with session.post(api.url, json={"query": "{ me }"}) as response:
            assert await response.content.readany() == b"data: {}\n\n"


def test_every_logger_of_gql_is_redacted() -> None:
    """Each logger of gql that takes part has the filter once, however often it is asked for."""
    redact_logs()
    redact_logs()
    there = {
        name
        for name, logger in logging.root.manager.loggerDict.items()
        if name.startswith("gql.transport") and isinstance(logger, logging.Logger)
    }

    assert there <= set(LOGGERS)
    assert {1} == {len(logging.getLogger(name).filters) for name in LOGGERS}
