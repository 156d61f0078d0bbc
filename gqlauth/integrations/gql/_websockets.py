"""gql's WebsocketsTransport, over connections that are opened with fresh tokens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gql.transport.websockets import WebsocketsTransport as Gqls
from websockets.uri import parse_uri

from gqlauth._http_client import loopback_host
from gqlauth._subscriptions._websockets import QUIET, Bound, ending
from gqlauth.integrations.gql._subscriptions import RenewingTransport

if TYPE_CHECKING:
    from gqlauth._subscriptions._opening import Ending, Veiled


class WebsocketsTransport(RenewingTransport, Gqls):
    __doc__ = RenewingTransport.__doc__

    def _chosen(self, address: str, settings: dict[str, Any]) -> dict[str, Any]:
        connect_args = {
            "logger": QUIET,
            "open_timeout": None,  # gql has one of its own
            **({"proxy": None} if loopback_host(address) else {}),
            **(settings.get("connect_args") or {}),
        }
        return {**settings, "connect_args": connect_args}

    def _dress(self, adapter: Any, headers: Veiled) -> None:  # noqa: ANN401 - as inherited
        creates = partial(Bound, parse_uri(adapter.url), headers)
        adapter.connect_args = {**adapter.connect_args, "create_connection": creates}

    @staticmethod
    def _ending(_adapter: Any, error: BaseException) -> Ending | None:  # noqa: ANN401 - one of either library
        return ending(error.__cause__)
