"""`gql api`: from the command line over real sockets, and back."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import time
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from gqlauth import __version__
from tests.support.gql import SECRET, Gql, Outcome
from tests.support.http_server import Answer, http_server, json_answer, token_endpoint, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.http_server import HttpServer, Request

CONFIG = """\
default_endpoint = "orders"

[endpoints.orders]
url = "{api}/graphql"
headers = {{ "X-Tenant" = "acme-tenant", "X-Key" = {{ env = "ORDERS_KEY" }} }}

[endpoints.orders.auth]
type = "client_credentials"
token_url = "{tokens}/token"
client_id = "orders-cli"
client_secret = {{ env = "ORDERS_SECRET" }}

[endpoints.static]
url = "{api}/static"
headers = {{ "User-Agent" = "acme", "Accept" = {{ env = "ORDERS_KEY" }} }}
auth = {{ type = "bearer", token = {{ env = "STATIC_TOKEN" }} }}

[endpoints.keyed]
url = "{api}/keyed"
auth = {{ type = "header", name = "X-Api-Key", value = {{ env = "STATIC_TOKEN" }} }}

[endpoints.public]
url = "{api}/public"
"""
KEY = "k3y-of-the-orders"
STATIC = "st4tic-token-of-mine"
TOKEN = "token-1-of-the-server"
ME = {"data": {"me": {"id": "1"}}}
ASK = "{ me { id } }"


class Api:
    """A GraphQL API that answers what it is told to, and a project that is configured for it."""

    def __init__(self, gql: Gql, server: HttpServer, tokens: HttpServer) -> None:
        self.gql = gql
        self.server = server
        self.tokens = tokens

    def answers(self, *answers: Answer) -> None:
        """Answer so, in order; the last for ever."""
        script = list(answers)

        def respond(_request: Request) -> Answer:
            return script.pop(0) if len(script) > 1 else script[0]

        self.server.respond = respond

    def __call__(self, *arguments: str) -> Outcome:
        return self.gql("api", *arguments)

    @property
    def request(self) -> Request:
        return self.server.requests[-1]

    @property
    def asked(self) -> Any:
        return json.loads(self.request.body)


@pytest.fixture
def api(gql: Gql) -> Iterator[Api]:
    """Give an API that knows who `me` is."""
    with http_server(lambda _: json_answer(ME)) as server, token_endpoint() as tokens:
        gql.file(CONFIG.format(api=server.url, tokens=tokens.url))
        gql.monkeypatch.setenv("ORDERS_SECRET", SECRET)
        gql.monkeypatch.setenv("ORDERS_KEY", KEY)
        gql.monkeypatch.setenv("STATIC_TOKEN", STATIC)
        gql.secrets += [KEY, STATIC, "token-1", "token-2"]
        yield Api(gql, server, tokens)


def test_a_question_is_answered(api: Api) -> None:
    """With a token, in the manner of GraphQL over HTTP."""
    outcome = api(ASK)

    assert outcome.stdout == '{"data": {"me": {"id": "1"}}}\n'
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert api.asked == {"query": ASK}
    assert (api.request.method, api.request.path) == ("POST", "/graphql")
    sent = api.request.headers
    assert sent["authorization"] == f"Bearer {TOKEN}"
    assert sent["content-type"] == "application/json"
    assert sent["accept"] == "application/graphql-response+json, application/json;q=0.9"
    assert sent["user-agent"] == f"gql (gqlauth)/{__version__}"
    assert (sent["x-tenant"], sent["x-key"]) == ("acme-tenant", KEY)


def test_everything_that_is_asked_is_sent(api: Api) -> None:
    """Document, variables and the name of the operation."""
    api(
        "query A($a: Int) { me } mutation B { go }",
        *("-o", "A", "--variables", '{"a": 1, "n": 1.10}', "-F", "a=2", "-f", "b[]=x"),
    )

    assert api.asked["operationName"] == "A"
    assert b'"variables": {"a": 2, "n": 1.10, "b": ["x"]}' in api.request.body


def test_habits_from_gh_work(api: Api) -> None:
    """The document and the operation's name may be fields."""
    (api.gql.project / "q.graphql").write_text("query A { me } query B { me }")
    outcome = api("-F", "query=@q.graphql", "-f", "operationName=B", "-F", "n=1")

    assert outcome.code == 0
    assert api.asked == {
        "query": "query A { me } query B { me }",
        "variables": {"n": 1},
        "operationName": "B",
    }


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


def test_both_media_types_are_read_and_partial_success_too(api: Api) -> None:
    """The newer one may come with 294."""
    api.answers(
        Answer(
            294,
            b'{"data": {"a": null}, "errors": [{"message": "no", "path": ["a"]}]}',
            {"Content-Type": "application/graphql-response+json"},
        )
    )

    assert api(ASK).code == 1
    assert api(ASK, "--allow-partial").code == 0


