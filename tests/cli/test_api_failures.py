"""`gql api`: what keeps it from an answer."""

from __future__ import annotations

import gzip
import json
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from gqlauth._cli._failure import Failure
from gqlauth._cli._send import Call, send
from gqlauth._config import Config, Endpoint
from tests.support.graphql_api import ASK, ME
from tests.support.http_server import Answer, json_answer, unused_port

if TYPE_CHECKING:
    from tests.support.graphql_api import Api
    from tests.support.http_server import Request


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-e", "ordres"), 'unknown endpoint "ordres"'),
        (("--timeout", "0"), "--timeout: a number of seconds above 0 belongs here"),
        (("--timeout", "nan"), "--timeout: a number of seconds above 0 belongs here"),
        (("--timeout", "inf"), "--timeout: a number of seconds above 0 belongs here"),
        (("--jq", ".", "--silent"), "--jq and --silent: one writes what the other hides"),
        (("-q", ".["), "--jq: syntax error"),
        (("-H", "x"), "-H: a header reads 'Name: value'"),
        (("-f", "x"), "-f x: a field reads key=value"),
        (("-o", "B"), 'no operation "B" in the document'),
        (("-f", "a=\udcff"), "the query and its variables cannot be sent: "),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    api: Api, arguments: tuple[str, ...], told: str
) -> None:
    """With exit status 2."""
    outcome = api(ASK, *arguments)

    assert told in outcome.stderr
    assert (outcome.stdout, outcome.code) == ("", 2)
    assert api.server.requests == api.tokens.requests == []


def test_no_configuration_is_told(api: Api) -> None:
    """With where it was looked for."""
    (api.gql.project / "gqlauth.toml").unlink()
    outcome = api(ASK)

    assert outcome.code == 2
    assert "gqlauth.toml" in outcome.stderr


def test_a_wrong_configuration_is_told(api: Api) -> None:
    """Each problem on a line of its own."""
    api.gql.file('[endpoints.a]\nurl = "x"\nurll = 1\n')
    outcome = api(ASK)

    assert outcome.code == 2
    assert len(outcome.stderr.splitlines()) == 2


def test_an_unset_secret_is_told(api: Api) -> None:
    """By its place."""
    api.gql.monkeypatch.delenv("ORDERS_SECRET")
    outcome = api(ASK)

    assert "environment variable ORDERS_SECRET is not set" in outcome.stderr
    assert outcome.stderr.startswith("gqlauth.toml:")
    assert outcome.code == 2
    assert api.server.requests == []


def test_a_refused_client_is_told(api: Api) -> None:
    """No request goes out without its token."""
    api.tokens.respond = lambda _: json_answer({"error": "invalid_client"}, 401)
    outcome = api(ASK)

    assert outcome.stderr.startswith("gql: orders: token endpoint 127.0.0.1:PORT refused")
    assert outcome.code == 4
    assert api.server.requests == []


def test_a_server_that_is_down_is_told(api: Api) -> None:
    """With its name."""
    port = unused_port()
    outcome = api(ASK, "-e", f"http://127.0.0.1:{port}/")

    assert outcome.stderr.startswith("gql: 127.0.0.1:PORT: the API 127.0.0.1:PORT cannot be reach")
    assert outcome.code == 5


def test_a_server_that_hangs_up_is_told(api: Api) -> None:
    """What came is not taken for an answer."""
    api.answers(Answer(200, b"{", {"Content-Length": "100", "Connection": "close"}))
    outcome = api(ASK)

    assert outcome.stderr.startswith("gql: orders: the API 127.0.0.1:PORT cannot be reached: peer")
    assert outcome.code == 5


def test_time_is_bounded_as_asked_for(api: Api) -> None:
    """Token and answer together."""
    gate = Event()

    def respond(_request: Request) -> Answer:
        gate.wait(10)
        return json_answer(ME)

    api.server.respond = respond
    begin = time.monotonic()
    outcome = api(ASK, "--timeout", "0.2")
    gate.set()

    assert time.monotonic() - begin < 5
    assert outcome.stderr == "gql: orders: no answer within 0.2 s\n"
    assert outcome.code == 5


def test_time_is_bounded_as_configured(api: Api) -> None:
    """By the endpoint's own time-out, for each step."""
    gate = Event()

    def respond(_request: Request) -> Answer:
        gate.wait(10)
        return json_answer(ME)

    api.server.respond = respond
    api.gql.file(f'[endpoints.slow]\nurl = "{api.server.url}"\ntimeout = 0.1\n')
    outcome = api(ASK)
    gate.set()

    assert outcome.stderr == ("gql: slow: no answer of 127.0.0.1:PORT: the answer took too long\n")
    assert outcome.code == 5


def test_an_answer_that_is_not_what_it_says_is_told(api: Api) -> None:
    """It is no gzip."""
    api.answers(Answer(200, b"{}", {"Content-Encoding": "gzip"}))
    outcome = api(ASK, "-e", "public")

    assert outcome.stderr == "gql: public: the answer is not encoded as it says\n"
    assert outcome.code == 1


def test_a_compressed_answer_is_read(api: Api) -> None:
    """And written as it is meant."""
    body = gzip.compress(json.dumps(ME).encode())
    api.answers(Answer(200, body, {"Content-Encoding": "gzip"}))

    assert api(ASK).json == ME


def test_a_stream_is_not_read(api: Api) -> None:
    """It may never end."""
    api.answers(Answer(200, b"data: {}\n\n", {"Content-Type": "text/event-stream; a=b"}))
    outcome = api(ASK)

    assert outcome.stderr == (
        "gql: orders: the API answers with a stream (text/event-stream),"
        " which gql api does not read\n"
    )
    assert outcome.code == 1


def test_a_stream_may_be_an_error(api: Api) -> None:
    """Its status says enough."""
    api.answers(Answer(503, b"data: {}\n\n", {"Content-Type": "text/event-stream"}))

    assert api(ASK).code == 5


def test_a_secret_that_no_header_may_carry_is_told(api: Api) -> None:
    """With its place, and not as a bug of ours; nothing is sent."""
    api.gql.monkeypatch.setenv("ORDERS_KEY", "line\nline")
    outcome = api(ASK)

    assert outcome.stderr == (
        "gqlauth.toml:5: endpoints.orders.headers.X-Key: the secret (env ORDERS_KEY)"
        " has characters that no header may carry\n"
    )
    assert outcome.code == 2
    assert not api.server.requests


@pytest.mark.anyio
async def test_what_the_http_client_refuses_is_told(api: Api) -> None:
    """Not in its words, which may quote a header, and not as a bug of ours."""
    endpoint = Endpoint(name="orders", url=api.server.url)
    call = Call(
        config=Config(endpoints={"orders": endpoint}),
        endpoint=endpoint,
        headers=(("X-Key", "k3y\nof-the-orders"),),
        body=b"{}",
        authenticate=False,
        timeout=None,
    )
    with pytest.raises(Failure) as caught:
        await send(call)

    assert str(caught.value) == (
        f"orders: 127.0.0.1:{api.server.port} cannot be asked: LocalProtocolError"
    )
    assert caught.value.code == 2
