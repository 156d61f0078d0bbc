"""What becomes of the events of a subscription: a line each, and an exit status of them all."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import attrs

from gqlauth._cli import _json
from gqlauth._cli._failure import SUCCESS, worst
from gqlauth._cli._output import as_line, head, write
from gqlauth._cli._telling import read

if TYPE_CHECKING:
    from gqlauth._cli._answer import Reply
    from gqlauth._cli._telling import Teller


@attrs.define
class Listener:
    """Writes events as they come, and tells a person what is wrong with them."""

    teller: Teller
    #: What is shown until something comes.
    waiting: ExitStack = attrs.field(factory=ExitStack)
    #: How many have come.
    count: int = 0
    #: The exit status of those.
    status: int = SUCCESS
    #: What the server began with.
    _reply: Reply | None = None

    @property
    def has_begun(self) -> bool:
        """Tell whether the server answers."""
        return self._reply is not None

    def begin(self, reply: Reply) -> None:
        """Take note that the server answers, and of how: each event comes with that."""
        self.waiting.close()
        # What is told of the events has nothing to do with what they come in.
        self._reply = attrs.evolve(reply, headers=())
        if self.teller.options.include:
            write(head(reply))

    def take(self, content: bytes) -> None:
        """Take an event.

        Raises:
            OSError: when it cannot be written.

        """
        assert self._reply is not None
        self.count += 1
        self._tell(attrs.evolve(self._reply, content=content))

    def take_alone(self, reply: Reply) -> None:
        """Take what is an answer and no stream."""
        self.begin(reply)
        self._tell(reply)

    def loss(self, why: str) -> str:
        """Say that the subscription was lost: events may have been missed since."""
        events = "1 event" if self.count == 1 else f"{self.count} events"
        return f"the subscription was lost after {events}: {why}"

    def _tell(self, reply: Reply) -> None:
        answer, trouble = read(reply)
        written = self.teller.write(answer, as_line)
        self.status = worst((self.status, self.teller.judge(reply, answer, trouble) or written))


def unwrapped(text: bytes) -> bytes | None:
    """Return the event that a message of a server's holds; None where it holds none.

    It is in the message's ``payload``, whose null comes with the ``errors`` that ended all.
    """
    try:
        message = _json.read(text.decode("utf-8-sig"))
        if not isinstance(message, dict) or "payload" not in message:
            return text if message else None
        payload = message["payload"]
        if payload is None and message.get("errors"):
            payload = {"errors": message["errors"]}
        return None if payload is None else as_event(payload)
    except ValueError:
        return text  # which is told


def as_event(value: object) -> bytes:
    """Return an event that `_json.read` has read."""
    return "".join(_json.compact(_json.write(value))).encode()
