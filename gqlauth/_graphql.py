"""What GraphQL says of a request and an answer, as far as authentication must know."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: One token of a document (GraphQL specification, section 2.1), as far as it matters here.
TOKEN: Final = re.compile(
    r'#[^\n\r]*|"""(?:[^"\\]|\\"""|\\|"(?!""))*"""|"(?:[^"\\\n\r]|\\.)*+"?|[_A-Za-z][_0-9A-Za-z]*|.',
    re.DOTALL,
)
_OPEN: Final = frozenset("{([")
_CLOSE: Final = frozenset("})]")


@attrs.frozen
class Rejection:
    """An answer that says that the token was rejected."""

    #: The code that says so.
    code: str
    #: Whether the answer has no ``data`` at all: nothing ran.
    nothing_ran: bool


def rejection(content: bytes, retry_on: Collection[str]) -> Rejection | None:
    """Return how a GraphQL answer says that the token was rejected; None if it does not.

    It does where an error carries a code of `retry_on`, and there is no ``data``, or null: with
    data beside it, a part was refused, not the token. Of a batch, all answers must say so.
    """
    # Most answers hold none of the codes, and need no parsing.
    told_of = any(code.encode() in content for code in retry_on)
    answers = _answers(content) if told_of else []
    rejections = [_rejection(one, retry_on) for one in answers]
    told = [one for one in rejections if one is not None]
    if not told or len(told) < len(answers):
        return None
    return Rejection(told[0].code, all(one.nothing_ran for one in told))


def executed(content: bytes) -> bool:
    """Tell whether an answer has ``data``, be it null: something may have run."""
    # Most refusals have none, and need no parsing.
    return b'"data"' in content and any(
        isinstance(one, dict) and "data" in one for one in _answers(content)
    )


def _answers(content: bytes) -> list[Any]:
    """Return the answers of a batch, or the one that there is; none where it is no JSON."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return []
    return answer if isinstance(answer, list) else [answer]


def _rejection(answer: Any, retry_on: Collection[str]) -> Rejection | None:  # noqa: ANN401 - JSON
    if not isinstance(answer, dict) or answer.get("data") is not None:
        return None
    for code in _codes(answer.get("errors")):
        if code in retry_on:
            return Rejection(code, "data" not in answer)
    return None


def _codes(errors: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield the codes of errors, at the places where servers put them."""
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            extensions = error.get("extensions")
            extensions = extensions if isinstance(extensions, dict) else {}
            exception = extensions.get("exception")
            exception = exception if isinstance(exception, dict) else {}
            for code in (extensions.get("code"), exception.get("code"), error.get("errorType")):
                if isinstance(code, str):
                    yield code


def certainly_query(content: bytes) -> bool:
    """Tell whether the body of a request asks for queries alone, beyond doubt.

    What cannot be read for sure (a persisted document, a form, an operation that is not there)
    is no query: a mutation must never run twice.
    """
    try:
        request = json.loads(content)
    except (ValueError, RecursionError):
        return False
    requests = request if isinstance(request, list) else [request]
    return bool(requests) and all(asks_query(one) for one in requests)


def asks_query(request: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether one request, read already, asks for a query beyond doubt."""
    return _asks("query", request)


def asks_subscription(request: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell the same of a subscription."""
    return _asks("subscription", request)


def _asks(kind: str, request: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        return False
    name = request.get("operationName")
    found = operations(request["query"])
    chosen = [one for one, own_name in found if not name or own_name == name]
    return bool(chosen) and all(one == kind for one in chosen)


def operations(document: str) -> list[tuple[str, str]]:
    """Return kind and name of each operation of a document, in its order.

    The kind is ``query``, ``mutation`` or ``subscription``; the name is empty for one without.
    """
    return [(kind, name) for kind, name, _ in headers(document)]


def headers(document: str) -> list[tuple[str, str, int]]:  # noqa: C901 - one small automaton
    """Return kind and name of each operation of a document, and where what follows them begins.

    Only the outermost level is read: strings, comments and selections are passed over.
    """
    found: list[tuple[str, str, int]] = []
    depth = 0
    kind = ""  # of the definition that is being read; empty between two
    name_is_due = False
    for match in TOKEN.finditer(document):
        word = match[0]
        if word in _OPEN:
            if depth == 0 and word == "{" and not kind:
                found.append(("query", "", match.start()))
                kind = "query"
            depth += 1
            name_is_due = False
        elif word in _CLOSE:
            depth -= 1
            if depth == 0 and word == "}":
                kind = ""
        elif depth == 0 and (word[0].isalpha() or word[0] == "_"):
            if not kind:
                kind = word
                name_is_due = True
                if kind in {"query", "mutation", "subscription"}:
                    found.append((kind, "", match.end()))
            elif name_is_due:
                name_is_due = False
                if found and found[-1][:2] == (kind, ""):
                    found[-1] = (kind, word, match.end())
        elif not word.isspace() and word[0] != "#":
            name_is_due = False
    return found
