"""`gql api`: subscriptions over WebSocket."""

from __future__ import annotations

import signal
import subprocess
import sys
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.graphql_api import KEY, TOKEN
from tests.support.http_server import Answer, json_answer, token_endpoint
from tests.support.subscriptions import OLDER, TODAY, Answers, Rejects, Says
from tests.support.threaded import websocket_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.support.graphql_api import Api
    from tests.support.subscriptions import Connection, SubscriptionServer

WATCH = "subscription { number }"
TWO = '{"data":{"number":1}}\n{"data":{"number":2}}\n'

#: How the older protocol says no.
NO = '{"type": "connection_error", "payload": {}}'

#: An endpoint whose subscriptions come over WebSocket.
CONFIG = """\
[endpoints.live]
url = "{url}"
headers = {{ "X-Key" = {{ env = "ORDERS_KEY" }} }}
{settings}
{auth}
"""
AUTH = """\
[endpoints.live.auth]
type = "client_credentials"
token_url = "{tokens}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}
"""


def configured(
    api: Api, server: SubscriptionServer, settings: str = 'transport = "ws"', *, auth: bool = True
) -> None:
    """Configure the one endpoint, with or without authentication."""
    text = AUTH.format(tokens=api.tokens.url) if auth else ""
    settings = settings and f"subscriptions = {{ {settings} }}"
    api.gql.file(CONFIG.format(url=server.url, settings=settings, auth=text))


async def two(connection: Connection) -> None:
    """Send two events, and that it is complete."""
    await connection.received("subscribe")
    await connection.say(type="ping")
    await connection.event(1)
    await connection.event(2)
    await connection.say(id="1", type="complete")


def sends(*messages: dict[str, Any], code: int = 0, reason: str = "") -> Script:
    """Return a script that sends messages, and then closes by a code, if one is given."""

    async def script(connection: Connection) -> None:
        await connection.messages.get()
        for message in messages:
            await connection.say(id="1", **message)
        if code:
            await connection.close(code, reason)

    return script


if TYPE_CHECKING:
    Script = Callable[[Connection], Coroutine[Any, Any, None]]


class TestEvents:
    def test_today(self, api: Api) -> None:
        """They come by graphql-transport-ws; the token is in the handshake and in the payload."""
        with websocket_server(two) as server:
            configured(api, server)
            outcome = api(WATCH)
            connection = server.connections[0]

        assert (outcome.stdout, outcome.stderr, outcome.code) == (TWO, "", 0)
        assert connection.headers["Authorization"] == f"Bearer {TOKEN}"
        assert connection.headers["X-Key"] == KEY
        assert connection.headers["User-Agent"].startswith("gql (gqlauth)/")
        assert "Content-Type" not in connection.headers
        assert connection.headers["Sec-WebSocket-Protocol"] == f"{TODAY}, {OLDER}"
        assert connection.payload == {"Authorization": f"Bearer {TOKEN}"}
        assert api.server.requests == []

    def test_older(self, api: Api) -> None:
        """A server that knows only graphql-ws is spoken to by that."""
        seen: list[dict[str, Any]] = []

        async def script(connection: Connection) -> None:
            seen.append(await connection.received("start"))
            await connection.say(type="ka")
            await connection.say(id="1", type="data", payload={"data": {"number": 1}})
            await connection.say(id="1", type="complete")

        with websocket_server(script, protocols=(OLDER,)) as server:
            configured(api, server)
            outcome = api(WATCH, "--variables", '{"n": 1}')

        assert (outcome.stdout, outcome.code) == ('{"data":{"number":1}}\n', 0)
        assert seen[0]["payload"] == {"query": WATCH, "variables": {"n": 1}}

    @pytest.mark.parametrize(
        ("payload", "shown"),
        [
            ([{"message": "no"}], '{"errors":[{"message":"no"}]}\n'),
            ({"message": "no"}, '{"errors":{"message":"no"}}\n'),
        ],
    )
    def test_error(self, api: Api, payload: Any, shown: str) -> None:
        """An error ends it, be it one or a list."""
        with websocket_server(sends({"type": "error", "payload": payload})) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert (outcome.stdout, outcome.stderr, outcome.code) == (shown, "gql: no\n", 1)

    @pytest.mark.parametrize(
        ("payload", "written", "told"),
        [
            ('{"data": ' + "1" * 5000 + "}", '{"data":' + "1" * 5000 + "}\n", ""),
            ('{"data": NaN}', "", "it is no JSON (NaN is no value of JSON)"),
            ('{"data": ' + "[" * 100_000 + "]" * 100_000 + "}", "", "it is nested too deep"),
        ],
        ids=["many digits", "no JSON", "too deep"],
    )
    def test_none_is_passed_over(self, api: Api, payload: str, written: str, told: str) -> None:
        """An event that cannot be read is told, as in a stream; what Python cannot read is."""

        async def script(connection: Connection) -> None:
            await connection.received("subscribe")
            await connection.write(f'{{"type": "next", "id": "1", "payload": {payload}}}')
            await connection.say(id="1", type="complete")

        with websocket_server(script) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert outcome.stdout == written
        assert told in outcome.stderr
        assert outcome.code == (1 if told else 0)

    def test_include(self, api: Api) -> None:
        """It shows the handshake."""
        with websocket_server(two) as server:
            configured(api, server)
            head, _, body = api(WATCH, "-i").stdout.partition("\n\n")

        assert head.startswith("HTTP/1.1 101 Switching Protocols\n")
        assert body == TWO


