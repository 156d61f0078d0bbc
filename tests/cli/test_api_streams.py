"""`gql api`: subscriptions that are answered by a stream over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.support.graphql_api import TOKEN
from tests.support.http_server import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.graphql_api import Api

WATCH = "subscription { tick }"
SSE = {"Content-Type": "text/event-stream"}
COMPLETE = b"event: complete\ndata:\n\n"
TICKS = '{"data":{"tick":1}}\n{"data":{"tick":2}}\n'


def tick(number: int) -> dict[str, object]:
    return {"data": {"tick": number}}


def event(value: object) -> bytes:
    """Return a server-sent event."""
    return b"event: next\ndata: %b\n\n" % json.dumps(value).encode()


def sse(*values: object, end: bytes = COMPLETE) -> Answer:
    """Return a stream of server-sent events."""
    return Answer(200, b"".join(map(event, values)) + end, SSE)


def multipart(*parts: object) -> Answer:
    """Return a stream of parts, in the manner of Apollo."""
    body = b"".join(
        b"\r\n--graphql\r\ncontent-type: application/json\r\n\r\n%b" % json.dumps(one).encode()
        for one in parts
    )
    kind = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
    return Answer(200, body + b"\r\n--graphql--", {"Content-Type": kind})


class TestEvents:
    def test_sse(self, api: Api) -> None:
        """Each comes as one compact document on one line, whatever white space there is."""
        api.answers(sse(tick(1), tick(2)))
        outcome = api(WATCH)

        assert (outcome.stdout, outcome.stderr, outcome.code) == (TICKS, "", 0)
        assert api.asked == {"query": WATCH}
        sent = api.request.headers
        assert sent["authorization"] == f"Bearer {TOKEN}"
        assert sent["accept"].startswith("multipart/mixed;subscriptionSpec=1.0, text/event-stream,")
        assert sent["accept-encoding"] == "identity"

    def test_sse_without_names(self, api: Api) -> None:
        """Some servers name no events; what has another name is none, and neither is a comment."""
        end = b"event: ping\ndata: {}\n\ndata:\n\n: hi\n\n" + COMPLETE
        api.answers(Answer(200, b'data: {"data": {"tick": 1}}\n\n' + end, SSE))

        assert api(WATCH).stdout == '{"data":{"tick":1}}\n'

    def test_multipart(self, api: Api) -> None:
        """They are in the payload of parts; a heartbeat holds none."""
        parts: list[object] = [{}, {"payload": tick(1)}, {"payload": None}, {"payload": tick(2)}]
        api.answers(multipart(*parts))
        outcome = api(WATCH)

        assert (outcome.stdout, outcome.stderr, outcome.code) == (TICKS, "", 0)

    def test_multipart_without_payload(self, api: Api) -> None:
        """A part may be the event itself."""
        api.answers(multipart(tick(1), tick(2)))

        assert api(WATCH).stdout == TICKS

    def test_multipart_with_nothing(self, api: Api) -> None:
        """A part may be empty."""
        kind = {"Content-Type": "multipart/mixed"}
        api.answers(Answer(200, b"---\r\n\r\n\r\n---\r\n\r\n-----\r\n", kind))

        assert (api(WATCH).stdout, api(WATCH).code) == ("", 0)

    def test_numbers(self, api: Api) -> None:
        """Nothing is lost: numbers stay as they were written, and odd characters are escaped."""
        text = b'{"a":1.10, "b":12345678901234567890, "c":"\\ud800 \\u202e \xc3\xbc", "a":2}'
        parts = b'--graphql\r\n\r\n{"payload": {"data": %b}}\r\n--graphql--' % text
        kind = {"Content-Type": "multipart/mixed; boundary=graphql"}
        api.answers(Answer(200, parts, kind))

        expected = '{"data":{"a":2,"b":12345678901234567890,"c":"\\ud800 \\u202e ü"}}\n'
        assert api(WATCH).stdout == expected

    def test_one_answer(self, api: Api) -> None:
        """A server may answer once, without a stream."""
        api.answers(json_answer(tick(1)))
        outcome = api(WATCH)

        assert (outcome.stdout, outcome.code) == ('{"data":{"tick":1}}\n', 0)

    def test_chosen_operation(self, api: Api) -> None:
        """The operation that is meant decides."""
        api.answers(sse(tick(1)))
        outcome = api("query Q { me } subscription S { tick }", "-o", "S")

        assert outcome.stdout == '{"data":{"tick":1}}\n'
        assert api.asked["operationName"] == "S"


class TestOptions:
    def test_jq(self, api: Api) -> None:
        """It filters each event; where it fails on one, the others come all the same."""
        api.answers(sse(tick(1), {"data": {"tick": "a"}}, tick(3)))
        outcome = api(WATCH, "--jq", ".data.tick - 1")

        assert (outcome.stdout, outcome.code) == ("0\n2\n", 1)
        assert outcome.stderr.startswith("gql: --jq: ")

    def test_include(self, api: Api) -> None:
        """Status and headers come once, before all."""
        api.answers(sse(tick(1), tick(2)))
        head, _, body = api(WATCH, "-i").stdout.partition("\n\n")

        assert head.startswith("HTTP/1.1 200 OK\n")
        assert body == TICKS

    def test_silent(self, api: Api) -> None:
        """Nothing is written; what is wrong is told."""
        api.answers(sse(tick(1), {"errors": [{"message": "no"}]}))
        outcome = api(WATCH, "--silent")

        assert (outcome.stdout, outcome.stderr, outcome.code) == ("", "gql: no\n", 1)

    def test_colours(self, api: Api) -> None:
        """They are on the same line."""
        api.answers(sse(tick(1)))
        stdout = api(WATCH, "--color", "always").stdout

        assert stdout.count("\n") == 1
        assert '\x1b[34;1m"tick"\x1b[0m' in stdout

    def test_dry_run(self, api: Api) -> None:
        """It shows what a subscription accepts, and asks nobody."""
        assert "\nAccept: multipart/mixed;" in api(WATCH, "--dry-run").stdout
        assert api.server.requests == []

    def test_uploads(self, api: Api) -> None:
        """It uploads no files."""
        (api.gql.project / "a.txt").write_text("a")
        outcome = api("subscription($file: Upload!) { tick(of: $file) }", "-F", "file=@a.txt")

        assert outcome.stderr.startswith("gql: a subscription uploads no files\n")
        assert outcome.code == 2

    def test_pages(self, api: Api) -> None:
        """It has no pages."""
        text = "subscription($endCursor: String) { a { pageInfo { hasNextPage endCursor } } }"
        outcome = api(text, "--paginate")

        assert outcome.stderr.startswith("gql: --paginate: a subscription has no pages\n")
        assert outcome.code == 2

    def test_accept_of_ones_own(self, api: Api) -> None:
        """It wins."""
        api.answers(sse(tick(1)))
        api(WATCH, "-H", "Accept: text/event-stream")

        assert api.request.headers["accept"] == "text/event-stream"

    def test_timeout(self, api: Api) -> None:
        """It is for the beginning: a server that does not answer is given up."""
        gate = Event()
        api.server.respond = lambda _: (gate.wait(30), sse())[1]
        outcome = api(WATCH, "--timeout", "0.2")
        gate.set()

        assert outcome.stderr == "gql: orders: no answer within 0.2 s\n"
        assert outcome.code == 5


class TestErrors:
    def test_in_an_event(self, api: Api) -> None:
        """Each is told; what follows comes all the same, and the exit status is 1 in the end."""
        failed = {"data": None, "errors": [{"message": "no", "path": ["tick"]}]}
        api.answers(sse(tick(1), failed, tick(2)))
        outcome = api(WATCH)

        assert outcome.stdout.count("\n") == 3
        assert (outcome.stderr, outcome.code) == ("gql: tick: no\n", 1)

    def test_partial(self, api: Api) -> None:
        """With data beside it, and where that is allowed, it is 0."""
        api.answers(sse({**tick(1), "errors": [{"message": "no"}]}))

        assert api(WATCH).code == 1
        assert api(WATCH, "--allow-partial").code == 0

    def test_that_ends_parts(self, api: Api) -> None:
        """It stands beside a payload that is null."""
        api.answers(multipart({"payload": None, "errors": [{"message": "broken"}]}))
        outcome = api(WATCH)

        assert outcome.stdout == '{"errors":[{"message":"broken"}]}\n'
        assert (outcome.stderr, outcome.code) == ("gql: broken\n", 1)

    @pytest.mark.parametrize("kind", ["text/event-stream", "multipart/mixed"])
    def test_no_graphql(self, api: Api, kind: str) -> None:
        """What is none is told, and not written."""
        body = b"data: <b>\n\n" + COMPLETE if "event" in kind else b"---\r\n\r\n<b>\r\n-----"
        api.answers(Answer(200, body, {"Content-Type": kind}))
        outcome = api(WATCH)

        assert (outcome.stdout, outcome.code) == ("", 1)
        assert "the answer is no GraphQL: it is a web page (200 OK)" in outcome.stderr

    def test_refused(self, api: Api) -> None:
        """A token that is refused in an event is told as in any answer."""
        api.answers(sse({"errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}))
        outcome = api(WATCH)

        assert outcome.code == 4
        assert "the API rejected a fresh token (200, UNAUTHENTICATED)" in outcome.stderr

    @pytest.mark.parametrize(("status", "code"), [(401, 4), (403, 1), (503, 5)])
    def test_status(self, api: Api, status: int, code: int) -> None:
        """An answer that is no stream comes to the same as ever."""
        api.answers(json_answer({"errors": [{"message": "no"}]}, status))

        assert api(WATCH).code == code

    def test_lost(self, api: Api) -> None:
        """A stream that ends before it is complete is worth trying again."""
        api.answers(sse(tick(1), end=b""))
        outcome = api(WATCH)

        assert outcome.stdout == '{"data":{"tick":1}}\n'
        assert outcome.stderr == (
            "gql: orders: the subscription was lost after 1 event:"
            " it ended without saying that it is complete\n"
        )
        assert outcome.code == 5

    def test_broken(self, api: Api) -> None:
        """So is one that breaks off."""
        body = event(tick(1)) + event(tick(2))
        api.answers(Answer(200, body, {**SSE, "Content-Length": "1000", "Connection": "close"}))
        outcome = api(WATCH)

        assert outcome.stdout == TICKS
        assert "the subscription was lost after 2 events: " in outcome.stderr
        assert outcome.code == 5

    def test_encoding(self, api: Api) -> None:
        """One that is not encoded as it says is told, and nobody's advice is to try again."""
        api.answers(Answer(200, b"no gzip", {**SSE, "Content-Encoding": "gzip"}))
        outcome = api(WATCH)

        assert outcome.stderr == "gql: orders: the answer is not encoded as it says\n"
        assert outcome.code == 1

    @pytest.mark.parametrize("stream", [sse(tick(1)), multipart({"payload": tick(1)})])
    def test_too_large(self, api: Api, stream: Answer) -> None:
        """An event that would fill the memory ends it."""
        for module in ("_bounds", "_multipart"):
            api.gql.monkeypatch.setattr(f"gqlauth._subscriptions.{module}.LARGEST_EVENT", 10)
        api.answers(stream)
        outcome = api(WATCH)

        assert outcome.stderr.startswith("gql: orders: an event is larger than ")
        assert outcome.code == 1


