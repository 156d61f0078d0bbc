"""No error tells a secret: whatever the token endpoint answers, and whatever is configured."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from gqlauth import AuthService, GqlAuthError, Secret
from gqlauth._config import load
from gqlauth.testing import FrozenClock
from gqlauth_strategies import ClientCredentials
from tests.leaks.canaries import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    ENCODINGS,
    JWT,
    PARAMETER,
    PLANTED,
    Search,
    encoded,
)
from tests.leaks.showing import WAYS, leaks_of
from tests.support.token_endpoint import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.leaks.world import Leak

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[2] / "fixtures"
ANSWERS = sorted((FIXTURES / "token_answers").rglob("*.http"))
SEARCH = Search()
API = "https://api.example.com/graphql"
#: What a copy of a task group comes to is not looked at.
TOLD = [way for way in WAYS if way != "deepcopy"]


def strategy(method: str) -> ClientCredentials:
    return ClientCredentials(
        token_url="https://id.example.com/token",
        client_id="orders-cli",
        client_secret=Secret(CLIENT_SECRET.text),
        token_endpoint_auth_method=method,  # type: ignore[arg-type]
        params={"device": Secret(PARAMETER.text)},
    )


async def leaks_where(respond: Callable[[httpx.Request], httpx.Response]) -> set[Leak]:
    """Return what a failure tells, in each way, by each method of client authentication."""
    leaks: set[Leak] = set()
    for method in ("client_secret_basic", "client_secret_basic_raw", "client_secret_post"):
        service = AuthService(clock=FrozenClock(), token_transport=httpx.MockTransport(respond))
        async with service:
            auth = service.auth_for(strategy(method), url=API)
            try:
                async with aclosing(auth.async_auth_flow(httpx.Request("POST", API))) as flow:
                    leaks |= leaks_of(repr((await anext(flow)).headers), SEARCH, TOLD)
            except GqlAuthError as error:
                leaks |= leaks_of(error, SEARCH, TOLD)
    return leaks


def parts_of(path: Path) -> tuple[int, dict[str, str], bytes]:
    head, _, body = path.read_bytes().partition(b"\n\n")
    first, *lines = head.decode("ascii").splitlines()
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_of_a_token_endpoint_that_echoes(path: Path) -> None:
    """Each answer of the fixtures, with all that was sent in its header and after its body."""
    status, headers, body = parts_of(path)

    def respond(request: httpx.Request) -> httpx.Response:
        sent = " ".join([request.content.decode(), request.headers.get("authorization", "")])
        echo = {"X-Request-Id": sent, "WWW-Authenticate": sent, "X-Echo": sent}
        return answer(status, body + sent.encode(), headers | echo)

    assert await leaks_where(respond) == set()


#: The redactor looks for no value in these: it would find what is none.
NOT_UNDONE = frozenset(
    {
        "hex",
        "hex in capitals",
        "in capitals",
        "in lower case",
        "with a line broken",
    }
)


@pytest.mark.parametrize("encoding", [one for one in ENCODINGS if one not in NOT_UNDONE])
@pytest.mark.parametrize("field", ["error", "error_description", "error_uri", "message"])
async def test_of_an_error_that_encodes(field: str, encoding: str) -> None:
    """In the encodings that servers use; not in those that nobody would undo."""
    echo = f"refused {encoded(CLIENT_SECRET.text, encoding)} of you"

    def respond(_request: httpx.Request) -> httpx.Response:
        return answer(400, json.dumps({"error": "invalid_client", field: echo}))

    assert await leaks_where(respond) == set()


@pytest.mark.parametrize(
    "kind",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.ProxyError,
        httpx.DecodingError,
        httpx.TooManyRedirects,
    ],
)
async def test_of_a_network_that_fails(kind: type[httpx.RequestError]) -> None:
    """What httpx raises holds the request, and may quote what was sent: neither comes along."""

    def respond(request: httpx.Request) -> httpx.Response:
        sent = [request.content.decode(), request.headers.get("authorization", "")]
        raise kind(f"broken: {sent}", request=request)

    assert await leaks_where(respond) == set()


@pytest.mark.parametrize("token", [ACCESS_TOKEN, JWT], ids=lambda token: token.what)
@pytest.mark.parametrize(
    "text",
    [
        '{{"access_token": "{}\\u0007"}}',
        '{{"access_token": "{}", "token_type": "mac"}}',
        '{{"access_token": "{}", "error": "server_error"}}',
        '{{"access_token": "{}"',
        '["access_token", "{}"]',
        '{{"access_token": {{"value": "{}"}}}}',
        "access_token={}&token_type=mac",
        "<access_token>{}</access_token>",
    ],
)
async def test_of_an_answer_that_gives_no_token(text: str, token: object) -> None:
    """A token that cannot be used is no less a secret."""
    value = getattr(token, "text", "")

    def respond(_request: httpx.Request) -> httpx.Response:
        return answer(200, text.format(value))

    assert await leaks_where(respond) == set()


BAD = sorted(path for path in (FIXTURES / "config" / "bad").rglob("*") if path.is_file())


def with_canaries(path: Path, copy: Path) -> Path:
    text = path.read_text(encoding="latin-1").replace("s3cr3t", PLANTED.text)
    copy.write_text(text, encoding="latin-1")
    return copy


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name)
def test_of_a_configuration_with_secrets(path: Path, tmp_path: Path) -> None:
    """A bad file, whose every plain secret is a canary, is told without one."""
    # Not here, where a traceback would show it.
    copy = with_canaries(path, tmp_path / path.name)
    try:
        loaded = load(copy, environ={})
    except GqlAuthError as error:
        assert leaks_of(error, SEARCH) == set()  # noqa: PT017 - whether it is raised is another's
    else:
        assert leaks_of(loaded, SEARCH, TOLD) == set()
