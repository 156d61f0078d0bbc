"""The public names as users write them. Nothing runs this: mypy checks it, in strict mode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_type

import attrs
import gql
import httpx
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.httpx import HTTPXAsyncTransport

import gqlauth
from gqlauth import (
    AuthService,
    ConfigError,
    EndpointAuth,
    EndpointStatus,
    GqlAuthError,
    Secret,
    SecretError,
    ServiceClosedError,
    Strategy,
    StrategyError,
    Token,
    TokenEndpoint,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
    redact_secrets,
)
from gqlauth.events import Event, FetchFailed, TokenFetched
from gqlauth.integrations.gql import (
    AIOHTTPWebsocketsTransport,
    WebsocketsTransport,
    aiohttp_middleware,
    is_fatal,
    retry_connect,
    retry_execute,
    transport,
)
from gqlauth.integrations.otel import telemetry
from gqlauth.sync import SyncAuthService
from gqlauth_strategies import Basic, Bearer, ClientCredentials, Header

if TYPE_CHECKING:
    import structlog


async def ask() -> None:
    """Ask an endpoint of a configuration file, in each of the ways."""
    async with gqlauth.AuthService.from_config() as service:
        assert_type(service, AuthService)
        url = service.endpoint("orders").url
        assert_type(url, str)

        async with httpx.AsyncClient(auth=service.auth("orders")) as client:
            answer = await client.post(url, json={"query": "{ me { id } }"})
            answer.raise_for_status()
        async with service.client("orders", timeout=5.0) as client:
            assert_type(client, httpx.AsyncClient)
            await client.post(url, json={"query": "{ me { id } }"})

        assert_type(await service.token("orders", min_ttl=60.0), Token)
        assert_type(service.status(), tuple[EndpointStatus, ...])
        assert_type(await service.check("orders"), EndpointStatus)
        assert_type(await service.clear(), int)
    AuthService.from_config("gqlauth.toml", on_event=note)
    AuthService.from_config(Path("gqlauth.toml"))


def note(event: Event) -> str:
    """Take note of what happens to tokens."""
    match event:
        case TokenFetched():
            assert_type(event.expires_at, float | None)
            return f"{event.endpoint}: {event.elapsed}"
        case FetchFailed():
            assert_type(event.error, GqlAuthError)
            return event.kind
        case _:
            return event.endpoint


AuthService(on_event=note)
AuthService(on_event=telemetry())


def ask_without_awaiting(running: AuthService) -> None:
    """Ask by a service in a thread of its own, and by one that runs in an event loop."""
    with SyncAuthService.from_config() as service:
        assert_type(service, SyncAuthService)
        with httpx.Client(auth=service.auth("orders")) as client:
            client.post(service.endpoint("orders").url, json={"query": "{ me { id } }"})
        with service.client("orders", timeout=5.0) as client:
            assert_type(client, httpx.Client)
        assert_type(service.status(), tuple[EndpointStatus, ...])
        assert_type(service.clear(), int)
    assert_type(SyncAuthService(running).token("orders", min_ttl=60.0), Token)


async def ask_without_a_file() -> None:
    """Ask an endpoint that the program configures itself, with each of our strategies."""
    secret = Secret("made-up")
    strategies: list[Strategy] = [
        ClientCredentials(
            token_url="https://id.example.com/oauth2/token",
            client_id="orders-cli",
            client_secret=secret,
            scopes=("orders:read",),
            resource=("https://orders.example.com/graphql",),
        ),
        Bearer(token=secret),
        Basic(username="me", password=secret),
        Header(name="X-Api-Key", value=secret),
        AcmeKey(token_url="https://id.example.com/key", api_key=secret),
        Fixed(),
    ]
    async with AuthService() as service:
        for strategy in strategies:
            auth = service.auth_for(strategy, url="https://orders.example.com/graphql")
            assert_type(auth, EndpointAuth)
            httpx.AsyncClient(auth=auth)


async def ask_by_gql(service: AuthService) -> None:
    """Ask, and listen, by graphql-python/gql."""
    by_httpx = transport(service, "orders", limits=httpx.Limits(max_connections=3))
    assert_type(by_httpx, HTTPXAsyncTransport)
    async with gql.Client(transport=by_httpx) as session:
        await session.execute(gql.gql("{ me { id } }"))
    middlewares = (aiohttp_middleware(service, "orders"),)
    AIOHTTPTransport("https://orders.example.com", client_session_args={"middlewares": middlewares})
    AIOHTTPWebsocketsTransport(service, client_session_args={"trust_env": True})
    listens = WebsocketsTransport(
        service,
        "orders",
        url="wss://orders.example.com/live",
        auth_in="init",
        init_path="headers.Authorization",
        renew=False,
        ping_interval=30,
    )
    client = gql.Client(transport=listens)
    await client.connect_async(  # type: ignore[no-untyped-call]
        reconnecting=True, retry_connect=retry_connect, retry_execute=retry_execute
    )
    assert_type(is_fatal(ValueError()), bool)


@attrs.frozen
class AcmeKey:
    """A strategy as a third party writes it."""

    token_url: str
    api_key: Secret

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        """Trade the key for a token."""
        return await endpoint.grant({"grant_type": "urn:acme:key", "key": self.api_key})


class Fixed:
    """A strategy that needs no token endpoint, and says so."""

    async def fetch(self, _endpoint: TokenEndpoint, /) -> Token:
        """Make a token."""
        return Token("made-up", token_type="", expires_in=300, header_name="X-Api-Key")


class Vault:
    """A source of secrets, as a third party writes it."""

    async def read(self) -> str:
        """Return the text."""
        return "made-up"


async def hold_a_secret() -> None:
    """Use a secret and a token."""
    secret = Secret.from_source(Vault())
    assert_type(secret.source, str)
    resolved = await secret.resolve()
    assert_type(resolved.reveal(), str)
    token = Token(resolved, scopes=("orders:read",))
    assert_type(token.reveal(), str)
    assert_type(token.fingerprint, str)
    assert_type(token.expires_at, float | None)


async def mind_what_goes_wrong(service: AuthService) -> str:
    """Tell the errors apart."""
    told = gqlauth.__version__
    try:
        await service.token()
    except (SecretError, StrategyError) as error:
        told = str(error)
    except ConfigError as error:
        told = "; ".join(problem.message for problem in error.problems)
    except TokenRefusedError as error:
        assert_type(error.status, int | None)
        told = f"{error.error}: {error.hint}"
    except TokenUnavailableError as error:
        assert_type(error.retry_after, float | None)
        told = error.host
    except TokenError as error:
        told = error.reason
    except ServiceClosedError:
        told = "closed"
    except GqlAuthError as error:
        told = str(error)
    return told


processors: list[structlog.typing.Processor] = [redact_secrets]
