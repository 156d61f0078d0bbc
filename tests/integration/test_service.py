"""`AuthService` and httpx, from the real authorization server to the real API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

import gqlauth
from gqlauth import AuthService, Secret
from gqlauth._options import AuthOptions
from gqlauth_strategies import Basic, Bearer, Header
from tests.support.servers import oidc_provider

if TYPE_CHECKING:
    from tests.integration.conftest import Credentials
    from tests.support.servers import Api, Provider

pytestmark = pytest.mark.anyio

ME = "{ me { id scopes tokenType } }"


async def ask(client: httpx.AsyncClient, url: str, query: str = ME) -> httpx.Response:
    return await client.post(url, json={"query": query})


async def told(service: AuthService, strategy: gqlauth.Strategy, url: str) -> dict[str, Any]:
    """Return who the API says is calling, with a strategy's token."""
    async with httpx.AsyncClient(auth=service.auth_for(strategy, url=url)) as client:
        answer = await ask(client, url)
    me: dict[str, Any] = answer.raise_for_status().json()["data"]["me"]
    return me


async def test_configured_endpoint_is_asked(
    provider: Provider, api: Api, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, an endpoint's name and httpx are all that it takes."""
    path = tmp_path / "gqlauth.toml"
    path.write_text(f"""
        [endpoints.api]
        url = "{api.url}"

        [endpoints.api.auth]
        type = "client_credentials"
        token_url = "{provider.token_url}"
        client_id = "basic"
        client_secret = {{ env = "API_CLIENT_SECRET" }}
        scopes = ["api:read"]
        audience = "{api.audience}"
    """)
    monkeypatch.setenv("API_CLIENT_SECRET", "basic-secret")

    async with (
        AuthService.from_config(path) as service,
        httpx.AsyncClient(auth=service.auth("api")) as client,
    ):
        answer = await ask(client, service.endpoint("api").url)
        (status,) = service.status()

    me = {"id": "basic", "scopes": ["api:read"], "tokenType": "jwt"}
    assert answer.json() == {"data": {"me": me}}
    assert (status.state, status.scopes) == ("valid", ("api:read",))


@pytest.mark.parametrize("name", ["audience", "resource"])
async def test_token_for_the_api_is_a_jwt(
    jwt_credentials: Credentials, api: Api, name: str
) -> None:
    """An audience, or a resource, is what a token is for."""
    fields: dict[str, Any] = {
        "audience": None,
        name: (api.audience,) if name == "resource" else api.audience,
    }
    async with AuthService() as service:
        me = await told(service, jwt_credentials(**fields), api.url)

    assert me == {"id": "basic", "scopes": ["api:read"], "tokenType": "jwt"}


async def test_opaque_token_is_as_good(opaque_credentials: Credentials, api: Api) -> None:
    """A token that tells nothing of itself is put into the request all the same."""
    async with AuthService() as service:
        me = await told(service, opaque_credentials(), api.url)

    assert me == {"id": "basic", "scopes": ["api:read"], "tokenType": "opaque"}


@pytest.mark.parametrize(
    ("client_id", "method"),
    [
        ("basic", "client_secret_basic"),
        ("special:id+%", "client_secret_basic"),
        ("raw", "client_secret_basic_raw"),
        ("post", "client_secret_post"),
    ],
)
async def test_client_proves_itself(
    jwt_credentials: Credentials, api: Api, client_id: str, method: str
) -> None:
    """Each client proves itself by its method, special characters included."""
    strategy = jwt_credentials(client_id, token_endpoint_auth_method=method)
    async with AuthService() as service:
        me = await told(service, strategy, api.url)

    assert me["id"] == client_id


async def test_public_client_says_who_it_is(jwt_credentials: Credentials, api: Api) -> None:
    """A client without a secret gets its token, too."""
    strategy = jwt_credentials("public")
    async with AuthService() as service:
        me = await told(service, strategy, api.url)

    assert me["id"] == "public"


@pytest.mark.parametrize(
    "strategy",
    [
        Bearer(token=Secret("static-token")),
        Basic(username="user", password=Secret("static-password")),
        Header(name="X-Api-Key", value=Secret("static-key")),
    ],
    ids=["bearer", "basic", "header"],
)
async def test_static_credential_is_sent(strategy: gqlauth.Strategy, api: Api) -> None:
    """A credential that somebody else gave out is put into the request as its type says."""
    async with AuthService() as service:
        me = await told(service, strategy, api.at("static"))

    assert me["tokenType"] == "static"


async def test_many_callers_make_one_token_request(
    provider: Provider, jwt_credentials: Credentials, api: Api
) -> None:
    """Many callers of a cold service share one token request."""
    before = provider.requests("basic")
    answers: list[httpx.Response] = []
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(jwt_credentials(), url=api.url)) as client,
        anyio.create_task_group() as tasks,
    ):

        async def one() -> None:
            answers.append(await ask(client, api.url))

        for _ in range(20):
            tasks.start_soon(one)

    assert [answer.status_code for answer in answers] == [200] * 20
    assert provider.requests("basic") - before == 1


