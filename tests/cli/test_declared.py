"""What ``-F`` makes of a value, by the type that the document declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from gqlauth._cli import _json
from gqlauth._cli._declared import declared
from gqlauth._cli._fields import fields
from gqlauth._cli._inputs import Inputs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.graphql_api import Api


def made(kind: str, *texts: str) -> str:
    """Return the variable that the values amount to, as it is sent."""
    types = declared(f"query($a: {kind}) {{ me }}", None)
    return _json.write(fields((), texts, Inputs(), types)["a"])


class TestDeclared:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("{ me }", {}),
            ("query { me }", {}),
            ("query A { me }", {}),
            ("query($id: ID!) { me }", {"id": "ID!"}),
            ("mutation M ( $a : [ Int! ] ! , $b:By ) { m }", {"a": "[Int!]!", "b": "By"}),
            ('query($a: Int = 1 $b: By = {c: [1], d: "$x: Y"}, $e: E) { m }',
             {"a": "Int", "b": "By", "e": "E"}),
            ("query($a: Int @d(e: [1]) # $c: C\n, $b: ID) @f(g: {}) { m(n: $a) }",
             {"a": "Int", "b": "ID"}),
            ("fragment query on Q { me } query($a: Int) { me }", {"a": "Int"}),
            ("{ query(a: 1) { mutation } }", {}),
            ("query($a: Int", {"a": "Int"}),
            ("query($a: ) { me }", {"a": ""}),
            ("query", {}),
            ('"""what it is for""" query Q($id: ID!) { me }', {"id": "ID!"}),
        ],
    )  # fmt: skip
    def test_variables(self, text: str, expected: dict[str, str]) -> None:
        """Names and types stand in the brackets behind an operation's name."""
        assert declared(text, None) == expected

    def test_of_the_operation(self) -> None:
        """Of several operations, those of the one that is meant."""
        text = "query A($a: Int) { a } query B($a: ID) { b }"

        assert declared(text, "B") == {"a": "ID"}
        assert declared(text, None) == {}
        assert declared(text, "C") == {}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("ID!", "123", '"123"'),
        ("ID!", "null", '"null"'),
        ("ID", "null", "null"),
        ("String", "true", '"true"'),
        ("String!", '{"a": 1}', '"{\\"a\\": 1}"'),
        ("Int", "5", "5"),
        ("Int!", " -5\n", "-5"),
        ("Float", "1.50e3", "1.50e3"),
        ("Float!", "2", "2"),
        ("Boolean", "true", "true"),
        ("Boolean!", "false", "false"),
        ("[Int!]!", "[1, 2]", "[1, 2]"),
        ("[Int!]!", "1", "[1]"),
        ("[ID]", "1", '["1"]'),
        ("[ID]", "null", "null"),
        ("By!", '{"first": 10}', '{"first": 10}'),
        ("By", "null", "null"),
        ("State", "OPEN", '"OPEN"'),
        ("Big", "123456789012345678901234567890", "123456789012345678901234567890"),
        ("Json", "true", "true"),
        ("Date", "2026-11-26", '"2026-11-26"'),
    ],
)
def test_value(kind: str, value: str, expected: str) -> None:
    """Scalars are what their type says; an input object or a list is JSON."""
    assert made(kind, f"a={value}") == expected


def test_items() -> None:
    """An item of a list is what the list's type says."""
    assert made("[ID!]!", "a[]=1", "a[]=2") == '["1", "2"]'


def test_inside_an_object() -> None:
    """What is in an input object is what it looks like: the document does not tell more."""
    assert made("By!", "a[first]=10", "a[state]=OPEN") == '{"first": 10, "state": "OPEN"}'


def test_undeclared() -> None:
    """So is a variable that nothing declares."""
    assert fields((), ("b=5",), Inputs(), {"a": "ID"}) == {"b": 5}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("By!", '{"n": 1}'), ("String", '"{\\"n\\": 1}\\n"'), ("[By]", '[{"n": 1}]')],
)
def test_file(tmp_path: Path, kind: str, expected: str) -> None:
    """What a file holds becomes what the type says, too."""
    (tmp_path / "by.json").write_text('{"n": 1}\n')

    assert made(kind, f"a=@{tmp_path / 'by.json'}") == expected


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("Int", "x", "-F a: the query declares Int: a whole number belongs here"),
        ("Int!", "1.5", "-F a: the query declares Int!: a whole number belongs here"),
        ("Int!", "null", "-F a: the query declares Int!: a whole number belongs here"),
        ("Float", "NaN", "-F a: the query declares Float: a number belongs here"),
        ("Boolean", "yes", "-F a: the query declares Boolean: true or false belongs here"),
        (
            "By",
            "{secret",
            (
                "-F a: the query declares By, and this is no JSON: Expecting property name "
                "enclosed in double quotes: line 1 column 2 (char 1); -f takes it as text"
            ),
        ),
    ],
)
def test_what_it_is_not(kind: str, value: str, told: str) -> None:
    """A value of another type is told with what belongs there, and not shown."""
    with pytest.raises(click.UsageError) as failure:
        made(kind, f"a={value}")

    assert failure.value.message == told


class TestApi:
    def test_variables(self, api: Api) -> None:
        """It asks with variables of the declared types."""
        query = "query($id: ID!, $by: By) { me { id } }"

        assert api(query, "-F", "id=123", "-F", 'by={"n": 1}', "-f", "text=1").code == 0
        assert api.asked["variables"] == {"text": "1", "id": "123", "by": {"n": 1}}

    def test_as_gh_has_it(self, api: Api) -> None:
        """The document may be a field itself."""
        query = "query A($n: ID) { me { id } } query B { me { id } }"

        api("-F", "n=1", "-f", f"query={query}", "-f", "operationName=A")

        expected: dict[str, Any] = {"query": query, "variables": {"n": "1"}, "operationName": "A"}
        assert api.asked == expected

    def test_operation_name_beside_an_option(self, api: Api) -> None:
        """With -o, a field of that name is a variable."""
        api("-f", "query=query A { me { id } }", "-f", "operationName=B", "-o", "A")

        assert api.asked["variables"] == {"operationName": "B"}
        assert api.asked["operationName"] == "A"
