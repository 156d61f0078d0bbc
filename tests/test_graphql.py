"""What GraphQL says of a request and an answer, as far as authentication must know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlauth._graphql import (
    Rejection,
    asks_subscription,
    certainly_query,
    executed,
    operations,
    rejection,
)

CODES = ("UNAUTHENTICATED", "invalid-jwt", "UnauthorizedException")


def judged(answer: Any) -> Rejection | None:
    return rejection(json.dumps(answer).encode(), CODES)


@pytest.mark.parametrize(
    "error",
    [
        {"extensions": {"code": "UNAUTHENTICATED"}},
        {"extensions": {"exception": {"code": "UNAUTHENTICATED"}}},
        {"errorType": "UNAUTHENTICATED"},
        {"extensions": {"code": 7}, "errorType": "UNAUTHENTICATED"},
    ],
)
def test_a_code_is_found_where_servers_put_it(error: dict[str, Any]) -> None:
    """In extensions, in their exception, and in errorType."""
    assert judged({"errors": [{"message": "no", **error}]}) == Rejection(
        "UNAUTHENTICATED", nothing_ran=True
    )


def test_null_data_is_told_from_none() -> None:
    """A resolver may have run before it was refused."""
    answer = {"data": None, "errors": [{"extensions": {"code": "invalid-jwt"}}]}
    assert judged(answer) == Rejection("invalid-jwt", nothing_ran=False)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"me": None}, "errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]},
        {"errors": [{"extensions": {"code": "FORBIDDEN"}, "message": "UNAUTHENTICATED"}]},
        {"errors": "UNAUTHENTICATED"},
        {"errors": ["UNAUTHENTICATED"]},
        {"errors": [{"extensions": "UNAUTHENTICATED"}]},
        {"errors": [{"extensions": {"exception": "UNAUTHENTICATED"}}]},
        {"data": {"code": "UNAUTHENTICATED"}},
        {"UNAUTHENTICATED": 1},
        "UNAUTHENTICATED",
        ["UNAUTHENTICATED"],
        [],
    ],
)
def test_all_else_is_no_rejection(answer: Any) -> None:
    """Data beside the errors, other codes, and odd shapes."""
    assert judged(answer) is None


@pytest.mark.parametrize("content", [b"", b"UNAUTHENTICATED", b"[" * 100_000 + b"UNAUTHENTICATED"])
def test_what_is_no_json_is_no_rejection(content: bytes) -> None:
    """Whatever it holds."""
    assert rejection(content, CODES) is None


def test_a_batch_is_rejected_as_a_whole_or_not() -> None:
    """One answer with data shows that the token served."""
    refused = {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}
    assert judged([refused, refused]) == Rejection("UNAUTHENTICATED", nothing_ran=True)
    assert judged([refused, {"data": None, **refused}]) == Rejection(
        "UNAUTHENTICATED", nothing_ran=False
    )
    assert judged([refused, {"data": {"me": 1}}]) is None


@pytest.mark.parametrize(
    ("answer", "ran"),
    [
        ({"data": None, "errors": []}, True),
        ({"data": {"me": 1}}, True),
        ([{"errors": []}, {"data": None}], True),
        ({"errors": [{"message": "data"}]}, False),
        ({"errors": [{"data": None}]}, False),
        (["data"], False),
        ([], False),
    ],
)
def test_data_in_an_answer_says_that_something_ran(answer: Any, ran: bool) -> None:  # noqa: FBT001 - a parameter
    """Be it null: GraphQL leaves it out where nothing was executed."""
    assert executed(json.dumps(answer).encode()) == ran


def test_what_is_no_json_says_nothing_ran() -> None:
    """It is no answer of GraphQL."""
    assert not executed(b'{"data"')


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("{ me { id } }", [("query", "")]),
        ("query { me }", [("query", "")]),
        (
            'query Q($a: Int = 3) @d(x: "mutation {") { a }\nmutation M { b }',
            [("query", "Q"), ("mutation", "M")],
        ),
        ("# mutation\nsubscription S { x }", [("subscription", "S")]),
        ("fragment F on T { x } query { ...F }", [("query", "")]),
        ("fragment mutation on T { x } { y }", [("query", "")]),
        (
            "query query { a } mutation mutation { b }",
            [("query", "query"), ("mutation", "mutation")],
        ),
        ('{ a(x: "}") } mutation { c }', [("query", ""), ("mutation", "")]),
        (
            '{ a(x: """ } \\""" mutation { """) } mutation C { c }',
            [("query", ""), ("mutation", "C")],
        ),
        ("query @skip(if: true) { a }", [("query", "")]),
        ("{a}{b}", [("query", ""), ("query", "")]),
        ("mutation{a}", [("mutation", "")]),
        ("query Q, { a }", [("query", "Q")]),
        ("", []),
        ("type T { a: Int }", []),
    ],
)
def test_operations_are_told_at_the_outermost_level(
    document: str, found: list[tuple[str, str]]
) -> None:
    """Strings, comments, selections and fragments are passed over."""
    assert operations(document) == found


def test_a_string_without_end_is_read_once() -> None:
    """It takes no time that grows with the square of its length, which would be minutes here."""
    assert operations('"' + '\\"' * 500_000) == []


@given(st.text(alphabet='{}()"#\\ \n querymtaion@$:,_', max_size=200))
def test_any_text_is_read(document: str) -> None:
    """What is no document is no crash."""
    operations(document)


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "{ me }"},
        {"query": "query A { a } query B { b }"},
        {"query": "query A { a } mutation B { b }", "operationName": "A"},
        [{"query": "{ a }"}, {"query": "{ b }"}],
    ],
)
def test_what_certainly_asks_queries(request_: Any) -> None:
    """One operation, the one that is named, or all of a batch."""
    assert certainly_query(json.dumps(request_).encode())


@pytest.mark.parametrize(
    "request_",
    [
        {"query": "mutation { a }"},
        {"query": "query A { a } mutation B { b }"},
        {"query": "query A { a } mutation B { b }", "operationName": "B"},
        {"query": "query A { a }", "operationName": "C"},
        {"query": "fragment F on T { x }"},
        {"query": 7},
        {"extensions": {"persistedQuery": {}}},
        [{"query": "{ a }"}, {"query": "mutation { b }"}],
        [],
        7,
    ],
)
def test_what_may_be_more_than_a_query(request_: Any) -> None:
    """A mutation must never run twice, so doubt counts."""
    assert not certainly_query(json.dumps(request_).encode())


@pytest.mark.parametrize("content", [b"", b"--boundary", b"[" * 100_000])
def test_what_cannot_be_read_is_no_query(content: bytes) -> None:
    """A form, a file, nothing."""
    assert not certainly_query(content)


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        ("subscription { tick }", None, True),
        ("subscription Tick { tick } query Me { me }", "Tick", True),
        ("subscription Tick { tick } query Me { me }", "Me", False),
        ("subscription Tick { tick } query Me { me }", None, False),
        ("{ me }", None, False),
    ],
)
def test_subscriptions_are_told_from_the_rest(
    query: str, name: str | None, *, expected: bool
) -> None:
    """By the operation that is asked for, if one of several is."""
    assert asks_subscription({"query": query, "operationName": name}) is expected