class TestSettings:
    def test_place(self, api: Api) -> None:
        """The token may stand in the payload alone, at a path; and at another address."""
        with websocket_server(two) as server:
            address = server.url.replace("http", "ws") + "/live"
            settings = f'url = "{address}", auth_in = "init", init_path = "headers.X"'
            configured(api, server, settings)
            outcome = api(WATCH)
            connection = server.connections[0]

        assert outcome.code == 0
        assert connection.path == "/graphql/live"
        assert "Authorization" not in connection.headers
        assert connection.payload == {"headers": {"X": f"Bearer {TOKEN}"}}

    def test_header(self, api: Api) -> None:
        """Or in the handshake alone."""
        with websocket_server(two) as server:
            configured(api, server, 'transport = "ws", auth_in = "header"')
            assert api(WATCH).code == 0
            assert server.connections[0].payload == {}

    def test_authorization_of_ones_own(self, api: Api) -> None:
        """It wins, and stands wherever the token would."""
        with websocket_server(two) as server:
            configured(api, server)
            assert api(WATCH, "-H", "Authorization: Bearer mine", "-H", "X-Name: ü").code == 0
            connection = server.connections[0]

        assert connection.headers["Authorization"] == "Bearer mine"
        assert connection.headers["X-Name"] == "ü"
        assert connection.payload == {"Authorization": "Bearer mine"}
        assert api.tokens.requests == []

    def test_path_of_ones_own(self, api: Api) -> None:
        """There, too, it stands at the path."""
        with websocket_server(two) as server:
            configured(api, server, 'transport = "ws", init_path = "a.b"')
            assert api(WATCH, "-H", "Authorization: mine").code == 0
            assert server.connections[0].payload == {"a": {"b": "mine"}}

    @pytest.mark.parametrize(
        ("settings", "options", "shown"),
        [
            ('transport = "ws"', (), '{"Authorization":"***"}'),
            ('transport = "ws", init_path = "a.b"', (), '{"a":{"b":"***"}}'),
            ('transport = "ws", auth_in = "header"', (), "{}"),
            ('transport = "ws"', ("--no-auth",), "{}"),
            ('transport = "ws"', ("-H", "Authorization: mine"), '{"Authorization":"***"}'),
        ],
    )
    def test_dry_run(self, api: Api, settings: str, options: tuple[str, ...], shown: str) -> None:
        """It shows the handshake and both messages, and asks nobody."""
        with websocket_server() as server:
            configured(api, server, settings)
            outcome = api(WATCH, "--dry-run", *options)
            assert server.handshakes == []
        head, _, body = outcome.stdout.partition("\n\n")
        messages = "".join(body.split()).replace("subscription{", "subscription {")

        assert head.startswith("GET ws://127.0.0.1:PORT/graphql\nUser-Agent: gql (gqlauth)/")
        assert ("Authorization: ***" in head) == ("--no-auth" not in options)
        assert messages.startswith(f'{{"type":"connection_init","payload":{shown}}}')
        assert '{"id":"1","type":"subscribe","payload":{"query":' in messages

    def test_dry_run_with_the_token_in_the_payload(self, api: Api) -> None:
        """It is not in the handshake then."""
        with websocket_server() as server:
            configured(api, server, 'transport = "ws", auth_in = "init"')
            assert "Authorization: " not in api(WATCH, "--dry-run").stdout

    def test_dry_run_of_a_stream(self, api: Api) -> None:
        """It shows where that is asked for."""
        with websocket_server() as server:
            configured(api, server, f'transport = "sse", url = "{server.url}/live"')
            stdout = api(WATCH, "--dry-run").stdout

        assert stdout.startswith("POST http://127.0.0.1:PORT/graphql/live\n")

    def test_no_auth(self, api: Api) -> None:
        """No token is sent, but the endpoint's headers are."""
        with websocket_server(two) as server:
            configured(api, server)
            assert api(WATCH, "--no-auth").code == 0
            connection = server.connections[0]

        assert "Authorization" not in connection.headers
        assert connection.headers["X-Key"] == KEY
        assert connection.payload == {}