FORBIDDEN = {
    "message": "not authorized",
    "path": ["viewer", "email"],
    "extensions": {"code": "FORBIDDEN"},
}


def test_errors_are_told(api: Api) -> None:
    """On standard error, beside the answer."""
    api.answers(json_answer({"data": {"viewer": None}, "errors": [FORBIDDEN]}))
    outcome = api(ASK)

    assert outcome.stderr == "gql: viewer.email: not authorized [FORBIDDEN]\n"
    assert outcome.json["errors"] == [FORBIDDEN]
    assert outcome.code == 1


def test_partial_data_may_do(api: Api) -> None:
    """The errors are told all the same."""
    api.answers(json_answer({"data": {"viewer": None}, "errors": [FORBIDDEN]}))
    outcome = api(ASK, "--allow-partial")

    assert outcome.stderr == "gql: viewer.email: not authorized [FORBIDDEN]\n"
    assert outcome.code == 0


def test_errors_without_data_are_not_partial(api: Api) -> None:
    """Nothing came that one could work with."""
    api.answers(json_answer({"data": None, "errors": [FORBIDDEN]}))

    assert api(ASK, "--allow-partial").code == 1


def test_an_error_cannot_drive_the_terminal_nor_echo_the_token(api: Api) -> None:
    """What the server says of the request is cleaned."""
    api.answers(json_answer({"data": None, "errors": [{"message": f"bad \x1b[2J {TOKEN} {KEY}"}]}))
    outcome = api(ASK, "--silent")

    assert outcome.stderr == "gql: bad \\x1b[2J *** ***\n"


@pytest.mark.parametrize(
    ("answer", "told", "code"),
    [
        (
            Answer(403, b"<h1>Forbidden</h1>", {"Content-Type": "text/html"}),
            'the API answered 403 Forbidden: "<h1>Forbidden</h1>"',
            1,
        ),
        (json_answer({"message": "no"}, 403), 'the API answered 403 Forbidden: "{', 1),
        (
            Answer(404),
            "the API answered 404 Not Found\n     hint: is http://127.0.0.1:PORT/graphql the",
            1,
        ),
        (
            Answer(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
            (
                'the answer is no GraphQL: it is a web page (200 OK): "<html>sign in</html>"\n'
                "     hint: is http://127.0.0.1:PORT/graphql the GraphQL endpoint?"
            ),
            1,
        ),
        (Answer(200, b'{"da'), "the answer is no GraphQL: it is no JSON (", 1),
        (Answer(204), "the answer is no GraphQL: it is empty (204 No Content)\n", 1),
        (
            json_answer({"message": "no"}),
            'the answer is no GraphQL: it has neither data nor errors (200 OK): "{',
            1,
        ),
        (Answer(503, b"later"), 'the API is unavailable: 503 Service Unavailable: "later"\n', 5),
        (
            Answer(429, b"", {"Retry-After": "7"}),
            "the API is unavailable: 429 Too Many Requests; it asks to wait (Retry-After: 7)\n",
            5,
        ),
        (Answer(408), "the API is unavailable: 408 Request Timeout\n", 5),
        (Answer(425), "the API is unavailable: 425", 5),
        (
            Answer(302, b"", {"Location": "https://u:p@login.example.com/in?state=s3cr3t"}),
            (
                "the API answered 302 Found and points to https://login.example.com/in;"
                " it is not followed\n"
            ),
            1,
        ),
        (
            Answer(308, b"", {"Location": "/graphql/"}),
            (
                "the API answered 308 Permanent Redirect and points to"
                " http://127.0.0.1:PORT/graphql/; it is not followed\n"
            ),
            1,
        ),
        (Answer(300), "the API answered 300 Multiple Choices; it is not followed\n", 1),
    ],
)
def test_what_is_no_graphql_answer_is_told(api: Api, answer: Answer, told: str, code: int) -> None:
    """On standard error alone, with the exit status that it means."""
    api.answers(answer)
    outcome = api(ASK)

    assert outcome.stderr.startswith(f"gql: orders: {told}")
    assert (outcome.stdout, outcome.code) == ("", code)


def test_a_server_in_trouble_may_answer_in_graphql(api: Api) -> None:
    """Its errors are told, and that it may be worth trying again."""
    api.answers(json_answer({"errors": [{"message": "overloaded"}]}, 503))
    outcome = api(ASK)

    assert outcome.stderr == (
        "gql: overloaded\ngql: orders: the API is unavailable: 503 Service Unavailable\n"
    )
    assert outcome.stdout
    assert outcome.code == 5


def test_an_error_status_without_errors_is_told(api: Api) -> None:
    """Beside the answer."""
    api.answers(json_answer({"data": None}, 400))
    outcome = api(ASK)

    assert outcome.stderr == "gql: orders: the API answered 400 Bad Request\n"
    assert (outcome.stdout, outcome.code) == ('{"data": null}\n', 1)


def test_a_refused_document_may_come_with_400(api: Api) -> None:
    """Its errors say what is wrong with it."""
    told = {"message": 'Cannot query field "x"', "locations": [{"line": 1, "column": 3}]}
    api.answers(json_answer({"errors": [told]}, 400))
    outcome = api(ASK)

    assert outcome.stderr == 'gql: Cannot query field "x" (line 1, column 3)\n'
    assert outcome.code == 1


UNAUTHENTICATED = {
    "data": None,
    "errors": [{"message": "who?", "extensions": {"code": "UNAUTHENTICATED"}}],
}


def test_a_token_that_is_refused_is_replaced_once(api: Api) -> None:
    """The answer to the second one counts."""
    api.answers(json_answer(UNAUTHENTICATED), json_answer(ME))

    assert api(ASK).code == 0
    assert api.request.headers["authorization"] == "Bearer token-2-of-the-server"
    assert len(api.tokens.requests) == 2


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (json_answer(UNAUTHENTICATED), "(200, UNAUTHENTICATED)"),
        (json_answer(UNAUTHENTICATED, 401), "(401, UNAUTHENTICATED)"),
        (json_answer({"errors": [{"message": "who?"}]}, 401), "(401)"),
    ],
)
def test_fresh_tokens_that_are_refused_are_told(api: Api, answer: Answer, what: str) -> None:
    """With what may be the matter."""
    api.answers(answer)
    outcome = api(ASK)

    assert outcome.stderr.endswith(
        f"gql: orders: the API rejected a fresh token {what}; check audience and scopes\n"
    )
    assert outcome.code == 4
    assert len(api.server.requests) == 2


