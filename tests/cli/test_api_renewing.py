"""Streams of `gql api` that are followed by others before their tokens end: what is seen."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from gqlauth import AuthService, Secret
from gqlauth._cli._ask import Options
from gqlauth._cli._failure import Failure
from gqlauth._cli._globals import Globals
from gqlauth._cli._listener import Listener
from gqlauth._cli._over_http import over_http
from gqlauth._cli._send import Call
from gqlauth._cli._telling import Teller
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth._subscriptions._renewal import LONGEST_OVERLAP, Renewal
from gqlauth.errors import GqlAuthError
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import Bearer, ClientCredentials
from tests.support.clock import HeldClock
from tests.support.streams import stream_server
from tests.support.token_endpoint import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gqlauth import Strategy
    from tests.support.streams import Sent, StreamServer

pytestmark = pytest.mark.anyio

UNAUTHENTICATED = {"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the command line does."""
    return "asyncio"


@attrs.define
class Heard(Listener):
    """A listener that tells which events it has taken."""

    taken: asyncio.Queue[Any] = attrs.field(factory=asyncio.Queue)

    def take(self, content: bytes) -> None:
        super().take(content)
        self.taken.put_nowait(json.loads(content))


@attrs.frozen
class Listening:
    """Somebody who listens to a subscription, and the server that tells of it."""

    server: StreamServer
    clock: HeldClock
    tokens: AuthorizationServer
    listener: Heard
    #: Is done when all is over.
    over: asyncio.Task[None]

    async def next(self) -> Any:
        """Return the number of the next event."""
        return (await self.listener.taken.get())["data"]["number"]

    async def renew(self) -> Sent:
        """Let it be time for another stream, and return that."""
        await self.clock.wake()
        return await self.server.asked.get()

    async def settle(self) -> None:
        """Let all that was sent be heard: both sides are on one event loop."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def turn(self) -> None:
        """Let the time be over for which two streams serve."""
        await self.settle()
        assert await self.clock.wake() == LONGEST_OVERLAP / 2


OPTIONS = Options(
    query=None,
    endpoint=None,
    operation=None,
    raw=(),
    typed=(),
    given=None,
    extra=(),
    include=False,
    jq=None,
    silent=False,
    allow_partial=False,
    no_auth=False,
    dry_run=False,
    timeout=None,
    paginate=False,
    slurp=False,
)
ORDERS = ClientCredentials(token_url=URL, client_id="orders-cli", client_secret=Secret("s3cr3t"))


@asynccontextmanager
async def listening(
    strategy: Strategy = ORDERS, tokens: AuthorizationServer | None = None
) -> AsyncIterator[Listening]:
    clock, tokens = HeldClock(), tokens or AuthorizationServer()
    async with stream_server() as server:
        auth = EndpointAuthConfig(type="any", strategy=strategy, options=AuthOptions())
        orders = Endpoint(name="orders", url=server.url, auth=auth)
        config = Config(endpoints={"orders": orders})
        call = Call(
            config=config, endpoint=orders, headers=(), body=b"{}", authenticate=True, timeout=None
        )
        listener = Heard(Teller(Globals(), OPTIONS, call, None))

        async def listen() -> None:
            async with AuthService(config, clock=clock, token_transport=tokens) as service:
                answer = await over_http(call, service, Renewal.of(service, orders), listener)
                assert answer is None

        over = asyncio.create_task(listen())
        try:
            yield Listening(server, clock, tokens, listener, over)
        finally:
            over.cancel()
            await asyncio.gather(over, return_exceptions=True)


@pytest.fixture
async def heard() -> AsyncIterator[Listening]:
    async with listening() as running:
        yield running


class TestWhen:
    async def test_before_the_token_ends(self, heard: Listening) -> None:
        """Another stream is asked for a minute before the token ends, or somewhat earlier."""
        first = await heard.server.asked.get()
        pause = await heard.clock.wake()
        second = await heard.server.asked.get()

        assert 3600 - 1.2 * 60 <= pause <= 3600 - 60
        assert first.headers["Authorization"] == "Bearer token-1"
        assert second.headers["Authorization"] == "Bearer token-2"

    async def test_again_and_again(self, heard: Listening) -> None:
        """The one that followed is followed, too, and what was left is closed."""
        streams = [await heard.server.asked.get()]
        for number in range(1, 4):
            streams.append(await heard.renew())
            await heard.turn()
            await streams[-2].is_over.wait()
            await streams[-1].event(number)
            assert await heard.next() == number

        sent = [stream.headers["Authorization"] for stream in streams]
        assert sent == [f"Bearer token-{number}" for number in range(1, 5)]

    async def test_token_without_an_end(self) -> None:
        """A stream whose token does not end stays."""
        async with listening(Bearer(Secret("st4tic"))) as heard:
            stream = await heard.server.asked.get()
            await stream.event(1)
            await heard.next()

            assert not heard.clock.is_awaited


class TestNothingIsLost:
    @pytest.mark.parametrize("multipart", [False, True])
    async def test_both_bring_it(self, *, multipart: bool) -> None:
        """An event that both bring is written once, be the new one early or late."""
        async with listening() as heard:
            if multipart:
                heard.server.speak_multipart()
            old = await heard.server.asked.get()
            await old.event(1)
            new = await heard.renew()
            await new.event(3)
            for number in (2, 3, 4):
                await old.event(number)
            assert [await heard.next() for _ in range(4)] == [1, 2, 3, 4]
            await heard.turn()
            for number in (4, 5):
                await new.event(number)
            assert await heard.next() == 5
            await new.complete()
            await heard.over

        assert heard.listener.taken.empty()

    async def test_only_the_new_one_brings_it(self, heard: Listening) -> None:
        """What the new one alone has brought follows what the old one has."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        await new.event(7)
        await old.event(1)
        assert await heard.next() == 1
        assert heard.listener.taken.empty()
        await heard.turn()

        assert await heard.next() == 7

    async def test_old_one_is_lost(self, heard: Listening) -> None:
        """Where the old one breaks off, the new one takes over at once."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        for stream, numbers in ((old, (1, 2)), (new, (1, 2, 3))):
            for number in numbers:
                await stream.event(number)
        await heard.settle()
        old.break_off()

        assert [await heard.next() for _ in range(3)] == [1, 2, 3]
        assert heard.listener.taken.empty()

    async def test_old_one_is_lost_in_doubt(self, heard: Listening) -> None:
        """One event that both bring may be two that are alike: it is written twice then."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        await old.event(1)
        await new.event(1)
        await heard.settle()
        old.break_off()

        assert [await heard.next() for _ in range(2)] == [1, 1]

    async def test_new_one_is_complete(self, heard: Listening) -> None:
        """Where the new one ends first, all is over when it is its turn."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        await new.event(2)
        await new.complete()
        await old.event(1)
        assert await heard.next() == 1
        await heard.turn()
        await heard.over

        assert await heard.next() == 2

    async def test_old_one_is_complete(self, heard: Listening) -> None:
        """Where the old one ends, all is over."""
        old = await heard.server.asked.get()
        await heard.renew()
        await old.complete()

        await heard.over


class TestTrouble:
    async def test_new_one_is_lost(
        self, heard: Listening, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where the new one breaks off, the old one serves on, and another is asked for."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        new.break_off()
        await heard.settle()
        another = await heard.renew()
        await old.event(1)
        assert await heard.next() == 1
        await heard.turn()
        await another.event(2)

        assert await heard.next() == 2
        assert "the connection could not be renewed" in caplog.text

    async def test_no_stream(self, heard: Listening, caplog: pytest.LogCaptureFixture) -> None:
        """An answer that is no stream, or none at all, leaves the old one alone."""
        old = await heard.server.asked.get()
        heard.server.statuses = [503]
        await heard.clock.wake()
        await heard.renew()
        await old.event(1)

        assert await heard.next() == 1
        assert "the API answers 503, and with no stream" in caplog.text

    async def test_unreachable(self, heard: Listening, caplog: pytest.LogCaptureFixture) -> None:
        """So does a server that takes no more connections."""
        old = await heard.server.asked.get()
        await heard.server.refuse()
        await heard.clock.wake()
        await heard.clock.wake()
        await old.event(1)

        assert await heard.next() == 1
        assert "the connection could not be renewed" in caplog.text

    async def test_both_are_lost(self, heard: Listening) -> None:
        """Where no stream is left, the subscription is lost."""
        old = await heard.server.asked.get()
        new = await heard.renew()
        new.break_off()
        await heard.settle()
        old.break_off()

        with pytest.raises(Failure, match="the subscription was lost after 0 events"):
            await heard.over

    async def test_too_large(self, heard: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
        """An event that would fill the memory ends it, whichever brings it."""
        await heard.server.asked.get()
        new = await heard.renew()
        monkeypatch.setattr("gqlauth._subscriptions._bounds.LARGEST_EVENT", 10)
        await new.event(1)

        with pytest.raises(Failure, match="an event is larger than"):
            await heard.over

    async def test_echo(self, heard: Listening, capsys: pytest.CaptureFixture[str]) -> None:
        """A server that tells the new token does not make it seen."""
        await heard.server.asked.get()
        new = await heard.renew()
        await heard.turn()
        await new.say({"errors": [{"message": "you are Bearer token-2"}]})
        await heard.listener.taken.get()

        assert "token-2" not in capsys.readouterr().err


class TestRefusedInTheFirstEvent:
    @pytest.mark.parametrize("completes", [True, False])
    async def test_replaced(
        self, heard: Listening, capsys: pytest.CaptureFixture[str], *, completes: bool
    ) -> None:
        """The token is replaced, and nothing of the refusal is written, however it ends."""
        first = await heard.server.asked.get()
        await first.say(UNAUTHENTICATED)
        if completes:
            await first.complete()
        else:
            first.break_off()
        second = await heard.server.asked.get()
        await second.event(1)
        assert await heard.next() == 1
        await second.complete()
        await heard.over

        assert second.headers["Authorization"] == "Bearer token-2"
        assert capsys.readouterr() == ('{"data":{"number":1}}\n', "")

    async def test_refused_again(self, heard: Listening) -> None:
        """One replacement is enough; the refusal is told then."""
        for _ in range(2):
            stream = await heard.server.asked.get()
            await stream.say(UNAUTHENTICATED)

        assert await heard.listener.taken.get() == UNAUTHENTICATED
        assert len(heard.tokens.requests) == 2

    async def test_same_token(self) -> None:
        """Nor is it sent again where the same token comes back."""
        always = {"access_token": "always", "token_type": "Bearer", "expires_in": 3600}
        async with listening(tokens=AuthorizationServer(otherwise=always)) as heard:
            stream = await heard.server.asked.get()
            await stream.say(UNAUTHENTICATED)

            assert await heard.listener.taken.get() == UNAUTHENTICATED
            assert heard.server.asked.empty()

    async def test_no_stream(self, heard: Listening) -> None:
        """Where there is no other stream, the refusal is told."""
        stream = await heard.server.asked.get()
        heard.server.statuses = [503]
        await stream.say(UNAUTHENTICATED)

        assert await heard.listener.taken.get() == UNAUTHENTICATED

    async def test_no_token(self, heard: Listening) -> None:
        """Where there is no other token, that is told."""
        stream = await heard.server.asked.get()
        heard.tokens.script = [{"error": "invalid_client"}]
        await stream.say(UNAUTHENTICATED)

        with pytest.raises(GqlAuthError, match="invalid_client"):
            await heard.over

    async def test_later(self, heard: Listening) -> None:
        """A refusal among events is an event."""
        stream = await heard.server.asked.get()
        await stream.event(1)
        await stream.say(UNAUTHENTICATED)
        assert await heard.next() == 1

        assert await heard.listener.taken.get() == UNAUTHENTICATED
