"""How a connection for subscriptions is opened: with which headers, and with whose token."""

from __future__ import annotations

import asyncio
import copy
import json
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from gqlauth._http import httpx
from gqlauth._redact import escape_control, redact_text
from gqlauth._request_headers import heard, present
from gqlauth.errors import TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gqlauth._subscriptions._renewal import Renewal
    from gqlauth._token import Token

    Payload = Callable[[Token | None], Mapping[str, Any]]

#: How a server refuses a token: by the status of the handshake, where those for ASGI answer 403
#: whenever an application closes before it accepts; or by the code that it closes with before it
#: acknowledges, where 4500 is what becomes of a check that raises.
REFUSALS: Final = frozenset({401, 403, 4401, 4403, 4500})
#: The codes that say so later on, too, when 4500 may mean anything.
LATE_REFUSALS: Final = frozenset({4401, 4403})
#: Characters of what a server says instead, at the most, that an error tells.
LONGEST_SNIPPET: Final = 500
# With this one, and no reason, some servers refuse in ``connection_init``.
_NORMAL: Final = 1000


@attrs.frozen
class Ending:
    """How the other side ended a connection, or did not begin it."""

    #: That of closing (RFC 6455, section 7.4), or the status of an answer that is no handshake.
    code: int
    reason: str = attrs.field(default="", repr=False)
    #: Those of such an answer.
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @property
    def refuses(self) -> bool:
        """Tell whether it refuses a token, if the connection was not acknowledged."""
        return self.code in REFUSALS or (self.code == _NORMAL and not self.reason)

    def __str__(self) -> str:
        return f"{self.code} {_harmless(self.reason)}".strip()


class Connection(Protocol):
    """A connection of a library's, before it is opened and then."""

    @property
    def response_headers(self) -> dict[str, str]:
        """Return the headers by which the server answered the handshake."""
        ...

    async def connect(self) -> None:
        """Shake hands."""

    async def send(self, message: str) -> None:
        """Send a message."""

    async def receive(self) -> str:
        """Return the next message."""
        ...

    async def close(self) -> None:
        """Close it, if it is open."""


@attrs.frozen
class Failures:
    """What is raised where something fails: the errors of whoever uses the connections."""

    #: Any of them, and that a connection is lost, or cannot be had.
    any: type[Exception]
    lost: type[Exception]
    #: That the server speaks another protocol, and that it refuses one who shows no token.
    protocol: type[Exception]
    refused: type[Exception]


@attrs.define(eq=False)
class Link:
    """One connection, and the token that it was opened with."""

    adapter: Connection
    token: Token | None
    #: What the server has acknowledged it by.
    acknowledgement: str
    #: Why nothing more comes, if that is so.
    lost: Exception | None = None
    #: How many pings went out and how many pongs came, and which of those is for us alone.
    pings: int = 0
    pongs: int = 0
    own_pong: int = 0
    #: Set once it is being closed.
    closing: asyncio.Future[None] | None = None


