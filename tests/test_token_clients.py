"""The requests of many keys: they take turns, and one server's keep no other's waiting."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from gqlauth import AuthService, ConfigError, Secret, Token, TokenUnavailableError
from gqlauth._certificate import Certificate
from gqlauth._config import Config, Endpoint, EndpointAuthConfig
from gqlauth._options import AuthOptions
from gqlauth._token_clients import CONNECTIONS, TokenClients
from gqlauth.testing import AuthorizationServer
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import certificate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.anyio

MANY = 3 * CONNECTIONS
API = "https://api.example.com/graphql"


def endpoint(name: str, server: str, *, timeout: float = 30.0) -> Endpoint:
    strategy = ClientCredentials(
        token_url=f"https://{server}/token",
        client_id="acme",
        client_secret=Secret("s3cret"),
        scopes=(name,),
    )
    auth = EndpointAuthConfig(
        type="client_credentials", strategy=strategy, options=AuthOptions(timeout=timeout)
    )
    return Endpoint(name=name, url=API, auth=auth)


def service(fake: AuthorizationServer, endpoints: Iterable[Endpoint]) -> AuthService:
    config = Config(endpoints={one.name: one for one in endpoints})
    return AuthService(config, token_transport=fake)


async def test_no_more_requests_than_connections_are_under_way() -> None:
    """The others wait, and all are served."""
    fake = AuthorizationServer()
    fake.gate = anyio.Event()
    names = [f"orders-{number}" for number in range(MANY)]
    all_of_them = service(fake, (endpoint(name, "id.example.com") for name in names))
    async with (
        all_of_them as many,
        anyio.create_task_group() as tasks,
    ):
        for name in names:
            tasks.start_soon(many.token, name)
        await anyio.wait_all_tasks_blocked()
        under_way = len(fake.requests)
        fake.gate.set()

    assert under_way == CONNECTIONS
    assert sorted(form["scope"][0] for form in fake.forms) == sorted(names)


async def test_a_slow_server_keeps_no_other_waiting() -> None:
    """All of its turns are taken, and another server's token comes."""
    fake = AuthorizationServer()
    fake.gate = anyio.Event()
    names = [f"orders-{number}" for number in range(MANY)]
    endpoints = [endpoint(name, "slow.example.com") for name in names]
    async with (
        service(fake, [*endpoints, endpoint("quick", "id.example.com")]) as many,
        anyio.create_task_group() as tasks,
    ):
        for name in names:
            tasks.start_soon(many.token, name)
        await anyio.wait_all_tasks_blocked()
        slow, fake.gate = fake.gate, None
        token: Token = await many.token("quick")
        slow.set()

    assert token.reveal() == f"token-{CONNECTIONS + 1}"


async def test_the_deadline_ends_the_wait_for_a_turn() -> None:
    """Whose turn does not come in time is told that the server was not asked."""
    fake = AuthorizationServer()
    fake.gate = anyio.Event()
    names = [f"orders-{number}" for number in range(CONNECTIONS)]
    endpoints = [endpoint(name, "id.example.com") for name in names]
    late = endpoint("late", "id.example.com", timeout=0.5)
    async with (
        service(fake, [*endpoints, late]) as many,
        anyio.create_task_group() as tasks,
    ):
        for name in names:
            tasks.start_soon(many.token, name)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(TokenUnavailableError) as caught:
            await many.token("late")
        fake.gate.set()

    assert len(fake.requests) == CONNECTIONS
    assert str(caught.value) == (
        "late: token endpoint id.example.com could not be asked within 0.5 s"
    )


async def test_turns_are_those_of_a_server_not_of_a_url() -> None:
    """Tenants that differ by their path alone share the connections, and so the turns."""
    clients = TokenClients(httpx.MockTransport(lambda _: httpx.Response(500)))
    one = clients.turn("https://id.example.com/one/token")

    assert clients.turn("https://id.example.com/other/token") is one
    assert clients.turn("https://id.example.com:8443/one/token") is not one


class TestCertificates:
    """The clients that show a certificate."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Certificate:
        """Make a certificate."""
        made = certificate(tmp_path, "orders")
        return Certificate(made.certificate_file, made.key_file)

    async def test_each_has_a_client_of_its_own(self, files: Certificate) -> None:
        """And none without one shows it."""
        async with aclosing(TokenClients(None)) as clients:
            plain = await clients.client(API, None)
            one, same = [await clients.client(API, None, files) for _ in range(2)]
            trusting = await clients.client(API, files.file, files)
        assert one is same
        assert len({id(plain), id(one), id(trusting)}) == 3

    async def test_a_renewed_one_is_shown(self, files: Certificate) -> None:
        """What was under way by the one before still gets its answer."""
        async with aclosing(TokenClients(None)) as clients:
            seen = []
            for moment in range(3):
                os.utime(files.file, ns=(moment, moment))
                seen.append(await clients.client(API, None, files))
            closed = [one.is_closed for one in seen]
        assert closed == [True, False, False]
        assert [one.is_closed for one in seen] == [True, True, True]

    async def test_those_who_ask_at_once_get_one(self, files: Certificate) -> None:
        """It is made once, though each has read the files."""
        got: set[httpx.AsyncClient] = set()
        async with aclosing(TokenClients(None)) as clients:

            async def ask() -> None:
                got.add(await clients.client(API, None, files))

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(ask)
        assert len(got) == 1

    async def test_files_that_cannot_be_used_are_told(self, tmp_path: Path) -> None:
        """Before anything is sent."""
        async with aclosing(TokenClients(None)) as clients:
            with pytest.raises(ConfigError, match=r"certificate_file .* cannot be used"):
                await clients.client(API, None, Certificate(tmp_path / "missing.pem"))


class TestLent:
    """Connections that requests to an API borrow."""

    def test_to_whom_is_trusted_alike(self) -> None:
        """They are lent where TLS is the same for both."""
        assert TokenClients(None).lent(endpoint("orders", "id.example.com")) is not None
        assert TokenClients(None).lent(Endpoint(name="public", url=API)) is not None

    def test_a_ca_file_of_its_own(self, tmp_path: Path) -> None:
        """An API that is verified by other certificates has connections of its own."""
        verified = Endpoint(name="orders", url=API, ca_file=tmp_path / "ca.pem")

        assert TokenClients(None).lent(verified) is None

    def test_a_certificate(self, tmp_path: Path) -> None:
        """So has one that a certificate is shown to."""
        strategy = ClientCredentials(
            token_url="https://id.example.com/token",
            client_id="acme",
            certificate_file=tmp_path / "own.pem",
        )
        auth = EndpointAuthConfig(type="any", strategy=strategy, options=AuthOptions())

        assert TokenClients(None).lent(Endpoint(name="orders", url=API, auth=auth)) is None

    def test_no_network(self) -> None:
        """What token requests go over instead of the network is not for an API."""
        assert TokenClients(AuthorizationServer()).lent(Endpoint(name="orders", url=API)) is None
