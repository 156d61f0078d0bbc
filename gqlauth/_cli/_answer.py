"""What the answer of a GraphQL API says: its errors, or what else it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import attrs

from gqlauth._cli import _json
from gqlauth._redact import mask_known, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Characters of an answer that are shown where it is not what was asked for.
SNIPPET: Final = 500
#: Errors of one answer that are told, at the most.
MOST_ERRORS: Final = 100

# Where servers put the code of an error, beside `extensions`.
_CODE_KEYS: Final = ("errorType", "type")


@attrs.frozen(kw_only=True)
class Reply:
    """An answer as it came over the network."""

    status: int
    #: ``OK``, ``Not Found``.
    reason: str
    #: ``HTTP/1.1``.
    version: str
    headers: tuple[tuple[str, str], ...]
    content: bytes = attrs.field(repr=False)
    #: What was sent to prove the client, so that an echo of it is not shown to people. It grows as
    #: a subscription goes on with another token.
    sent: Sequence[str] = attrs.field(default=(), repr=False)

    def header(self, name: str) -> str:
        """Return the first header called `name`, in lower case; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def clean(self, text: str) -> str:
        """Return `text`, which came with the answer, without the credentials that were sent."""
        return redact_text(text, self.sent)

    def without_echo(self, text: str) -> str:
        """Return `text` as it is, but for the credentials that were sent."""
        return mask_known(text, self.sent)

    def snippet(self) -> str:
        """Return the beginning of the body for an error: redacted, on one line."""
        # A credential that the cut would halve is still whole here.
        text = self.content[: 16 * SNIPPET].decode("utf-8", "replace")
        text = " ".join(self.clean(text).split())
        return text if len(text) <= SNIPPET else f"{text[:SNIPPET]}…"


@attrs.frozen(kw_only=True)
class Answer:
    """A GraphQL answer (GraphQL specification, section 7.1)."""

    #: The whole body.
    text: str = attrs.field(repr=False)
    #: Whether there is ``data``, and not null.
    has_data: bool
    errors: tuple[Any, ...] = attrs.field(repr=False)


class NoAnswerError(Exception):
    """An answer is no GraphQL; its text says what it is instead."""


def read_answer(reply: Reply) -> Answer:
    """Return the GraphQL answer that the body of `reply` holds, whatever its status.

    Raises:
        NoAnswerError: when it holds none.

    """
    # An echo is told by its letters' case: it goes before that does.
    kind = reply.clean(reply.header("content-type")).partition(";")[0].strip().lower()
    if not reply.content.strip():
        raise NoAnswerError("it is empty")
    try:
        text = reply.content.decode("utf-8-sig")
        body = json.loads(
            text,
            parse_int=_json.Number,
            parse_float=_json.Number,
            parse_constant=_json.refuse,
        )
    except UnicodeDecodeError as error:
        raise NoAnswerError(_instead(reply, kind) or "it is no UTF-8") from error
    except RecursionError as error:
        raise NoAnswerError("it is nested too deep to be read") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise NoAnswerError(
            _instead(reply, kind) or f"it is no JSON ({error.msg}: {place})"
        ) from error
    except ValueError as error:
        raise NoAnswerError(f"it is no JSON ({error})") from error
    if not isinstance(body, dict):
        raise NoAnswerError("it is JSON, but no object")
    errors = body.get("errors")
    if "data" not in body and not errors:
        raise NoAnswerError("it has neither data nor errors")
    # Some servers write one text, or one error, where a list belongs.
    listed = errors if isinstance(errors, list) else [errors] if errors else []
    return Answer(text=text, has_data=body.get("data") is not None, errors=tuple(listed))


def _instead(reply: Reply, kind: str) -> str:
    if "html" in kind or reply.content.lstrip()[:1] == b"<":
        return "it is a web page"
    return "" if not kind or "json" in kind else f"it is {kind}"


def error_lines(answer: Answer) -> Iterator[str]:
    """Yield a line for each error: ``viewer.email: not authorized [FORBIDDEN]``."""
    for error in answer.errors[:MOST_ERRORS]:
        yield _error_line(error)
    more = len(answer.errors) - MOST_ERRORS
    if more > 0:
        yield f"… and {more} more errors"


def error_code(error: object) -> str:
    """Return the code of an error, from where servers put it; empty where there is none."""
    if not isinstance(error, dict):
        return ""
    extensions = _object(error.get("extensions"))
    codes = (
        extensions.get("code"),
        _object(extensions.get("exception")).get("code"),
        *(error.get(key) for key in _CODE_KEYS),
        extensions.get("classification"),
    )
    return next((code for code in codes if isinstance(code, str) and code), "")


def _error_line(error: object) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return _json.write(error)
    message = error.get("message")
    if not isinstance(message, str) or not message:
        message = "an error without a message"
    path = error.get("path")
    code = error_code(error)
    if isinstance(path, list) and path:
        message = f"{'.'.join(map(str, path))}: {message}"
    else:
        message += _location(error.get("locations"))
    return f"{message} [{code}]" if code else message


def _location(locations: object) -> str:
    """Return where in the document an error is that has no path: it did not get to run."""
    first = _object(locations[0] if isinstance(locations, list) and locations else None)
    line, column = first.get("line"), first.get("column")
    if not isinstance(line, str) or not isinstance(column, str):
        return ""
    return f" (line {line}, column {column})"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
