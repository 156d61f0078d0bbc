"""Sessions of gql that connect again by themselves: when they give up, and what they repeat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.exceptions import (
    TransportConnectionFailed,
    TransportProtocolError,
    TransportQueryError,
    TransportServerError,
)
from graphql import ExecutionResult

from gqlauth import (
    ConfigError,
    GqlAuthError,
    SecretError,
    ServiceClosedError,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth.integrations.gql import _retrying, is_fatal, retry_connect, retry_execute
from tests.support.subscriptions import Rejects

if TYPE_CHECKING:
    from gqlauth.integrations.gql._subscriptions import RenewingTransport
    from tests.integrations.conftest import Serving
    from tests.support.subscriptions import SubscriptionServer

    Kind = type[RenewingTransport]

pytestmark = pytest.mark.anyio

LOST = TransportConnectionFailed("lost")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause for no time between tries."""
    for name in ("_CONNECT_PAUSE", "_EXECUTE_PAUSE"):
        monkeypatch.setattr(_retrying, name, lambda _state: 0)


def caused_by(cause: BaseException) -> TransportConnectionFailed:
    error = TransportConnectionFailed("not connected")
    error.__cause__ = cause
    return error


class TestIsFatal:
    @pytest.mark.parametrize(
        "error",
        [
            TokenRefusedError("refused the client"),
            ConfigError("no such thing"),
            SecretError("no such secret"),
            ServiceClosedError("closed"),
            TransportServerError("no", 401),
            TransportServerError("no", 403),
        ],
    )
    def test_it_is(self, error: Exception) -> None:
        """What authentication fails by is fatal, be it what was raised or the cause of it."""
        assert is_fatal(error)
        assert is_fatal(caused_by(error))
        assert is_fatal(caused_by(caused_by(error)))

    @pytest.mark.parametrize(
        "error",
        [
            None,
            TokenUnavailableError("is unavailable"),
            GqlAuthError("what may it be"),
            LOST,
            TransportServerError("no", 503),
            TransportQueryError("no"),
            OSError("no"),
            asyncio.CancelledError(),
        ],
    )
    def test_it_is_not(self, error: BaseException | None) -> None:
        """All else may pass."""
        assert not is_fatal(error)


class Doing:
    """Something that fails so often."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, _request: object = None, **_settings: object) -> Any:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return ExecutionResult(data={"me": 1})


class TestRetryConnect:
    async def test_until_it_succeeds(self) -> None:
        """Connecting is tried again for as long as it may help."""
        connect = Doing(*[LOST] * 10, TimeoutError(), TransportProtocolError("what?"))
        await retry_connect(connect)()

        assert connect.calls == 13

    async def test_until_it_is_fatal(self, caplog: pytest.LogCaptureFixture) -> None:
        """It is given up where authentication failed; the log says so."""
        connect = Doing(LOST, caused_by(TokenRefusedError("refused the client")))
        await retry_connect(connect)()

        assert connect.calls == 2
        assert 'stays unconnected: authentication failed error="not connected"' in caplog.text

    async def test_cancelled(self) -> None:
        """Who cancels it is not ignored."""
        with pytest.raises(asyncio.CancelledError):
            await retry_connect(Doing(asyncio.CancelledError()))()


class TestRetryExecute:
    async def test_query(self) -> None:
        """A query is executed up to five times."""
        execute = Doing(*[LOST] * 4)
        await retry_execute(execute)(GraphQLRequest("{ me }"))

        assert execute.calls == 5

    async def test_query_that_keeps_failing(self) -> None:
        """After that, what it failed by is raised."""
        execute = Doing(*[LOST] * 5)
        with pytest.raises(TransportConnectionFailed):
            await retry_execute(execute)(GraphQLRequest("{ me }"))

        assert execute.calls == 5

    @pytest.mark.parametrize(
        "error", [TransportQueryError("no"), caused_by(TokenRefusedError("refused the client"))]
    )
    async def test_of_no_use(self, error: Exception) -> None:
        """Nothing is repeated that will fail again."""
        execute = Doing(error)
        with pytest.raises(type(error)):
            await retry_execute(execute)(GraphQLRequest("{ me }"))

        assert execute.calls == 1

    @pytest.mark.parametrize(
        ("document", "name", "calls"),
        [
            ("mutation { pay }", None, 1),
            ("mutation Pay { pay } query Me { me }", "Pay", 1),
            ("mutation Pay { pay } query Me { me }", "Me", 2),
            ("mutation Pay { pay } query Me { me }", None, 1),
            ("query { ...Who } fragment Who on Query { me }", None, 2),
            ("query Me { me }", "Nobody", 1),
            ("{ me }", "Nobody", 1),
        ],
    )
    async def test_mutation(self, document: str, name: str | None, calls: int) -> None:
        """What may be a mutation is executed once."""
        execute = Doing(LOST)
        request = GraphQLRequest(document, operation_name=name)
        if calls == 1:
            with pytest.raises(TransportConnectionFailed):
                await retry_execute(execute)(request)
        else:
            await retry_execute(execute)(request)

        assert calls == execute.calls


class TestSession:
    async def test_that_is_refused(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A session whose token is refused for good tells so at each use, and does not hang."""
        server.greetings = [Rejects(4403)] * 4
        async with serving(server.url) as service:
            client: Any = Client(transport=kind(service))
            session = await client.connect_async(
                reconnecting=True, retry_connect=retry_connect, retry_execute=retry_execute
            )
            with pytest.raises(TransportConnectionFailed) as caught:
                await session.execute(GraphQLRequest("{ number }"))
            await client.close_async()

        assert is_fatal(caught.value)
        assert len(server.handshakes) == 2

    async def test_that_is_lost(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A session that is lost connects again with a fresh token, and asks again."""
        # As no time passes between them.
        monkeypatch.setattr(_retrying, "TRIES", 100_000)
        async with serving(server.url) as service:
            client: Any = Client(transport=kind(service))
            session = await client.connect_async(
                reconnecting=True, retry_connect=retry_connect, retry_execute=retry_execute
            )
            first = await server.acknowledged.get()
            await service.clear()
            asked = asyncio.ensure_future(session.execute(GraphQLRequest("{ number }")))
            await first.received("subscribe")
            first.abort()
            second = await server.acknowledged.get()
            await second.received("subscribe")
            await second.answer(7)
            told = await asked
            await client.close_async()

        assert told == {"number": 7}
        assert second.headers["authorization"] == "Bearer token-2"
