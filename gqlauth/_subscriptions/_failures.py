"""What the connections of `Socket` raise."""

from __future__ import annotations

from typing import Final

from gqlauth._subscriptions._opening import Failures


class SocketError(Exception):
    """Something is wrong with a connection."""


class LostError(SocketError):
    """It is lost, or cannot be had."""


class ProtocolError(SocketError):
    """The other side speaks another protocol."""


class RefusedError(SocketError):
    """The other side refuses one who shows no token."""


FAILURES: Final = Failures(
    any=SocketError, lost=LostError, protocol=ProtocolError, refused=RefusedError
)
