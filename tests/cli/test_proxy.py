"""A proxy that wants a password, which no output tells."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.http_server import Answer, http_server, json_answer, unused_port

if TYPE_CHECKING:
    from tests.support.gql import Gql
    from tests.support.http_server import Request

PASSWORD = "pr0xy/canary"
ENCODED = "pr0xy%2Fcanary"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()

CONFIG = """
[endpoints.orders]
url = "http://orders.example.com/graphql"
allow_insecure_http = true

[endpoints.orders.auth]
type = "client_credentials"
token_url = "http://id.example.com/token"
client_id = "orders-cli"
timeout = 0.5
allow_insecure_http = true
"""


def answer(request: Request) -> Answer:
    """Answer for both servers, as a proxy that tells what it was sent."""
    if request.path == "http://id.example.com/token":
        return json_answer({"access_token": "a-token", "token_type": "Bearer", "expires_in": 60})
    seen = request.headers.get("proxy-authorization")
    return json_answer({"data": {"through": request.path, "signed_in": seen == f"Basic {BASIC}"}})


@pytest.fixture
def gql(gql: Gql) -> Gql:
    """Give ``gql`` with an API that only a proxy leads to."""
    gql.file(CONFIG)
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        gql.monkeypatch.delenv(name, raising=False)
        gql.monkeypatch.delenv(name.lower(), raising=False)
    gql.secrets += [PASSWORD, ENCODED, "canary", BASIC]
    return gql


def through(gql: Gql, port: int) -> None:
    """Set the proxy, in both spellings that there are."""
    for name in ("HTTP_PROXY", "http_proxy"):
        gql.monkeypatch.setenv(name, f"http://me:{ENCODED}@127.0.0.1:{port}")


def test_its_password_is_sent_and_not_told(gql: Gql) -> None:
    """All of the log, and the answer, hold nothing of it."""
    with http_server(answer) as proxy:
        through(gql, proxy.port)
        outcome = gql("-vvv", "api", "{ me }")

    assert outcome.code == 0
    assert json.loads(outcome.stdout)["data"] == {
        "through": "http://orders.example.com/graphql",
        "signed_in": True,
    }
    assert "a-token" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("arguments", [("api", "{ me }"), ("auth", "status", "--check")])
@pytest.mark.parametrize("echo", ["{}", "Proxy-Authorization: Basic {}", '"basic {}"'])
def test_a_proxy_that_refuses_it_tells_nothing(
    gql: Gql, arguments: tuple[str, ...], echo: str
) -> None:
    """Also where its page has what it was sent."""
    with http_server(
        lambda _: Answer(407, echo.format("…" if echo == "{}" else BASIC).encode())
    ) as proxy:
        through(gql, proxy.port)
        outcome = gql("-vvv", *arguments)

    assert outcome.code == 4
    assert "407" in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("arguments", [("api", "{ me }"), ("auth", "status", "--check")])
def test_a_proxy_that_is_not_there(gql: Gql, arguments: tuple[str, ...]) -> None:
    """That nobody listens is told without its URL's password."""
    through(gql, unused_port())

    assert gql("-vvv", *arguments).code == 5


@pytest.mark.parametrize(
    "url", ["http://me:can/ary@", "gopher://me:canary@h", "http://me:canary@h:x"]
)
def test_a_proxy_that_is_none(gql: Gql, url: str) -> None:
    """What cannot be used as a proxy is not quoted, not even in a traceback."""
    gql.monkeypatch.setenv("HTTP_PROXY", url)
    gql.monkeypatch.setenv("http_proxy", url)
    gql.secrets += ["can/ary"]

    assert gql("-vvv", "api", "{ me }").code == 2
