"""What becomes of the answers to a call: what is written of them, and the exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs

from gqlauth._cli._answer import NoAnswerError, read_answer
from gqlauth._cli._failure import SUCCESS, Failure, tell
from gqlauth._cli._output import filtered, write
from gqlauth._cli._target import is_url
from gqlauth._cli._verdict import Verdict

if TYPE_CHECKING:
    from typing import Protocol

    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._cli._ask import Options
    from gqlauth._cli._globals import Globals
    from gqlauth._cli._jq import Filter
    from gqlauth._cli._send import Call

    class Form(Protocol):
        """How an answer looks."""

        def __call__(self, answer: Answer, *, coloured: bool) -> str: ...


@attrs.frozen
class Teller:
    """Writes the answers to a call, and tells a person what is wrong with them."""

    settings: Globals
    options: Options
    call: Call
    program: Filter | None

    def write(self, answer: Answer | None, form: Form) -> int:
        """Write an answer in a form, or filtered; return an exit status, as the filter may fail."""
        if answer is None or self.options.silent:
            return SUCCESS
        try:
            if self.program is None:
                write(form(answer, coloured=self.settings.colours(sys.stdout)))
            else:
                write(filtered(answer, self.program))
        except Failure as failure:
            return tell(failure)
        return SUCCESS

    def judge(self, reply: Reply, answer: Answer | None, trouble: str) -> int:
        """Say what is wrong with an answer, and return the exit status."""
        verdict = Verdict(
            endpoint=self.call.endpoint,
            reply=reply,
            answer=answer,
            trouble=trouble,
            bare=self.bare,
            allow_partial=self.options.allow_partial,
        )
        return verdict.tell()

    @property
    def bare(self) -> str:
        """Return why requests go out without a credential of the endpoint's own.

        Empty where they do not.
        """
        call = self.call
        if call.brings_authorization:
            return "it got the Authorization that -H gives"
        if call.endpoint.auth is not None:
            return "" if call.authenticate else "--no-auth sent none"
        wanted = self.options.endpoint
        return "no endpoint has this URL with auth, so none was sent" if is_url(wanted) else ""


def read(reply: Reply) -> tuple[Answer | None, str]:
    """Return the GraphQL answer; or none, and what there is instead."""
    try:
        return read_answer(reply), ""
    except NoAnswerError as error:
        return None, str(error)
