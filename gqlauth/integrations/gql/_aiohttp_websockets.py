"""gql's AIOHTTPWebsocketsTransport, over connections that are opened with fresh tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport as Gqls
from yarl import URL

from gqlauth._subscriptions._opening import Ending
from gqlauth.integrations.gql._aiohttp import dressed
from gqlauth.integrations.gql._subscriptions import RenewingTransport

if TYPE_CHECKING:
    from aiohttp import (
        ClientHandlerType,
        ClientMiddlewareType,
        ClientRequest,
        ClientResponse,
        WSMessage,
    )

    from gqlauth._subscriptions._opening import Veiled


class AIOHTTPWebsocketsTransport(RenewingTransport, Gqls):
    __doc__ = RenewingTransport.__doc__

    def _chosen(self, address: str, settings: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - as inherited
        if settings.get("session") is not None:
            raise TypeError(
                "give client_session_args: a session of one's own is bound to no origin"
            )
        session = dict(settings.get("client_session_args") or {})
        session["ws_response_class"] = _Response
        return {**settings, "client_session_args": session}

    def _dress(self, adapter: Any, headers: Veiled) -> None:  # noqa: ANN401 - as inherited
        session = adapter.client_session_args
        bound = _bound(URL(adapter.url), headers)
        adapter.client_session_args = {
            **session,
            "middlewares": (*session.get("middlewares", ()), bound),
        }

    @staticmethod
    def _ending(adapter: Any, error: BaseException) -> Ending | None:  # noqa: ANN401 - one of either library
        cause = error.__cause__
        if isinstance(cause, WSServerHandshakeError):
            return Ending(cause.status, headers=cause.headers or {})
        return getattr(adapter.websocket, "ending", None)


class _Response(ClientWebSocketResponse):
    """One that remembers how the other side closed it: aiohttp itself drops the reason."""

    ending: Ending | None = None

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 - as inherited
        """Receive a message."""
        message = await super().receive(timeout)
        if message.type is WSMsgType.CLOSE:
            self.ending = Ending(message.data, message.extra or "")
        return message


def _bound(url: URL, headers: Veiled) -> ClientMiddlewareType:
    """Return a middleware that sends headers to an origin, and nothing to where else it leads."""

    async def bound(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if _origin(request.url) != _origin(url):
            raise ClientError("a redirect to another origin is not followed")
        with dressed(request, headers):
            return await handler(request)

    return bound


def _origin(url: URL) -> tuple[bool, str | None, int | None]:
    return (url.scheme in {"https", "wss"}, url.host, url.port)
