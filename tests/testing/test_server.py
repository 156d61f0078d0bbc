"""The authorization server for tests: what it answers, and what it has seen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from gqlauth import Secret, StrategyError
from gqlauth.testing import AuthorizationServer, FrozenClock

if TYPE_CHECKING:
    from gqlauth.testing._server import Script

pytestmark = pytest.mark.anyio

URL = "https://id.example.com/token"
FORM = {"grant_type": "client_credentials"}


async def asked(server: AuthorizationServer, form: Any = None, **settings: Any) -> httpx.Response:
    """Return what a token request is answered with."""
    async with httpx.AsyncClient(transport=server) as client:
        return await client.post(URL, data=FORM if form is None else form, **settings)


class TestAnswers:
    async def test_new_tokens(self) -> None:
        """Without a script, each request gets a token of its own."""
        server = AuthorizationServer(expires_in=60)
        answers = [(await asked(server)).json() for _ in range(2)]

        assert answers == [
            {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 60}
            for number in (1, 2)
        ]

    @pytest.mark.parametrize(
        ("item", "status", "text"),
        [
            (503, 503, ""),
            ({"error": "invalid_client"}, 400, '{"error":"invalid_client"}'),
            ({"access_token": "t"}, 200, '{"access_token":"t"}'),
            (httpx.Response(302, headers={"location": "/"}, text="there"), 302, "there"),
            (lambda request: int(request.headers["x-status"]), 418, ""),
        ],
        ids=["status", "error", "token", "response", "function"],
    )
    async def test_script(self, item: Script, status: int, text: str) -> None:
        """An item may be what is at hand, and may be sent again; then come new tokens."""
        server = AuthorizationServer(item, item)
        answers = [await asked(server, headers={"x-status": "418"}) for _ in range(3)]

        assert [(a.status_code, a.text) for a in answers[:2]] == [(status, text)] * 2
        assert answers[2].json()["access_token"] == "token-3"

    async def test_what_is_no_answer(self) -> None:
        """It is told as the mistake in a test that it is."""
        with pytest.raises(TypeError, match="the script has a str where an answer belongs"):
            await asked(AuthorizationServer("token"))  # type: ignore[arg-type]

    async def test_network_that_fails(self) -> None:
        """An exception is raised, as by httpx."""
        with pytest.raises(httpx.ConnectError, match="refused"):
            await asked(AuthorizationServer(httpx.ConnectError("refused")))

    async def test_otherwise(self) -> None:
        """What is set stands for all that comes after the script."""
        server = AuthorizationServer(500, otherwise=503)

        assert [(await asked(server)).status_code for _ in range(3)] == [500, 503, 503]

    async def test_body_that_comes_as_it_is_read(self) -> None:
        """A response that is not read yet is handed on as it is."""

        class Body(httpx.AsyncByteStream):
            async def __aiter__(self) -> Any:
                yield b"piece"

        server = AuthorizationServer(httpx.Response(200, stream=Body()))

        assert (await asked(server)).text == "piece"

    async def test_delay(self) -> None:
        """An answer takes its time, by the clock."""
        clock = FrozenClock()
        await asked(AuthorizationServer(delay=2.5, clock=clock))

        assert clock.pauses == [2.5]

    async def test_gate(self) -> None:
        """Answers wait where there is a gate, and the request is there already."""
        server = AuthorizationServer()
        server.gate = anyio.Event()
        answers: list[httpx.Response] = []

        async def ask() -> None:
            answers.append(await asked(server))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await server.arrived.wait()
            assert (len(server.requests), answers) == (1, [])
            server.gate.set()
        assert len(answers) == 1


class TestSeen:
    async def test_forms(self) -> None:
        """Each request's fields are there with all their values, empty ones too."""
        server = AuthorizationServer()
        await asked(server, {"resource": ["a", "b"], "scope": ""})

        assert server.forms == [{"resource": ["a", "b"], "scope": [""]}]

    async def test_lookups_are_no_token_requests(self) -> None:
        """They are kept by themselves."""
        server = AuthorizationServer()
        async with httpx.AsyncClient(transport=server) as client:
            await client.get("https://id.example.com/jwks")

        assert [request.url.path for request in server.lookups] == ["/jwks"]
        assert server.requests == []


