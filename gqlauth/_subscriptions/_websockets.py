"""The library websockets: handshakes that are bound to an origin, and how connections end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, SecurityError

from gqlauth._subscriptions._opening import Ending, Veiled

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.uri import WebSocketURI

# At DEBUG, websockets would print handshakes and frames, cut in the midst of a token.
QUIET: Final = logging.getLogger("websockets.client.gqlauth")
QUIET.setLevel(logging.INFO)


def ending(error: BaseException | None) -> Ending | None:
    """Return how the other side ended a connection, if that is what an error of websockets says."""
    if isinstance(error, InvalidStatus):
        return Ending(error.response.status_code, headers=error.response.headers)
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        return Ending(error.rcvd.code, error.rcvd.reason)
    return None


class Bound(ClientConnection):
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
