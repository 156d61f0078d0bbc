"""`gql api`: what an answer comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.graphql_api import ASK, KEY, ME, STATIC, TOKEN
from tests.support.http_server import Answer, json_answer

if TYPE_CHECKING:
    from tests.support.graphql_api import Api


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
        '     hint: it says WWW-Authenticate: Bearer error="invalid_token"\n'
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
