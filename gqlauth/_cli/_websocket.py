"""Subscriptions over WebSocket, by the protocols graphql-transport-ws and graphql-ws."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import anyio
import attrs

from gqlauth._cli import _json
from gqlauth._cli._answer import Reply
from gqlauth._cli._failure import API_ERROR, REFUSED, UNAVAILABLE, USAGE, Failure, exit_code
from gqlauth._cli._listener import as_event
from gqlauth._cli._send import OF_A_BODY, encoded, late, proofs
from gqlauth._cli._verdict import is_passing
from gqlauth._config import Subscriptions, as_websocket
from gqlauth._http import httpx
from gqlauth._http_client import setup
from gqlauth._redact import redact_text
from gqlauth._secret import Secret
from gqlauth._subscriptions._failures import FAILURES, LostError, RefusedError, SocketError
from gqlauth._subscriptions._line import Line
from gqlauth._subscriptions._opening import LATE_REFUSALS, Opener, parsed
from gqlauth._subscriptions._operation import STOPS
from gqlauth._subscriptions._places import payload_with, place_of, placed
from gqlauth._tls import system_context
from gqlauth.errors import GqlAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gqlauth._cli._listener import Listener
    from gqlauth._cli._send import Call
    from gqlauth._service import AuthService
    from gqlauth._subscriptions._opening import Ending
    from gqlauth._subscriptions._renewal import Renewal
    from gqlauth._subscriptions._socket import Socket
    from gqlauth._token import Token

_PONG: Final = '{"type": "pong"}'
#: Seconds to tell the other side that nothing more is wanted.
_FAREWELL: Final = 2.0
# The codes of closing (RFC 6455, section 7.4) by which a server says that it is asked wrongly.
_WRONG: Final = range(4400, 4500)
# An answer that is no handshake has a status instead.
_STATUSES: Final = range(100, 600)
_SWITCHING: Final = 101


async def over_websocket(
    call: Call, service: AuthService, renewal: Renewal | None, listener: Listener
) -> None:
    """Subscribe over WebSocket; let `listener` take the events.

    Raises:
        Failure: when it cannot be had, or is lost before it is complete.
        GqlAuthError: when there is no token to be had, or the API refuses it.

    """
    sent: list[str] = []
    known: list[Secret] = []
    opener = _opener(call, renewal, sent, known)
    line = Line(opener, service._clock)  # noqa: SLF001 - of the same house
    patience = call.endpoint.timeout
    try:
        # anyio's would cancel what closes a connection that has not come to be, too.
        async with asyncio.timeout(call.timeout) as whole:
            await line.connect()
        listener.begin(_reply(line.response_headers, sent))
        if renewal is not None:
            line.start(renewal.run(line, opener, patience))
        await _listen(call, line, listener)
    except SocketError as error:
        if isinstance(error.__cause__, GqlAuthError):
            cause = error.__cause__
            text = redact_text(str(cause), sent)
            raise Failure(text, exit_code(cause), hint=getattr(cause, "hint", "")) from error
        told = _Told(call, listener, tuple(sent))
        raise told.failure(error, opener.ending(None, error)) from error
    except TimeoutError as error:
        if whole.expired():
            raise late(call) from error
        raise Failure(
            f"{call.endpoint.name}: no answer of {call.host}: connecting took too long",
            UNAVAILABLE,
        ) from error
    finally:
        with anyio.move_on_after(_FAREWELL, shield=True):
            await line.close()


def _opener(call: Call, renewal: Renewal | None, sent: list[str], known: list[Secret]) -> Opener:
    """Return what opens connections."""
    socket = _socket_class()
    endpoint = call.endpoint
    chosen = endpoint.subscriptions or Subscriptions()
    place = place_of(endpoint, chosen.url)
    hooks, context = setup(endpoint, authenticate=call.authenticate)
    given = httpx.Headers(encoded(call.headers))
    for name in OF_A_BODY:
        given.pop(name, None)
    own = given.get("Authorization")

    async def note(request: httpx.Request) -> None:
        texts = [one for one in proofs(call, request) if one]
        sent.extend(texts)
        # As long as there are connections, what is logged of an echo is masked.
        known.extend(map(Secret, texts))

    is_tls = place.scheme == "https"
    template = socket(
        as_websocket(str(place)),
        headers=given,
        ssl=(context or system_context()) if is_tls else None,
        open_timeout=endpoint.timeout,
    )
    in_init = chosen.auth_in != "header"

    def payload(token: Token | None) -> Mapping[str, object]:
        if not in_init:
            return {}
        if own is not None:
            return placed({}, chosen.init_path or "Authorization", own)
        return payload_with({}, token, chosen.init_path)

    return Opener(
        name=endpoint.name,
        renewal=renewal,
        place=place,
        hooks=[*hooks, note],
        in_header=chosen.auth_in != "init",
        payload=payload,
        patience=endpoint.timeout,
        template=template,
        failures=FAILURES,
        dress=socket.dress,
        ending=lambda _, error: socket.ending(error),
    )


def _socket_class() -> type[Socket]:
    """Return the class of what connects.

    Raises:
        Failure: when its library is not installed.

    """
    try:
        from gqlauth._subscriptions._socket import Socket  # noqa: PLC0415 - few ask for it
    except ModuleNotFoundError as error:
        raise Failure(
            "subscriptions over WebSocket need an extra that is not installed",
            USAGE,
            hint='pip install "gqlauth[ws]"',
        ) from error
    return Socket


async def _listen(call: Call, line: Line, listener: Listener) -> None:
    """Subscribe, and take what comes until it is complete."""
    protocol = httpx.Headers(line.response_headers).get("sec-websocket-protocol")
    kind = "start" if protocol == "graphql-ws" else "subscribe"
    # The request as it is: its numbers are not to be written anew.
    await line.send(f'{{"id": "1", "type": "{kind}", "payload": {call.body.decode()}}}')
    is_over = False
    try:
        while not is_over:
            message = await line.receive()
            what = parsed(message).get("type")
            if what == "ping":
                await line.send(_PONG)
            elif what in {"next", "data"}:
                listener.take(_event(message))
            elif what in {"error", "connection_error"}:
                is_over = True
                listener.take(_event(message, are_errors=True))
            elif what == "complete":
                is_over = True
            elif what is None:
                listener.take(message.encode())  # which is told
    finally:
        if not is_over:
            with anyio.move_on_after(_FAREWELL, shield=True):
                await line.send(f'{{"id": "1", "type": "{STOPS[kind]}"}}')


def _event(message: str, *, are_errors: bool = False) -> bytes:
    """Return the event that a message holds; the message where that cannot be read."""
    try:
        payload = _json.read(message).get("payload")
        return as_event({"errors": payload} if are_errors else payload)
    except ValueError:
        return message.encode()  # which is told


def _reply(headers: dict[str, str], sent: list[str]) -> Reply:
    return Reply(
        status=_SWITCHING,
        reason="Switching Protocols",
        version="HTTP/1.1",
        headers=tuple(headers.items()),
        content=b"",
        sent=sent,
    )


@attrs.frozen
class _Told:
    """Says what an end comes to that was not asked for."""

    call: Call
    listener: Listener
    sent: tuple[str, ...] = attrs.field(repr=False)

    def failure(self, error: SocketError, ending: Ending | None) -> Failure:
        """Return what a connection's end comes to; `ending` is how the other side brought it."""
        why = redact_text(str(error if ending is None else ending), self.sent)
        text, code = (self._late if self.listener.has_begun else self._early)(error, ending, why)
        return Failure(f"{self.call.endpoint.name}: {text}", code)

    def _late(self, _error: SocketError, ending: Ending | None, why: str) -> tuple[str, int]:
        if ending is not None and ending.code in _WRONG:
            code = REFUSED if ending.code in LATE_REFUSALS else API_ERROR
            return f"the API ended the subscription: {why}", code
        return self.listener.loss(why), UNAVAILABLE

    def _early(self, error: SocketError, ending: Ending | None, why: str) -> tuple[str, int]:
        if isinstance(error, RefusedError) or (ending is not None and ending.refuses):
            bare = self.listener.teller.bare or f'endpoint "{self.call.endpoint.name}" has none'
            return f"the API wants authentication ({why}); {bare}", REFUSED
        if ending is None:
            code = UNAVAILABLE if isinstance(error, LostError) else API_ERROR
            return f"the API {self.call.host} cannot be reached over WebSocket: {why}", code
        if ending.code in _STATUSES:
            code = UNAVAILABLE if is_passing(ending.code) else API_ERROR
            return f"the API answered {why} to the WebSocket handshake", code
        code = API_ERROR if ending.code in _WRONG else UNAVAILABLE
        return f"the API closed the connection: {why}", code
