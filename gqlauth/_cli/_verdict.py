"""What an answer of the API comes to: what is told of it, and the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import attrs

from gqlauth._cli._answer import error_code, error_lines
from gqlauth._cli._failure import API_ERROR, REFUSED, SUCCESS, UNAVAILABLE, say
from gqlauth._graphql import rejection

if TYPE_CHECKING:
    from gqlauth._cli._answer import Answer, Reply
    from gqlauth._config import Endpoint

#: What may go away by itself, beside all from 500 on.
_PASSING: Final = frozenset({408, 425, 429})
_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = range(300, 400)
_ERRORS: Final = range(400, 600)


def is_passing(status: int) -> bool:
    """Tell whether what a status says may go away by itself."""
    return status in _PASSING or status >= 500  # noqa: PLR2004 - server errors begin there


@attrs.frozen
class Judgement:
    """What an answer comes to."""

    code: int
    #: What is wrong with it; empty where nothing is, or where its own errors tell all.
    text: str = ""
    hint: str = ""


@attrs.frozen(kw_only=True)
class Verdict:
    """Judges an answer, and tells a person on standard error what it comes to."""

    endpoint: Endpoint
    reply: Reply
    #: The GraphQL answer that it holds; None where it holds none.
    answer: Answer | None
    #: What it holds instead.
    trouble: str = ""
    #: Why the request went out without a credential of the endpoint's; empty where it did not.
    bare: str = ""
    allow_partial: bool = False

    def tell(self) -> int:
        """Say what is wrong with the answer, if anything is, and return the exit status."""
        if self.answer is not None:
            for line in error_lines(self.answer):
                say(self.reply.clean(line))
        judgement = self.judgement()
        if judgement.text:
            say(f"{self.endpoint.name}: {judgement.text}", hint=judgement.hint)
        return judgement.code

    def judgement(self) -> Judgement:
        """Return what the answer comes to, without an echo of what was sent."""
        judged = self._judged()
        # Whatever the server wrote, be it the reason of its status, may be an echo.
        clean = self.reply.clean
        return Judgement(judged.code, clean(judged.text), clean(judged.hint))

    def _judged(self) -> Judgement:
        status = self.reply.status
        if status in _REDIRECTS:
            text = f"the API answered {self._status}{self._elsewhere()}; it is not followed"
            return Judgement(API_ERROR, text)
        if (why := self._rejected()) is not None:
            return self._judged_rejected(why)
        if is_passing(status):
            after = self.reply.header("retry-after")
            again = f"; it asks to wait (Retry-After: {after})" if after else ""
            text = f"the API is unavailable: {self._status}{self._told()}{again}"
            return Judgement(UNAVAILABLE, text)
        return self._judged_rest()

    def _judged_rest(self) -> Judgement:
        status, answer = self.reply.status, self.answer
        if answer is None and status not in _ERRORS:
            return Judgement(
                API_ERROR,
                f"the answer is no GraphQL: {self.trouble} ({self._status}){self._told()}",
                f"is {self._place} the GraphQL endpoint?",
            )
        if answer is None or (status in _ERRORS and not answer.errors):
            hint = f"is {self._place} the GraphQL endpoint?" if status in {404, 405} else ""
            return Judgement(API_ERROR, f"the API answered {self._status}{self._told()}", hint)
        partial = self.allow_partial and answer.has_data and status not in _ERRORS
        return Judgement(SUCCESS if partial or not answer.errors else API_ERROR)

    def _rejected(self) -> str | None:
        """Return how the API says that the credential was rejected; None where it does not."""
        answer = self.answer
        if self.reply.status == _UNAUTHORIZED:
            codes = () if answer is None else map(error_code, answer.errors)
            return next((code for code in codes if code), "")
        told = None if answer is None else rejection(self.reply.content, self.endpoint.retry_on)
        return None if told is None else told.code

    def _judged_rejected(self, code: str) -> Judgement:
        what = f"({self.reply.status}{f', {code}' if code else ''})"
        challenge = self.reply.header("www-authenticate")
        hint = f"it says WWW-Authenticate: {challenge}" if challenge else ""
        auth = self.endpoint.auth
        if self.bare:
            text = f"the API wants authentication {what}; {self.bare}"
        elif auth is None:
            text = f'the API wants authentication {what}; endpoint "{self.endpoint.name}" has none'
        elif hasattr(auth.strategy, "token_url"):
            text = f"the API rejected a fresh token {what}; check audience and scopes"
        else:
            text = f"the API rejected the credential {what}; check its {auth.type}"
        return Judgement(REFUSED, text + self._told(), hint)

    def _told(self) -> str:
        """Return the body in quotes, where it is not told otherwise."""
        snippet = self.reply.snippet() if self.answer is None else ""
        return f': "{snippet}"' if snippet else ""

    def _elsewhere(self) -> str:
        location = self.reply.header("location")
        if not location:
            return ""
        parts = urlsplit(urljoin(self.endpoint.url, location))
        # What else the place says may be a credential.
        return f" and points to {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def _status(self) -> str:
        return f"{self.reply.status} {self.reply.reason}".strip()

    @property
    def _place(self) -> str:
        return self.endpoint.url.partition("?")[0]
