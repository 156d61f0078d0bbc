"""Subscriptions over HTTP: a stream of events, and another before the token of that one ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import anyio

from gqlauth import _log
from gqlauth._cli._failure import API_ERROR, UNAVAILABLE, Failure
from gqlauth._cli._send import failing, is_stream, late, reply_of, sender
from gqlauth._cli._stream import Stream
from gqlauth._graphql import rejection
from gqlauth._http import httpx
from gqlauth._subscriptions._bounds import TooLargeError
from gqlauth._subscriptions._failures import FAILURES, LostError
from gqlauth._subscriptions._repeats import Repeats
from gqlauth._tries import described

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gqlauth._cli._answer import Reply
    from gqlauth._cli._listener import Listener
    from gqlauth._cli._send import Call, Sender
    from gqlauth._service import AuthService
    from gqlauth._subscriptions._renewal import Renewal
    from gqlauth._token import Token


async def over_http(
    call: Call, service: AuthService, renewal: Renewal | None, listener: Listener
) -> Reply | None:
    """Ask by a request whose answer is a stream of events; let `listener` take them.

    Return the answer if it is no stream. By `renewal` another stream follows before the token of
    the first one ends.

    Raises:
        Failure: when no answer could be had, or the stream ends before it is complete.
        GqlAuthError: when there is no token to be had.

    """
    with failing(call):
        async with sender(call, service) as sending:
            with anyio.move_on_after(call.timeout) as scope:
                token = None if renewal is None else await renewal.token()
                response = await sending.begin()
                if not is_stream(response):
                    return reply_of(response, await response.aread(), sending.sent)
            if scope.cancelled_caught:
                raise late(call)
            listener.begin(reply_of(response, b"", sending.sent))
            await _Course(sending, renewal, listener, response, token).run()
    return None


class _End:
    """Said of a stream: the server says that it is complete."""


class _Turn:
    """Said of a stream: it is to take over now."""


Told: TypeAlias = bytes | _End | _Turn | Exception


class _Course:
    """The streams that serve one subscription, one after the other.

    While one takes over from another, both are read. The events of the old one are taken, and
    those of the new one are held; they follow in the end, but for those that the old one brought
    as well. No server can be asked whether a stream has brought all that was sent before, so the
    old one is read for as long as the two may overlap.
    """

    failures: Final = FAILURES

    def __init__(
        self,
        sending: Sender,
        renewal: Renewal | None,
        listener: Listener,
        response: httpx.Response,
        token: Token | None,
    ) -> None:
        """Begin with `response`, which was asked for with `token`."""
        self._sending = sending
        self._renewal = renewal
        self._listener = listener
        self._endpoint = sending.call.endpoint
        #: What serves, and what is to take over from it.
        self._stream = self._begun(response, token)
        self._next: Stream | None = None
        #: Is done when that has taken over, or has failed.
        self._moved: asyncio.Future[LostError | None]
        #: What the old one brought since the new one was asked for, and what the new one did.
        self._seen: list[bytes] | None = None
        self._held: list[bytes | _End] = []
        self._repeats = Repeats()
        #: Whether a token was refused by the first event, and replaced.
        self._has_replaced = False
        # One at a time: where it takes long to write an event, the server is to wait.
        self._inbox: asyncio.Queue[tuple[Stream | None, Told]] = asyncio.Queue(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: dict[Stream, asyncio.Task[None]] = {}

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def token(self) -> Token | None:
        return self._stream.token

    async def run(self) -> None:
        """Let the listener take the events, until the server says that it is complete."""
        try:
            self._read(self._stream)
            if self._renewal is not None:
                self._start(None, self._renewal.run(self, self, self._endpoint.timeout))
            while not await self._is_over():
                pass
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def open(self, token: Token) -> Stream:
        """Ask anew; the endpoint's token is `token` by now."""
        self._seen = []
        try:
            return self._begun(await self._asked(), token)
        except BaseException:
            self._seen = None
            raise

    async def _asked(self) -> httpx.Response:
        try:
            response = await self._sending.begin()
        except httpx.TransportError as error:
            raise LostError(described(error)) from error
        if not is_stream(response):
            await response.aclose()
            raise LostError(f"the API answers {response.status_code}, and with no stream")
        return response

    async def take_over(self, new: Stream, overlap: float) -> int:
        """Let `new` take over when it is time for it."""
        assert self._renewal is not None
        self._moved = asyncio.Future()
        self._next = new
        self._read(new)

        async def turn() -> None:
            # It is used up each time, and servers count a token's life in whole seconds.
            await clock.sleep(overlap / 2)
            await self._inbox.put((new, _Turn()))

        clock = self._renewal.clock
        waiting = self._start(None, turn())
        lost = await self._moved
        waiting.cancel()
        if lost is not None:
            raise lost
        return 1

    def _begun(self, response: httpx.Response, token: Token | None) -> Stream:
        if self._renewal is not None:
            # Where the API refused `token`, there is another by now.
            token = self._renewal.source.fresh() or token
        return Stream(response, token)

    def _read(self, stream: Stream) -> None:
        async def read() -> None:
            try:
                async for event in stream.events():
                    await self._inbox.put((stream, event))
                await self._inbox.put((stream, _End()))
            finally:
                await stream.response.aclose()

        self._reading[stream] = self._start(stream, read())

    def _start(self, stream: Stream | None, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def watched() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - it is raised where the inbox is read
                await self._inbox.put((stream, error))

        task = asyncio.create_task(watched())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _is_over(self) -> bool:
        """Take the next that is said of a stream; tell whether that was the last."""
        stream, told = await self._inbox.get()
        if isinstance(told, Exception):
            return self._lost(stream, told)
        if stream is self._next:
            if isinstance(told, _Turn):
                return self._switch(Repeats.of(self._seen or (), self._held))
            self._held.append(told)
            return False
        if stream is not self._stream or isinstance(told, _Turn):
            return False  # it has been left, or has taken over already
        if isinstance(told, bytes) and await self._is_replaced(told):
            return False
        return self._take(told)

    def _lost(self, stream: Stream | None, error: Exception) -> bool:
        """See what follows from an error; tell whether all is over."""
        if isinstance(error, TooLargeError):
            raise Failure(f"{self.name}: {error}", API_ERROR) from error
        if not isinstance(error, LostError):
            raise error
        if stream is not None and stream is self._next:
            del self._reading[stream]
            self._stay(error)
        elif stream is self._stream and self._next is not None:
            # A single event may be one that the old one could not bring any more.
            return self._switch(Repeats.of(self._seen or (), self._held, least=2))
        elif stream is self._stream:
            raise Failure(f"{self.name}: {self._listener.loss(str(error))}", UNAVAILABLE) from error
        return False

    def _switch(self, repeats: Repeats) -> bool:
        """Leave the old stream for the new one; tell whether all is over."""
        assert self._next is not None
        held, self._repeats = self._held, repeats
        self._leave_for(self._next)
        self._stay(None)
        return any(self._take(one) for one in held)  # the end is the last

    def _leave_for(self, stream: Stream) -> None:
        self._reading.pop(self._stream).cancel()
        self._stream = stream

    def _stay(self, lost: LostError | None) -> None:
        """Be on one stream."""
        self._next, self._seen, self._held = None, None, []
        self._moved.set_result(lost)

    def _take(self, told: bytes | _End) -> bool:
        """Take what comes from the stream that serves; tell whether it was the last."""
        if isinstance(told, _End):
            return True
        if not self._repeats.has(told):
            if self._seen is not None:
                self._seen.append(told)
            self._listener.take(told)
        return False

    async def _is_replaced(self, event: bytes) -> bool:
        """Tell whether `event`, the first, refuses the token, and another stream has another."""
        if self._renewal is None or self._listener.count or self._next is not None:
            return False
        refusal = rejection(event, self._endpoint.retry_on)
        source, token = self._renewal.source, self._stream.token
        if refusal is None or token is None:
            return False
        how = f"{self._stream.response.status_code}, {refusal.code}"
        if not source.refused(token, how) or self._has_replaced:
            return False
        self._has_replaced = True
        another = await source.token()
        if another.same_text(token):
            return False
        _log.info("the API refused the token, sending again", endpoint=self.name, answer=how)
        try:
            stream = await self.open(another)
        except LostError:
            return False  # the refusal tells more
        self._seen = None
        self._leave_for(stream)
        self._read(stream)
        return True