@pytest.mark.parametrize("kind", ["jwt", "opaque"])
async def test_token_that_expires_is_refreshed(
    provider: Provider, jwt_credentials: Credentials, api: Api, kind: str
) -> None:
    """Tokens of two seconds carry requests for five seconds, and no caller sees a refusal."""
    strategy = jwt_credentials("short", audience=api.audience if kind == "jwt" else None)
    before = provider.requests("short")
    answers = []
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(strategy, url=api.url)) as client,
    ):
        for _ in range(20):
            answers.append(await ask(client, api.url))
            await anyio.sleep(0.25)

    assert [answer.status_code for answer in answers] == [200] * 20
    # The server's seconds are whole ones: its two may be little more than one.
    assert 3 <= provider.requests("short") - before < len(answers)


async def test_token_that_expired_unused_is_replaced(
    provider: Provider, jwt_credentials: Credentials, api: Api
) -> None:
    """After a pause in which the token ended, one new token request comes first."""
    strategy = jwt_credentials("short")
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(strategy, url=api.url)) as client,
    ):
        await ask(client, api.url)
        await anyio.sleep(3.1)
        before = (provider.requests("short"), api.count("/graphql refused"))
        answer = await ask(client, api.url)

    assert answer.status_code == 200
    assert provider.requests("short") == before[0] + 1
    assert api.count("/graphql refused") == before[1]


async def test_wrong_secret_is_told(jwt_credentials: Credentials, api: Api) -> None:
    """A wrong secret is a refusal that says what the server said, and shows no secret."""
    strategy = jwt_credentials(client_secret=Secret("not-the-secret"))
    before = api.count("/graphql")
    async with AuthService() as service:
        with pytest.raises(gqlauth.TokenRefusedError) as caught:
            await told(service, strategy, api.url)

    assert (caught.value.status, caught.value.error) == (401, "invalid_client")
    assert caught.value.tries == 1
    assert "not-the-secret" not in str(caught.value)
    assert api.count("/graphql") == before


async def test_wrong_scope_is_told(jwt_credentials: Credentials, api: Api) -> None:
    """A scope that the server does not know is a refusal that says so."""
    async with AuthService() as service:
        with pytest.raises(gqlauth.TokenRefusedError) as caught:
            await told(service, jwt_credentials(scopes=("api:admin",)), api.url)

    assert (caught.value.status, caught.value.error) == (400, "invalid_scope")


async def test_server_that_is_down_is_told(jwt_credentials: Credentials, api: Api) -> None:
    """Where nobody listens any more, it is worth trying again, and the API is not asked."""
    with oidc_provider() as stopped:
        pass
    before = api.count("/graphql")
    strategy = jwt_credentials(token_url=stopped.token_url)
    async with AuthService() as service:
        auth = service.auth_for(strategy, url=api.url, options=AuthOptions(timeout=1.0))
        async with httpx.AsyncClient(auth=auth) as client:
            with pytest.raises(gqlauth.TokenUnavailableError) as caught:
                await ask(client, api.url)

    assert caught.value.status is None
    assert caught.value.tries >= 1
    assert api.count("/graphql") == before


async def test_server_in_trouble_is_tried_again(
    provider: Provider, jwt_credentials: Credentials, api: Api
) -> None:
    """A server that answers 503 twice is asked a third time, and the caller sees nothing of it."""
    provider.fail(times=2, status=503)
    async with AuthService() as service:
        me = await told(service, jwt_credentials(), api.url)

    assert me["id"] == "basic"


async def test_other_origin_sees_no_token(jwt_credentials: Credentials, api: Api) -> None:
    """A request to another origin goes out bare."""
    strategy = jwt_credentials()
    elsewhere = "http://127.0.0.1:9/graphql"
    async with (
        AuthService() as service,
        httpx.AsyncClient(auth=service.auth_for(strategy, url=elsewhere)) as client,
    ):
        answer = await ask(client, api.url)

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"] == "no bearer token"
