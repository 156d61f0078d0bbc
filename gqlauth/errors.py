"""Everything that gqlauth raises on purpose, as one tree.

::

    GqlAuthError
    ├── ConfigError                  what was configured is wrong         (exit status 2)
    │   ├── SecretError              a secret reference gives no secret
    │   └── StrategyError            a strategy cannot be had, or fails
    ├── TokenError                   no token could be had
    │   ├── TokenRefusedError        asking again will not help           (exit status 4)
    │   └── TokenUnavailableError    worth trying again later             (exit status 5)
    └── ServiceClosedError           the service is not running

No error holds a secret, a token, a request, a client or a response. All of them can be copied
and pickled.
"""

from __future__ import annotations

from typing import Protocol, Self

import attrs


class GqlAuthError(Exception):
    """The root of all that gqlauth raises on purpose."""

    def for_endpoint(self, name: str) -> Self:  # noqa: ARG002 - not every error tells it
        """Return a copy of its own for one caller, who asked in the name of an endpoint.

        The copy has the cause and the notes of this error, but neither its traceback, as one
        object raised in many tasks would grow an entry for each, nor its context, whose frames
        are those of the task that failed.
        """
        return self._copied()

    def _copied(self) -> Self:
        # Not by calling the class: that of a plugin may take other arguments than it passes on.
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__)
        if hasattr(self, "__notes__"):
            copy.__notes__ = list(self.__notes__)
        if self.__cause__ is not None:  # None would hide the caller's own context
            copy.__cause__ = self.__cause__
        return copy


@attrs.frozen
class Problem:
    """One thing that is wrong in what was configured, and where it stands."""

    message: str
    #: The configuration file as the user would name it; empty for a problem that stands in none.
    file: str = ""
    #: The line in that file, from 1; None where it is not known.
    line: int | None = None
    #: The column in that line, from 1; only for files that cannot be read at all.
    column: int | None = None
    #: The dotted key path, such as ``endpoints.prod.auth.token_url``.
    key: str = ""
    #: Whether `message` quotes the file for somebody to judge, and so is shown without a mask.
    verbatim: bool = False

    def __str__(self) -> str:
        place = self.file
        if place and self.line is not None:
            place += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        return ": ".join(part for part in (place, self.key, self.message) if part)


class Place(Protocol):
    """Where a configured value stands; it can tell so, at a cost, when something is wrong."""

    def problem(self, message: str) -> Problem:
        """Return the problem that `message` tells, at this place."""


class ConfigError(GqlAuthError):
    """What was configured is wrong: every problem that was found, in one error."""

    def __init__(self, *problems: Problem | str) -> None:
        #: Each problem, with its place.
        self.problems: tuple[Problem, ...] = tuple(
            Problem(problem) if isinstance(problem, str) else problem for problem in problems
        )
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def at(self, place: Place | None) -> Self:
        """Return this error told at `place`: file, line and key path.

        A problem that knows its place already keeps it.
        """
        if place is None:
            return self
        copy = self._copied()
        copy.problems = copy.args = tuple(
            problem if problem.file or problem.key else place.problem(problem.message)
            for problem in self.problems
        )
        return copy


class SecretError(ConfigError):
    """A secret reference gives no secret: an unset variable, a missing file, a failed command."""


class StrategyError(ConfigError):
    """A strategy cannot be had (unknown, claimed twice, fails to import), or it failed."""


# Not slotted: an exception has a dictionary anyway, and attrs would lose it in a pickle.
@attrs.define(eq=False, slots=False)
class TokenError(GqlAuthError):
    """No token could be had. Its attributes tell what was asked of whom, and what came back."""

    #: What happened, in words: ``refused the client``, ``is unavailable``.
    reason: str
    #: The name of the GraphQL endpoint that the token was for.
    endpoint: str = ""
    #: Where it was asked for, without its query string.
    url: str = ""
    #: The HTTP status of the last answer; None if none came.
    status: int | None = None
    #: ``error`` of the answer (RFC 6749, section 5.2).
    error: str = ""
    #: ``error_description`` of the answer, with control characters escaped.
    error_description: str = ""
    #: ``error_uri`` of the answer.
    error_uri: str = ""
    #: The server's own name for the request, from ``X-Request-Id`` and its like.
    request_id: str = ""
    #: How many requests were sent.
    tries: int = 0
    #: Seconds from the first request to the end.
    elapsed: float = 0.0
    #: Seconds that the server asked to wait; None if it did not.
    retry_after: float | None = None
    #: The first 500 characters of an answer that is no OAuth error, redacted and escaped.
    snippet: str = ""
    #: What may mend it, where that is known.
    hint: str = ""
    #: Who was asked: the ``token endpoint``, or the ``issuer`` for its metadata.
    asked: str = "token endpoint"

    def __attrs_post_init__(self) -> None:
        if self.hint:
            self.add_note(f"hint: {self.hint}")

    def __str__(self) -> str:
        who = f"{self.asked} {self.host}".strip() if self.url else ""
        text = f"{who} {self.reason}".strip()
        answer = " ".join(
            part
            for part in (
                "" if self.status is None else str(self.status),
                self.error,
                f'"{self.error_description}"' if self.error_description else "",
            )
            if part
        )
        if answer:
            text += f": {answer}"
        if self.tries:
            tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
            text += f" (after {tries}, {_shown(self.elapsed)} s)"
        if self.snippet:
            text += f': "{self.snippet}"'
        if self.retry_after and self.retry_after < 1e9:  # noqa: PLR2004 - beyond, it is nonsense
            text += f"; it asks to wait {_shown(self.retry_after)} s"
        if self.error_uri:
            text += f"; see {self.error_uri}"
        if self.request_id:
            text += f"; request id {self.request_id}"
        return f"{self.endpoint}: {text}" if self.endpoint else text

    @property
    def host(self) -> str:
        """Return the host, and the port if it is not the usual one, of who was asked.

        It is empty where `url` is none that has a host.
        """
        from urllib.parse import urlsplit  # noqa: PLC0415 - only an error that is shown needs it

        try:
            parts = urlsplit(self.url)
            usual = {"https": 443, "http": 80}.get(parts.scheme)
            host = parts.netloc.rpartition("@")[2]
            return host.removesuffix(f":{usual}") if parts.port == usual else host
        except ValueError:  # a broken URL, which may be what the error is about
            return ""

    def for_endpoint(self, name: str) -> Self:
        """Return a copy of its own for one caller, who asked in the name of an endpoint."""
        copy = super().for_endpoint(name)
        copy.endpoint = name
        return copy


def _shown(seconds: float) -> str:
    """Return `seconds` with the digits that count: 0.12, 6.8, 120."""
    return f"{round(seconds, 4):.2g}" if seconds < 10 else f"{seconds:.0f}"  # noqa: PLR2004 - from there on .2g would round to tens


@attrs.define(eq=False, slots=False)
class TokenRefusedError(TokenError):
    """The token endpoint refused, or its answer holds no usable token: asking again is no use."""


@attrs.define(eq=False, slots=False)
class TokenUnavailableError(TokenError):
    """The token endpoint could not be reached or is in trouble: worth trying again later."""


class ServiceClosedError(GqlAuthError):
    """The `AuthService` was not entered yet, or is closed."""
