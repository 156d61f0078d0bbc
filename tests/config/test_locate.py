"""The line of a key path: in documents written in many styles, it is the line written on."""

from __future__ import annotations

import json
import tomllib
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gqlauth._config._locate import Kind, locate
from tests.config.pages import Json, Page, Path, Toml, Yaml

DECOYS = [
    "",
    "x",
    "[a]\na = 1\n",
    "a: 1\n- b: 2\n",
    '"a": {\n',
    "a.b = { c = [\n",
    "# a\n",
    "\\\"'",
]
KEYS = st.one_of(
    st.sampled_from(["a", "b", "a-b", "1", "1.5", "null", "<<", "true", "- a", "a: b", "日本"]),
    st.text(alphabet="ab1-_ .,:#=[]{}\"'\\\té☃😀", max_size=6),
)
DATA = st.dictionaries(
    KEYS,
    st.recursive(
        st.sampled_from([*DECOYS, 0, -7, 1.5, True]),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(st.dictionaries(KEYS, inner, max_size=2), max_size=3),
            st.dictionaries(KEYS, inner, max_size=3),
        ),
        max_leaves=10,
    ),
    max_size=4,
)
RANDOM = st.integers(0, 2**32).map(Random)
CASES = settings(max_examples=150, deadline=None, derandomize=True)


def check(kind: Kind, page: Page, text: str) -> None:
    """Compare the lines of some of the paths, and of what is missing below one of them."""
    paths = page.random.sample(sorted(page.lines, key=str), min(8, len(page.lines)))
    expected = {path: page.lines[path] for path in paths}
    assert expected == {path: locate(text, kind, path) for path in paths}
    for path in paths[:1]:
        assert expected[path] == locate(text, kind, (*path, "missing", 0))


class TestEveryStyle:
    @CASES
    @given(data=DATA, random=RANDOM)
    def test_toml(self, data: dict[str, Any], random: Random) -> None:
        """A TOML key is located on the line that first names it."""
        page = Toml(random)
        page.table((), (), data)
        text = page.finished()
        assert data == tomllib.loads(text)
        check("toml", page, text)

    @CASES
    @given(data=DATA, random=RANDOM)
    def test_yaml(self, data: dict[str, Any], random: Random) -> None:
        """A YAML key is located on the line that it was written on."""
        page = Yaml(random)
        page.value((), data)
        text = page.finished()
        assert data == yaml.safe_load(text)
        check("yaml", page, text)

    @CASES
    @given(data=DATA, random=RANDOM)
    def test_json(self, data: dict[str, Any], random: Random) -> None:
        """A JSON key is located on the line that it was written on."""
        page = Json(random)
        page.value((), data)
        text = page.finished()
        assert data == json.loads(text)
        check("json", page, text)


class TestToml:
    """What the generated documents do not have."""

    def test_a_table_that_is_named_twice_stands_where_it_is_first_named(self) -> None:
        """A header that comes after those of its tables changes no line."""
        text = "[a.b]\nx = 1\n[a]\ny = 1\n"
        paths: list[Path] = [("a",), ("a", "b"), ("a", "b", "x"), ("a", "y")]
        assert [locate(text, "toml", path) for path in paths] == [1, 1, 2, 4]

    def test_a_header_below_an_array_of_tables_belongs_to_its_latest_table(self) -> None:
        """Each table of an array has its own tables."""
        text = "[[a]]\n[a.b]\nx = 1\n[[a.c]]\n[[a]]\n[a.b]\nx = 1\n[[a.c]]\n[[a.c]]\ny = 1"
        paths: list[Path] = [("a", 0, "b", "x"), ("a", 1, "b", "x"), ("a", 1, "c", 1, "y")]
        assert [locate(text, "toml", path) for path in paths] == [3, 7, 10]

    def test_quotes_may_end_a_multi_line_string(self) -> None:
        """Up to two quotes before the closing three are the string's own."""
        text = 'a = """\nb = 1""""\nb = \'\'\'\nc = 1\'\'\'\'\nc = """x"""""\nd = 1\n'
        assert tomllib.loads(text) == {"a": 'b = 1"', "b": "c = 1'", "c": 'x""', "d": 1}
        assert [locate(text, "toml", (key,)) for key in "abcd"] == [1, 3, 5, 6]

    def test_dates_and_numbers_are_values(self) -> None:
        """The dots, colons and spaces of dates, times and numbers are no keys."""
        text = "a = [1979-05-27 07:32:00.5, 07:32:00, 1.5e-3,\n+inf]\n3.14 = 0x_a\nb = 1"
        text = text.replace("0x_a", "0xa")
        paths: list[Path] = [("a", 2), ("a", 3), ("3", "14"), ("b",)]
        assert [locate(text, "toml", path) for path in paths] == [1, 2, 3, 4]


