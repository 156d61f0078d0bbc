"""No key that tokens are bound to is told, and no proof that goes with one (RFC 9449)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gqlauth import AuthOptions, AuthService, Secret
from gqlauth._dpop import Prover
from gqlauth_strategies import ClientCredentials
from tests.leaks.canaries import ACCESS_TOKEN, Canary, Search
from tests.leaks.listening import listening
from tests.leaks.showing import leaks_of
from tests.support.http_server import http_server, json_answer

if TYPE_CHECKING:
    from tests.support.http_server import Answer, HttpServer, Request

pytestmark = pytest.mark.anyio

KEY = ECKey.generate_key("P-256").as_dict(private=True)
PRIVATE = Canary("key that tokens are bound to", str(KEY["d"]))


def answer(request: Request) -> Answer:
    """Answer as a token endpoint that wants a nonce, and as an API that does."""
    is_first = "nonce" not in _claims(request.headers["dpop"])
    nonce = {"DPoP_Nonce": "n-1"}
    if request.path == "/token":
        if is_first:
            return json_answer({"error": "use_dpop_nonce"}, 400, **nonce)
        return json_answer({"access_token": ACCESS_TOKEN.text, "token_type": "DPoP"})
    challenge = {"WWW_Authenticate": 'DPoP error="use_dpop_nonce"', **nonce}
    return json_answer({"echo": request.headers}, 401 if is_first else 200, **challenge)


def _claims(proof: str) -> str:
    return str(jwt.decode(proof, ECKey.import_key(KEY), algorithms=["ES256"]).claims)


def strategy_of(server: HttpServer) -> ClientCredentials:
    return ClientCredentials(
        token_url=f"{server.url}/token",
        client_id="orders",
        dpop=True,
        dpop_key=Secret(json.dumps(KEY)),
    )


async def test_log() -> None:
    """Not even where all that anyone says is logged."""
    with http_server(answer) as server, listening() as everything:
        strategy = strategy_of(server)
        url = f"{server.url}/graphql"
        async with AuthService() as service:
            auth = service.auth_for(strategy, url=url)
            async with httpx.AsyncClient(auth=auth) as client:
                got = await client.post(url, json={"query": "{ me }"})
        proofs = [request.headers["dpop"] for request in server.requests]

    assert got.status_code == 200
    assert len(proofs) == 4
    assert "token answer" in everything.text
    signatures = [Canary(f"proof {n}", proof[-80:]) for n, proof in enumerate(proofs)]
    assert Search([PRIVATE, ACCESS_TOKEN, *signatures])(everything.text) == set()


async def test_objects() -> None:
    """Nor does a token tell it that is bound, nor what presents it, in whatever way it is shown."""
    with http_server(answer) as server:
        strategy = strategy_of(server)
        async with AuthService() as service:
            token = await service._sources.made("orders", strategy, AuthOptions()).token()

    assert isinstance(token.presenter, Prover)
    for one in (token, token.presenter, token.presenter.key):
        assert leaks_of(one, Search([PRIVATE, ACCESS_TOKEN])) == set()
