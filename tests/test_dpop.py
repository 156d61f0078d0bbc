"""Proofs of possession (RFC 9449): what is signed, nonces, and tokens that are bound."""

from __future__ import annotations

import json
import sys
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gqlauth import AuthService, Secret, SecretError, StrategyError, Token
from gqlauth._dpop import Nonces, Possession, ProofKey
from gqlauth.testing import AuthorizationServer, FrozenClock
from gqlauth_strategies import ClientCredentials
from tests.support.asked import Asked, Client
from tests.support.token_endpoint import URL, answer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

KEY = ECKey.generate_key("P-256")
API = "https://orders.example.com/graphql"
CHALLENGE = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": "n-api"}

# RFC 9449, sections 4.2, 6.1 and 7.1.
RFC_KEY: dict[str, str | list[str]] = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoU"
    "klDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWcl"
    "UwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dS"
    "I6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-Fd"
    "WP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"


def read(proof: str, key: ECKey = KEY) -> jwt.Token:
    return jwt.decode(proof, key, algorithms=["ES256"])


def bound(**fields: Any) -> Client:
    client: Client = attrs.evolve(DpopClient(), **fields)
    return client


@attrs.frozen
class DpopClient(Client):
    """A client whose tokens are bound."""

    dpop: bool = True
    dpop_key: Secret | None = None


def token_of(text: str = "t-1") -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: answer(200, json.dumps({"access_token": text, "token_type": "DPoP"}))


class TestProof:
    def test_what_the_rfc_signs(self) -> None:
        """The proof of RFC 9449, section 4.2, has the header and the claims of ours."""
        theirs = read(RFC_PROOF, ECKey.import_key(RFC_KEY))
        ours = read(
            ProofKey(KEY, "ES256")
            .proof("POST", "https://server.example.com/token", 1562262616.9, nonce=None)
            .reveal()
        )
        assert ours.header == {**theirs.header, "jwk": KEY.as_dict(private=False)}
        assert {**ours.claims, "jti": ""} == {**theirs.claims, "jti": ""}

    def test_thumbprint(self) -> None:
        """RFC 9449, section 6.1: what a token is bound to."""
        key = ProofKey(ECKey.import_key(RFC_KEY), "ES256")
        assert key.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

    def test_token(self) -> None:
        """RFC 9449, section 7.1: the digest of the token that goes with it."""
        token = Token(RFC_TOKEN, token_type="DPoP")
        proof = ProofKey(KEY, "ES256").proof("GET", API, 0, nonce="n", token=token)
        claims = read(proof.reveal()).claims
        assert (claims["ath"], claims["nonce"]) == (
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
            "n",
        )

    @pytest.mark.parametrize(
        ("url", "target"),
        [
            ("https://a.example.com/b?c=d#e", "https://a.example.com/b"),
            ("https://a.example.com", "https://a.example.com/"),
        ],
    )
    def test_target(self, url: str, target: str) -> None:
        """It has neither query nor fragment (RFC 9449, section 4.2)."""
        proof = ProofKey(KEY, "ES256").proof("POST", url, 0, nonce=None)
        assert read(proof.reveal()).claims["htu"] == target

    def test_what_a_jwk_says_beside_the_key(self) -> None:
        """It is nobody's business, and in no proof."""
        key = ECKey.import_key({**KEY.as_dict(private=True), "kid": "ana@example.com"})
        assert "kid" not in ProofKey(key, "ES256")._public

    def test_each_is_another(self) -> None:
        """None is taken twice."""
        key = ProofKey(KEY, "ES256")
        first, second = (read(key.proof("GET", API, 0, nonce=None).reveal()) for _ in range(2))
        assert first.claims["jti"] != second.claims["jti"]


class TestNonces:
    def test_each_server_has_its_own(self) -> None:
        """What one gave is not told to another; the last counts."""
        nonces = Nonces()
        for nonce in ("n-1", "n-2"):
            assert nonces.heard(API, {"DPoP-Nonce": nonce})
        assert nonces.last("https://orders.example.com/other") == "n-2"
        assert nonces.last(URL) is None

    @pytest.mark.parametrize("nonce", ["", 'a"b', "a b", "ä", "n" * 1025])
    def test_what_is_none(self, nonce: str) -> None:
        """It is passed over (RFC 9449, section 8.1)."""
        nonces = Nonces()
        assert not nonces.heard(API, {"DPoP-Nonce": nonce})
        assert nonces.last(API) is None


