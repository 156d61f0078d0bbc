"""Discovery: one search for all who wait, kept for an hour, and what a service does with it."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from gqlauth import AuthService, TokenError, TokenRefusedError, TokenUnavailableError
from gqlauth import _discovery as discovery_module
from gqlauth._discovery import KEPT, Discovery
from gqlauth._options import AuthOptions
from gqlauth._tries import Tries
from gqlauth.testing import FrozenClock
from gqlauth_strategies import ClientCredentials
from tests.support.certificates import certificate
from tests.support.issuer import ISSUER, OAUTH, OPENID, FakeIssuer, Search, metadata, published

if TYPE_CHECKING:
    from pathlib import Path

    from gqlauth._metadata import Metadata

pytestmark = pytest.mark.anyio


class TestSharing:
    async def test_it_is_kept_for_an_hour(self) -> None:
        """And then asked for again."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        async with aclosing(search.network):
            await search.find()
            search.clock.advance(KEPT - 1)
            await search.find()
            before = len(search.fake.requests)
            search.clock.advance(1)
            await search.find()
        assert (before, len(search.fake.requests)) == (1, 2)

    async def test_those_who_wait_share_one_request(self) -> None:
        """Whichever endpoint they ask for."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        search.fake.gate = anyio.Event()
        found: list[Metadata] = []

        async def find() -> None:
            found.append(await search.find())

        async with aclosing(search.network), anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(find)
            await anyio.wait_all_tasks_blocked()
            search.fake.gate.set()
        assert (len(search.fake.requests), len(found)) == (1, 3)

    async def test_those_who_wait_share_one_failure(self) -> None:
        """Each has an error of its own."""
        search = Search(FakeIssuer(oauth=published([])))
        search.fake.gate = anyio.Event()
        errors: list[TokenError] = []

        async def fail() -> None:
            with pytest.raises(TokenRefusedError) as caught:
                await search.find()
            errors.append(caught.value)

        async with aclosing(search.network), anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(fail)
            await anyio.wait_all_tasks_blocked()
            search.fake.gate.set()
        assert len(search.fake.requests) == 1
        assert len({str(error) for error in errors}) == 1
        assert len({id(error) for error in errors}) == 3

    async def test_a_failure_is_not_kept(self) -> None:
        """Whoever comes later asks again: the cache of tokens says when."""
        search = Search(FakeIssuer(oauth=[published([]), published(metadata())]))
        async with aclosing(search.network):
            with pytest.raises(TokenRefusedError):
                await search.find()
            await search.find()

    async def test_who_gives_up_leaves_it_to_another(self) -> None:
        """A time that is over for one may not be over for who waits."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        search.fake.gate = anyio.Event()
        found: list[Metadata] = []

        async def give_up() -> None:
            with pytest.raises(TokenUnavailableError):
                await search.find(within=0.05)

        async def find() -> None:
            found.append(await search.find())

        async with aclosing(search.network), anyio.create_task_group() as tasks:
            tasks.start_soon(give_up)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(find)
            while len(search.fake.requests) < 2:
                await anyio.lowlevel.checkpoint()
            search.fake.gate.set()
        assert len(found) == 1

    async def test_who_waits_has_a_time_too(self) -> None:
        """It is no longer for waiting."""
        search = Search(FakeIssuer(oauth=published(metadata())))
        search.fake.gate = anyio.Event()
        async with aclosing(search.network), anyio.create_task_group() as tasks:
            tasks.start_soon(search.find)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(TokenUnavailableError) as caught:
                await search.find(within=0.05)
            search.fake.gate.set()
        assert str(caught.value) == "issuer id.example.com gave no answer within 0.05 s"

    async def test_no_more_are_kept_than_are_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first to come is the first to go."""
        monkeypatch.setattr(discovery_module, "MOST", 2)
        discovery = Discovery()
        clock = FrozenClock()
        issuers = [f"https://{name}.example.com" for name in "abc"]
        for issuer in issuers:
            async with httpx.AsyncClient(
                transport=FakeIssuer(oauth=published(metadata(issuer)))
            ) as client:
                tries = Tries(clock, anyio.current_time() + 30, 30)
                await discovery.metadata(issuer, client, tries, insecure=False)
        assert [discovery.known(issuer) is not None for issuer in issuers] == [False, True, True]


class TestService:
    async def test_a_token_is_asked_for_where_the_issuer_says(self) -> None:
        """And the status tells where that is, once it is known."""
        fake = FakeIssuer(openid=published(metadata(token_endpoint=f"{ISSUER}/elsewhere")))
        strategy = ClientCredentials(issuer=ISSUER, client_id="orders")
        async with AuthService(token_transport=fake) as service:
            source = service._sources.made("orders", strategy, AuthOptions())
            before = source.token_url
            await source.token()
            after = source.token_url
        assert fake.paths == [OAUTH, OPENID, "/elsewhere"]
        assert (before, after) == (None, f"{ISSUER}/elsewhere")

    async def test_a_lie_is_told_in_the_name_of_the_endpoint(self) -> None:
        """As any failure to get a token."""
        fake = FakeIssuer(oauth=published([]))
        strategy = ClientCredentials(issuer=ISSUER, client_id="orders")
        async with AuthService(token_transport=fake) as service:
            with pytest.raises(TokenRefusedError, match=r"^orders: issuer id\.example\.com gave"):
                await service._sources.made("orders", strategy, AuthOptions()).token()

    async def test_a_token_endpoint_that_moved_is_looked_for_again(self) -> None:
        """It need not take an hour; what is down has not moved."""
        old, new = (metadata(token_endpoint=f"{ISSUER}/{name}") for name in ("old", "new"))
        fake = FakeIssuer(oauth=[published(old), published(new)])
        fake.scripts["/old"] = [httpx.Response(400), httpx.Response(404)]
        strategy = ClientCredentials(issuer=ISSUER, client_id="orders")
        async with AuthService(token_transport=fake) as service:
            source = service._sources.made("orders", strategy, AuthOptions())
            for _ in range(2):
                with pytest.raises(TokenRefusedError):
                    await source.token(renew=True)
                source.forget()
            await source.token()
        assert fake.paths == [OAUTH, "/old", "/old", OAUTH, "/new"]

    async def test_who_shows_a_certificate_asks_at_the_place_for_those(
        self, tmp_path: Path
    ) -> None:
        """RFC 8705, section 5; the status tells that place."""
        made = certificate(tmp_path, "orders")
        aliases = {"token_endpoint": "https://mtls.example.com/certified"}
        fake = FakeIssuer(oauth=published(metadata(mtls_endpoint_aliases=aliases)))
        strategy = ClientCredentials(
            issuer=ISSUER,
            client_id="orders",
            certificate_file=made.certificate_file,
            certificate_key_file=made.key_file,
        )
        async with AuthService(token_transport=fake) as service:
            source = service._sources.made("orders", strategy, AuthOptions())
            await source.token()
            assert source.token_url == "https://mtls.example.com/certified"
        assert fake.requests[-1].url.host == "mtls.example.com"
