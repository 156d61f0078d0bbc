"""`TokenCache`: one entry a key, one flight a key, and nothing that waits while it looks.

What is fresh returns at once, without a lock. Everything between two awaits is one step for all
tasks of an event loop, so the state needs no lock either: it is read, classified, and then acted
upon.
"""

from __future__ import annotations

import math
import random
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Final

import anyio

from gqlauth._entry import Entry, Failure, Snapshot
from gqlauth._events import LOGGED, state_of
from gqlauth._flight import Flight, fetched
from gqlauth.errors import GqlAuthError, ServiceClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from gqlauth._clock import Clock
    from gqlauth._events import Events
    from gqlauth._flight import Acquisition
    from gqlauth._token import Token

#: Entries that are looked at for some to drop, the oldest first: all of them may be in flight.
LOOKED_AT: Final = 32


class TokenCache:
    """The tokens of many keys, each fetched by one flight at a time.

    Args:
        clock: what tells the time.
        max_entries: how many keys are kept; the one that was not asked for longest goes first.
        jitter: gives a number from 0 to 1 by which a refresh comes earlier.
        ahead: whether a token is refreshed in the background while it still serves.
        events: who is told what happens.

    """

    def __init__(
        self,
        *,
        clock: Clock,
        max_entries: int = 10_000,
        jitter: Callable[[], float] = random.random,
        ahead: bool = True,
        events: Events = LOGGED,
    ) -> None:
        self._wall = clock.wall
        self._monotonic = clock.monotonic
        self._max_entries = max_entries
        self._jitter = jitter
        self._ahead = ahead
        self._events = events
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._tasks: TaskGroup | None = None

    async def start(self) -> None:
        """Begin to fly: from now on tokens can be got."""
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks

    async def stop(self) -> None:
        """End the flights, and forget all: who waits for a token gets `ServiceClosedError`."""
        tasks, self._tasks = self._tasks, None
        try:
            if tasks is not None:
                tasks.cancel_scope.cancel()
                # Not with what the caller's block raised: a task group would wrap that in a group.
                await tasks.__aexit__(None, None, None)
        finally:
            # What is kept would only put off the error of who goes on without the service.
            self._entries.clear()

    def fresh(self, key: str) -> Token | None:
        """Return the token of `key` if it is fresh, else None. Nothing is awaited or started."""
        entry = self._entries.get(key)
        # As `_before` has it, without the calls, as every request comes this way.
        if entry is None or self._wall() >= entry.refresh_at:
            return None
        token = entry.token
        assert token is not None
        assert token.issued_at is not None
        if self._monotonic() >= entry.refresh_at - token.issued_at + token.issued_monotonic:
            return None
        self._entries.move_to_end(key)
        return token

    def usable(self, key: str) -> Token | None:
        """Return the token of `key` if it serves, fresh or not, else None. Nothing is started."""
        entry = self._entries.get(key)
        if entry is None or not self._before(entry, entry.usable_until):
            return None
        self._entries.move_to_end(key)
        return entry.token

    async def get(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token:
        """Return a token of `key` that is valid now, waiting for the flight that gets it."""
        found = self.seek(key, acquisition, renew=renew)
        return await found.landed(acquisition.name) if isinstance(found, Flight) else found

    def seek(self, key: str, acquisition: Acquisition, *, renew: bool = False) -> Token | Flight:
        """Return a token of `key` that is valid now, or the flight that gets it.

        One that serves comes at once; in its refresh window, a flight in the background gets the
        next. Otherwise, and with `renew`, all wait for the one that a flight gets.

        Raises:
            GqlAuthError: what a flight failed with just before: each its copy.
            ServiceClosedError: when the cache is not running.

        """
        entry = self._entry(key)
        token = entry.token
        if token is not None and not renew and self._before(entry, entry.usable_until):
            due = self._ahead and not self._before(entry, entry.refresh_at)
            if due and self._may_fly(entry):
                self._start(entry, acquisition)
            return token
        if entry.flight is None and entry.failure is not None and not self._may_fly(entry):
            self._events.denied(acquisition.name, entry.failure.error)
            raise entry.failure.error.for_endpoint(acquisition.name)
        return entry.flight or self._start(entry, acquisition)

    def invalidate(self, key: str, token: Token) -> bool:
        """Forget `token`, which was refused, and no other; tell whether it was the one kept.

        It will not be kept either if a flight that is under way brings it.
        """
        entry = self._entries.get(key)
        if entry is None:
            return False
        current = entry.has(token)
        if current:
            entry.drop()
        if current or entry.flight is not None:
            entry.refuse(token)
        return current

    def has_refused(self, key: str, token: Token) -> bool:
        """Tell whether `token` is one of `key` that was refused lately."""
        entry = self._entries.get(key)
        return entry is not None and entry.has_refused(token)

    def keeps(self, key: str, token: Token) -> bool:
        """Tell whether `token` is the one that is kept of `key`."""
        entry = self._entries.get(key)
        return entry is not None and entry.has(token)

    def restore(self, key: str, token: Token, window: float | None) -> bool:
        """Keep `token` though it was refused, if there is no other; tell whether that was so."""
        entry = self._entry(key)
        if entry.token is not None:
            return False
        entry.keep(token, window, self._jitter())
        return True

    def forget(self, key: str) -> bool:
        """Forget all that is known of `key`; tell whether there was a token."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        had = entry.token is not None
        entry.drop()
        entry.failure = None
        entry.refused = ()
        if entry.flight is None:
            del self._entries[key]
        return had

    def found(self, key: str) -> None:
        """Take note that the flight of `key` need not fetch its token: another process had it."""
        flight = self._entries[key].flight
        assert flight is not None
        flight.found = True

    def later(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work` in the background, to its end; nothing where the cache is not running."""

        async def shielded() -> None:
            with anyio.CancelScope(shield=True):
                await work()

        if self._tasks is not None:
            self._tasks.start_soon(shielded)

    def look(self, key: str) -> Snapshot | None:
        """Return what is known of `key`; this changes nothing."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        return Snapshot(
            token=entry.token,
            refresh_at=entry.refresh_at if math.isfinite(entry.refresh_at) else None,
            usable=self._before(entry, entry.usable_until),
            in_flight=entry.flight is not None,
            error=entry.failure.error if entry.failure is not None else None,
        )

    def _before(self, entry: Entry, moment: float) -> bool:
        """Tell whether `moment` is still to come, by both clocks: the earlier end wins."""
        return self._wall() < moment and self._monotonic() < moment + entry.monotonic_shift

    def _entry(self, key: str) -> Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry()
            self._make_room()
        else:
            self._entries.move_to_end(key)
        return entry

    def _make_room(self) -> None:
        """Drop what was not asked for longest; what flies stays, or a key would fly twice."""
        excess = len(self._entries) - self._max_entries
        if excess <= 0:
            return
        newest = next(reversed(self._entries))
        for key in list(islice(self._entries, LOOKED_AT)):
            if self._entries[key].flight is not None or key == newest:
                self._entries.move_to_end(key)
            elif excess > 0:
                del self._entries[key]
                excess -= 1

    def _may_fly(self, entry: Entry) -> bool:
        """Tell whether a flight may start: none is under way, and no failure is just past."""
        return entry.flight is None and (
            entry.failure is None or self._monotonic() >= entry.failure.until
        )

    def _start(self, entry: Entry, acquisition: Acquisition) -> Flight:
        if self._tasks is None:
            raise ServiceClosedError('the service is not running: use "async with service:"')
        flight = entry.flight = Flight()
        # In a task of the cache's own, not in the caller's: a caller who is cancelled, or gives
        # up, harms nobody else.
        self._tasks.start_soon(self._fly, entry, flight, acquisition)
        return flight

    async def _fly(self, entry: Entry, flight: Flight, acquisition: Acquisition) -> None:
        wall, monotonic = self._wall(), self._monotonic()
        flight.started = monotonic
        name = acquisition.name
        try:
            flight.cache = state_of(entry, self._before)
            self._events.wanted(name, flight.cache)
            token = await fetched(acquisition, wall, monotonic)
        except GqlAuthError as error:
            self._failed(entry, flight, error, name)
        except BaseException:  # the cache stops, or the process is told to
            closed = flight.error = ServiceClosedError("the service was closed meanwhile")
            self._events.failed(name, flight, closed, self._monotonic() - monotonic, 0.0)
            raise
        else:
            self._landed(entry, flight, token, acquisition.refresh_window)
            self._events.came(name, flight, token, self._monotonic() - monotonic)
        finally:
            entry.flight = None
            flight.done.set()
            self._make_room()

    def _landed(self, entry: Entry, flight: Flight, token: Token, window: float | None) -> None:
        flight.token = token
        entry.failure = None
        # A caller who waited is always served. The very token that was refused is not kept.
        if not entry.has_refused(token):
            entry.keep(token, window, self._jitter())

    def _failed(self, entry: Entry, flight: Flight, error: GqlAuthError, name: str) -> None:
        # It is kept for a while, and what it was raised through need not be.
        flight.error = error.with_traceback(None)
        entry.failure = Failure.after(entry.failure, error, self._monotonic())
        elapsed = self._monotonic() - flight.started
        self._events.failed(name, flight, error, elapsed, entry.failure.pause)