class TestRefusals:
    def test_first_token(self, api: Api) -> None:
        """A token that is refused is replaced."""
        with websocket_server(two, greetings=(Rejects(4403),)) as server:
            configured(api, server)
            outcome = api(WATCH)
            tokens = [one.headers["Authorization"] for one in server.connections]

        assert (outcome.stdout, outcome.code) == (TWO, 0)
        assert tokens == [f"Bearer {TOKEN}", "Bearer token-2-of-the-server"]

    def test_every_token(self, api: Api) -> None:
        """Where the next is refused as well, that is told."""
        greetings = (Rejects(4403, "go away"), Rejects(4403, "go away"))
        with websocket_server(greetings=greetings) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert outcome.stderr == (
            "gql: orders: the API rejected the token (4403 go away); check audience and scopes\n"
        ).replace("orders", "live")
        assert outcome.code == 4

    @pytest.mark.parametrize(
        "greeting",
        [Rejects(4401), Answers(401), Says(NO)],
    )
    def test_nobody(self, api: Api, greeting: Any) -> None:
        """One who shows no token is told that it is wanted."""
        with websocket_server(greetings=(greeting,)) as server:
            configured(api, server, auth=False)
            outcome = api(WATCH)

        assert outcome.stderr.startswith("gql: live: the API wants authentication (")
        assert outcome.stderr.endswith('; endpoint "live" has none\n')
        assert outcome.code == 4

    @pytest.mark.parametrize(
        ("greeting", "code", "told"),
        [
            (Answers(404), 1, "the API answered 404 to the WebSocket handshake"),
            (Answers(503), 5, "the API answered 503 to the WebSocket handshake"),
            (Rejects(4400, "bad"), 1, "the API closed the connection: 4400 bad"),
            (Rejects(1011, "oops"), 5, "the API closed the connection: 1011 oops"),
            (Says('{"type": "next"}'), 1, "cannot be reached over WebSocket: the server did not"),
        ],
    )
    def test_no_connection(self, api: Api, greeting: Any, code: int, told: str) -> None:
        """Why there is no connection decides whether trying again may help."""
        with websocket_server(greetings=(greeting,)) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert told in outcome.stderr
        assert (outcome.stdout, outcome.code) == ("", code)

    def test_nobody_listens(self, api: Api) -> None:
        """Neither does anybody answer."""
        with websocket_server() as server:
            configured(api, server)
        outcome = api(WATCH)

        assert "live: the API 127.0.0.1:PORT cannot be reached over WebSocket: " in outcome.stderr
        assert outcome.code == 5

    def test_no_answer(self, api: Api) -> None:
        """A server that answers nothing at all is given up."""
        gate = Event()
        api.server.respond = lambda _: (gate.wait(30), Answer(404))[1]
        chosen = 'subscriptions = { transport = "ws" }'
        api.gql.file(f'[endpoints.live]\nurl = "{api.server.url}"\ntimeout = 0.3\n{chosen}\n')
        outcome = api(WATCH)
        gate.set()

        told = "gql: live: no answer of 127.0.0.1:PORT: connecting took too long\n"
        assert (outcome.stderr, outcome.code) == (told, 5)

    def test_redirect(self, api: Api) -> None:
        """A redirect to another origin is not followed: the token would go there."""
        with websocket_server() as other:
            elsewhere = Answers(307, {"Location": other.url.replace("http", "ws")})
            with websocket_server(greetings=(elsewhere,)) as server:
                configured(api, server)
                outcome = api(WATCH)

        assert other.handshakes == []
        assert "a redirect to another origin is not followed" in outcome.stderr
        assert outcome.code == 1

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--timeout", "0.3"), "no answer within 0.3 s"),
            ((), "no answer of 127.0.0.1:PORT: connecting took too long"),
        ],
    )
    def test_silence(self, api: Api, options: tuple[str, ...], told: str) -> None:
        """A server that acknowledges nothing is given up."""
        with websocket_server(greetings=(Says(),)) as server:
            configured(api, server)
            path = api.gql.project / "gqlauth.toml"
            short = "" if options else "timeout = 0.3\n"
            path.write_text(path.read_text().replace("headers", f"{short}headers", 1))
            outcome = api(WATCH, *options)

        assert (outcome.stderr, outcome.code) == (f"gql: live: {told}\n", 5)