def test_a_mutation_is_not_sent_twice_and_still_refused(api: Api) -> None:
    """Null data may mean that it ran."""
    api.answers(json_answer(UNAUTHENTICATED))

    assert api("mutation { go }").code == 4
    assert len(api.server.requests) == 1


def test_a_static_credential_that_is_refused_is_told(api: Api) -> None:
    """There is no fresher one."""
    api.answers(
        json_answer(
            {"message": f"Bad credentials {STATIC}"},
            401,
            WWW_Authenticate='Bearer error="invalid_token"',
        )
    )
    outcome = api(ASK, "-e", "static")

    assert outcome.stderr == (
        "gql: static: the API rejected the credential (401); check its bearer:"
        ' "{"message": "Bad credentials ***"}"\n'
        '     hint: it wants Bearer error="invalid_token"\n'
    )
    assert outcome.code == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("-e", "public"),
            'public: the API wants authentication (401); endpoint "public" has none',
        ),
        (("--no-auth",), "orders: the API wants authentication (401); --no-auth sent none"),
        (
            ("-H", "Authorization: Bearer hunter2hunter2"),
            "orders: the API wants authentication (401); it got the Authorization that -H gives",
        ),
    ],
)
def test_what_goes_out_without_our_credential_is_told_so(
    api: Api, arguments: tuple[str, ...], told: str
) -> None:
    """Nothing was fetched, so nothing was refused."""
    api.answers(Answer(401))
    outcome = api(ASK, *arguments)

    assert outcome.stderr == f"gql: {told}\n"
    assert outcome.code == 4
    assert api.tokens.requests == []


def test_an_authorization_of_ones_own_wins(api: Api) -> None:
    """No token is fetched; further headers go out as they are."""
    api.gql.secrets.append("hunter2")
    outcome = api(
        *(ASK, "-vvv", "-H", "authorization: Bearer hunter2hunter2", "-H", "accept: text/x"),
        *("-H", "X-Many: 1", "-H", "X-Many: ü"),
    )

    assert outcome.code == 0
    assert api.tokens.requests == []
    sent = api.request.headers
    assert sent["authorization"] == "Bearer hunter2hunter2"
    assert sent["accept"] == "text/x"
    assert sent["x-many"].encode("latin-1") == "ü".encode()


def test_no_auth_sends_none(api: Api) -> None:
    """Though the endpoint has some; its headers stay."""
    assert api(ASK, "--no-auth").code == 0
    assert "authorization" not in api.request.headers
    assert api.request.headers["x-key"] == KEY
    assert api.tokens.requests == []


def test_an_endpoint_says_who_asks(api: Api) -> None:
    """Its plain headers come before ours, and those that are given before all."""
    api(ASK, "-e", "static", "-H", "Accept: */*")

    assert api.request.headers["user-agent"] == "acme"
    assert api.request.headers["accept"] == "*/*"