class TestYaml:
    """What the generated documents do not have."""

    def test_a_merged_key_stands_at_its_anchor(self) -> None:
        """A merge key brings lines from its anchors, but for keys that are given anew."""
        text = """\
base: &base
  a: 1
  b: 1
more: &more
  a: 2
  c: 2
both:
  b: 3
  <<: [*base, *more]
alias: *base
"""
        expected = {"a": 2, "b": 8, "c": 6}
        assert yaml.safe_load(text)["both"] == {"a": 1, "b": 3, "c": 2}
        assert expected == {key: locate(text, "yaml", ("both", key)) for key in expected}
        assert [locate(text, "yaml", ("alias", *rest)) for rest in ((), ("a",))] == [10, 2]

    def test_an_alias_stands_where_it_is(self) -> None:
        """A key or an item that is an alias is located at the alias."""
        text = "- &k a\n- *k : 1\n  b: 2\n- &m\n  c: 3\n- *m\n- *k\n"
        assert yaml.safe_load(text) == ["a", {"a": 1, "b": 2}, {"c": 3}, {"c": 3}, "a"]
        paths: list[Path] = [(0,), (1, "a"), (2, "c"), (3,), (3, "c"), (4,)]
        assert [locate(text, "yaml", path) for path in paths] == [1, 2, 5, 6, 5, 7]

    def test_a_tag_or_an_anchor_may_stand_on_an_earlier_line(self) -> None:
        """The line is that of the key itself."""
        text = "? !!str # a\n  &x\n  a\n: 1\n"
        assert yaml.safe_load(text) == {"a": 1}
        assert locate(text, "yaml", ("a",)) == 3

    def test_keys_that_are_no_text(self) -> None:
        """A key is found as what it is, else by its text, as written or as read."""
        text = "1: a\n'1': b\nyes: c\n1.50: d\n"
        paths: list[Path] = [(1,), ("1",), ("yes",), ("True",), ("1.5",), ("1.50",)]
        assert [locate(text, "yaml", path) for path in paths] == [1, 2, 3, 3, 4, 4]

    def test_of_equal_keys_the_last_counts(self) -> None:
        """A key that is given twice is located where its value comes from."""
        text = "a: {x: 1}\na:\n  y: 2\n"
        paths: list[Path] = [("a",), ("a", "x"), ("a", "y")]
        assert [locate(text, "yaml", path) for path in paths] == [2, 2, 3]

    @pytest.mark.parametrize("path", [(2,), ("a",), (0, "a"), (-1,)])
    def test_a_sequence_has_items_only(self, path: Path) -> None:
        """What a sequence has not is located at the sequence."""
        assert locate("a:\n- b\n- c", "yaml", ("a", *path)) == 1 + (path[0] == 0)

    def test_an_empty_document_has_no_lines(self) -> None:
        """Nothing is located where nothing stands."""
        assert locate("# a\n", "yaml", ("a",)) is None


class TestJson:
    """What the generated documents do not have."""

    def test_of_equal_keys_the_last_counts(self) -> None:
        """A key that is given twice is located where its value comes from."""
        text = '{"a": {"x": 1},\n"a":\r{"y": [\r\n2]}}'
        paths: list[Path] = [("a",), ("a", "x"), ("a", "y"), ("a", "y", 0)]
        assert [locate(text, "json", path) for path in paths] == [2, 2, 3, 4]


@pytest.mark.parametrize("kind", ["toml", "yaml", "json"])
def test_the_empty_path_has_no_line(kind: Kind) -> None:
    """The document as a whole, and a path that matches nothing, stand on no line."""
    text = {"toml": "a = 1", "yaml": "a: 1", "json": '{"a": 1}'}[kind]
    assert [locate(text, kind, path) for path in ((), ("b", "c"))] == [None, None]


class TestNeverRaises:
    @CASES
    @given(
        kind=st.sampled_from(["toml", "yaml", "json"]),
        text=st.one_of(st.text(), st.text(alphabet="a=:.,{}[]\"'#&*<!-?| \n\t\\")),
        path=st.lists(st.one_of(st.sampled_from("ab"), st.integers(-1, 2)), max_size=3),
    )
    def test_on_what_does_not_parse(self, kind: Kind, text: str, path: list[str | int]) -> None:
        """A document that does not parse gets a line or None, and no exception."""
        line = locate(text, kind, path)
        assert line is None or 1 <= line <= text.count("\n") + text.count("\r") + 1
