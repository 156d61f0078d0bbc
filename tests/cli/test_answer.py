"""Answers of a GraphQL API: what they hold, and how they are shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gqlauth._cli import _json
from gqlauth._cli._answer import (
    MOST_ERRORS,
    SNIPPET,
    Answer,
    NoAnswerError,
    Reply,
    error_code,
    error_lines,
    read_answer,
)


def reply(content: bytes, kind: str = "application/json", **settings: Any) -> Reply:
    return Reply(
        status=200,
        reason="OK",
        version="HTTP/1.1",
        headers=(("Content-Type", kind),) if kind else (),
        content=content,
        **settings,
    )


def lines(errors: object) -> list[str]:
    return list(error_lines(read_answer(reply(json.dumps({"errors": errors}).encode()))))


@pytest.mark.parametrize(
    ("text", "has_data", "errors"),
    [
        ('{"data": {"a": 1}}', True, ()),
        ('{"data": null}', False, ()),
        ('{"data": null, "errors": []}', False, ()),
        ('{"data": {}, "errors": null}', True, ()),
        ('{"errors": ["no"]}', False, ("no",)),
        ('{"errors": "no"}', False, ("no",)),
        ('{"errors": {"message": "no"}}', False, ({"message": "no"},)),
    ],
)
def test_a_graphql_answer_is_read(text: str, has_data: bool, errors: tuple[Any, ...]) -> None:  # noqa: FBT001 - a parameter of the test
    """Whatever its errors are made of."""
    assert read_answer(reply(text.encode())) == Answer(text=text, has_data=has_data, errors=errors)


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"", "application/json", "it is empty"),
        (b" \n", "", "it is empty"),
        (b"<!doctype html>", "text/html", "it is a web page"),
        (b" <html>", "application/json", "it is a web page"),
        (b"hello", "text/plain; charset=utf-8", "it is text/plain"),
        (b"hello", "", "it is no JSON (Expecting value: line 1, column 1)"),
        (b'{"data": NaN}', "application/json", "it is no JSON (NaN is no value of JSON)"),
        (b'{"data":', "application/json", "it is no JSON (Expecting value: line 1, column 9)"),
        (b'"\xff"', "application/json", "it is no UTF-8"),
        (b'"\xff"', "image/png", "it is image/png"),
        (b"[" * 100_000, "application/json", "it is nested too deep to be read"),
        (b"[]", "application/json", "it is JSON, but no object"),
        (b'{"message": "no"}', "application/json", "it has neither data nor errors"),
        (b'{"errors": []}', "application/json", "it has neither data nor errors"),
    ],
)
def test_what_is_no_graphql_is_told(content: bytes, kind: str, told: str) -> None:
    """With what it is instead."""
    with pytest.raises(NoAnswerError) as caught:
        read_answer(reply(content, kind))

    assert told == str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"message": "no", "path": ["viewer", 0, "email"], "extensions": {"code": "FORBIDDEN"}},
            "viewer.0.email: no [FORBIDDEN]",
        ),
        ({"message": "no", "extensions": {"exception": {"code": "X"}}}, "no [X]"),
        ({"message": "no", "errorType": "Unauthorized"}, "no [Unauthorized]"),
        ({"message": "no", "type": "NOT_FOUND"}, "no [NOT_FOUND]"),
        ({"message": "no", "extensions": {"code": 403}}, "no [403]"),
        ({"message": "no", "extensions": {"classification": {"type": "X"}}}, "no"),
        ({"message": "no", "extensions": "X", "path": "a"}, "no"),
        ({"message": "no", "path": []}, "no"),
        ({"message": "no", "locations": [{"line": 1, "column": 3}]}, "no (line 1, column 3)"),
        ({"message": "no", "locations": [{"line": 1}]}, "no"),
        ({"message": "no", "locations": []}, "no"),
        ({"message": "no", "locations": 5}, "no"),
        ({"path": ["a"]}, "a: an error without a message"),
        ({"message": ""}, "an error without a message"),
        ({"message": ["no"]}, "an error without a message"),
        ("no", "no"),
        (None, "null"),
        ([1.10, True], "[1.1, true]"),
    ],
)
def test_an_error_is_one_line(error: object, expected: str) -> None:
    """Path, message and code, as far as there are any."""
    assert lines([error]) == [expected]


def test_numbers_are_told_as_they_came() -> None:
    """Also in what is no error at all."""
    [line] = error_lines(read_answer(reply(b'{"errors": [1e400]}')))

    assert line == "1e400"


def test_very_many_errors_are_cut() -> None:
    """How many more there are is told."""
    told = lines(["no"] * (MOST_ERRORS + 3))

    assert told == [*["no"] * MOST_ERRORS, "… and 3 more errors"]


def test_a_snippet_is_short_and_on_one_line() -> None:
    """The rest is cut."""
    told = reply(b"<p>\n" + b"x" * 1000).snippet()

    assert told == "<p> " + "x" * (SNIPPET - 4) + "…"


def test_a_snippet_holds_no_credential() -> None:
    """Neither what was sent nor what looks like one."""
    told = reply(b'bad key hunter2hunter2, {"client_secret": "x"}', sent=("hunter2hunter2",))

    assert told.snippet() == 'bad key ***, {"client_secret": "***"}'


def test_an_echo_is_taken_out() -> None:
    """What is short would be found everywhere, and what was not sent is the server's."""
    told = reply(b"", sent=("hunter2hunter2", "a", ""))

    assert told.without_echo("a=hunter2hunter2; token=b") == "a=***; token=b"


