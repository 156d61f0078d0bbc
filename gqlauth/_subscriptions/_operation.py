"""One operation, and the two connections that it is on while it moves from one to the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._subscriptions._repeats import Repeats

if TYPE_CHECKING:
    from gqlauth._subscriptions._opening import Link

#: What ends an operation from the other side, and what does from this one, by what began it: in
#: the words of the protocol of today, and of the older one.
ENDS: Final = frozenset({"complete", "error"})
STOPS: Final = {"subscribe": "complete", "start": "stop"}


@attrs.define(eq=False)
class Operation:
    """An operation that is under way.

    While it moves, both connections bring events. Those of the old one are handed on, and those of
    the new one are held. Once the old one has brought all that it was sent, the new one's follow,
    but for those that the old one brought as well.
    """

    #: Its name, and the message that began it, with the type of that.
    key: str
    kind: str
    message: str
    #: Whether that may be sent once more.
    moves: bool
    #: Where its events come from, and where they will, if it is about to move.
    link: Link
    next: Link | None = None
    #: Whether the old connection was told that nothing more is wanted, and has said that it heard.
    stopped: bool = False
    has_stopped: bool = False
    #: What the old one brought since the new one was asked, and what the new one did.
    _seen: list[Any] = attrs.field(factory=list)
    _held: list[tuple[str, dict[str, Any]]] = attrs.field(factory=list)
    #: What the new one will bring though the old one has brought it.
    _repeats: Repeats = attrs.field(factory=Repeats)

    @property
    def links(self) -> list[Link]:
        """Return the connections that it is on."""
        return [self.link] if self.next is None else [self.link, self.next]

    @property
    def stop(self) -> str:
        """Return the message that nothing more is wanted."""
        return json.dumps({"id": self.key, "type": STOPS[self.kind]})

    @property
    def loss(self) -> str:
        """Return the message of an error: that no answer will come."""
        error = {"message": "the connection was lost, and the answer with it"}
        payload = [error] if self.kind == "subscribe" else error
        return json.dumps({"id": self.key, "type": "error", "payload": payload})

    @property
    def is_there(self) -> bool:
        """Tell whether the new connection has shown that it minds the operation."""
        return bool(self._held)

    def take(self, link: Link, message: str, told: dict[str, Any]) -> bool:
        """Take what a connection brings; tell whether it is to be handed on now."""
        if link is self.next:
            self._held.append((message, told))
            return False
        if link is not self.link:
            return False  # it has left that one
        event = None if told["type"] in ENDS else told.get("payload")
        if self._repeats.has(event):
            return False
        if self.next is None:
            return True
        if event is not None:
            self._seen.append(event)
        elif self.stopped:  # it has ended as it was told to
            self.has_stopped = True
            return False
        return True

    def switch(self, *, overlaps: bool) -> list[tuple[str, dict[str, Any]]]:
        """Leave the old connection for the new one; return what that has brought."""
        assert self.next is not None
        held = self._held
        events = [told.get("payload") for _, told in held]
        self._repeats = Repeats.of(self._seen, events) if overlaps else Repeats()
        self.link = self.next
        self.stay()
        return held

    def stay(self) -> None:
        """Be on one connection, be it the old one or the new one."""
        self.next, self.stopped, self.has_stopped = None, False, False
        self._seen, self._held = [], []
