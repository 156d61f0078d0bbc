"""Send the request of ``gql api``, and read the answer."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from gqlauth._cli._answer import Reply
from gqlauth._cli._failure import API_ERROR, UNAVAILABLE, USAGE, Failure
from gqlauth._http import httpx
from gqlauth._redact import redact
from gqlauth._resending import REPEATABLE, STREAMS, media_type
from gqlauth._service import AuthService
from gqlauth._tries import LATE, described
from gqlauth._version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence

    from gqlauth._cli._uploads import OpenFile
    from gqlauth._config import Config, Endpoint

#: What a request has where nobody says otherwise.
DEFAULT_HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "application/json",
    "Accept": "application/graphql-response+json, application/json;q=0.9",
    "User-Agent": f"gql (gqlauth)/{__version__}",
}
# A page of a browser can send a form to anyone, but no header of its own: a server that guards
# against that wants one. Apollo's and Hot Chocolate's take these, and others none.
_UPLOAD_HEADERS: Final[Mapping[str, str]] = {
    "Apollo-Require-Preflight": "true",
    "GraphQL-Preflight": "1",
}
#: Those that are for a request with a body, and the answer to that.
OF_A_BODY: Final = frozenset({"accept", "accept-encoding", "content-type"})
# What a subscription may be answered by, as far as nobody says otherwise.
_ONCE: Final = "application/graphql-response+json;q=0.9, application/json;q=0.8"
_STREAMED: Final = {
    # First, as strawberry takes what comes before the first semicolon for all that is accepted.
    "multipart": "multipart/mixed;subscriptionSpec=1.0",
    "sse": "text/event-stream",
}
# What httpx adds itself, and the lengths and kinds that prove nobody.
_NO_PROOF: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
    }
)


@attrs.frozen(kw_only=True)
class Call:
    """One request to a GraphQL API."""

    config: Config
    endpoint: Endpoint
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    #: What is sent with it.
    files: tuple[OpenFile, ...] = attrs.field(default=(), repr=False)
    authenticate: bool
    #: Seconds for all of it, the token included; None for the endpoint's own, for each step.
    timeout: float | None

    @property
    def brings_authorization(self) -> bool:
        """Tell whether it has an ``Authorization`` of its own."""
        return any(name.lower() == "authorization" for name, _ in self.headers)

    @property
    def host(self) -> str:
        """Return the host of the API, and the port if it is not the usual one."""
        return httpx.URL(self.endpoint.url).netloc.decode("ascii", "replace")


def default_headers(
    endpoint: Endpoint,
    given: Collection[str] = (),
    own: Mapping[str, str] = DEFAULT_HEADERS,
    *,
    uploads: bool = False,
) -> Iterator[tuple[str, str]]:
    """Yield `own`: the headers that each request has, unless they are `given`, in lower case.

    Those of the endpoint come before ours, and are added as the request is sent. The
    ``Content-Type`` of a request with `uploads` is httpx's to say, which knows the boundary.
    """
    known = {*given, *(key.lower() for key in endpoint.headers)}
    headers = {**own, **_UPLOAD_HEADERS} if uploads else own
    if uploads:
        known.add("content-type")
    for key, value in headers.items():
        if key.lower() not in known:
            yield key, value


def stream_headers(endpoint: Endpoint) -> Mapping[str, str]:
    """Return the same for a subscription: it may be answered by a stream.

    Nobody is to compress that, as events may be kept back.
    """
    chosen = endpoint.subscriptions and endpoint.subscriptions.transport
    streamed = [kind for name, kind in _STREAMED.items() if chosen in {None, name}]
    return {
        **DEFAULT_HEADERS,
        "Accept": ", ".join([*streamed, _ONCE]),
        "Accept-Encoding": "identity",
    }


async def send(call: Call, service: AuthService | None = None) -> Reply:
    """Send `call`, with a token where one belongs, and return the whole answer.

    The token is one of `service`, if that is given: it was entered, and has the endpoint.

    Raises:
        Failure: when no answer could be had, or it is a stream.
        GqlAuthError: when there is no token to be had.

    """
    with anyio.move_on_after(call.timeout), failing(call):
        if service is not None:
            return await _sent(call, service)
        async with AuthService(call.config, short_lived=True) as own:
            return await _sent(call, own)
    raise late(call)


def late(call: Call) -> Failure:
    """Return that there was no answer within the time for all of it."""
    return Failure(f"{call.endpoint.name}: no answer within {call.timeout:g} s", UNAVAILABLE)


@contextmanager
def failing(call: Call) -> Iterator[None]:
    """Say why no answer of `call` could be had, in the words of the command line.

    Raises:
        Failure: instead of what httpx raises.

    """
    name = call.endpoint.name
    try:
        yield
    except httpx.TimeoutException as error:
        what = LATE.get(type(error), "it took too long")
        raise Failure(f"{name}: no answer of {call.host}: {what}", UNAVAILABLE) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        # Not with its text, which may quote a header.
        raise Failure(
            f"{name}: {call.host} cannot be asked: {type(error).__name__}", USAGE
        ) from error
    except httpx.DecodingError as error:
        raise Failure(f"{name}: the answer is not encoded as it says", API_ERROR) from error
    except httpx.TransportError as error:
        told = described(error)
        raise Failure(
            f"{name}: the API {call.host} cannot be reached: {told}", UNAVAILABLE
        ) from error


@attrs.frozen
class Sender:
    """Sends one call, as often as need be."""

    call: Call
    _client: httpx.AsyncClient
    #: What was sent to prove the client, each time: an answer may echo the token that was refused
    #: before this one.
    sent: list[str] = attrs.field(factory=list, repr=False)

    async def begin(self) -> httpx.Response:
        """Send it, and return the answer, of which no more than the head has come."""
        url, headers = self.call.endpoint.url, encoded(self.call.headers)
        request = self._client.build_request("POST", url, headers=headers, **_content(self.call))
        return await self._client.send(request, stream=True)


@asynccontextmanager
async def sender(call: Call, service: AuthService) -> AsyncIterator[Sender]:
    """Give what sends `call`."""
    # Where all of it is bounded, that is to be what ends it, and no step.
    step = None if call.timeout is None else 2 * call.timeout
    async with service.client(
        call.endpoint.name, authenticate=call.authenticate, timeout=step
    ) as client:
        made = Sender(call, client)

        async def note(request: httpx.Request) -> None:
            made.sent.extend(proofs(call, request))

        client.event_hooks["request"].append(note)
        yield made


async def _sent(call: Call, service: AuthService) -> Reply:
    async with sender(call, service) as sending:
        response = await sending.begin()
        try:
            return await _read(call, response, sending.sent)
        finally:
            await response.aclose()


def _content(call: Call) -> dict[str, Any]:
    """Return the body, as httpx takes it."""
    if not call.files:
        return {"content": call.body}
    named = [(str(number), file) for number, file in enumerate(call.files)]
    places = {number: [file.place] for number, file in named}
    return {
        # They come first, in this order, as the specification wants it.
        "data": {"operations": call.body, "map": json.dumps(places)},
        # httpx reads them piece by piece, and goes back to the beginning to send them again.
        "files": [(number, (file.filename, file.content)) for number, file in named],
        "extensions": {REPEATABLE: True},
    }


async def _read(call: Call, response: httpx.Response, sent: Sequence[str]) -> Reply:
    kind = media_type(response)
    if is_stream(response):
        # Not with the rest of what it says, which may be an echo of what was sent.
        known = next(stream for stream in STREAMS if kind.startswith(stream)).rstrip("/")
        raise Failure(
            f"{call.endpoint.name}: the API answers with a stream ({known}),"
            " which gql api does not read"
        )
    content = b"" if kind.startswith(STREAMS) else await response.aread()
    return reply_of(response, content, sent)


def is_stream(response: httpx.Response) -> bool:
    """Tell whether an answer goes on for as long as the server likes."""
    return response.is_success and media_type(response).startswith(STREAMS)


def reply_of(response: httpx.Response, content: bytes, sent: Sequence[str]) -> Reply:
    """Return an answer whose body is `content`."""
    return Reply(
        status=response.status_code,
        reason=response.reason_phrase,
        version=response.http_version,
        headers=tuple(
            (key.decode("latin-1"), value.decode("latin-1")) for key, value in response.headers.raw
        ),
        content=content,
        sent=sent,
    )


def proofs(call: Call, request: httpx.Request) -> Iterator[str]:
    """Yield what was sent to prove the client: headers that nobody wrote in plain text."""
    plain = {key.lower() for key, value in call.endpoint.headers.items() if isinstance(value, str)}
    plain |= {key.lower() for key, value in call.headers if redact(value, name=key) == value}
    for name, value in request.headers.items():
        if name not in plain | _NO_PROOF:
            yield value
            yield value.partition(" ")[2]


def encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as they go out."""
    # What a shell gave that is no UTF-8 goes out as it came.
    return [(key.encode(), value.encode("utf-8", "surrogateescape")) for key, value in headers]