def test_a_header_is_found_in_any_case() -> None:
    """One that is not there is empty."""
    assert reply(b"", "text/html").header("content-type") == "text/html"
    assert reply(b"").header("location") == ""


PRETTY = """\
{
  "a": 1.10,
  "b": [
    1e400,
    "x\\"y",
    {}
  ],
  "c": [],
  "d": {
    "e": null
  }
}"""


def test_json_is_made_readable() -> None:
    """Nothing changes but white space."""
    text = '{"a":1.10 ,"b":[1e400,"x\\"y",{ }],"c":[\n],"d":{"e":null}}'

    assert "".join(_json.pretty(text)) == PRETTY


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_readable_json_says_the_same(value: object) -> None:
    """Whatever it holds."""
    shown = "".join(_json.pretty(json.dumps(value, ensure_ascii=False)))

    assert json.loads(shown) == value


def test_what_could_drive_a_terminal_is_escaped() -> None:
    """As JSON escapes it, so that its meaning stays."""
    text = '"\\\\x9b\x9b31m \u202e \U000e0041 ä 👍"'
    shown = "".join(_json.pretty(text))

    assert shown == '"\\\\x9b\\u009b31m \\u202e \\udb40\\udc41 ä 👍"'
    assert json.loads(shown) == json.loads(text)


def test_pieces_are_painted_by_their_kind() -> None:
    """Keys, strings, numbers, words and marks."""
    painted: list[tuple[str, str]] = []

    def paint(piece: str, kind: str) -> str:
        painted.append((piece, kind))
        return piece

    assert "".join(_json.pretty('{"a":["b",-1,true]}', paint))
    assert painted == [
        ("{", "mark"),
        ('"a"', "key"),
        (":", "mark"),
        ("[", "mark"),
        ('"b"', "string"),
        (",", "mark"),
        ("-1", "number"),
        (",", "mark"),
        ("true", "word"),
        ("]", "mark"),
        ("}", "mark"),
    ]


def test_a_long_string_is_one_piece() -> None:
    """Megabytes of escapes take no more than a moment."""
    text = '"' + "\\n" * 1_000_000 + '"'

    assert "".join(_json.pretty(text)) == text


def test_no_error_has_no_code() -> None:
    """What is no object has no place for one."""
    assert error_code("UNAUTHENTICATED") == ""
