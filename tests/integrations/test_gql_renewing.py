"""Connections of gql for subscriptions that are renewed before their tokens end: what is seen."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError

from gqlauth import Secret
from gqlauth._subscriptions._line import LONGEST_DRAIN
from gqlauth._subscriptions._renewal import LONGEST_OVERLAP
from gqlauth_strategies import Bearer
from tests.support.subscriptions import OLDER, Answers, Rejects, subscription_server
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gql.client import AsyncClientSession

    from gqlauth.integrations.gql._subscriptions import RenewingTransport
    from gqlauth.testing import AuthorizationServer
    from tests.integrations.conftest import Serving
    from tests.support.clock import HeldClock
    from tests.support.subscriptions import Connection, SubscriptionServer

    Kind = type[RenewingTransport]

pytestmark = pytest.mark.anyio

NUMBERS = gql("subscription { number }")
NUMBER = gql("{ number }")


@attrs.frozen
class Listening:
    """Somebody who listens to a subscription, and a server that tells it numbers."""

    server: SubscriptionServer
    clock: HeldClock
    session: AsyncClientSession
    #: The connection that it began on.
    first: Connection
    events: Any

    async def next(self) -> Any:
        """Return the next number."""
        return (await anext(self.events))["number"]

    async def renew(self) -> Connection:
        """Let it be time to renew, and return the new connection once it was subscribed on."""
        while await self.clock.wake() == LONGEST_OVERLAP:  # of a move that is over
            pass
        second = await self.server.acknowledged.get()
        await second.received("subscribe")
        return second

    async def is_left(self, connection: Connection) -> None:
        """Wait until a connection was told that the subscription is over, and closed."""
        await connection.received("complete")
        await connection.is_closed.wait()


@asynccontextmanager
async def listening(
    server: SubscriptionServer, serving: Serving, clock: HeldClock, kind: Kind, **settings: Any
) -> AsyncIterator[Listening]:
    async with (
        serving(server.url) as service,
        Client(transport=kind(service, **settings)) as session,
    ):
        events = session.subscribe(NUMBERS)
        first = asyncio.ensure_future(anext(events))
        connection = await server.acknowledged.get()
        await connection.received("subscribe")
        await connection.event(0)
        assert await first == {"number": 0}
        yield Listening(server, clock, session, connection, events)
        await events.aclose()


@pytest.fixture
async def listener(
    server: SubscriptionServer, serving: Serving, clock: HeldClock, kind: Kind
) -> AsyncIterator[Listening]:
    async with listening(server, serving, clock, kind) as running:
        yield running


class TestWhen:
    async def test_before_the_token_ends(self, listener: Listening) -> None:
        """A connection is renewed a minute before its token ends, or somewhat earlier."""
        pause = await listener.clock.wake()
        second = await listener.server.acknowledged.get()

        assert 3600 - 1.2 * 60 <= pause <= 3600 - 60
        assert second.headers["authorization"] == "Bearer token-2"

    async def test_short_token(
        self,
        server: SubscriptionServer,
        serving: Serving,
        clock: HeldClock,
        kind: Kind,
        tokens: AuthorizationServer,
    ) -> None:
        """Where tokens are short, that is as the first half of their life is over."""
        tokens.expires_in = 3
        async with listening(server, serving, clock, kind):
            pause = await clock.wake()
            await server.acknowledged.get()

        assert 3 - 1.2 * 1.5 <= pause <= 3 - 1.5

    async def test_again_and_again(
        self, server: SubscriptionServer, serving: Serving, clock: HeldClock, kind: Kind
    ) -> None:
        """A connection that was renewed is renewed, too."""
        async with serving(server.url) as service, Client(transport=kind(service)):
            sent = []
            for _ in range(4):
                connection = await server.acknowledged.get()
                sent.append(connection.headers["authorization"])
                await clock.wake()

        assert [f"Bearer token-{number}" for number in range(1, 5)] == sent

    async def test_token_without_an_end(
        self, server: SubscriptionServer, serving: Serving, clock: HeldClock, kind: Kind
    ) -> None:
        """A connection whose token does not end stays."""
        async with (
            serving(server.url, strategy=Bearer(Secret("st4tic"))) as service,
            Client(transport=kind(service)) as session,
        ):
            asked = asyncio.ensure_future(session.execute(NUMBER))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.answer(1)
            await asked

        assert clock.pauses == []

    async def test_not_at_all(
        self, server: SubscriptionServer, serving: Serving, clock: HeldClock, kind: Kind
    ) -> None:
        """It may be told to stay."""
        async with (
            serving(server.url) as service,
            Client(transport=kind(service, renew=False)) as session,
        ):
            asked = asyncio.ensure_future(session.execute(NUMBER))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.answer(1)
            await asked

        assert clock.pauses == []

    async def test_no_connection_any_more(self, listener: Listening) -> None:
        """A connection that is lost is not renewed: that is for who connects again."""
        listener.first.abort()
        with pytest.raises(TransportConnectionFailed):
            await listener.next()
        await listener.session.transport.wait_closed()

        assert not listener.clock.is_awaited


class TestEvents:
    async def test_of_both_connections(self, listener: Listening) -> None:
        """What both bring is seen once; the old connection serves until the new one does."""
        second = await listener.renew()
        await listener.first.event(1)
        assert await listener.next() == 1
        await listener.first.event(2)
        await second.event(2)
        await second.event(3)
        await listener.is_left(listener.first)
        await second.event(4)

        assert [await listener.next() for _ in range(3)] == [2, 3, 4]

    async def test_of_an_old_connection_that_lags(self, listener: Listening) -> None:
        """What the old connection still brings is seen, in order, before what the new one does."""
        listener.first.answers_pings.clear()
        second = await listener.renew()
        await second.event(2)
        await second.event(3)
        await listener.first.received("complete")
        await listener.first.event(1)
        await listener.first.event(2)
        listener.first.answers_pings.set()
        await listener.first.is_closed.wait()

        assert [await listener.next() for _ in range(3)] == [1, 2, 3]

    async def test_of_a_new_connection_that_lags(self, listener: Listening) -> None:
        """What the new one brings late is seen once, too."""
        second = await listener.renew()
        for number in (1, 2, 3):
            await listener.first.event(number)
            assert number == await listener.next()
        await second.event(1)
        await listener.is_left(listener.first)
        for number in (2, 3, 4):
            await second.event(number)

        assert await listener.next() == 4

    async def test_none_for_long(self, listener: Listening) -> None:
        """Where nothing happens for ten seconds, the new connection takes over all the same."""
        second = await listener.renew()
        pause = await listener.clock.wake()
        await listener.is_left(listener.first)
        await second.event(1)

        assert pause == LONGEST_OVERLAP
        assert await listener.next() == 1

    async def test_that_are_alike(self, listener: Listening) -> None:
        """None is taken for another that is like it: one that comes twice is the lesser evil."""
        second = await listener.renew()
        for _ in range(3):
            await listener.first.event("tick")
            assert await listener.next() == "tick"
        await second.event("tick")
        await listener.is_left(listener.first)
        await second.event("tick")
        await second.event("tock")

        assert [await listener.next() for _ in range(2)] == ["tick", "tock"]

    async def test_after_the_move(self, listener: Listening) -> None:
        """What the new connection brings in another order is seen, be it for a second time."""
        second = await listener.renew()
        for number in (1, 2):
            await listener.first.event(number)
            assert number == await listener.next()
        await second.event(1)
        await listener.is_left(listener.first)
        await second.event(3)
        await second.event(2)

        assert [await listener.next() for _ in range(2)] == [3, 2]

    async def test_by_the_older_protocol(
        self, serving: Serving, clock: HeldClock, kind: Kind
    ) -> None:
        """The older protocol, which answers a stop, is renewed as well."""
        async with (
            subscription_server(OLDER) as server,
            serving(server.url) as service,
            Client(transport=kind(service)) as session,
        ):
            events = session.subscribe(NUMBERS)
            waiting = asyncio.ensure_future(anext(events))
            first = await server.acknowledged.get()
            await first.received("start")
            await clock.wake()
            second = await server.acknowledged.get()
            await second.received("start")
            await second.say(id="1", type="data", payload={"data": {"number": 2}})
            await first.received("stop")
            await first.say(id="1", type="data", payload={"data": {"number": 1}})
            assert await waiting == {"number": 1}
            await first.say(id="1", type="complete")
            assert await anext(events) == {"number": 2}
            await first.is_closed.wait()
            await events.aclose()

    async def test_server_that_answers_no_ping(self, listener: Listening) -> None:
        """A server that answers nothing for ten seconds holds up the new connection no longer."""
        listener.first.answers_pings.clear()
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        pause = await listener.clock.wake()

        assert pause == LONGEST_DRAIN
        assert await listener.next() == 1
        listener.first.answers_pings.set()


class TestEnds:
    async def test_old_connection_is_lost(self, listener: Listening) -> None:
        """Where the old connection is lost, the new one takes over at once."""
        second = await listener.renew()
        listener.first.abort()
        await second.event(1)
        await second.event(2)

        assert [await listener.next() for _ in range(2)] == [1, 2]

    async def test_old_connection_is_lost_late(self, listener: Listening) -> None:
        """The same holds while it is waited for."""
        listener.first.answers_pings.clear()
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        listener.first.abort()

        assert await listener.next() == 1

    async def test_new_connection_is_lost(
        self, listener: Listening, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where the new connection is lost, the old one goes on, and is renewed somewhat later."""
        second = await listener.renew()
        second.abort()
        await second.is_closed.wait()
        await listener.first.event(1)
        assert await listener.next() == 1
        third = await listener.renew()
        await listener.first.event(2)
        await third.event(2)
        await third.event(3)
        await listener.is_left(listener.first)

        assert [await listener.next() for _ in range(2)] == [2, 3]
        assert "could not be renewed endpoint=orders" in caplog.text
        assert "the new connection was lost" in caplog.text

    async def test_both_are_lost(self, listener: Listening) -> None:
        """Where both are lost, that is told."""
        second = await listener.renew()
        waiting = asyncio.ensure_future(listener.next())
        listener.server.close_all()
        with pytest.raises(TransportConnectionFailed):
            await waiting
        await second.is_closed.wait()

    async def test_complete_on_the_old_one(self, listener: Listening) -> None:
        """A subscription that ends meanwhile has ended, and is stopped on the new connection."""
        second = await listener.renew()
        await listener.first.say(id="1", type="complete")

        assert [event async for event in listener.events] == []
        await second.received("complete")

    async def test_errors_on_the_old_one(self, listener: Listening) -> None:
        """The same holds where it ends with errors."""
        second = await listener.renew()
        await listener.first.say(id="1", type="error", payload=[{"message": "no more"}])
        with pytest.raises(TransportQueryError, match="no more"):
            await listener.next()
        await second.received("complete")

    async def test_errors_on_the_new_one(self, listener: Listening) -> None:
        """What the new connection is told comes after what the old one has brought."""
        second = await listener.renew()
        await listener.first.event(1)
        await second.say(id="1", type="error", payload=[{"message": "not for you"}])
        assert await listener.next() == 1
        with pytest.raises(TransportQueryError, match="not for you"):
            await listener.next()

    async def test_complete_on_the_new_one(self, listener: Listening) -> None:
        """A subscription that is complete on the new connection is complete."""
        second = await listener.renew()
        await second.event(1)
        await listener.is_left(listener.first)
        await second.say(id="1", type="complete")

        assert [event async for event in listener.events] == [{"number": 1}]

    async def test_nobody_listens_any_more(self, listener: Listening) -> None:
        """Who leaves meanwhile leaves both."""
        second = await listener.renew()
        await listener.events.aclose()
        await listener.first.received("complete")
        await second.received("complete")
        await listener.first.is_closed.wait()

    async def test_nobody_listens_while_the_old_one_is_drained(self, listener: Listening) -> None:
        """The same holds while the old one is waited for."""
        listener.first.answers_pings.clear()
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        await listener.events.aclose()
        await second.received("complete")
        listener.first.answers_pings.set()
        await listener.first.is_closed.wait()

    async def test_session_is_closed(self, listener: Listening) -> None:
        """A session that is closed meanwhile closes both."""
        second = await listener.renew()
        waiting = asyncio.ensure_future(anext(listener.events, None))
        await listener.session.transport.close()

        assert await waiting is None
        await listener.first.is_closed.wait()
        await second.is_closed.wait()


