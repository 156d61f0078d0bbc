"""`gql api`: what it writes, and what it never does."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.gql import SECRET
from tests.support.graphql_api import ASK, ME, TOKEN
from tests.support.http_server import Answer, json_answer

if TYPE_CHECKING:
    from tests.support.graphql_api import Api


def test_an_answer_comes_as_the_server_sent_it(api: Api) -> None:
    """Numbers, order and white space; with one line end, and without a byte order mark."""
    text = '{"data":{"b":1e400,"a":12345678901234567890,"c":1.10,"c":2 , "d":' + "9" * 5000 + "}}"
    api.answers(Answer(200, b"\xef\xbb\xbf" + text.encode()))

    assert api(ASK).stdout == text + "\n"


def test_a_line_end_is_not_doubled(api: Api) -> None:
    """One that the server sent is enough."""
    api.answers(Answer(200, b'{"data": {}}\n'))

    assert api(ASK).stdout == '{"data": {}}\n'


def test_colours_are_for_who_wants_them(api: Api) -> None:
    """They come with line breaks."""
    plain = json.dumps(ME, indent=2) + "\n"
    coloured = api(ASK, "--color", "always").stdout

    assert "\x1b[34;1m" in coloured
    assert plain == "".join(
        part.partition("m")[2] if index else part
        for index, part in enumerate(coloured.split("\x1b["))
    )


def test_on_a_terminal_an_answer_is_made_readable(api: Api) -> None:
    """With line breaks; without colours where they are not wanted."""
    api.gql.monkeypatch.setattr("gqlauth._cli._output.on_terminal", lambda: True)

    assert api(ASK, "--color", "never").stdout == json.dumps(ME, indent=2) + "\n"


def test_status_and_headers_come_first(api: Api) -> None:
    """As they are, but for an echo of what was sent."""
    api.answers(json_answer(ME, Set_Cookie="a=b", X_Echo=f"Bearer {TOKEN}", X_Bell="\x07"))
    head, _, body = api(ASK, "-i").stdout.partition("\n\n")

    assert head.startswith("HTTP/1.1 200 OK\n")
    assert "\nSet-Cookie: a=b" in head
    assert "\nX-Echo: ***" in head
    assert "\nX-Bell: \\x07" in head
    assert body == json.dumps(ME) + "\n"


def test_silence_is_kept(api: Api) -> None:
    """Headers that are asked for come all the same."""
    assert api(ASK, "--silent").stdout == ""
    assert api(ASK, "--silent", "-i").stdout.endswith("\n\n")


def test_an_answer_is_filtered(api: Api) -> None:
    """Texts come raw, all else as JSON."""
    api.answers(json_answer({"data": {"a": ["x\ny", 1.5, None, {"b": "ä", "c": [1]}]}}))

    assert api(ASK, "-q", ".data.a[]").stdout == 'x\ny\n1.5\nnull\n{"b":"ä","c":[1]}\n'


def test_a_filter_may_fail_on_an_answer(api: Api) -> None:
    """That is no wrong usage, as another answer may fit."""
    outcome = api(ASK, "-q", ".data[0]")

    assert outcome.stderr.startswith("gql: --jq: Cannot index object with number")
    assert (outcome.stdout, outcome.code) == ("", 1)


def test_filtered_texts_cannot_drive_a_terminal(api: Api) -> None:
    """In a pipe they stay as they are."""
    api.answers(json_answer({"data": "\x1b[2J\ta\nb"}))

    assert api(ASK, "-q", ".data").stdout == "\x1b[2J\ta\nb\n"
    api.gql.monkeypatch.setattr("gqlauth._cli._output.on_terminal", lambda: True)
    assert api(ASK, "-q", ".data").stdout == "\\x1b[2J\ta\nb\n"


def test_a_filter_needs_its_extra(api: Api) -> None:
    """The message names it."""
    api.gql.monkeypatch.setitem(sys.modules, "jq", None)
    outcome = api(ASK, "-q", ".")

    assert outcome.stderr == (
        'gql: --jq needs an extra that is not installed\n     hint: pip install "gqlauth[jq]"\n'
    )
    assert outcome.code == 2


@pytest.mark.parametrize("verbosity", ["-v", "-vv", "-vvv"])
@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("status", [200, 401, 503])
def test_no_output_holds_a_secret(api: Api, verbosity: str, log_format: str, status: int) -> None:
    """At no verbosity, however it goes; the runner looks for them."""
    api.gql.secrets.append(base64.b64encode(f"orders-cli:{SECRET}".encode()).decode())
    api.answers(json_answer(ME, status))

    for arguments in ((), ("-i",), ("--dry-run",), ("-e", "static"), ("-e", "keyed")):
        api(ASK, verbosity, "--log-format", log_format, *arguments)


def gql_process(api: Api, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = "from gqlauth._cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "api", *arguments],
        input=data,
        capture_output=True,
        cwd=api.gql.project,
        check=False,
    )


def test_a_process_reads_standard_input(api: Api) -> None:
    """The document comes by a pipe, and the answer leaves by one."""
    done = gql_process(api, data=ASK.encode())

    assert (done.stdout, done.stderr, done.returncode) == (
        json.dumps(ME).encode() + b"\n",
        b"",
        0,
    )
    assert api.asked == {"query": ASK}


def test_a_process_without_input_is_told(api: Api) -> None:
    """An empty document is none."""
    done = gql_process(api)

    assert done.stderr.startswith(b"gql: the query is empty: what is to be asked?")
    assert done.returncode == 2


def test_a_large_answer_takes_no_long_time(api: Api) -> None:
    """Fifty megabytes go through unchanged."""
    body = b'{"data": {"a": "' + b"x" * 50_000_000 + b'"}}'
    api.answers(Answer(200, body, {"Content-Type": "application/json"}))
    begin = time.monotonic()
    done = gql_process(api, ASK)

    assert done.stdout == body + b"\n"
    assert time.monotonic() - begin < 20
