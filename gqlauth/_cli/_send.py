"""Send the request of ``gql api``, and read the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import anyio
import attrs

from gqlauth._cli._answer import Reply
from gqlauth._cli._failure import API_ERROR, UNAVAILABLE, USAGE, Failure
from gqlauth._http import httpx
from gqlauth._httpx import REPEATABLE
from gqlauth._redact import redact
from gqlauth._service import AuthService
from gqlauth._tries import described
from gqlauth._version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gqlauth._cli._uploads import OpenFile
    from gqlauth._config import Config, Endpoint

_DEFAULT_HEADERS: Final[Mapping[str, str]] = {
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
# Answers that go on for as long as the server likes.
_STREAMS: Final = ("text/event-stream", "multipart/")
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
_LATE: Final[dict[type[httpx.TimeoutException], str]] = {
    httpx.ConnectTimeout: "connecting took too long",
    httpx.ReadTimeout: "the answer took too long",
    httpx.WriteTimeout: "sending took too long",
}


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
    def host(self) -> str:
        """Return the host of the API, and the port if it is not the usual one."""
        return httpx.URL(self.endpoint.url).netloc.decode("ascii", "replace")


def default_headers(
    endpoint: Endpoint, given: Collection[str] = (), *, uploads: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield the headers that each request has, unless they are `given`, in lower case.

    Those of the endpoint come before ours, and are added as the request is sent. The
    ``Content-Type`` of a request with `uploads` is httpx's to say, which knows the boundary.
    """
    own = {key.lower() for key in endpoint.headers}
    headers = {**_DEFAULT_HEADERS, **_UPLOAD_HEADERS} if uploads else _DEFAULT_HEADERS
    if uploads:
        own.add("content-type")
    for key, value in headers.items():
        if key.lower() not in own and key.lower() not in given:
            yield key, value


async def send(call: Call, service: AuthService | None = None) -> Reply:
    """Send `call`, with a token where one belongs, and return the whole answer.

    The token is one of `service`, if that is given: it was entered, and has the endpoint.

    Raises:
        Failure: when no answer could be had, or it is a stream.
        GqlAuthError: when there is no token to be had.

    """
    name = call.endpoint.name
    with anyio.move_on_after(call.timeout):
        try:
            if service is not None:
                return await _sent(call, service)
            async with AuthService(call.config, short_lived=True) as own:
                return await _sent(call, own)
        except httpx.TimeoutException as error:
            late = _LATE.get(type(error), "it took too long")
            raise Failure(f"{name}: no answer of {call.host}: {late}", UNAVAILABLE) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            # Not with its text, which may quote a header.
            raise Failure(
                f"{name}: {call.host} cannot be asked: {type(error).__name__}", USAGE
            ) from error
        except httpx.DecodingError as error:
            raise Failure(f"{name}: the answer is not encoded as it says", API_ERROR) from error
        except httpx.TransportError as error:
            # h11 quotes the bytes that came, which may be those that were sent.
            told = described(error).partition(": bytearray(")[0]
            raise Failure(
                f"{name}: the API {call.host} cannot be reached: {told}", UNAVAILABLE
            ) from error
    raise Failure(f"{name}: no answer within {call.timeout:g} s", UNAVAILABLE)


async def _sent(call: Call, service: AuthService) -> Reply:
    # Where all of it is bounded, that is to be what ends it, and no step.
    step = None if call.timeout is None else 2 * call.timeout
    sent: list[str] = []

    async def note(request: httpx.Request) -> None:
        # Each time: an answer may echo the token that was refused before this one.
        sent.extend(_proofs(call, request))

    async with service.client(
        call.endpoint.name, authenticate=call.authenticate, timeout=step
    ) as client:
        client.event_hooks["request"].append(note)
        async with client.stream(
            "POST", call.endpoint.url, headers=_encoded(call.headers), **_content(call)
        ) as response:
            return await _read(call, response, sent)


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


async def _read(call: Call, response: httpx.Response, sent: Iterable[str]) -> Reply:
    kind = response.headers.get("content-type", "").strip().lower()
    if response.is_success and kind.startswith(_STREAMS):
        # Not with the rest of what it says, which may be an echo of what was sent.
        known = next(stream for stream in _STREAMS if kind.startswith(stream)).rstrip("/")
        raise Failure(
            f"{call.endpoint.name}: the API answers with a stream ({known}),"
            " which gql api does not read"
        )
    content = b"" if kind.startswith(_STREAMS) else await response.aread()
    return Reply(
        status=response.status_code,
        reason=response.reason_phrase,
        version=response.http_version,
        headers=tuple(
            (key.decode("latin-1"), value.decode("latin-1")) for key, value in response.headers.raw
        ),
        content=content,
        sent=tuple(sent),
    )


def _proofs(call: Call, request: httpx.Request) -> Iterator[str]:
    """Yield what was sent to prove the client: headers that nobody wrote in plain text."""
    plain = {key.lower() for key, value in call.endpoint.headers.items() if isinstance(value, str)}
    plain |= {key.lower() for key, value in call.headers if redact(value, name=key) == value}
    for name, value in request.headers.items():
        if name not in plain | _NO_PROOF:
            yield value
            yield value.partition(" ")[2]


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    # What a shell gave that is no UTF-8 goes out as it came.
    return [(key.encode(), value.encode("utf-8", "surrogateescape")) for key, value in headers]
