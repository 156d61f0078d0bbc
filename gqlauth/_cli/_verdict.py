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


@attrs.frozen(kw_only=True)
class Verdict:
    """Tells a person what an answer comes to, on standard error."""

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
        status = self.reply.status
        if status in _REDIRECTS:
            self._say(f"the API answered {self._status}{self._elsewhere()}; it is not followed")
            return API_ERROR
        if (why := self._rejected()) is not None:
            self._tell_rejected(why)
            return REFUSED
        if status in _PASSING or status >= 500:  # noqa: PLR2004 - server errors begin there
            after = self.reply.header("retry-after")
            again = f"; it asks to wait (Retry-After: {after})" if after else ""
            self._say(f"the API is unavailable: {self._status}{self._told()}{again}")
            return UNAVAILABLE
        return self._told_rest()

    def _told_rest(self) -> int:
        status, answer = self.reply.status, self.answer
        if answer is None and status not in _ERRORS:
            self._say(
                f"the answer is no GraphQL: {self.trouble} ({self._status}){self._told()}",
                hint=f"is {self._place} the GraphQL endpoint?",
            )
            return API_ERROR
        if answer is None or (status in _ERRORS and not answer.errors):
            hint = f"is {self._place} the GraphQL endpoint?" if status in {404, 405} else ""
            self._say(f"the API answered {self._status}{self._told()}", hint=hint)
            return API_ERROR
        partial = self.allow_partial and answer.has_data and status not in _ERRORS
        return SUCCESS if partial or not answer.errors else API_ERROR

    def _rejected(self) -> str | None:
        """Return how the API says that the credential was rejected; None where it does not."""
        answer = self.answer
        if self.reply.status == _UNAUTHORIZED:
            codes = () if answer is None else map(error_code, answer.errors)
            return next((code for code in codes if code), "")
        told = None if answer is None else rejection(self.reply.content, self.endpoint.retry_on)
        return None if told is None else told.code

    def _tell_rejected(self, code: str) -> None:
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
        self._say(text + self._told(), hint=hint)

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

    def _say(self, text: str, *, hint: str = "") -> None:
        # Whatever the server wrote, be it the reason of its status, may be an echo.
        clean = self.reply.clean
        say(f"{self.endpoint.name}: {clean(text)}", hint=clean(hint))
