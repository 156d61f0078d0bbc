"""What becomes of the events of a subscription: a line each, and an exit status of them all."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import attrs

from gqlauth._cli import _json
from gqlauth._cli._answer import NoAnswerError, read_answer
from gqlauth._cli._failure import SUCCESS, Failure, tell, worst
from gqlauth._cli._output import as_line, filtered, head, write
from gqlauth._cli._verdict import Verdict

if TYPE_CHECKING:
    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._cli._ask import Options
    from gqlauth._cli._globals import Globals
    from gqlauth._cli._jq import Filter
    from gqlauth._cli._send import Call


@attrs.define
class Listener:
    """Writes events as they come, and tells a person what is wrong with them."""

    settings: Globals
    options: Options
    call: Call
    program: Filter | None
    #: Why the request went out without a credential of the endpoint's own; empty where it did not.
    bare: str
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
        if self.options.include:
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
        answer, trouble = None, ""
        try:
            answer = read_answer(reply)
        except NoAnswerError as error:
            trouble = str(error)
        written = SUCCESS if answer is None else self._written(answer)
        verdict = Verdict(
            endpoint=self.call.endpoint,
            reply=reply,
            answer=answer,
            trouble=trouble,
            bare=self.bare,
            allow_partial=self.options.allow_partial,
        )
        self.status = worst((self.status, verdict.tell() or written))

    def _written(self, answer: Answer) -> int:
        if self.options.silent:
            return SUCCESS
        try:
            if self.program is None:
                write(as_line(answer, coloured=self.settings.colours(sys.stdout)))
            else:
                write(filtered(answer, self.program))
        except Failure as failure:
            return tell(failure)
        return SUCCESS


def unwrapped(text: bytes) -> bytes | None:
    """Return the event that a message of a server's holds; None where it holds none.

    It is in the message's ``payload``, whose null comes with the ``errors`` that ended all.
    """
    try:
        message = _json.read(text.decode("utf-8-sig"))
    except ValueError:
        return text  # which is told
    if not isinstance(message, dict) or "payload" not in message:
        return text if message else None
    payload = message["payload"]
    if payload is None and message.get("errors"):
        payload = {"errors": message["errors"]}
    if payload is None:
        return None
    return as_event(payload)


def as_event(value: object) -> bytes:
    """Return an event that `_json.read` has read."""
    return "".join(_json.compact(_json.write(value))).encode()