class TestEnds:
    @pytest.mark.parametrize(
        ("code", "reason", "status", "told"),
        [
            (1001, "", 5, "the subscription was lost after 1 event: 1001"),
            (1000, "", 5, "the subscription was lost after 1 event: 1000"),
            (4403, "Forbidden", 4, "the API ended the subscription: 4403 Forbidden"),
            (4400, "what?", 1, "the API ended the subscription: 4400 what?"),
        ],
    )
    def test_closed(self, api: Api, code: int, reason: str, status: int, told: str) -> None:
        """How the server closes before it is complete decides."""
        one = {"type": "next", "payload": {"data": {"number": 1}}}
        with websocket_server(sends(one, code=code, reason=reason)) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert outcome.stdout == '{"data":{"number":1}}\n'
        assert (outcome.stderr, outcome.code) == (f"gql: live: {told}\n", status)

    def test_killed(self, api: Api) -> None:
        """A server that is gone without a word is worth trying again."""

        async def script(connection: Connection) -> None:
            await connection.received("subscribe")
            connection.abort()

        with websocket_server(script) as server:
            configured(api, server)
            outcome = api(WATCH)

        assert "the subscription was lost after 0 events: " in outcome.stderr
        assert outcome.code == 5

    @pytest.mark.usefixtures("interruptible")
    def test_interrupt(self, api: Api) -> None:
        """Ctrl-C tells the server that nothing more is wanted, and closes the connection."""
        told: list[str] = []

        async def script(connection: Connection) -> None:
            await connection.received("subscribe")
            await connection.event(1)
            told.append((await connection.messages.get())["type"])
            await connection.is_closed.wait()
            told.append("closed")

        with websocket_server(script) as server:
            configured(api, server)
            command = [sys.executable, "-m", "gqlauth", "api", WATCH]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == b'{"data":{"number":1}}\n'
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=30)

        assert (stderr, process.returncode) == (b"\n", 130)
        assert told == ["complete", "closed"]


