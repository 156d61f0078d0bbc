"""gql's WebsocketsTransport, over connections that are opened with fresh tokens."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gql.transport.websockets import WebsocketsTransport as Gqls
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, SecurityError
from websockets.uri import parse_uri

from gqlauth._http_client import loopback_host
from gqlauth.integrations.gql._opening import Ending, Veiled
from gqlauth.integrations.gql._subscriptions import RenewingTransport

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.uri import WebSocketURI

# At DEBUG, websockets would print handshakes and frames, cut in the midst of a token.
_QUIET: Final = logging.getLogger("websockets.client.gqlauth")
_QUIET.setLevel(logging.INFO)


class WebsocketsTransport(RenewingTransport, Gqls):
    __doc__ = RenewingTransport.__doc__

    def _chosen(self, address: str, settings: dict[str, Any]) -> dict[str, Any]:
        connect_args = {
            "logger": _QUIET,
            "open_timeout": None,  # gql has one of its own
            **({"proxy": None} if loopback_host(address) else {}),
            **(settings.get("connect_args") or {}),
        }
        return {**settings, "connect_args": connect_args}

    def _dress(self, adapter: Any, headers: Veiled) -> None:  # noqa: ANN401 - as inherited
        creates = partial(_Bound, parse_uri(adapter.url), headers)
        adapter.connect_args = {**adapter.connect_args, "create_connection": creates}

    @staticmethod
    def _ending(_adapter: Any, error: BaseException) -> Ending | None:  # noqa: ANN401 - one of either library
        cause = error.__cause__
        if isinstance(cause, InvalidStatus):
            return Ending(cause.response.status_code, headers=cause.response.headers)
        if isinstance(cause, ConnectionClosed) and cause.rcvd is not None:
            return Ending(cause.rcvd.code, cause.rcvd.reason)
        return None


class _Bound(ClientConnection):
    """One that is bound to an origin: what it sends is not for where a redirect leads."""

    def __init__(
        self,
        place: WebSocketURI,
        headers: Veiled,
        protocol: ClientProtocol,
        **settings: Any,  # noqa: ANN401 - websockets' own
    ) -> None:
        super().__init__(protocol, **settings)
        self._place = place
        self._headers = headers

    async def handshake(
        self,
        additional_headers: object = None,  # noqa: ARG002 - they are among ours
        *args: Any,  # noqa: ANN401 - as above
    ) -> None:
        """Shake hands, if nobody else's."""
        if _origin(self.protocol.uri) != _origin(self._place):
            raise SecurityError("a redirect to another origin is not followed")
        await super().handshake(self._headers, *args)


def _origin(uri: WebSocketURI) -> tuple[bool, str, int]:
    return (uri.secure, uri.host, uri.port)