def test_a_key_goes_into_its_header(api: Api) -> None:
    """As the endpoint names it."""
    assert api(ASK, "-e", "keyed").code == 0
    assert api.request.headers["x-api-key"] == STATIC


def test_an_endpoint_may_be_named_by_its_url(api: Api) -> None:
    """It is then that endpoint, token and all."""
    assert api(ASK, "-e", f"{api.server.url}/graphql").code == 0
    assert api.request.headers["authorization"] == f"Bearer {TOKEN}"


def test_another_url_gets_nothing(api: Api) -> None:
    """Neither token nor headers; -v says so."""
    outcome = api(ASK, "-v", "-e", f"{api.server.url}/other")

    assert outcome.code == 0
    assert "no endpoint has this URL, so it gets no token" in outcome.stderr
    assert "authorization" not in api.request.headers
    assert "x-tenant" not in api.request.headers


def test_a_wrong_configuration_is_told_for_a_url_too(api: Api) -> None:
    """It might have an endpoint of that URL."""
    api.gql.file('[endpoints.a]\nurl = "x"\n')

    assert api(ASK, "-e", f"{api.server.url}/other").code == 2


def test_a_url_needs_no_configuration(api: Api) -> None:
    """One that is named must be there all the same."""
    (api.gql.project / "gqlauth.toml").unlink()
    url = f"{api.server.url}/other"
    api.answers(json_answer(ME), Answer(401))

    assert api(ASK, "-e", url).code == 0
    refused = api(ASK, "-e", url)
    assert refused.stderr.startswith("gql: 127.0.0.1:PORT: the API wants authentication (401); no")
    assert api(ASK, "-e", url, "--config", "missing.toml").code == 2
    api.gql.monkeypatch.setenv("GQLAUTH_CONFIG", "missing.toml")
    assert api(ASK, "-e", url).code == 2


@pytest.mark.parametrize("url", ["ftp://a.example.com", "https://u:hunter2@a.example.com", "://x"])
def test_what_is_no_url_is_refused(api: Api, url: str) -> None:
    """Without showing what it holds."""
    outcome = api(ASK, "-e", url)

    assert outcome.code == 2
    assert outcome.stderr.startswith("gql: -e: this ")
    assert "hunter2" not in outcome.stderr


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
    assert outcome.stderr.startswith("gql: orders: no answer of 127.0.0.1:PORT")
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


def test_a_url_that_httpx_refuses_is_told(api: Api) -> None:
    """Not as a bug of ours."""
    api.gql.monkeypatch.setenv("ORDERS_KEY", "line\nline")
    outcome = api(ASK)

    assert outcome.stderr == ("gql: orders: 127.0.0.1:PORT cannot be asked: LocalProtocolError\n")
    assert outcome.code == 2


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

    assert 'pip install "gqlauth[jq]"' in outcome.stderr
    assert outcome.code == 2


DRY = """\
POST http://127.0.0.1:PORT/graphql
Content-Type: application/json
Accept: application/graphql-response+json, application/json;q=0.9
User-Agent: gql (gqlauth)/VERSION
X-Odd: \\u202e
X-Tenant: acme-tenant
X-Key: *** (env ORDERS_KEY)
Authorization: *** (gqlauth.toml:7 client_credentials)

{
  "query": "{ me { id } }",
  "variables": {
    "n": 1.10,
    "password": "***"
  }
}
"""


def test_a_dry_run_shows_the_request(api: Api) -> None:
    """It asks nobody, and needs no secret."""
    api.gql.monkeypatch.delenv("ORDERS_SECRET")
    api.gql.monkeypatch.delenv("ORDERS_KEY")
    outcome = api(
        *(ASK, "--dry-run", "-H", "X-Odd: \u202e", "-f", "password=hunter2"),
        *("--variables", '{"n": 1.10}'),
    )

    assert outcome.stdout == DRY
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert api.server.requests == api.tokens.requests == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("-H", "Authorization: Bearer hunter2hunter2"), ["Authorization: ***"]),
        (("--no-auth",), []),
        (("-e", "public"), []),
        (("-e", "static"), ["Authorization: *** (gqlauth.toml:16 bearer)"]),
        (("-e", "keyed"), ["X-Api-Key: *** (gqlauth.toml:20 header)"]),
        (("-e", "keyed", "-H", "x-api-key: hunter2"), ["x-api-key: ***"]),
    ],
)
def test_a_dry_run_shows_where_the_credential_comes_from(
    api: Api, arguments: tuple[str, ...], shown: list[str]
) -> None:
    """File, line and type; nothing where there is none."""
    outcome = api(ASK, "--dry-run", *arguments)
    told = [line for line in outcome.stdout.splitlines() if "key:" in line.lower()]
    told += [line for line in outcome.stdout.splitlines() if line.startswith("Authorization")]

    assert [line for line in told if "ORDERS_KEY" not in line] == shown


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