class Held:
    """A stream that sends one event, and the next when it is let."""

    def __init__(self) -> None:
        self.gate = Event()

    def __iter__(self) -> Iterator[bytes]:
        yield event(tick(1))
        self.gate.wait(30)
        yield event(tick(2)) * 100_000


@contextmanager
def listening(api: Api) -> Iterator[tuple[subprocess.Popen[bytes], Held]]:
    """Run a process that has written the first event."""
    held = Held()
    api.answers(Answer(200, headers=SSE, pieces=held))
    command = [sys.executable, "-m", "gqlauth", "api", WATCH, "-e", "public"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b'{"data":{"tick":1}}\n'
            yield process, held
        finally:
            held.gate.set()
            process.kill()


class TestProcess:
    @pytest.mark.usefixtures("interruptible")
    def test_interrupt(self, api: Api) -> None:
        """Events are written as they come, and Ctrl-C ends them with 130."""
        with listening(api) as (process, _):
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)

        assert (stderr, process.returncode) == (b"\n", 130)

    def test_reader_leaves(self, api: Api) -> None:
        """It ends in silence where nobody reads what it writes."""
        with listening(api) as (process, held):
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            held.gate.set()
            stderr = process.stderr.read()
            code = process.wait(30)

        assert (stderr, code) == (b"", 141)