class TestOperations:
    async def test_query_that_is_under_way(self, listener: Listening) -> None:
        """A query is not sent twice: the old connection waits for its answer."""
        asked = asyncio.ensure_future(listener.session.execute(NUMBER))
        await listener.first.received("subscribe")
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        assert await listener.next() == 1
        await listener.first.answer(42, "2")

        assert await asked == {"number": 42}
        await listener.first.is_closed.wait()
        assert second.messages.empty()

    async def test_connection_that_waits_is_lost(self, listener: Listening) -> None:
        """A query whose connection is lost ends with an error, and what has moved goes on."""
        asked = asyncio.ensure_future(listener.session.execute(NUMBER))
        await listener.first.received("subscribe")
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        assert await listener.next() == 1
        await listener.first.close(4403)

        with pytest.raises(TransportQueryError, match="the connection was lost"):
            await asked
        await second.event(2)
        assert await listener.next() == 2

    async def test_older_connection_that_waits_is_lost(
        self, serving: Serving, clock: HeldClock, kind: Kind
    ) -> None:
        """It is so in the words of the older protocol."""
        async with (
            subscription_server(OLDER) as server,
            serving(server.url) as service,
            Client(transport=kind(service)) as session,
        ):
            asked = asyncio.ensure_future(session.execute(NUMBER))
            first = await server.acknowledged.get()
            await first.received("start")
            await clock.wake()
            await server.acknowledged.get()
            await clock.wake()
            first.abort()

            with pytest.raises(TransportQueryError, match="the connection was lost"):
                await asked

    async def test_event_of_a_connection_that_was_left(self, listener: Listening) -> None:
        """What the old connection brings once it is left, though it waits, is brought by none."""
        asked = asyncio.ensure_future(listener.session.execute(NUMBER))
        await listener.first.received("subscribe")
        second = await listener.renew()
        await second.event(1)
        await listener.first.received("complete")
        assert await listener.next() == 1
        await listener.first.event(7)
        await listener.first.answer(42, "2")
        await asked
        await second.event(2)

        assert await listener.next() == 2

    async def test_query_afterwards(self, listener: Listening) -> None:
        """What is asked from then on goes over the new connection."""
        second = await listener.renew()
        asked = asyncio.ensure_future(listener.session.execute(NUMBER))
        await second.received("subscribe")
        await second.answer(42, "2")

        assert await asked == {"number": 42}

    async def test_subscription_that_has_ended(self, listener: Listening) -> None:
        """What has ended, though nobody has seen it yet, does not move."""
        await listener.first.say(id="1", type="complete")
        asked = asyncio.ensure_future(listener.session.execute(NUMBER))
        await listener.first.received("subscribe")
        await listener.first.answer(42, "2")
        await asked  # so that what came before has come
        await listener.clock.wake()
        second = await listener.server.acknowledged.get()

        assert [event async for event in listener.events] == []
        await listener.first.is_closed.wait()
        assert second.messages.empty()