class TestKey:
    async def test_one_for_the_service(self) -> None:
        """Where none is configured, all its tokens are bound to one."""
        possession = Possession()
        first, second = [await possession.prover(None, None, FrozenClock()) for _ in range(2)]
        assert first.key is second.key
        assert first.key.algorithm == "ES256"

    async def test_public_key(self) -> None:
        """It cannot sign, and is told."""
        key = Secret(json.dumps(KEY.as_dict(private=False)))
        with pytest.raises(SecretError, match="is a public key"):
            await Possession().prover(key, None, FrozenClock())

    async def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is missing is named."""
        monkeypatch.setitem(sys.modules, "joserfc.jwk", None)
        with pytest.raises(StrategyError, match=r'^dpop needs .*"gqlauth\[jwt\]"'):
            await Possession().prover(None, None, FrozenClock())


class TestTokenRequest:
    async def test_proof(self) -> None:
        """It goes with the request, and the token is one that is bound."""
        fake = AuthorizationServer(token_of())
        key = Secret(json.dumps(KEY.as_dict(private=True)))
        token = await Asked(fake, bound(dpop_key=key)).grant()
        claims = read(fake.requests[0].headers["DPoP"]).claims
        assert (claims["htm"], claims["htu"]) == ("POST", URL)
        assert token.header_value == "DPoP t-1"
        assert token.presenter is not None

    async def test_nonce(self) -> None:
        """The one that the server asks for is in the next proof, and that counts as one more."""
        challenge = answer(400, '{"error": "use_dpop_nonce"}', {"DPoP-Nonce": "n-1"})
        fake = AuthorizationServer(challenge, token_of())
        key = Secret(json.dumps(KEY.as_dict(private=True)))
        await Asked(fake, bound(dpop_key=key)).grant()
        nonces = [read(r.headers["DPoP"]).claims.get("nonce") for r in fake.requests]
        assert nonces == [None, "n-1"]

    async def test_nonce_that_is_never_enough(self) -> None:
        """It is asked for once, and then told as the refusal that it is."""
        fake = AuthorizationServer(
            *[answer(400, '{"error": "use_dpop_nonce"}', {"DPoP-Nonce": f"n-{n}"}) for n in (1, 2)]
        )
        error = await Asked(fake, bound()).fail()
        assert (error.error, error.tries) == ("use_dpop_nonce", 2)

    async def test_nonce_that_does_not_come(self) -> None:
        """A challenge without one is a refusal."""
        fake = AuthorizationServer(answer(400, '{"error": "use_dpop_nonce"}'))
        assert (await Asked(fake, bound()).fail()).tries == 1

    async def test_bearer_token(self) -> None:
        """One that is not bound is refused (RFC 9449, section 5)."""
        unbound = {"access_token": "t", "token_type": "Bearer"}
        error = await Asked(AuthorizationServer(unbound), bound()).fail()
        assert error.reason == 'gave a token of type "Bearer", though dpop wants one of type DPoP'
        assert "drop dpop" in error.hint

    async def test_token_that_is_bound_unasked(self) -> None:
        """It cannot be presented; what may mend it is told."""
        error = await Asked(AuthorizationServer(token_of())).fail()
        assert error.hint == "set dpop = true"

    @pytest.mark.parametrize(("skew", "told"), [(0, ""), (90, "clock is 90 s ahead")])
    async def test_proof_that_is_refused(self, skew: int, told: str) -> None:
        """Where the clocks differ, that is told."""
        clock = FrozenClock()
        date = httpx.Headers({"Date": formatdate(clock.wall() - skew, usegmt=True)})
        fake = AuthorizationServer(answer(400, '{"error": "invalid_dpop_proof"}', dict(date)))
        error = await Asked(fake, bound(), clock).fail()
        assert error.reason == "refused the DPoP proof"
        assert told in error.hint
        assert bool(error.hint) is bool(told)


class TestRequest:
    async def ask(self, *answers: httpx.Response, times: int = 1) -> list[httpx.Request]:
        """Ask an API that gives these answers, and then accepts; return what it was asked."""
        asked: list[httpx.Request] = []
        script = list(answers)

        def api(request: httpx.Request) -> httpx.Response:
            asked.append(httpx.Request(request.method, request.url, headers=request.headers))
            return script.pop(0) if script else httpx.Response(200, json={"data": {}})

        numbers = iter(range(1, 10))
        fake = AuthorizationServer(*[token_of(f"t-{next(numbers)}") for _ in range(3)])
        strategy = ClientCredentials(
            token_url=URL,
            client_id="orders",
            dpop=True,
            dpop_key=Secret(json.dumps(KEY.as_dict(private=True))),
        )
        async with AuthService(token_transport=fake) as service:
            auth = service.auth_for(strategy, url=API)
            transport = httpx.MockTransport(api)
            async with httpx.AsyncClient(
                auth=auth, transport=transport, follow_redirects=True
            ) as client:
                for _ in range(times):
                    await client.post(API, json={"query": "{ me }"})
        return asked

    @staticmethod
    def told(asked: list[httpx.Request]) -> list[tuple[str, str | None]]:
        """Return the token and the nonce of each request, and see that its proof fits."""
        proofs = [read(request.headers["DPoP"]).claims for request in asked]
        assert {(proof["htm"], proof["htu"]) for proof in proofs} == {("POST", API)}
        assert len({proof["jti"] for proof in proofs}) == len(asked)
        return [
            (request.headers["Authorization"], proof.get("nonce"))
            for request, proof in zip(asked, proofs, strict=True)
        ]

    async def test_proof(self) -> None:
        """Each request has one of its own."""
        assert self.told(await self.ask(times=2)) == [("DPoP t-1", None)] * 2

    async def test_nonce(self) -> None:
        """The same token is sent with the nonce, and the next request has it already."""
        asked = await self.ask(httpx.Response(401, headers=CHALLENGE), times=2)
        assert self.told(asked) == [("DPoP t-1", None), *[("DPoP t-1", "n-api")] * 2]

    async def test_nonce_of_an_answer(self) -> None:
        """A new one may come with any answer (RFC 9449, section 8.2)."""
        asked = await self.ask(
            httpx.Response(200, headers={"DPoP-Nonce": "n-2"}, json={"data": {}}), times=2
        )
        assert self.told(asked) == [("DPoP t-1", None), ("DPoP t-1", "n-2")]

    async def test_challenge_is_no_rejection(self) -> None:
        """After it, a token that is refused is still replaced once, and challenged once."""
        refused = {"WWW-Authenticate": 'DPoP error="invalid_token"'}
        asked = await self.ask(
            httpx.Response(401, headers=CHALLENGE),
            httpx.Response(401, headers=refused),
            httpx.Response(401, headers={**CHALLENGE, "DPoP-Nonce": "n-3"}),
        )
        assert self.told(asked) == [
            ("DPoP t-1", None),
            ("DPoP t-1", "n-api"),
            ("DPoP t-2", "n-api"),
            ("DPoP t-2", "n-3"),
        ]

    async def test_redirect(self) -> None:
        """What a redirect leads to has a proof for another place: its refusal says nothing."""
        redirect = httpx.Response(307, headers={"Location": "/moved"})
        asked = await self.ask(redirect, httpx.Response(401, headers=CHALLENGE))
        assert [request.url.path for request in asked] == ["/graphql", "/moved"]


class TestConfiguration:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"dpop_key": Secret("k3y")}, "dpop_key: is for dpop = true alone"),
            (
                {"dpop": True, "headers": {"dpop": "x"}},
                "headers: DPoP is how dpop proves possession",
            ),
        ],
    )
    def test_what_does_not_go_together(self, fields: dict[str, Any], told: str) -> None:
        """It is refused."""
        with pytest.raises(ValueError, match=told):
            ClientCredentials(token_url=URL, client_id="orders", **fields)
