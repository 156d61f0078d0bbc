"""`gql api`: a server that sends back what it was sent brings it to no terminal."""

from __future__ import annotations

import base64
import json
import socket
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.graphql_api import ASK, ME, STATIC, TOKEN
from tests.support.http_server import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.graphql_api import Api

BASE64 = base64.b64encode(f"Bearer {TOKEN}".encode()).decode()


@pytest.fixture(autouse=True)
def _encoded_too(api: Api) -> None:
    # The runner looks for these in each output. The last character depends on what follows.
    api.gql.secrets += [BASE64[:-4], base64.b64encode(TOKEN.encode()).decode()[:-4]]


@contextmanager
def raw_server(answer: bytes) -> Iterator[str]:
    """Answer each request with bytes that no well-behaved server would send."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(503, b"x", {"Retry-After": TOKEN}), "(Retry-After: ***)"),
        (Answer(302, b"", {"Location": f"/{quote(TOKEN)}/x"}), "/***/x; it is not followed"),
        (Answer(401, b"", {"WWW-Authenticate": f"Bearer realm={BASE64}"}), "WWW-Authenticate: "),
        (
            json_answer({"errors": [{"message": "", "extensions": {"code": TOKEN}}]}, 401),
            "fresh token (401, ***)",
        ),
        (Answer(200, b"x", {"Content-Type": f"text/{TOKEN.upper()}"}), "it is text/"),
        (Answer(200, b"x", {"Content-Type": f"text/{TOKEN}"}), "it is text/*** (200 OK)"),
        (
            Answer(200, b"x", {"Content-Type": f"multipart/{TOKEN}"}),
            "answers with a stream (multipart),",
        ),
    ],
)
def test_what_is_told_of_an_answer_holds_no_echo(api: Api, answer: Answer, told: str) -> None:
    """Wherever in the answer the server put it; the body itself is for standard output."""
    api.answers(answer)

    assert told in api(ASK, "--silent").stderr


def test_headers_that_are_asked_for_hold_no_echo(api: Api) -> None:
    """However it is encoded, and be it their name."""
    headers = {"X-Base64": BASE64, "X-Quoted": f"Bearer%20{TOKEN}", TOKEN: "1"}
    api.answers(Answer(200, json.dumps(ME).encode(), headers))
    head = api(ASK, "-i").stdout.partition("\n\n")[0]

    assert "\nX-Quoted: ***\n" in head
    assert "\n***: 1" in head


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (f"HTTP/1.1 403 {STATIC}\r\nContent-Length: 0\r\n\r\n", "answered 403 ***"),
        (f"HTTP/1.1 200 OK\r\nBad\x00: {STATIC}\r\n\r\n", "illegal header line\n"),
        (f"GARBAGE {STATIC}\r\n\r\n", "illegal status line\n"),
    ],
)
def test_an_answer_of_no_known_form_holds_no_echo(api: Api, answer: str, told: str) -> None:
    """Neither what the status is called, nor the bytes that made no sense."""
    with raw_server(answer.encode()) as url:
        api.gql.file(
            f"[endpoints.raw]\nurl = '{url}'\n"
            "auth = { type = 'bearer', token = { env = 'STATIC_TOKEN' } }\n"
        )
        outcome = api(ASK, "-i")

    assert told in outcome.stderr
