"""Whether a request may be sent once more, after an answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gqlauth._graphql import asks_query, certainly_query

if TYPE_CHECKING:
    from gqlauth._http import httpx

#: Under this name a request's extensions tell that its body, a stream, can be sent again.
REPEATABLE: Final = "gqlauth.repeatable"

#: Answers that go on for as long as the server likes.
STREAMS: Final = ("text/event-stream", "multipart/")


def why_once(request: httpx.Request, response: httpx.Response, *, nothing_ran: bool) -> str:
    """Return why `request` must not be sent again after `response`; empty where it may."""
    if not (_has_body(request) or request.extensions.get(REPEATABLE)):
        return "the body cannot be sent again"
    if not (nothing_ran or _certainly_query(request)):
        return "what may be a mutation is not sent twice"
    # httpx reads an answer to its end before it sends again.
    if media_type(response).startswith(STREAMS) and "content-length" not in response.headers:
        return "its answer may never end"
    return ""


def _has_body(request: httpx.Request) -> bool:
    """Tell whether the body of a request is at hand, and not a stream that is gone."""
    try:
        request.content  # noqa: B018 - either library raises a RequestNotRead of its own
    except RuntimeError:
        return False
    return True


def _certainly_query(request: httpx.Request) -> bool:
    if request.method == "GET":
        return asks_query(dict(request.url.params))
    # What is in a stream that can be sent again is not known.
    return _has_body(request) and certainly_query(request.content)


def media_type(response: httpx.Response) -> str:
    """Return the Content-Type of an answer, without its parameters, in lower case."""
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()