class TestRenewal:
    def test_token_ends(self, api: Api) -> None:
        """Before the token ends, another connection takes over, and no event comes twice."""

        async def old(connection: Connection) -> None:
            await connection.received("subscribe")
            await connection.event(1)
            await connection.received("complete")

        async def new(connection: Connection) -> None:
            await connection.received("subscribe")
            await connection.event(2)
            await connection.say(id="1", type="complete")

        with token_endpoint(expires_in=2) as tokens, websocket_server(old, new) as server:
            api.tokens = tokens
            configured(api, server)
            outcome = api(WATCH)
            used = [one.headers["Authorization"] for one in server.connections]

        assert (outcome.stdout, outcome.stderr, outcome.code) == (TWO, "", 0)
        assert used == ["Bearer token-1-of-the-server", "Bearer token-2-of-the-server"]


class TestWithoutSetting:
    def test_websocket_alone(self, api: Api) -> None:
        """Where no stream answers, a WebSocket at the same address is tried; -v says so."""
        with websocket_server(two) as server:
            configured(api, server, "")
            outcome = api(WATCH, "-v")

        assert (outcome.stdout, outcome.code) == (TWO, 0)
        assert "no stream answers, so a WebSocket is tried" in outcome.stderr

    def test_lost(self, api: Api) -> None:
        """What becomes of it there is told, and not how the first request was answered."""
        with websocket_server(sends(code=1001)) as server:
            configured(api, server, "")
            outcome = api(WATCH)

        assert outcome.stderr == "gql: live: the subscription was lost after 0 events: 1001\n"
        assert outcome.code == 5

    @pytest.mark.parametrize(
        ("answer", "handshakes", "code", "told"),
        [
            (json_answer({"errors": [{"message": "no such field"}]}, 400), 1, 1, "no such field"),
            (json_answer({"errors": [{"message": "no such field"}]}), 1, 1, "no such field"),
            (Answer(404), 1, 1, "the API answered 404"),
            (Answer(403), 0, 1, "the API answered 403"),
            (Answer(503), 0, 5, "the API is unavailable: 503"),
            (json_answer({"errors": [{"message": "busy"}]}, 503), 0, 5, "unavailable: 503"),
            (json_answer({"errors": [{"message": "no"}]}, 401), 0, 4, "rejected a fresh token"),
            (json_answer({"data": {"a": 1}, "errors": [{"message": "no"}]}), 0, 1, "gql: no"),
            (
                json_answer({"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
                0,
                4,
                "rejected a fresh token",
            ),
        ],
    )
    def test_neither(self, api: Api, answer: Answer, handshakes: int, code: int, told: str) -> None:
        """Where there is no WebSocket either, the answer to the request is what counts."""
        api.answers(answer)
        outcome = api(WATCH)

        assert told in outcome.stderr
        assert outcome.code == code
        assert handshakes == [one.method for one in api.server.requests].count("GET")

    def test_by_http(self, api: Api) -> None:
        """One that is to come by a stream is not looked for elsewhere."""
        api.answers(Answer(404))
        text = (api.gql.project / "gqlauth.toml").read_text()
        url = f"{api.server.url}/graphql/stream"
        chosen = f'subscriptions = {{ transport = "sse", url = "{url}" }}'
        api.gql.file(text.replace('/graphql"\n', f'/graphql"\n{chosen}\n', 1))

        assert api(WATCH).code == 1
        assert [one.path for one in api.server.requests] == ["/graphql/stream"]
        assert api.request.headers["accept"].startswith("text/event-stream, application/graphql")


class TestLibrary:
    @pytest.fixture(autouse=True)
    def missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let there be no library for WebSocket."""
        monkeypatch.setitem(sys.modules, "gqlauth._subscriptions._socket", None)

    def test_wanted(self, api: Api) -> None:
        """Where it is missing, the extra that brings it is named."""
        with websocket_server() as server:
            configured(api, server)
            outcome = api(WATCH)

        assert outcome.stderr == (
            "gql: subscriptions over WebSocket need an extra that is not installed\n"
            '     hint: pip install "gqlauth[ws]"\n'
        )
        assert outcome.code == 2

    def test_tried(self, api: Api) -> None:
        """Where it might have helped, too."""
        api.answers(Answer(404))
        outcome = api(WATCH)

        assert outcome.stderr.endswith(
            "gql: subscriptions over WebSocket could not be tried\n"
            '     hint: pip install "gqlauth[ws]"\n'
        )
        assert outcome.code == 1
