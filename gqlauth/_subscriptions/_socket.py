"""A connection of the library websockets, for who has no other library for GraphQL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.uri import parse_uri

from gqlauth._causes import by_system
from gqlauth._http_client import loopback_host
from gqlauth._subscriptions._bounds import LARGEST_EVENT
from gqlauth._subscriptions._failures import LostError, ProtocolError
from gqlauth._subscriptions._opening import Veiled
from gqlauth._subscriptions._websockets import QUIET, Bound, ending

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext

    from websockets.asyncio.client import ClientConnection
    from websockets.typing import Subprotocol

    from gqlauth._subscriptions._opening import Ending

#: The protocol of today, and the older one, which servers of today do not know.
TODAY: Final = "graphql-transport-ws"
OLDER: Final = "graphql-ws"
#: Seconds for the other side to confirm that the connection is closed.
LONGEST_FAREWELL: Final = 1.0


class Socket:
    """One connection: of those that are copied of it, each is dressed, and connected once."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        ssl: SSLContext | None,
        open_timeout: float | None,
    ) -> None:
        """Connect to `url`, within so many seconds; `headers` are for those that dress it."""
        self.url = url
        self.headers = headers
        self._ssl = ssl
        self._open_timeout = open_timeout
        self._dress = Veiled()
        self._connection: ClientConnection | None = None

    def dress(self, headers: Veiled) -> None:
        """Send `headers` in the handshake, and nowhere else but to this origin."""
        self._dress = headers

    @property
    def response_headers(self) -> dict[str, str]:
        """Return the headers by which the server answered the handshake."""
        response = None if self._connection is None else self._connection.response
        return {} if response is None else dict(response.headers.raw_items())

    async def connect(self) -> None:
        """Shake hands.

        Raises:
            LostError: when that fails; its cause tells why.
            ProtocolError: when the other side speaks no WebSocket.
            TimeoutError: when it takes too long.

        """
        subprotocols: list[Subprotocol] = [TODAY, OLDER]  # type: ignore[list-item]
        bound: Any = partial(Bound, parse_uri(self.url), self._dress)
        try:
            self._connection = await connect(
                self.url,
                ssl=self._ssl,
                subprotocols=subprotocols,
                logger=QUIET,
                open_timeout=self._open_timeout,
                close_timeout=LONGEST_FAREWELL,
                max_size=LARGEST_EVENT,
                # What is for this machine goes through no proxy.
                proxy=None if loopback_host(self.url) else True,
                create_connection=bound,
            )
        except TimeoutError:
            raise
        except InvalidStatus as error:
            raise LostError(str(error)) from error
        except InvalidHandshake as error:
            raise ProtocolError(str(error)) from error
        except (OSError, EOFError, WebSocketException) as error:
            told = by_system(error) if isinstance(error, OSError) else ""
            raise LostError(told or str(error) or type(error).__name__) from error

    async def send(self, message: str) -> None:
        """Send a message.

        Raises:
            LostError: when the connection is lost.

        """
        assert self._connection is not None
        try:
            await self._connection.send(message)
        except WebSocketException as error:
            raise LostError(str(error)) from error

    async def receive(self) -> str:
        """Return the next message.

        Raises:
            LostError: when the connection is lost.

        """
        assert self._connection is not None
        try:
            message = await self._connection.recv()
        except WebSocketException as error:
            raise LostError(str(error)) from error
        return message if isinstance(message, str) else message.decode("utf-8", "replace")

    async def close(self) -> None:
        """Close it, if it is open."""
        if self._connection is not None:
            await self._connection.close()

    @staticmethod
    def ending(error: BaseException) -> Ending | None:
        """Return how the other side ended a connection, if that is why `error` was raised."""
        return ending(error.__cause__)