class TestMetadata:
    @pytest.mark.parametrize(
        ("issuer", "path"),
        [
            ("https://id.example.com", "/.well-known/oauth-authorization-server"),
            ("https://id.example.com/", "/.well-known/oauth-authorization-server"),
            ("https://id.example.com/o", "/.well-known/oauth-authorization-server/o"),
            ("https://id.example.com/o", "/o/.well-known/openid-configuration"),
        ],
    )
    async def test_is_published(self, issuer: str, path: str) -> None:
        """It stands where RFC 8414 and OpenID Connect say."""
        server = AuthorizationServer(issuer=issuer)
        async with httpx.AsyncClient(transport=server) as client:
            published = (await client.get(f"https://id.example.com{path}")).json()

        assert published == server.metadata
        assert published["issuer"] == issuer
        assert published["token_endpoint"] == f"{issuer.rstrip('/')}/token"

    async def test_what_is_not_there(self) -> None:
        """Another path is a 404."""
        async with httpx.AsyncClient(transport=AuthorizationServer()) as client:
            assert (await client.get("https://id.example.com/else")).status_code == 404


class TestSignedTokens:
    async def claims(self, server: AuthorizationServer, form: Any, **settings: Any) -> Any:
        """Return the claims of a token that verifies by the keys which are published."""
        token = (await asked(server, {**FORM, **form}, **settings)).json()["access_token"]
        async with httpx.AsyncClient(transport=server) as client:
            keys = (await client.get("https://id.example.com/jwks")).json()
        return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"]).claims

    async def test_claims(self) -> None:
        """They are those of RFC 9068, for the client that asks."""
        server = AuthorizationServer(signed=True, clock=FrozenClock(1000), expires_in=60)
        form = {"client_id": "orders", "scope": "read write", "audience": "api"}

        assert await self.claims(server, form) == {
            "iss": "https://id.example.com",
            "sub": "orders",
            "client_id": "orders",
            "aud": ["api"],
            "iat": 1000,
            "exp": 1060,
            "jti": "token-1",
            "scope": "read write",
        }

    @pytest.mark.parametrize(
        ("form", "aud"),
        [({}, ["https://id.example.com"]), ({"resource": ["a", "b"]}, ["a", "b"])],
        ids=["none", "resources"],
    )
    async def test_audience(self, form: dict[str, object], aud: list[str]) -> None:
        """It is what was asked for, and else the server."""
        claims = await self.claims(AuthorizationServer(signed=True), form)

        assert claims["aud"] == aud

    @pytest.mark.parametrize("auth", [("a b+c", "x"), None], ids=["basic", "another scheme"])
    async def test_client(self, auth: tuple[str, str] | None) -> None:
        """It is told by Basic, form-encoded, or by the form."""
        server = AuthorizationServer(signed=True, expires_in="soon")
        settings: Any = {"auth": (b"a%20b%2Bc", b"x")}
        if auth is None:
            settings = {"headers": {"authorization": "Bearer x"}}
        claims = await self.claims(server, {"client_id": "orders"}, **settings)

        assert claims["client_id"] == ("orders" if auth is None else auth[0])
        assert "exp" not in claims

    async def test_rotation(self) -> None:
        """A new key signs from then on, and the old one is still published."""
        server = AuthorizationServer(signed=True)
        old = (await asked(server)).json()["access_token"]
        kid = server.rotate_key()
        new = (await asked(server)).json()["access_token"]
        keys: Any = server.key_set
        known = KeySet.import_key_set(keys)

        assert [key["kid"] for key in keys["keys"]][1:] == [kid]
        assert jwt.decode(old, known, algorithms=["ES256"]).header["kid"] != kid
        assert jwt.decode(new, known, algorithms=["ES256"]).header["kid"] == kid

    async def test_no_private_key_is_published(self) -> None:
        """What is published are public keys."""
        (key,) = AuthorizationServer(signed=True).key_set["keys"]

        assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x", "y"]

    async def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing is named."""
        monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
        with pytest.raises(StrategyError, match=r'needs .*"gqlauth\[jwt\]"'):
            AuthorizationServer(signed=True)


async def test_bound_token() -> None:
    """A request with a proof of possession gets a token that is bound."""
    answer = await asked(AuthorizationServer(), headers={"DPoP": Secret("proof").reveal()})

    assert answer.json()["token_type"] == "DPoP"
