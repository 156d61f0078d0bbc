"""What QUERY, ``-o`` and ``-H`` amount to."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gqlauth._cli._document import document, operation_name
from gqlauth._cli._fields import fields
from gqlauth._cli._headers import headers
from gqlauth._cli._inputs import Inputs

if TYPE_CHECKING:
    from pathlib import Path


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_document_is_the_argument() -> None:
    """A field `query` beside it is a variable."""
    told = {"query": "text"}

    assert document("{ me }", told, Inputs()) == "{ me }"
    assert told == {"query": "text"}


def test_a_document_may_be_a_field() -> None:
    """It is then no variable."""
    told = {"query": "{ me }", "a": 1}

    assert document(None, told, Inputs()) == "{ me }"
    assert told == {"a": 1}


def test_a_document_may_be_a_file(tmp_path: Path) -> None:
    """After an at sign."""
    (tmp_path / "me.graphql").write_text("{ me }")

    assert document(f"@{tmp_path / 'me.graphql'}", {}, Inputs()) == "{ me }"


@pytest.mark.parametrize("argument", ["-", "@-", None])
def test_a_document_may_come_by_standard_input(
    argument: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for, or where no other is given."""
    stdin(monkeypatch, b"{ me }")

    assert document(argument, {}, Inputs()) == "{ me }"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [None, Terminal()])
def test_a_missing_document_is_told(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With how to give one."""
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(click.UsageError, match="what is to be asked") as caught:
        document(None, {}, Inputs())

    assert "gql api '{ me { id } }'" in caught.value.message


def test_standard_input_that_a_field_took_is_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is what is missing."""
    stdin(monkeypatch, b"text")
    inputs = Inputs()
    told = fields((), ["a=@-"], inputs)
    with pytest.raises(click.UsageError, match="what is to be asked"):
        document(None, told, inputs)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        (" \n", "the query is empty"),
        ("me.graphql", "QUERY: this is no GraphQL document; a file is given as @me.graphql"),
        ("who am I", "QUERY: this is no GraphQL document"),
    ],
)
def test_what_is_no_document_is_refused(argument: str, told: str) -> None:
    """Before anything is sent."""
    with pytest.raises(click.UsageError) as caught:
        document(argument, {}, Inputs())

    assert caught.value.message.startswith(told)


def test_a_field_query_must_be_a_document() -> None:
    """A number is none."""
    with pytest.raises(click.UsageError, match="query: a GraphQL document belongs here"):
        document(None, {"query": 5}, Inputs())


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("{ me }", None, None),
        ("query A { me }", None, None),
        ("query A { me } mutation B { go }", "B", "B"),
        ("query A { me } subscription B { go }", "A", "A"),
        ("query A { me } subscription B { go }", "B", "B"),
        ("subscription { go }", None, None),
        ("fragment F on User { id }", None, None),
        ("fragment F on User { id }", "A", "A"),
    ],
)
def test_the_operation_is_chosen(text: str, name: str | None, expected: str | None) -> None:
    """By its name, where there are several."""
    assert operation_name(text, name) == expected


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (
            "query A { me } mutation B { go }",
            None,
            "which operation? Choose with -o NAME; the document has A (query), B (mutation)",
        ),
        ("{ me }", "A", 'no operation "A" in the document, which has (unnamed) (query)'),
    ],
)
def test_an_operation_that_cannot_be_chosen_is_told(text: str, name: str | None, told: str) -> None:
    """With those that there are."""
    with pytest.raises(click.UsageError) as caught:
        operation_name(text, name)

    assert told == caught.value.message


def test_headers_are_read() -> None:
    """A name, a colon, and whatever follows; several of one name stay."""
    assert headers(["A: b: c", "A:d", "X-Empty:", "X-Y: ü"]) == [
        ("A", "b: c"),
        ("A", "d"),
        ("X-Empty", ""),
        ("X-Y", "ü"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hunter2", "-H: a header reads 'Name: value'"),
        (": hunter2", "-H: a header's name has letters, digits and - before the colon"),
        ("A B: hunter2", "-H: a header's name has letters, digits and - before the colon"),
        ("X: hunter2\r\nY: 1", "-H X: its value has a control character"),
        ("X: hunter2\0", "-H X: its value has a control character"),
        ("content-length: 5", "-H content-length: this header is gql's own to set"),
    ],
)
def test_what_is_no_header_is_refused(text: str, told: str) -> None:
    """Without its value."""
    with pytest.raises(click.UsageError) as caught:
        headers([text])

    assert told == caught.value.message
