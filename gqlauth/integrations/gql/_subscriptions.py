"""A transport of gql for subscriptions, whose connections are opened with fresh tokens."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal

from gql.transport.common.adapters import AdapterConnection
from gql.transport.exceptions import (
    TransportConnectionFailed,
    TransportError,
    TransportProtocolError,
    TransportServerError,
)
from gql.transport.websockets_protocol import WebsocketsProtocolTransportBase

from gqlauth._config import Subscriptions, as_websocket
from gqlauth._http_client import setup
from gqlauth._subscriptions._line import Line
from gqlauth._subscriptions._opening import Failures, Opener
from gqlauth._subscriptions._places import payload_with, place_of
from gqlauth._subscriptions._renewal import Renewal
from gqlauth._tls import system_context
from gqlauth.integrations.gql._logs import redact_logs

if TYPE_CHECKING:
    from graphql import ExecutionResult

    from gqlauth import AuthService
    from gqlauth._clock import Clock
    from gqlauth._subscriptions._opening import Ending, Veiled

_FAILURES: Final = Failures(
    any=TransportError,
    lost=TransportConnectionFailed,
    protocol=TransportProtocolError,
    refused=TransportServerError,
)


class _Line(Line, AdapterConnection):
    """What gql takes for one connection."""

    def __init__(self, opener: Opener, clock: Clock) -> None:
        super().__init__(opener, clock)
        template = opener.template
        self.url: Any = template.url
        self.connect_args: Any = template.connect_args
        self.subprotocols: Any = template.subprotocols
        self.headers: Any = template.headers
        self.ssl: Any = template.ssl


class RenewingTransport(WebsocketsProtocolTransportBase):
    """gql's transport of the same name, with connections that are opened with fresh tokens.

    Each time that it connects it takes a token that is valid then. Where the server refuses that
    one, be it in the handshake or in ``connection_init``, it takes another, once. Before a token
    ends, it opens another connection with a new one, begins the subscriptions there, and stops
    them on the old one; who listens sees one stream.

    It works on asyncio alone, as gql's own does.

    Args:
        service: where tokens come from.
        name: the endpoint; the default one, if it is None.
        url: where the server listens; if it is None, what the endpoint's ``subscriptions`` say,
            else the endpoint's URL with ``ws`` for ``http``. It must be at an origin of the
            endpoint's.
        auth_in: where the token stands: in a ``header`` of the handshake, in the payload of
            ``connection_init``, or in ``both``; if it is None, as ``subscriptions`` say.
        init_path: the place in that payload, with dots between names, such as
            ``headers.Authorization``; if it is None, what ``subscriptions`` say, else the name of
            the token's header.
        renew: whether connections are renewed before their tokens end.
        settings: those of gql's own transport, which has the endpoint's time-out for connecting
            and for ``connection_ack``, and prefers the protocol ``graphql-transport-ws``. The
            endpoint's headers are sent beside its ``headers``.

    Raises:
        ConfigError: when there is no such endpoint, or `url` is at another origin.

    """

    adapter: Any

    def __init__(  # noqa: PLR0913 - as many as there are settings, all but two by name
        self,
        service: AuthService,
        name: str | None = None,
        *,
        url: str | None = None,
        auth_in: Literal["header", "init", "both"] | None = None,
        init_path: str | None = None,
        renew: bool = True,
        **settings: Any,  # noqa: ANN401 - gql's own
    ) -> None:
        endpoint = service.endpoint(name)
        said = endpoint.subscriptions or Subscriptions()
        own = said.url if said.by_websocket else None
        place = place_of(endpoint, own if url is None else url)
        auth_in, init_path = auth_in or said.auth_in, init_path or said.init_path
        hooks, context = setup(endpoint, authenticate=True)
        chosen = {
            "connect_timeout": endpoint.timeout,
            "ack_timeout": endpoint.timeout,
            # gql's own would rather speak the older one.
            "subprotocols": [self.GRAPHQLWS_SUBPROTOCOL, self.APOLLO_SUBPROTOCOL],
            **settings,
        }
        if place.scheme == "https":
            chosen.setdefault("ssl", context or system_context())
        address = as_websocket(str(place))
        # What comes next in the order of classes is gql's own.
        super().__init__(address, **self._chosen(address, chosen))  # type: ignore[arg-type, call-arg]
        renewal = Renewal.of(service, endpoint)
        self._renewal = renewal if renew else None
        self._opener = Opener(
            name=endpoint.name,
            renewal=renewal,
            place=place,
            hooks=hooks,
            in_header=auth_in != "init",
            payload=lambda token: payload_with(
                self.init_payload, None if auth_in == "header" else token, init_path
            ),
            patience=self.ack_timeout,
            template=self.adapter,
            failures=_FAILURES,
            dress=self._dress,
            ending=self._ending,
        )
        self.adapter = _Line(self._opener, service._clock)  # noqa: SLF001 - of the same house
        # Which gql's own asks for also where it was never connected.
        self.subprotocol = self.GRAPHQLWS_SUBPROTOCOL
        redact_logs()

    @abstractmethod
    def _chosen(self, address: str, settings: dict[str, Any]) -> dict[str, Any]:
        """Return what is given to gql's own where these `settings` are chosen."""

    @abstractmethod
    def _dress(self, adapter: Any, headers: Veiled) -> None:  # noqa: ANN401 - one of either library
        """Let a connection send `headers`, and follow no redirect to where they do not belong."""

    @staticmethod
    @abstractmethod
    def _ending(adapter: Any, error: BaseException) -> Ending | None:  # noqa: ANN401 - one of either library
        """Return how the other side ended a connection, if that is why `error` was raised."""

    async def connect(self) -> None:
        """Connect with a token that is valid now.

        Raises:
            TransportConnectionFailed: when it fails; its cause is a `GqlAuthError` where that is
                for want of a token, or as the server refused it.
            TransportError: when the server speaks another protocol, or it is connected already.
            TimeoutError: when it takes too long.

        """
        try:
            await super().connect()
        except TransportConnectionFailed as error:
            self.close_exception = error  # which tells who uses it all the same
            raise

    def _parse_answer(self, answer: str) -> tuple[str, int | None, ExecutionResult | None]:
        try:
            return super()._parse_answer(answer)
        except RecursionError:  # which would end gql's own task, and nobody would be told
            raise TransportProtocolError("Server sent a message that is nested too deep") from None

    async def _initialize(self) -> None:
        # The connection has begun with the protocol's first messages, and they were not logged.
        self._parse_answer(self.adapter.acknowledgement)
        if self._renewal is not None:
            renewing = self._renewal.run(self.adapter, self._opener, self.connect_timeout)
            self.adapter.start(renewing)
