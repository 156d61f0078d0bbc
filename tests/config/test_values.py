"""The values of a file, as the types of a strategy's fields ask for them."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NewType, TypedDict

import attrs
import pytest

from gqlauth import Secret
from gqlauth._config._converter import converter_for
from gqlauth._config._document import read
from gqlauth._secret_sources import EnvSource
from gqlauth.errors import SecretError
from tests.config.making import made, told

if TYPE_CHECKING:
    from tests.config.conftest import Project


class Colour(Enum):
    RED = "red"
    GREEN = 2


@attrs.frozen
class Inner:
    name: str
    size: int = 1


@dataclasses.dataclass
class Data:
    name: str
    size: int = 1


class Typed(TypedDict):
    name: str


Name = NewType("Name", str)


class TestScalars:
    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (str, '"a"', "a"),
            (bool, "true", True),
            (int, "7", 7),
            (float, "7", 7.0),
            (float, "0.5", 0.5),
            (Literal["a", "b"], '"${A:-b}"', "b"),
            (Literal[1, True], "true", True),
            (Colour, '"red"', Colour.RED),
            (Colour, "2", Colour.GREEN),
            (Name, '"a$$"', "a$"),
            (str | None, '"a"', "a"),
            (Any, '{ a = ["${A:-b}", 1, { c = "$$" }] }', {"a": ["b", 1, {"c": "$"}]}),
        ],
    )
    def test_good(self, project: Project, kind: Any, value: str, expected: object) -> None:
        """Text, numbers, true and false, and one of a few."""
        result = made(project, kind, value)

        assert (type(result), result) == (type(expected), expected)

    @pytest.mark.parametrize(
        ("kind", "value", "message"),
        [
            (str, "1", "expected text, got a number"),
            (str, "true", "expected text, got true or false"),
            (str, "[]", "expected text, got a list"),
            (str, "{}", "expected text, got a table"),
            (str, "2024-02-29", "expected text, got a date"),
            (str, "10:00:00", "expected text, got a time"),
            (bool, "1", "expected true or false, got a number"),
            (int, "true", "expected a whole number, got true or false"),
            (int, "1.0", "expected a whole number, got a number"),
            (float, '"1"', "expected a number, got text"),
            (float, "nan", "expected a number that is finite"),
            (float, "-inf", "expected a number that is finite"),
            (float, "9" * 400, "expected a number that is finite"),
            (Literal["green", 1], '"geen"', 'expected one of: green, 1; did you mean "green"?'),
            (Literal["a", 1], "true", "expected one of: a, 1"),
            (Colour, '"blue"', "expected one of: red, 2"),
            (Colour, '{ red = "red" }', "expected one of: red, 2"),
            (complex, "1", "its type is none that a configuration can hold"),
            (int | str, "1", "its type is none that a configuration can hold"),
        ],
    )
    def test_bad(self, project: Project, kind: Any, value: str, message: str) -> None:
        """It is told what is wanted, and what there is."""
        assert told(project, kind, value) == [((), message)]

    def test_half_of_a_character(self, project: Project) -> None:
        """What cannot be sent as UTF-8 is refused here, and not when it is sent."""
        project.environ["A"] = "a\udcff"

        assert told(project, str, '"${A}"') == [((), "has half of a character (a lone surrogate)")]


class TestPaths:
    def test_relative(self, project: Project) -> None:
        """A relative path begins where the configuration lies, and not in the working directory."""
        project.monkeypatch.chdir("/")

        assert made(project, Path, '"a/b"') == project.root / "a" / "b"
        assert made(project, Path, '"/a/b"') == Path("/a/b")

    def test_home(self, project: Project) -> None:
        """``~`` is the home directory."""
        project.monkeypatch.setenv("HOME", "/home/of/mine")

        assert made(project, Path, '"~/a"') == Path("/home/of/mine/a")

    def test_home_of_nobody(self, project: Project) -> None:
        """The home directory of one who is not known is told."""
        message = "begins with the home directory (~) of nobody who is known"

        assert told(project, Path, '"~nobody-of-that-name/a"') == [((), message)]


class TestLists:
    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (list[int], "[1, 2]", [1, 2]),
            (Sequence[str], '["a"]', ["a"]),
            (tuple[str, ...], '["a", "b"]', ("a", "b")),
            (tuple[str, int], '["a", 1]', ("a", 1)),
            (tuple, '["a", 1]', ("a", 1)),
            (list, '["a", 1]', ["a", 1]),
            (set[int], "[1, 1]", {1}),
            (frozenset[str], '["a"]', frozenset({"a"})),
            (AbstractSet[str], '["a"]', frozenset({"a"})),
            (deque[int], "[1]", deque([1])),
            (tuple[Inner, ...], '[{ name = "a" }]', (Inner("a"),)),
            (list[list[int]], "[[1], []]", [[1], []]),
        ],
    )
    def test_good(self, project: Project, kind: Any, value: str, expected: object) -> None:
        """Lists, tuples and sets, of whatever."""
        result = made(project, kind, value)

        assert (type(result), result) == (type(expected), expected)

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (list[int], '"1"', [((), "expected a list, got text")]),
            (
                tuple[int, ...],
                '["a", 1, "b"]',
                [
                    ((0,), "expected a whole number, got text"),
                    ((2,), "expected a whole number, got text"),
                ],
            ),
            (tuple[int, str], "[1]", [((), "expected a list of 2, got one of 1")]),
            (tuple[int, str], "[1, 2]", [((1,), "expected text, got a number")]),
            (list[list[int]], '[[1, "a"]]', [((0, 1), "expected a whole number, got text")]),
            (
                tuple[Inner, ...],
                '[{ name = "a" }, { nam = 1, size = "b" }]',
                [
                    ((1, "nam"), 'unknown key; did you mean "name"?'),
                    ((1, "name"), "missing"),
                    ((1, "size"), "expected a whole number, got text"),
                ],
            ),
        ],
    )
    def test_bad(self, project: Project, kind: Any, value: str, expected: object) -> None:
        """All that is wrong is told, each thing by its index."""
        assert told(project, kind, value) == expected


class TestTables:
    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (dict[str, int], "{ a = 1 }", {"a": 1}),
            (Mapping[str, str], '{ "$${A}" = "$$" }', {"$${A}": "$"}),
            (dict, "{ a = [1] }", {"a": [1]}),
            (Mapping[Colour, int], "{ red = 1 }", {Colour.RED: 1}),
            (Mapping[str, Inner], '{ a = { name = "b" } }', {"a": Inner("b")}),
            (Data, '{ name = "a" }', Data("a")),
            (Typed, '{ name = "a" }', {"name": "a"}),
        ],
    )
    def test_good(self, project: Project, kind: Any, value: str, expected: object) -> None:
        """Mappings, whose keys hold no variables, and classes of several kinds."""
        result = made(project, kind, value)

        assert (type(result), result) == (type(expected), expected)

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            (dict[str, int], "[1]", [((), "expected a table, got a list")]),
            (
                dict[str, int],
                '{ a = 1, b = "1", "c.d" = 1.5 }',
                [
                    (("b",), "expected a whole number, got text"),
                    (("c.d",), "expected a whole number, got a number"),
                ],
            ),
            (Mapping[Colour, int], "{ blue = 1 }", [(("blue",), "expected one of: red, 2")]),
            (Inner, "1", [((), "expected a table, got a number")]),
            (Data, "1", [((), "expected a table, got a number")]),
            (
                Data,
                '{ size = "a" }',
                [(("name",), "missing"), (("size",), "expected a whole number, got text")],
            ),
        ],
    )
    def test_bad(self, project: Project, kind: Any, value: str, expected: object) -> None:
        """All that is wrong is told, each thing by its key."""
        assert told(project, kind, value) == expected


class TestSecrets:
    @pytest.mark.parametrize("kind", [Secret, Secret | None, str | Secret, str | Secret | None])
    def test_reference(self, project: Project, kind: Any) -> None:
        """A reference is a secret, wherever one may stand."""
        secret = made(project, kind, '{ env = "${A:-B}" }')

        assert isinstance(secret, Secret)
        assert secret.reference == EnvSource("B")

    def test_text_where_both_may_stand(self, project: Project) -> None:
        """Where text may stand too, text is text."""
        assert made(project, str | Secret, '"a"') == "a"

    @pytest.mark.parametrize("kind", [Secret | None, str | Secret | None, str | None])
    def test_nothing(self, project: Project, kind: Any) -> None:
        """YAML's null is nothing, where that may be."""
        document = read(project.file("value: null", "a.yaml"))

        assert converter_for(document, {}).structure(document.data["value"], kind) is None

    @pytest.mark.parametrize("kind", [Secret, str | Secret])
    def test_nothing_where_there_must_be_something(self, project: Project, kind: Any) -> None:
        """YAML's null is nothing, and so no secret."""
        document = read(project.file("value: null", "a.yaml"))

        with pytest.raises(TypeError, match=r"got nothing$"):
            converter_for(document, {}).structure(document.data["value"], kind)

    def test_source_is_known_by_its_place(self, project: Project) -> None:
        """What is wrong with a secret later is told at its place in the file."""
        secret = made(project, Secret, '{ env = "UNSET_VARIABLE" }')

        with pytest.raises(SecretError) as raised:
            secret.check()

        assert str(raised.value) == (
            "gqlauth.toml:1: value: environment variable UNSET_VARIABLE is not set"
        )