class Veiled(dict[str, str]):
    """Headers that do not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Veiled({', '.join(self)})"


@attrs.frozen
class Opener:
    """Opens connections to one endpoint."""

    #: What errors call it, and where its tokens come from; None where there are none.
    name: str
    renewal: Renewal | None
    #: Where it is, in the words of HTTP.
    place: httpx.URL
    #: What prepares a handshake.
    hooks: list[Callable[[httpx.Request], Awaitable[None]]]
    #: Whether the token stands in the handshake, and what ``connection_init`` carries.
    in_header: bool
    payload: Payload
    #: Seconds for the acknowledgement.
    patience: float | None
    #: What each connection is a copy of, and what it raises; what lets that send headers to the
    #: origin, and nowhere else; and how the other side ended one, if that is why an error was
    #: raised.
    template: Any
    failures: Failures
    dress: Callable[[Any, Veiled], None]
    ending: Callable[[Any, BaseException], Ending | None]

    async def token(self) -> Token | None:
        """Return what a connection is opened with; None where requests go out bare.

        Raises:
            GqlAuthError: when it cannot be had.

        """
        return None if self.renewal is None else await self.renewal.token()

    async def open(self, token: Token | None) -> Link:
        """Return a connection that was opened with `token`, or another if that is refused.

        Raises:
            GqlAuthError: when there is no other, or that one is refused, too.
            Exception: one of its failures, when it fails.
            TimeoutError: when it takes too long.

        """
        if self.renewal is None or token is None:
            try:
                return await self._opened(None)
            except _RefusedError as error:
                raise self.failures.refused(str(error)) from error
        source = self.renewal.source
        opened = await self._tried(token)
        if isinstance(opened, str) and source.refused(token, opened):
            refused, token = token, await source.token()
            if not token.same_text(refused):
                opened = await self._tried(token)
                if isinstance(opened, str):
                    source.refused(token, opened)
        if isinstance(opened, str):
            reason = f"the API rejected the token ({opened}); check audience and scopes"
            raise TokenRefusedError(reason, endpoint=self.name)
        source.accepted(token)
        return opened

    def ended(self, link: Link, error: Exception) -> None:
        """Take note that a connection, which served, was ended."""
        ending = self.ending(link.adapter, error)
        if self.renewal and link.token and ending and ending.code in LATE_REFUSALS:
            self.renewal.source.refused(link.token, str(ending))

    async def _tried(self, token: Token) -> Link | str:
        """Return a connection that was opened with `token`; or how it was refused."""
        try:
            return await self._opened(token)
        except _RefusedError as error:
            if not error.wants_proof:
                return str(error)
        try:
            return await self._opened(token)
        except _RefusedError as error:
            return str(error)

    async def _opened(self, token: Token | None) -> Link:
        request = httpx.Request("GET", self.place, headers=self.template.headers)
        for hook in self.hooks:
            await hook(request)
        if token is not None and self.in_header and token.header_name not in request.headers:
            present(token, request)
        adapter = copy.copy(self.template)
        self.dress(adapter, Veiled(one for one in request.headers.items() if one[0] != "host"))
        try:
            await adapter.connect()
            _hear(token, request, 101, adapter.response_headers)
            async with asyncio.timeout(self.patience):
                return Link(adapter, token, await self._acknowledged(adapter, token))
        except BaseException as error:
            ending = self.ending(adapter, error)
            await adapter.close()
            if token is not None and ending is not None and ending.refuses:
                wants_proof = _hear(token, request, ending.code, ending.headers)
                raise _RefusedError(str(ending), wants_proof=wants_proof) from error
            raise

    async def _acknowledged(self, adapter: Connection, token: Token | None) -> str:
        """Begin, and return what the server has acknowledged it by."""
        # Where it cannot be sent the other side has closed already: what is received tells how.
        with suppress(self.failures.lost):
            await adapter.send(
                json.dumps({"type": "connection_init", "payload": self.payload(token)})
            )
        kind: str | None = ""
        while kind in {"", "ka", "ping"}:
            message = await adapter.receive()
            kind = parsed(message).get("type")
        if kind == "connection_ack":
            return message
        how = _harmless(message[:LONGEST_SNIPPET])
        del message  # a traceback would show it
        if kind == "connection_error":  # so the older protocol says no
            raise _RefusedError(how)
        raise self.failures.protocol(f"the server did not acknowledge the connection, but: {how}")


class _RefusedError(Exception):
    """A server refuses a token."""

    def __init__(self, how: str, *, wants_proof: bool = False) -> None:
        super().__init__(how)
        #: Whether it wants another proof of possession, and may take the same token then.
        self.wants_proof = wants_proof


def parsed(message: str) -> dict[str, Any]:
    """Return what a message of the protocol says; nothing where it is none."""
    try:
        # A number of thousands of digits is none to Python.
        told = json.loads(message, parse_int=Decimal)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("type"), str) else {}


def _harmless(text: str) -> str:
    """Return what a server said, which may hold what it was sent, or what drives a terminal."""
    return escape_control(redact_text(text))


def _hear(
    token: Token | None, request: httpx.Request, status: int, headers: Mapping[str, str]
) -> bool:
    """Tell who puts `token` into requests what was answered; tell whether it is to do so anew."""
    if token is None or token.presenter is None:
        return False
    return heard(token, httpx.Response(status, headers=headers, request=request))
