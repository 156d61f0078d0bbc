"""What its user takes for one connection: some of which one takes over from the other."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gqlauth._graphql import asks_subscription
from gqlauth._subscriptions._opening import parsed
from gqlauth._subscriptions._operation import ENDS, STOPS, Operation
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gqlauth._clock import Clock
    from gqlauth._subscriptions._opening import Link, Opener
    from gqlauth._token import Token

#: Seconds for which the other side may keep silent when it was told to stop.
LONGEST_DRAIN: Final = 10.0

_PING: Final = '{"type": "ping"}'


class Line:
    """Connections of a library's, of which one takes over from the other.

    Who sends and receives by it knows nothing of that. A subscription is begun on the new
    connection by the very message that began it on the old one. What it raises are the failures
    of its opener.
    """

    def __init__(self, opener: Opener, clock: Clock) -> None:
        """Open connections by `opener`."""
        self._opener = opener
        self._failures = opener.failures
        self._clock = clock
        # All that are open, and of them the one that operations go over; and whether that is about
        # to take over from another.
        self._links: set[Link] = set()
        self._link: Link | None = None
        self._moving = False
        #: Those that are under way, by their names.
        self._operations: dict[str, Operation] = {}
        self._inbox: asyncio.Queue[str | Exception] = asyncio.Queue()
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        # What is waited for, and whether it has come.
        self._awaited: Callable[[], bool] = bool
        self._has_come = asyncio.Event()

    @property
    def token(self) -> Token | None:
        """Return what the last connection was opened with."""
        return None if self._link is None else self._link.token

    @property
    def response_headers(self) -> dict[str, str]:
        """Return the headers by which the server answered the last handshake."""
        return {} if self._link is None else self._link.adapter.response_headers

    @property
    def acknowledgement(self) -> str:
        """Return the message by which it acknowledged the last connection."""
        return "" if self._link is None else self._link.acknowledgement

    async def connect(self) -> None:
        """Connect with a token that is valid now.

        Raises:
            Exception: that it is lost, when it fails; its cause is a `GqlAuthError` where that is
                for want of a token, or as the server refused it. Or that the server speaks another
                protocol.
            TimeoutError: when it acknowledges nothing.

        """
        try:
            link = await self._opener.open(await self._opener.token())
        except GqlAuthError as error:
            raise self._failures.lost(str(error)) from error
        self._operations = {}
        self._inbox = asyncio.Queue()
        self._link = self._begun(link)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work for as long as it is connected."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*map(self._closed, self._links))
        self._inbox.put_nowait(self._failures.lost("the connection is closed"))

    async def send(self, message: str) -> None:
        """Send a message, to whom it is for.

        Raises:
            Exception: when that connection is lost.

        """
        told = parsed(message)
        kind, key = told["type"], str(told.get("id"))
        async with self._sending:
            link = self._link
            assert link is not None
            if kind in STOPS:
                moves = asks_subscription(told["payload"])
                self._operations[key] = Operation(key, kind, message, moves=moves, link=link)
            elif kind in STOPS.values() and key in self._operations:
                for one in self._operations.pop(key).links:
                    await self._tell(one, message)
                self._look()
                return
            elif kind == "ping":
                link.pings += 1
            await link.adapter.send(message)

    async def receive(self) -> str:
        """Return the next message that its user is to see.

        Raises:
            Exception: when the connection is lost.

        """
        message = await self._inbox.get()
        async with self._sending:  # an answer may be there before gql is ready for it
            pass
        if isinstance(message, Exception):
            raise message
        return message

    async def take_over(self, new: Link, overlap: float) -> int:
        """Go over a new connection from now on; return how many subscriptions have moved there.

        The old one serves them until the new one has brought a first event of each, which shows
        that the server minds it there, or until the seconds `overlap` are over. Other operations
        end where they began.

        Raises:
            Exception: when the new one is lost before; the old one then serves on.

        """
        old = self._link
        assert old is not None
        self._link, self._moving = self._begun(new), True
        try:
            return await self._move(old, new, overlap)
        finally:
            for one in self._operations.values():
                one.stay()
            self._moving = False
            self._look()

    async def _move(self, old: Link, new: Link, overlap: float) -> int:
        def moving() -> list[Operation]:
            return [one for one in self._operations.values() if one.next is new]

        with suppress(self._failures.lost):  # its loss is seen below
            for one in list(self._operations.values()):
                async with self._sending:
                    if one.moves and self._operations.get(one.key) is one:
                        one.next = new
                        await new.adapter.send(one.message)
        await self._until(
            lambda: bool(new.lost or old.lost) or all(one.is_there for one in moving()), overlap
        )
        if new.lost is not None:
            self._link = old
            raise self._failures.lost("the new connection was lost") from new.lost
        # What the new one brings before the old one is told to stop, the old one brings, too.
        overlapping = [one for one in moving() if one.is_there and old.lost is None]
        await self._drain(old, moving)
        moved = moving()
        for one in moved:
            for message, told in one.switch(overlaps=one in overlapping):
                self._take(new, message, told)
        return len(moved)

    async def _drain(self, old: Link, moving: Callable[[], list[Operation]]) -> None:
        """Tell the other side to stop, and wait until what it has sent before has come."""
        with suppress(self._failures.lost):
            for one in moving():
                one.stopped = True
                await old.adapter.send(one.stop)
            if any(one.kind == "subscribe" for one in moving()):
                old.own_pong = max(old.pings, old.pongs) + 1
                await old.adapter.send(_PING)

        def drained() -> bool:
            answered = 0 < old.own_pong <= old.pongs
            # The older protocol knows no ping, and answers a stop.
            return answered or old.lost is not None or all(one.has_stopped for one in moving())

        await self._until(drained, LONGEST_DRAIN)

    async def _until(self, awaited: Callable[[], bool], longest: float) -> None:
        """Wait until what is awaited has come, for so many seconds at the most."""
        if awaited():
            return
        self._awaited = awaited
        self._has_come.clear()
        tasks = [
            asyncio.ensure_future(self._has_come.wait()),
            asyncio.ensure_future(self._clock.sleep(longest)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._awaited = bool
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, link: Link) -> None:
        """Take all that a connection brings."""
        try:
            while True:
                message = await link.adapter.receive()
                self._take(link, message, parsed(message))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing more is read
            link.lost = error if isinstance(error, self._failures.any) else self._unread(error)
            self._opener.ended(link, error)
            self._look()

    def _unread(self, error: Exception) -> Exception:
        """Return the failure that stands for an error which is none of those of the library."""
        lost = self._failures.lost(f"nothing more can be read: {type(error).__name__}")
        lost.__cause__ = error
        return lost

    def _take(self, link: Link, message: str, told: dict[str, Any]) -> None:
        """Take what a connection brings: hand it on, keep it, or drop it."""
        kind, key = told.get("type"), str(told.get("id"))
        operation = self._operations.get(key)
        if operation is None:
            link.pongs += kind == "pong"
            handed = kind != "pong" or link.pongs != link.own_pong
        else:
            handed = operation.take(link, message, told)
            if handed and kind in ENDS:
                del self._operations[key]
                if operation.next is not None:
                    self.start(self._tell(operation.next, operation.stop))
        if handed:
            self._inbox.put_nowait(message)
        if self._moving or kind in ENDS:
            self._look()

    def _look(self) -> None:
        """See what follows from what has come, or has ended."""
        if self._awaited():
            self._has_come.set()
        if self._moving:
            return  # what is lost is taken over, maybe
        for one in list(self._operations.values()):
            # It stayed where it began: what has moved goes on.
            if one.link is not self._link and one.link.lost is not None:
                del self._operations[one.key]
                self._inbox.put_nowait(one.loss)
        wanted = {self._link, *(one.link for one in self._operations.values())}
        for link in self._links:
            if link not in wanted:
                self._closed(link)
            elif link.lost is not None:
                self._inbox.put_nowait(link.lost)

    def _begun(self, link: Link) -> Link:
        self._links.add(link)
        self.start(self._read(link))
        return link

    def _closed(self, link: Link) -> asyncio.Future[None]:
        """Close a connection, once; return what is done when it is closed."""
        if link.closing is None:
            link.closing = asyncio.ensure_future(link.adapter.close())
            link.closing.add_done_callback(lambda _: self._links.discard(link))
        return link.closing

    async def _tell(self, link: Link, message: str) -> None:
        """Send a message that is of no use where the connection is lost."""
        with suppress(self._failures.lost):
            await link.adapter.send(message)
