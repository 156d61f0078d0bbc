"""Connections of gql for subscriptions: with whose token they are opened, and when they are not."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp
import pytest
from gql import Client, gql
from gql.transport.exceptions import (
    TransportAlreadyConnected,
    TransportConnectionFailed,
    TransportError,
    TransportProtocolError,
)

from gqlauth import ConfigError, Secret, SecretError, TokenRefusedError, TokenUnavailableError
from gqlauth._config import Subscriptions
from gqlauth._secret_sources import EnvSource
from gqlauth._subscriptions._opening import Veiled
from gqlauth.integrations.gql import AIOHTTPWebsocketsTransport, is_fatal
from gqlauth_strategies import Bearer, ClientCredentials, Header
from tests.support.certificates import certificate
from tests.support.http_server import unused_port
from tests.support.jwt import claims
from tests.support.subscriptions import OLDER, Answers, Rejects, Says, subscription_server
from tests.support.token_endpoint import URL, answer

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth.integrations.gql._subscriptions import RenewingTransport
    from gqlauth.testing import AuthorizationServer
    from tests.integrations.conftest import Serving
    from tests.support.subscriptions import SubscriptionServer

    Kind = type[RenewingTransport]

pytestmark = pytest.mark.anyio

NUMBERS = gql("subscription { number }")
NUMBER = gql("{ number }")

#: How a server refuses a token, in whatever way.
REFUSALS = [
    Rejects(4403, "Forbidden"),
    Rejects(4401, "Unauthorized"),
    Rejects(4500, "the token is not good"),
    Rejects(1000),
    Rejects(4403, at_once=True),
    Answers(401),
    Answers(403),
]
#: How a connection fails for another reason.
FAILURES = [
    Rejects(1000, "good night"),
    Rejects(1001, "restarting"),
    Rejects(4400, "what is this?"),
    Rejects(4429, "too many"),
    Answers(404),
    Answers(500),
]


class TestToken:
    async def test_stands_in_both_places(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """The token goes out in the handshake and in ``connection_init``."""
        async with serving(server.url) as service, Client(transport=kind(service, "orders")):
            connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "Bearer token-1"
        assert connection.payload == {"Authorization": "Bearer token-1"}

    async def test_in_the_header_alone(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """It may be sent in the handshake alone."""
        async with (
            serving(server.url) as service,
            Client(transport=kind(service, auth_in="header")),
        ):
            connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "Bearer token-1"
        assert connection.payload == {}

    async def test_in_the_payload_alone(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """It may be sent in ``connection_init`` alone, at a place of one's own."""
        transport: dict[str, Any] = {"auth_in": "init", "init_path": "headers.Authorization"}
        async with serving(server.url) as service, Client(transport=kind(service, **transport)):
            connection = await server.acknowledged.get()

        assert "authorization" not in connection.headers
        assert connection.payload == {"headers": {"Authorization": "Bearer token-1"}}

    async def test_as_configured(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Where the program says nothing, the endpoint's ``subscriptions`` count."""
        url = f"{server.url.replace('http', 'ws')}/live"
        chosen = Subscriptions(url=url, auth_in="init", init_path="a.b")
        async with serving(server.url, subscriptions=chosen) as service:
            async with Client(transport=kind(service)):
                configured = await server.acknowledged.get()
            async with Client(transport=kind(service, url=server.url, auth_in="header")):
                given = await server.acknowledged.get()

        assert configured.path == "/graphql/live"
        assert "authorization" not in configured.headers
        assert configured.payload == {"a": {"b": "Bearer token-1"}}
        assert (given.path, given.payload) == ("/graphql", {})
        assert given.headers["authorization"] == "Bearer token-1"

    async def test_streams_are_configured(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """An address for streams over HTTP is none for websockets."""
        chosen = Subscriptions(transport="sse", url=f"{server.url}/stream")
        async with (
            serving(server.url, subscriptions=chosen) as service,
            Client(transport=kind(service)),
        ):
            assert (await server.acknowledged.get()).path == "/graphql"

    async def test_of_another_header(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A credential that has a header of its own stands under that name in both places."""
        strategy = Header("X-Api-Key", Secret("k3y"))
        async with (
            serving(server.url, strategy=strategy) as service,
            Client(transport=kind(service)),
        ):
            connection = await server.acknowledged.get()

        assert connection.headers["x-api-key"] == "k3y"
        assert connection.payload == {"X-Api-Key": "k3y"}

    async def test_gives_way(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """What the program sets itself wins; the rest of its payload is sent beside the token."""
        given = {"authorization": "Basic bWU6", "X-Tenant": "acme"}
        init = {"headers": {"X-Tenant": "acme"}}
        async with serving(server.url) as service:
            transport = kind(
                service, headers=given, init_payload=init, init_path="headers.Authorization"
            )
            async with Client(transport=transport):
                connection = await server.acknowledged.get()

        assert connection.headers.get_all("authorization") == ["Basic bWU6"]
        assert connection.headers["x-tenant"] == "acme"
        sent = {"headers": {"X-Tenant": "acme", "Authorization": "Bearer token-1"}}
        assert sent == connection.payload
        assert init == {"headers": {"X-Tenant": "acme"}}

    async def test_of_nobody(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """An endpoint without authentication is connected to without any."""
        async with (
            serving(server.url, strategy=None) as service,
            Client(transport=kind(service)),
        ):
            connection = await server.acknowledged.get()

        assert "authorization" not in connection.headers
        assert connection.payload == {}

    async def test_each_connection_has_a_fresh_one(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A connection is opened with the token that is valid then."""
        async with serving(server.url) as service:
            transport = kind(service)
            for _ in range(2):
                async with Client(transport=transport):
                    await service.clear()

        sent = [one.headers["authorization"] for one in server.connections]
        assert sent == ["Bearer token-1", "Bearer token-2"]

    async def test_that_is_about_to_end(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, clock: Any
    ) -> None:
        """A token that would have to be renewed at once is renewed before."""
        async with serving(server.url) as service:
            await service.token()
            clock.advance(3600 - 59)
            async with Client(transport=kind(service)):
                connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "Bearer token-2"


class TestEndpoint:
    async def test_headers(self, server: SubscriptionServer, serving: Serving, kind: Kind) -> None:
        """The endpoint's headers go out in the handshake, secrets among them."""
        headers = {"X-Tenant": "acme", "X-Key": Secret("k3y-of-mine")}
        async with (
            serving(server.url, headers=headers) as service,
            Client(transport=kind(service)),
        ):
            connection = await server.acknowledged.get()

        assert connection.headers["x-tenant"] == "acme"
        assert connection.headers["x-key"] == "k3y-of-mine"

    async def test_secret_that_cannot_be_had(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Where a header's secret is not to be had, nothing is sent."""
        headers = {"X-Key": Secret.from_source(EnvSource("THERE_IS_NONE"))}
        async with serving(server.url, headers=headers) as service:
            with pytest.raises(TransportConnectionFailed, match="THERE_IS_NONE") as caught:
                await kind(service).connect()

        assert isinstance(caught.value.__cause__, SecretError)
        assert is_fatal(caught.value)
        assert server.handshakes == []

    async def test_address_of_its_own(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Subscriptions may have an address of their own, at one of the endpoint's origins."""
        async with serving("http://localhost:1/graphql", origins=(server.url,)) as service:
            transport = kind(service, url=server.url.replace("http", "ws") + "/live")
            async with Client(transport=transport):
                connection = await server.acknowledged.get()

        assert connection.path == "/graphql/live"
        assert transport.url.startswith("ws://127.0.0.1:")

    @pytest.mark.parametrize(
        ("endpoint", "url"),
        [
            ("https://orders.example.com/graphql", "wss://orders.example.com/graphql"),
            ("https://orders.example.com:8443/?a=b", "wss://orders.example.com:8443/?a=b"),
            ("http://localhost:4000/graphql", "ws://localhost:4000/graphql"),
        ],
    )
    async def test_address(self, serving: Serving, kind: Kind, endpoint: str, url: str) -> None:
        """The address is the endpoint's, with the scheme of websockets."""
        async with serving(endpoint) as service:
            assert url == kind(service).url

    @pytest.mark.parametrize(
        "url",
        [
            "wss://elsewhere.example.com/graphql",
            "ws://orders.example.com/graphql",
            "wss://orders.example.com:444/graphql",
            "ftp://orders.example.com/graphql",
            "/graphql",
        ],
    )
    async def test_address_elsewhere(self, serving: Serving, kind: Kind, url: str) -> None:
        """No transport is made for another origin: its token would go there."""
        async with serving("https://orders.example.com/graphql") as service:
            with pytest.raises(ConfigError, match=r'"orders".*origins'):
                kind(service, url=url)

    async def test_address_that_is_none(self, serving: Serving, kind: Kind) -> None:
        """An address that is no URL is told so, and is not shown."""
        async with serving("https://orders.example.com/graphql") as service:
            with pytest.raises(ConfigError, match=r"is no URL$"):
                kind(service, url="wss://orders.example.com:port/")

    async def test_unknown(self, serving: Serving, kind: Kind) -> None:
        """An endpoint that is not there is told when the transport is made."""
        async with serving("https://orders.example.com/graphql") as service:
            with pytest.raises(ConfigError, match='unknown endpoint "order"'):
                kind(service, "order")

    async def test_certificate(
        self, serving: Serving, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server is trusted as other servers are: by the system, or by ``SSL_CERT_FILE``."""
        authority = certificate(tmp_path, "authority")
        own = certificate(tmp_path, "own", issuer=authority)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate_file))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(own.certificate_file, own.key_file)
        async with subscription_server(tls=context) as server, serving(server.url) as service:
            transport = kind(service)
            async with Client(transport=transport):
                connection = await server.acknowledged.get()

        assert transport.url.startswith("wss://")
        assert connection.headers["authorization"] == "Bearer token-1"

    async def test_no_proxy_for_this_machine(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What is for this machine goes through no proxy of the environment's."""
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
        async with serving(server.url) as service, Client(transport=kind(service)):
            assert server.acknowledged.qsize() == 1


class TestRedirects:
    async def test_session_of_ones_own(self, serving: Serving) -> None:
        """No session of aiohttp's is taken, as it would follow them."""
        async with (
            serving("https://orders.example.com/graphql") as service,
            aiohttp.ClientSession() as session,
        ):
            with pytest.raises(TypeError, match="client_session_args"):
                AIOHTTPWebsocketsTransport(service, session=session)

    async def test_to_another_origin(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A redirect to another origin is not followed."""
        strategy = Header("X-Api-Key", Secret("k3y"))
        async with (
            subscription_server() as other,
            serving(server.url, strategy=strategy) as service,
        ):
            server.greetings = [Answers(307, {"Location": other.url.removeprefix("http:")})]
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        assert str(caught.value.__cause__) == "a redirect to another origin is not followed"
        assert other.handshakes == []

    async def test_within_the_origin(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A redirect within the origin is followed, as the libraries do."""
        server.greetings = [Answers(307, {"Location": "/graphql/"})]
        async with serving(server.url) as service, Client(transport=kind(service)):
            connection = await server.acknowledged.get()

        assert connection.path == "/graphql/"


class TestRefusals:
    @pytest.mark.parametrize("refusal", REFUSALS, ids=str)
    async def test_another_token(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, refusal: Any
    ) -> None:
        """A token that the server refuses is forgotten, and another is tried."""
        server.greetings = [refusal]
        async with serving(server.url) as service, Client(transport=kind(service)):
            connection = await server.acknowledged.get()
            kept = service.status("orders")[0].state

        sent = [one["authorization"] for one in server.handshakes]
        assert sent == ["Bearer token-1", "Bearer token-2"]
        assert connection.payload == {"Authorization": "Bearer token-2"}
        assert kept == "valid"

    @pytest.mark.parametrize("refusal", REFUSALS, ids=str)
    async def test_of_both(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        tokens: AuthorizationServer,
        refusal: Any,
    ) -> None:
        """Where the server refuses the other token, too, the connection has failed for good."""
        server.greetings = [refusal, refusal]
        async with serving(server.url) as service:
            with pytest.raises(
                TransportConnectionFailed, match="orders: the API rejected"
            ) as caught:
                await kind(service).connect()

        assert isinstance(caught.value.__cause__, TokenRefusedError)
        assert is_fatal(caught.value)
        assert 2 == len(server.handshakes) == len(tokens.requests)

    async def test_is_explained(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """The error tells what the server said, without what drives a terminal, or a token."""
        server.greetings = [Rejects(4403, "Bearer token-1 \x1b[2J?")] * 2
        async with serving(server.url) as service:
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        said = r"the API rejected the token (4403 Bearer *** \x1b[2J?); check audience and scopes"
        assert f"orders: {said}" == str(caught.value)

    async def test_of_a_token_that_does_not_change(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A static token that is refused is not sent twice."""
        server.greetings = [Rejects(4403)] * 2
        async with serving(server.url, strategy=Bearer(Secret("st4tic"))) as service:
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        assert is_fatal(caught.value)
        assert len(server.handshakes) == 1

    async def test_without_a_token(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Where there is no token to replace, a refusal is what it is for gql."""
        server.greetings = [Rejects(4403)]
        async with serving(server.url, strategy=None) as service:
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        assert not is_fatal(caught.value)
        assert len(server.handshakes) == 1

    async def test_by_the_older_protocol(self, serving: Serving, kind: Kind) -> None:
        """The older protocol refuses by a message, and is understood, too."""
        async with subscription_server(OLDER) as server, serving(server.url) as service:
            server.greetings = [Says('{"type": "connection_error", "payload": "invalid-jwt"}')]
            async with Client(transport=kind(service)):
                connection = await server.acknowledged.get()

        assert connection.payload == {"Authorization": "Bearer token-2"}

    @pytest.mark.parametrize("code", [4401, 4403])
    async def test_of_a_connection_that_served(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, code: int
    ) -> None:
        """A token that the server refuses later on is not what it is connected with again."""
        async with serving(server.url) as service:
            transport = kind(service)
            async with Client(transport=transport) as session:
                connection = await server.acknowledged.get()
                closing = asyncio.ensure_future(connection.close(code, "revoked"))
                with pytest.raises(TransportConnectionFailed):
                    [event async for event in session.subscribe(NUMBERS)]
                await closing
            async with Client(transport=transport):
                connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "Bearer token-2"


class TestProofs:
    CHALLENGE: ClassVar = {
        "WWW-Authenticate": 'DPoP error="use_dpop_nonce"',
        "DPoP-Nonce": "n-1",
    }

    @pytest.fixture
    def bound(self, tokens: AuthorizationServer) -> ClientCredentials:
        """Return a strategy whose tokens are bound to a key."""
        tokens.script = [tokens.token(f"token-{one}", token_type="DPoP") for one in (1, 2)]
        return ClientCredentials(
            token_url=URL, client_id="orders-cli", client_secret=Secret("s3cr3t"), dpop=True
        )

    async def test_go_out_in_the_handshake(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, bound: ClientCredentials
    ) -> None:
        """With a token that is bound to a key goes a proof of it."""
        async with (
            serving(server.url, strategy=bound) as service,
            Client(transport=kind(service)),
        ):
            connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "DPoP token-1"
        proof = claims(connection.headers["dpop"])
        assert (proof["htm"], proof["htu"]) == ("GET", server.url)

    async def test_are_made_anew(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        bound: ClientCredentials,
        tokens: AuthorizationServer,
    ) -> None:
        """A server that wants its nonce in the proof gets it, with the same token."""
        server.greetings = [Answers(401, self.CHALLENGE)]
        async with (
            serving(server.url, strategy=bound) as service,
            Client(transport=kind(service)),
        ):
            connection = await server.acknowledged.get()

        assert connection.headers["authorization"] == "DPoP token-1"
        assert claims(connection.headers["dpop"])["nonce"] == "n-1"
        assert len(tokens.requests) == 1

    async def test_are_made_anew_once(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, bound: ClientCredentials
    ) -> None:
        """A server that still wants one has refused the token."""
        server.greetings = [Answers(401, self.CHALLENGE)] * 4
        async with serving(server.url, strategy=bound) as service:
            with pytest.raises(TransportConnectionFailed, match="rejected the token") as caught:
                await kind(service).connect()

        assert is_fatal(caught.value)
        sent = [one["authorization"] for one in server.handshakes]
        assert sent == ["DPoP token-1"] * 2 + ["DPoP token-2"] * 2


class TestFailures:
    @pytest.mark.parametrize("failure", FAILURES, ids=str)
    async def test_is_no_refusal(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        tokens: AuthorizationServer,
        failure: Any,
    ) -> None:
        """What fails for another reason costs no token, and may pass."""
        server.greetings = [failure]
        async with serving(server.url) as service:
            transport = kind(service)
            with pytest.raises(TransportConnectionFailed) as caught:
                await transport.connect()
            async with Client(transport=transport):
                connection = await server.acknowledged.get()

        assert not is_fatal(caught.value)
        assert connection.headers["authorization"] == "Bearer token-1"
        assert len(tokens.requests) == 1

    async def test_server_that_is_down(self, serving: Serving, kind: Kind) -> None:
        """A server that does not listen may do so later."""
        async with serving(f"http://127.0.0.1:{unused_port()}/graphql") as service:
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        assert not is_fatal(caught.value)

    async def test_no_acknowledgement(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A server that keeps silent is left, and may be connected to again."""
        server.greetings = [Says()]
        async with serving(server.url) as service:
            transport = kind(service, ack_timeout=0)
            with pytest.raises(TimeoutError):
                await transport.connect()
            await server.connections[0].is_closed.wait()
            with pytest.raises(TimeoutError):
                await transport.connect()

    @pytest.mark.parametrize("message", ['{"type": "ka"}', '{"type": "ping"}'])
    async def test_sign_of_life(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, message: str
    ) -> None:
        """A server that shows that it lives is waited for."""
        server.greetings = [Says(message, acknowledges=True)]
        async with serving(server.url) as service, Client(transport=kind(service)):
            assert server.acknowledged.qsize() == 1

    @pytest.mark.parametrize("message", ['{"type": "complete", "id": "1"}', "hello", "[]"])
    async def test_another_protocol(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, message: str
    ) -> None:
        """A server that says something else is left."""
        server.greetings = [Says(message)]
        async with serving(server.url) as service:
            with pytest.raises(TransportProtocolError, match="did not acknowledge"):
                await kind(service).connect()
            await server.connections[0].is_closed.wait()

    async def test_cancelled(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Who gives up leaves nothing open, and may connect again."""
        server.greetings = [Says()]
        async with serving(server.url) as service:
            transport = kind(service)
            connecting = asyncio.ensure_future(transport.connect())
            await server.begun.wait()
            with pytest.raises(TransportAlreadyConnected):
                await transport.connect()
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            await server.connections[0].is_closed.wait()
            async with Client(transport=transport):
                assert server.acknowledged.qsize() == 1

    async def test_no_token(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, tokens: AuthorizationServer
    ) -> None:
        """Without a token there is no connection; its absence is the cause of what is raised."""
        tokens.script = [answer(401, '{"error": "invalid_client"}')]
        async with serving(server.url) as service:
            with pytest.raises(TransportConnectionFailed, match="invalid_client") as caught:
                await kind(service).connect()

        assert isinstance(caught.value.__cause__, TokenRefusedError)
        assert is_fatal(caught.value)
        assert server.handshakes == []

    async def test_no_token_for_now(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, tokens: AuthorizationServer
    ) -> None:
        """An authorization server that is in trouble may be asked again."""
        tokens.script = [answer(503, headers={"Retry-After": "3600"})]
        async with serving(server.url) as service:
            with pytest.raises(TransportConnectionFailed) as caught:
                await kind(service).connect()

        assert isinstance(caught.value.__cause__, TokenUnavailableError)
        assert not is_fatal(caught.value)

    async def test_already_connected(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A transport connects once at a time."""
        async with serving(server.url) as service:
            transport = kind(service)
            async with Client(transport=transport):
                with pytest.raises(TransportAlreadyConnected):
                    await transport.connect()

        assert len(server.handshakes) == 1

    async def test_not_connected(self, serving: Serving, kind: Kind) -> None:
        """Without a connection nothing can be asked; what is raised tells why there is none."""
        async with serving(f"http://127.0.0.1:{unused_port()}/graphql") as service:
            transport = kind(service)
            with pytest.raises(TransportConnectionFailed):
                await transport.execute(NUMBER)
            with pytest.raises(TransportConnectionFailed) as connecting:
                await transport.connect()
            with pytest.raises(TransportConnectionFailed) as after:
                await anext(transport.subscribe(NUMBERS))

        assert connecting.value is after.value


class TestOperations:
    async def test_query(self, server: SubscriptionServer, serving: Serving, kind: Kind) -> None:
        """Queries go over the same connection."""
        async with serving(server.url) as service, Client(transport=kind(service)) as session:
            asked = asyncio.ensure_future(session.execute(NUMBER))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.answer(7)
            told = await asked

        assert told == {"number": 7}

    async def test_query_without_an_answer(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A query that is complete without a result is an error, as gql has it."""
        async with serving(server.url) as service, Client(transport=kind(service)) as session:
            asked = asyncio.ensure_future(session.execute(NUMBER))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.say(id="1", type="complete")
            with pytest.raises(TransportError, match="without any answer"):
                await asked

    async def test_subscription_that_is_left(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """Who leaves a subscription tells the server so, in the words of the protocol."""
        async with serving(server.url) as service, Client(transport=kind(service)) as session:
            events = session.subscribe(NUMBERS)
            first = asyncio.ensure_future(anext(events))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.event(1)
            assert await first == {"number": 1}
            await events.aclose()

            assert await connection.received("complete") == {"id": "1", "type": "complete"}

    async def test_by_the_older_protocol(self, serving: Serving, kind: Kind) -> None:
        """The older protocol has other words for the same."""
        async with (
            subscription_server(OLDER) as server,
            serving(server.url) as service,
            Client(transport=kind(service)) as session,
        ):
            events = session.subscribe(NUMBERS)
            first = asyncio.ensure_future(anext(events))
            connection = await server.acknowledged.get()
            await connection.received("start")
            await connection.say(id="1", type="data", payload={"data": {"number": 1}})
            assert await first == {"number": 1}
            await events.aclose()
            await connection.received("stop")

    async def test_end_with_the_session(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """A subscription is complete once the session is closed, and the server is told so."""
        async with serving(server.url) as service:
            client: Any = Client(transport=kind(service))
            session = await client.connect_async()
            waiting = asyncio.ensure_future(anext(session.subscribe(NUMBERS), None))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await client.close_async()

            assert None is await waiting
            await connection.received("complete")

    async def test_lost(self, server: SubscriptionServer, serving: Serving, kind: Kind) -> None:
        """A connection that is lost ends its subscriptions; another can be opened."""
        async with serving(server.url) as service:
            transport = kind(service)
            async with Client(transport=transport) as session:
                lost = asyncio.ensure_future(anext(session.subscribe(NUMBERS)))
                connection = await server.acknowledged.get()
                await connection.received("subscribe")
                connection.abort()
                with pytest.raises(TransportConnectionFailed):
                    await lost
                with pytest.raises(TransportConnectionFailed):
                    await session.execute(NUMBER)
                await transport.close()
                await transport.connect()
                assert server.acknowledged.qsize() == 1

    @pytest.mark.parametrize("kind_of_message", ["nonsense", ["next"], None])
    async def test_nonsense(
        self, server: SubscriptionServer, serving: Serving, kind: Kind, kind_of_message: Any
    ) -> None:
        """A server that says what is no message of the protocol ends them."""
        async with serving(server.url) as service, Client(transport=kind(service)) as session:
            waiting = asyncio.ensure_future(anext(session.subscribe(NUMBERS)))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.say(id="1", type=kind_of_message)
            with pytest.raises(TransportProtocolError):
                await waiting

    async def test_message_that_is_nested_too_deep(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """One that no reader of JSON goes down ends them, too."""
        async with serving(server.url) as service, Client(transport=kind(service)) as session:
            waiting = asyncio.ensure_future(anext(session.subscribe(NUMBERS)))
            connection = await server.acknowledged.get()
            await connection.received("subscribe")
            await connection.write("[" * 200_000)
            with pytest.raises(TransportProtocolError, match="nested too deep"):
                await waiting

    async def test_silence(self, server: SubscriptionServer, serving: Serving) -> None:
        """Where aiohttp is to wait so long for a message, and no longer, its error ends them."""
        async with serving(server.url) as service:
            transport = AIOHTTPWebsocketsTransport(service, receive_timeout=0.5)
            async with Client(transport=transport) as session:
                with pytest.raises(TransportConnectionFailed, match="TimeoutError"):
                    await anext(session.subscribe(NUMBERS))

    async def test_what_the_server_told(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """What came with the handshake and the acknowledgement can be read, as from gql's own."""
        async with serving(server.url) as service:
            transport = kind(service)
            assert (transport.response_headers, transport.payloads) == ({}, {})
            async with Client(transport=transport):
                told = transport.payloads["connection_ack"]
                headers = {name.lower() for name in transport.response_headers}

        assert told == {"hello": "you"}
        assert "sec-websocket-protocol" in headers

    async def test_settings_of_gql(
        self, server: SubscriptionServer, serving: Serving, kind: Kind
    ) -> None:
        """The settings of gql's own transport are taken: its pings, among them."""
        async with (
            serving(server.url) as service,
            Client(transport=kind(service, ping_interval=0.001)) as session,
        ):
            for _ in range(2):
                await session.transport.pong_received.wait()


def test_headers_do_not_print() -> None:
    """What a traceback with variables would show of a handshake are the headers' names."""
    assert repr(Veiled(authorization="Bearer token-1")) == "Veiled(authorization)"


class TestLogs:
    async def test_no_token(
        self,
        server: SubscriptionServer,
        serving: Serving,
        kind: Kind,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Whatever gql and its libraries log at DEBUG: the token is not in it."""
        caplog.set_level(logging.DEBUG)
        async with (
            serving(server.url) as service,
            Client(transport=kind(service)) as session,
        ):
            connection = await server.acknowledged.get()
            asked = asyncio.ensure_future(session.execute(NUMBER))
            await connection.received("subscribe")
            # As a server that echoes what it was sent.
            await connection.answer(connection.headers["authorization"])
            await asked

        told = [record for record in caplog.records if record.name != "websockets.server"]
        text = "\n".join(record.getMessage() for record in told)
        assert "gql.transport.common.base" in {record.name for record in told}
        assert "Bearer ***" in text
        assert "token-1" not in text
