"""A file as text and as data, in three formats, and all that keeps it from being read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from gqlauth import ConfigError
from gqlauth._config import load
from gqlauth._config._document import read, shown

if TYPE_CHECKING:
    from tests.config.conftest import Project


class TestFile:
    def test_missing(self, project: Project) -> None:
        """A file that is not there is told."""
        with pytest.raises(ConfigError, match=r"^nowhere\.toml: there is no such file$"):
            load("nowhere.toml")

    def test_folder(self, project: Project) -> None:
        """A folder is told as the system tells it."""
        with pytest.raises(ConfigError, match=r"^\.: cannot be read: Is a directory$"):
            load(Path())

    def test_error_without_words(self, project: Project) -> None:
        """An error that the system has no words for is told by its name."""

        def refuse(_: Path, _mode: str) -> NoReturn:
            raise PermissionError

        path = project.root / "gqlauth.toml"
        path.touch()
        project.monkeypatch.setattr(Path, "open", refuse)

        with pytest.raises(ConfigError, match=r"^gqlauth.toml: cannot be read: PermissionError$"):
            read(path)

    def test_no_path(self, project: Project) -> None:
        """A path that is none is told."""
        with pytest.raises(ConfigError, match=r"^the path of a configuration file has no NUL in"):
            load("a\0b")

    def test_too_large(self, project: Project) -> None:
        """A file is read up to a limit: a device may never end."""
        told = project.told(b"#" * (16 * 1024 * 1024 + 1))

        assert told == ["is larger than 16777216 bytes"]

    @pytest.mark.parametrize(
        ("text", "line"), [(b"\xff\xfea\x00", 1), ('# über\n# "é"\n'.encode("latin-1"), 1)]
    )
    def test_not_utf_8(self, project: Project, text: bytes, line: int) -> None:
        """Text that is no UTF-8 is told by the line that it begins on."""
        assert project.told(text) == [f"{line}: is not UTF-8 text"]

    @pytest.mark.parametrize("name", ["a.toml", "a.yaml", "a.yml", "a.json", ".graphqlrc"])
    def test_byte_order_mark(self, project: Project, name: str) -> None:
        """A byte-order mark, as some editors write it, is no part of the text."""
        text = '{"default_endpoint": 1, "extensions": {"gqlauth": {"default_endpoint": 1}}}'
        if name == "a.toml":
            text = "default_endpoint = 1"

        told = project.told(b"\xef\xbb\xbf" + text.encode(), name)

        assert any("default_endpoint: expected text, got a number" in one for one in told)

    @pytest.mark.parametrize("name", ["gqlauth.toml", "gqlauth.yaml"])
    def test_empty(self, project: Project, name: str) -> None:
        """An empty file has nothing in it, and nothing wrong."""
        assert project.load("", name).require().endpoints == {}

    def test_kind_is_told_by_the_name(self, project: Project) -> None:
        """The end of the name tells the format, in any case; TOML is the usual one."""
        kinds = {
            name: read(project.file(text, name)).kind
            for name, text in {
                "a": "",
                "a.conf": "",
                "a.TOML": "",
                "a.YML": "",
                "a.yaml": "",
                "a.Json": "{}",
                "json": "",
                ".graphqlrc": "extensions: {gqlauth: {}}",
                "b/.graphqlrc": ' {"extensions": {"gqlauth": {}}}',
            }.items()
        }

        assert list(kinds.values()) == [
            *("toml", "toml", "toml", "yaml", "yaml", "json", "toml", "yaml", "json")
        ]

    def test_is_called_as_the_user_would(self, project: Project) -> None:
        """A path is told from the working directory, where it lies in there."""
        elsewhere = project.root.parent / "other.toml"

        assert shown(project.root / "a" / "b.toml") == str(Path("a/b.toml"))
        assert shown(elsewhere) == str(elsewhere)

    def test_is_called_as_it_is_where_there_is_no_working_directory(self, project: Project) -> None:
        """A path is told as it is, where the working directory was removed."""
        gone = project.root / "gone"
        gone.mkdir()
        project.monkeypatch.chdir(gone)
        gone.rmdir()

        assert shown(Path("gqlauth.toml")) == "gqlauth.toml"


class TestSyntax:
    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("a.toml", "a = 1\nb = \n", "2:5: Invalid value"),
            ("a.toml", '\na = "', "2: Unterminated string at the end of the file"),
            ("a.toml", "[a]\n[a]\n", "2:3: Cannot declare ('a',) twice"),
            ("a.toml", f"a = {'9' * 5000}", "1: holds a number of too many digits"),
            ("a.toml", f"a = {'[' * 5000}", "is nested too deeply"),
            ("a.json", '{"a": 1,\n b: 2}', "2:2: Expecting property name enclosed"),
            ("a.json", '{"a":\n tru}', "2:2: Expecting value"),
            ("a.json", "", "1:1: Expecting value"),
            ("a.json", '{"a": NaN}', "NaN is no number in JSON"),
            ("a.json", '{"a": -Infinity}', "-Infinity is no number in JSON"),
            ("a.json", '{"a": 1,\n"a" : 1}', '2: the key "a" stands twice in one table'),
            (
                "a.json",
                '{"a": {"b": 1}, "c": {"b": 1, "b": 1}}',
                'the key "b" stands twice in one table',
            ),
            ("a.json", f'{{"a":\n{"9" * 5000}}}', "2: holds a number of too many digits"),
            ("a.json", "[" * 100_000, "is nested too deeply"),
            ("a.yaml", "a: [1,\nb", "2:2: expected ',' or ']', but got '<stream end>'"),
            ("a.yaml", "a: b: c", "1:5: mapping values are not allowed here"),
            ("a.yaml", "a: 1\n\tb: 1", "found character '\\t' that cannot start any token"),
            ("a.yaml", "a:\n b: 1\n b: 2", '3:2: the key "b" stands twice in one table'),
            ("a.yaml", "a: &a 1\n*a : 1\n1: 1", '3:1: the key "1" stands twice in one table'),
            ("a.yaml", "a: *a", "1:4: found undefined alias"),
            ("a.yaml", "a: !b c", "1:4: could not determine a constructor for the tag"),
            ("a.yaml", "a: !b!c d", "1:4: found undefined tag handle"),
            ("a.yaml", "a: 1\n--- \nb: 1", "but found another document"),
            ("a.yaml", "? [a]\n: 1", "1:3: found unhashable key"),
            ("a.yaml", 'a: 1\nb: "\x01"', "2: has a character that YAML does not allow"),
            ("a.yaml", "[" * 5000, "is nested too deeply"),
            ("a.yaml", f"a: {'9' * 5000}", "1:4: is no value of the type that it looks like"),
            ("a.yaml", "a: 2024-02-30", "1:4: is no value of the type that it looks like"),
            ("a.yaml", "a: !!bool b", "1:4: is no value of the type that it looks like"),
            ("a.yaml", 'a: !!int ""', "1:4: is no value of the type that it looks like"),
            ("a.yaml", "a: !!timestamp b", "1:4: is no value of the type that it looks like"),
            ("a.yaml", "<<: 1", "expected a mapping or list of mappings for merging, but found"),
            ("a.yaml", "1: 1", "1: a key here is read as a number: put it in quotes"),
            ("a.yaml", "a: {on: 1}", "1: a: a key here is read as true or false: put it in quotes"),
            ("a.yaml", "a:\n  null: 1", "2: a: a key here is read as nothing: put it in quotes"),
            ("a.yaml", "2024-02-29: 1", "1: a key here is read as a date: put it in quotes"),
        ],
    )
    def test_is_told_with_its_place(
        self, project: Project, name: str, text: str, told: str
    ) -> None:
        """What does not parse is told with line and column, as far as they are known."""
        (one,) = project.told(text, name)

        assert told in one

    def test_own_trouble_has_the_way_there(self, project: Project) -> None:
        """A file of others is told as one of ours is."""
        told = project.told("[tool.gqlauth\n", "pyproject.toml")

        assert told == ["1:14: Expected ']' at the end of a table declaration"]


class TestOurPart:
    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("pyproject.toml", "[tool.black]", "has no tool.gqlauth table"),
            (".graphqlrc", "extensions: []", "has no extensions.gqlauth table"),
            (
                "graphql.config.json",
                '{"extensions": {"gqlauth": 1}}',
                "extensions.gqlauth: expected a table of settings, got a number",
            ),
            ("a.json", "[]", "expected a table of settings, got a list"),
            ("a.yaml", "a", "expected a table of settings, got text"),
        ],
    )
    def test_is_a_table(self, project: Project, name: str, text: str, told: str) -> None:
        """A file must have a table for us, and one of our own is one."""
        assert project.told(text, name) == [told]

    def test_keys_count_from_the_root_of_the_file(self, project: Project) -> None:
        """What is wrong is told by the keys that lead to it in the file."""
        told = project.told("[tool]\ngqlauth.endpoint = 1\n", "pyproject.toml")

        assert told == ['2: tool.gqlauth.endpoint: unknown key; did you mean "endpoints"?']

    def test_what_is_not_ours_may_be_anything(self, project: Project) -> None:
        """Keys of others need be no text, and their values may be as many as they like."""
        text = f"projects: {{1: {['a'] * 200}}}\nextensions: {{gqlauth: {{}}}}"

        assert project.told(text, ".graphqlrc") == []


class TestLimits:
    def test_values(self, project: Project) -> None:
        """A file that means more than 100,000 values is refused, however short it is."""
        text = "a: &a [" + "1," * 999 + "1]\nb: [" + "*a," * 99 + "*a]\n"

        assert project.told(text, "a.yaml") == ["holds too much, or is nested too deeply"]

    def test_merges(self, project: Project) -> None:
        """Merge keys that multiply what a file holds end before the memory does."""
        base = ", ".join(f"k{n}: 1" for n in range(400))
        lines = [f"base: &base {{{base}}}", *(f"a{n}: {{<<: *base}}" for n in range(400))]

        (told,) = project.told("\n".join(lines), "a.yaml")

        assert told.endswith("holds too much")

    def test_merges_that_double(self, project: Project) -> None:
        """They end as well, where PyYAML merges a key as often as it comes (until 6.0.3)."""
        lines = ["a0: &a0 {a: 1, b: 1}"]
        lines += [f"a{n + 1}: &a{n + 1} {{<<: [*a{n}, *a{n}]}}" for n in range(60)]

        told = project.told("\n".join(lines), "a.yaml")

        assert told[0].endswith(("holds too much", "a0: unknown key"))

    @pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "&a {a: *a}"])
    def test_recursion(self, project: Project, text: str) -> None:
        """A value that holds itself is refused."""
        assert project.told(text, "a.yaml") == ["holds too much, or is nested too deeply"]

    def test_merge_of_itself(self, project: Project) -> None:
        """A table that merges itself gains nothing by it."""
        assert project.told("a: &a {<<: *a}", "a.yaml") == ["1: a: unknown key"]

    def test_depth(self, project: Project) -> None:
        """Fifty levels are enough."""
        deep = "{a = " * 50 + "1" + "}" * 50

        assert project.told(f"a = {deep}") == ["holds too much, or is nested too deeply"]

    def test_merged_keys_may_be_given_anew(self, project: Project) -> None:
        """A key beside a merge overrides what is merged, wherever the table is merged again."""
        text = """
            default_endpoint: a
            endpoints:
              a: {headers: &b {<<: &a {X-A: "1"}, X-A: "2"}, url: https://a.example}
              b: {<<: {url: https://b.example}, headers: {<<: *b}}
        """

        endpoints = project.load(text, "a.yaml").require().endpoints

        assert endpoints["b"].headers == {"X-A": "2"}
