"""No public object tells a secret, in whatever way it is shown, kept or sent."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import anyio.to_thread
import attrs
import httpx
import pytest

import gqlauth
import gqlauth.sync
import gqlauth_strategies
from gqlauth import (
    AuthService,
    ConfigError,
    EndpointAuth,
    GqlAuthError,
    Secret,
    SecretError,
    ServiceClosedError,
    StrategyError,
    Token,
    TokenEndpoint,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)
from gqlauth._portal import Portal
from gqlauth._secret_command import CommandSource
from gqlauth._secret_sources import EnvSource
from gqlauth.sync import SyncAuthService
from gqlauth_strategies import Basic, Bearer, ClientCredentials, Header
from tests.leaks.canaries import (
    ACCESS_TOKEN,
    API_KEY,
    BEARER,
    CLIENT_SECRET,
    HEADER_KEY,
    JWT,
    PARAMETER,
    PASSWORD,
    PLAIN,
    PRIVATE_KEY,
    Search,
)
from tests.leaks.showing import WAYS, leaks_of
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

API = "https://api.example.com/graphql"
URL = "https://id.example.com/token"
SEARCH = Search()


def strategies() -> dict[str, Any]:
    """Return one of each strategy of ours, with secrets in every place that takes one."""
    key = Secret(PRIVATE_KEY.text)
    return {
        "ClientCredentials": ClientCredentials(
            token_url=URL,
            client_id="orders-cli",
            client_secret=Secret(CLIENT_SECRET.text),
            params={"device": Secret(PARAMETER.text), "key": key},
            headers={"X-Key": Secret(HEADER_KEY.text)},
        ),
        "Basic": Basic("ana", Secret(PASSWORD.text)),
        "Bearer": Bearer(Secret(BEARER.text)),
        "Header": Header("X-Api-Key", Secret(API_KEY.text), "Key"),
    }


def gives(text: str) -> httpx.AsyncBaseTransport:
    """Return a token endpoint that gives one token, and then refuses, echoing what was sent."""
    answers = [answer(200, json.dumps({"access_token": text, "expires_in": 3600}))]

    def respond(request: httpx.Request) -> httpx.Response:
        if answers:
            return answers.pop()
        echo = request.content.decode() + repr(request.headers.raw)
        error = {"error": "invalid_client", "error_description": echo, "error_uri": echo}
        return answer(401, json.dumps(error))

    # One that keeps nothing of what it was sent.
    return httpx.MockTransport(respond)


@attrs.frozen(kw_only=True)
class Peeking(ClientCredentials):
    """A strategy that keeps what it was given to ask."""

    seen: ClassVar[list[TokenEndpoint]] = []

    async def fetch(self, endpoint: TokenEndpoint) -> Token:
        self.seen.append(endpoint)
        return await super().fetch(endpoint)


@attrs.define
class Made:
    """What a service was made to do, and all objects that came of it."""

    objects: dict[str, list[object]]

    def add(self, *objects: object) -> None:
        for one in objects:
            for kind in type(one).__mro__:
                self.objects.setdefault(kind.__name__, []).append(one)


@pytest.fixture
async def made(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Made]:
    """Make one of each public object, as it is in use, with canaries in it."""
    made = Made({})
    monkeypatch.setenv("PLAIN", PLAIN.text)
    made.add(Secret(PLAIN.text), Secret.from_source(EnvSource("PLAIN")))
    made.add(await Secret.from_source(EnvSource("PLAIN")).resolve())
    made.add(await Secret.from_source(CommandSource(("printenv", "PLAIN"))).resolve())
    for canary in (ACCESS_TOKEN, JWT):
        made.add(Token(canary.text), Token(Secret(canary.text), header_name="X-Key", token_type=""))
    all_of_ours = strategies()
    made.add(*all_of_ours.values())
    async with AuthService(token_transport=gives(JWT.text)) as service:
        fields = {
            field.name: getattr(all_of_ours["ClientCredentials"], field.name)
            for field in attrs.fields(ClientCredentials)
        }
        auth = service.auth_for(Peeking(**fields), url=API, name="orders")
        request = httpx.Request("POST", API)
        flow = auth.async_auth_flow(request)
        await anext(flow)
        made.add(service, auth, flow, request, service.config, *Peeking.seen)
        beside = auth.sync_auth_flow(httpx.Request("POST", API))
        await anyio.to_thread.run_sync(next, beside)
        made.add(SyncAuthService(service), service.portal, beside)
        try:
            await flow.asend(httpx.Response(401, request=request))
        except GqlAuthError as error:
            made.add(error, error.for_endpoint("orders"), error.__cause__)
        with suppress(StopAsyncIteration):
            await anext(flow)
        yield made
    made.add(service, auth)


def ways_of(one: object) -> list[str]:
    # What runs has tasks, and half of a copied task group is an error of its own.
    runs = isinstance(one, AuthService | EndpointAuth | Portal | SyncAuthService | TokenEndpoint)
    return [way for way in WAYS if not (runs and way == "deepcopy")]


async def test_no_object_tells_a_secret(made: Made) -> None:
    """Whatever shows it: only `reveal` and `header_value` give a text away."""
    leaks = {
        f"{type(one).__name__} {index}": found
        for name in sorted(made.objects)
        for index, one in enumerate(made.objects[name])
        if not isinstance(one, httpx.Request) and (found := leaks_of(one, SEARCH, ways_of(one)))
    }

    assert leaks == {}


#: What has no text of anyone's in it: values of its own fields, a version, a function, a Protocol.
BARE = {"AuthOptions", "EndpointStatus", "RedactingFilter", "Strategy", "__version__"} | {
    "redact_secrets"
}
#: Errors that hold the words that they were given.
ERRORS = (
    ConfigError,
    GqlAuthError,
    SecretError,
    ServiceClosedError,
    StrategyError,
    TokenError,
    TokenRefusedError,
    TokenUnavailableError,
)


async def test_every_public_name_is_covered(made: Made) -> None:
    """A name that is new is made above, or said to hold nothing; or this fails."""
    covered = made.objects.keys() | BARE | {error.__name__ for error in ERRORS}

    assert {*gqlauth.__all__, *gqlauth.sync.__all__} - covered == set()
    assert set(gqlauth_strategies.__all__) - covered == set()


def secret_fields() -> list[tuple[str, str]]:
    return [
        (name, field.name)
        for name in gqlauth_strategies.__all__
        for field in attrs.fields(getattr(gqlauth_strategies, name))
        if "Secret" in str(field.type)
    ]


@pytest.mark.parametrize(("name", "field"), secret_fields())
async def test_what_cannot_be_sent(name: str, field: str) -> None:
    """A secret that has what no header, form or key may have is not quoted, where it fails."""
    unfit = Secret(f"\n{PLAIN.text}\n\x00é")
    mapping = field in {"headers", "params"}
    found = set()
    async with AuthService(token_transport=gives(ACCESS_TOKEN.text)) as service:
        try:
            value = {"X-Key": unfit} if mapping else unfit
            strategy = attrs.evolve(strategies()[name], **{field: value})
            auth = service.auth_for(strategy, url=API)
            flow = auth.async_auth_flow(httpx.Request("POST", API))
            found |= leaks_of(await anext(flow), SEARCH)
            await flow.aclose()
        except (GqlAuthError, ValueError, TypeError) as error:
            found |= leaks_of(error, SEARCH)

    assert {leak for leak in found if leak.canary == PLAIN.what} == set()


@pytest.mark.parametrize("error", ERRORS)
async def test_errors_keep_no_cause_that_tells(error: type[GqlAuthError]) -> None:
    """An error tells its words, and nothing that stood around where it was made."""
    secret = Secret(PLAIN.text)

    assert leaks_of(error(f"no use: {secret}"), SEARCH) == set()