class TestTrouble:
    async def test_no_token(
        self, listener: Listening, tokens: AuthorizationServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where no token is to be had, the connection stays, and more are asked for."""
        tokens.script = [answer(400, '{"error": "invalid_request"}')]
        caplog.set_level(logging.WARNING, "gqlauth")
        await listener.clock.wake()
        pause = await listener.clock.wake()
        second = await listener.server.acknowledged.get()

        assert 30 <= pause <= 36
        assert second.headers["authorization"] == "Bearer token-3"
        assert "invalid_request" in caplog.text

    async def test_the_same_token(self, listener: Listening, tokens: AuthorizationServer) -> None:
        """Where the authorization server gives the same token again, nothing is gained."""
        tokens.script = [tokens.token("token-1")]
        await listener.clock.wake()
        await listener.clock.wake()
        second = await listener.server.acknowledged.get()

        assert second.headers["authorization"] == "Bearer token-3"

    async def test_server_that_is_down(
        self, listener: Listening, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where no new connection can be had, the old one stays."""
        listener.server.greetings = [Answers(503)]
        await listener.clock.wake()
        second = await listener.renew()
        await listener.first.event(1)
        await second.event(1)

        assert await listener.next() == 1
        assert "could not be renewed" in caplog.text

    async def test_new_token_is_refused(
        self, listener: Listening, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A new token that is refused, and another, do not end what the old one serves."""
        listener.server.greetings = [Rejects(4403), Rejects(4403)]
        await listener.clock.wake()
        await listener.clock.wake()
        await listener.first.event(1)

        assert await listener.next() == 1
        assert "rejected the token (4403)" in caplog.text
