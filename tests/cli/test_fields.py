"""Variables: what ``-f``, ``-F`` and ``--variables`` amount to."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from gqlauth._cli import _json
from gqlauth._cli._fields import fields, merged, variables
from gqlauth._cli._inputs import Inputs

if TYPE_CHECKING:
    from pathlib import Path


def raw(*texts: str) -> dict[str, Any]:
    return fields(texts, (), Inputs())


def typed(*texts: str) -> dict[str, Any]:
    return fields((), texts, Inputs())


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], {}),
        (["a=1"], {"a": "1"}),
        (["a=x=y"], {"a": "x=y"}),
        (["a="], {"a": ""}),
        (["a=true", "b=null"], {"a": "true", "b": "null"}),
        (["a=two\nlines"], {"a": "two\nlines"}),
        (["a=@file"], {"a": "@file"}),
        (["a[b]=1", "a[c]=2"], {"a": {"b": "1", "c": "2"}}),
        (["a[b][c][d]=1"], {"a": {"b": {"c": {"d": "1"}}}}),
        (["a[]=1", "a[]=2"], {"a": ["1", "2"]}),
        (["a[]"], {"a": []}),
        (["a[b][]=1", "a[b][]=2"], {"a": {"b": ["1", "2"]}}),
        (["a[][b]=1", "a[][c]=2", "a[][b]=3"], {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        (["a[][b][]=1", "a[][b][]=2", "a[][c]=3"], {"a": [{"b": ["1", "2"], "c": "3"}]}),
        (["a[][b][c]=1", "a[][b][c]=2"], {"a": [{"b": {"c": "1"}}, {"b": {"c": "2"}}]}),
        (["a[]=1", "a[][b]=2"], {"a": ["1", {"b": "2"}]}),
        (["a[b]=[c]"], {"a": {"b": "[c]"}}),
    ],
)
def test_keys_nest(texts: list[str], expected: dict[str, Any]) -> None:
    """Brackets make objects and lists, and the value stays text."""
    assert raw(*texts) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a", "-f a: a field reads key=value"),
        ("a[b]", "-f a[b]: a field reads key=value"),
        ("=1", "-f: a field reads key=value"),
        ("[a]=hunter2", "-f [a]: a field reads key=value"),
        ("a[b=hunter2", "-f a[b: a field reads key=value"),
        ("a]", "-f: a field reads key=value"),
        ("", "-f: a field reads key=value"),
        ("a[b]c=hunter2", "-f a[b]c: a field reads key=value"),
        ("a[][]=hunter2", "-f a[][]: for a list in a list, write JSON with -F"),
    ],
)
def test_what_is_no_field_is_told_by_its_key(text: str, told: str) -> None:
    """The value is not shown."""
    with pytest.raises(click.UsageError) as caught:
        raw(text)

    assert told == caught.value.message


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["a=1", "a=2"], "-f a: it has a value already"),
        (["a[b]=1", "a[b]=2"], "-f a[b]: it has a value already"),
        (["a=1", "a[b]=2"], "-f a[b]: a is no object: it has a value already"),
        (["a[]=1", "a[b]=2"], "-f a[b]: a is no object: it has a value already"),
        (["a=1", "a[]=2"], "-f a[]: a is no list: it has a value already"),
        (["a[b]=1", "a[][b]=2"], "-f a[][b]: a is no list: it has a value already"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(texts: list[str], told: str) -> None:
    """The later one is named."""
    with pytest.raises(click.UsageError) as caught:
        raw(*texts)

    assert told == caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("1" * 5000, "1" * 5000),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("٣", "٣"),
        ("True", "True"),
        ("", ""),
        ("text", "text"),
        ("[draft", "[draft"),
        ("{a}", "{a}"),
        ("[NaN]", "[NaN]"),
        ('["a", true]', ["a", True]),
        (' {"a": null}', {"a": None}),
    ],
)
def test_typed_values_are_converted_as_in_gh(text: str, expected: object) -> None:
    """Words, integers of 64 bits and JSON convert; all else is text."""
    assert typed(f"a={text}") == {"a": expected}


def test_typed_fields_come_after_raw_ones() -> None:
    """As in gh, whose lists come out so."""
    assert fields(["a[]=x"], ["a[]=1"], Inputs()) == {"a": ["x", 1]}


def test_numbers_keep_their_digits() -> None:
    """What a number is made of goes out as it was written."""
    text = '{"a": [1e400, 1.10, 12345678901234567890, -0.0], "b": {"ä": "\\u0000"}, "c": {}}'

    assert _json.write(typed(f"v={text}")["v"]) == text


def test_files_give_text(tmp_path: Path) -> None:
    """A file's text is the value as it is, but for a byte order mark."""
    path = tmp_path / "note.txt"
    path.write_bytes(b"\xef\xbb\xbf12\n")

    assert typed(f"a=@{path}") == {"a": "12\n"}


def test_standard_input_gives_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second field that wants it is told who read it."""
    stdin(monkeypatch, b"text")
    with pytest.raises(click.UsageError) as caught:
        typed("a=@-", "b=@-")

    assert caught.value.message == "-F b: standard input can be read once, and -F a reads it"


def test_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to read."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.UsageError) as caught:
        typed("a=@-")

    assert caught.value.message == "-F a: cannot read standard input: it is closed"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("missing.txt", "cannot read missing.txt: No such file or directory"),
        ("", "a file's name belongs after the @"),
        ("a\0b", "cannot read a\0b: embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(name: str, told: str) -> None:
    """With the field that wants it."""
    with pytest.raises(click.UsageError) as caught:
        typed(f"a[b]=@{name}")

    assert caught.value.message == f"-F a[b]: {told}"


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """With the first byte that is wrong."""
    (tmp_path / "binary").write_bytes(b"ab\xff")
    with pytest.raises(click.UsageError) as caught:
        typed(f"a=@{tmp_path / 'binary'}")

    assert caught.value.message == f"-F a: {tmp_path / 'binary'} is no UTF-8 text (byte 2)"


def test_variables_are_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as it is, in a file, or on standard input."""
    path = tmp_path / "variables.json"
    path.write_text('{"a": 1}')
    stdin(monkeypatch, b'{"b": 2}')

    assert variables('{"c": "3"}', Inputs()) == {"c": "3"}
    assert variables(f"@{path}", Inputs()) == {"a": "1"}
    assert variables("-", Inputs()) == {"b": "2"}


def test_variables_may_come_as_at_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a field."""
    stdin(monkeypatch, b"{}")

    assert variables("@-", Inputs()) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "a JSON object belongs here, from names to values"),
        ("{", "this is no JSON: Expecting property name enclosed in double quotes"),
        ('{"a": NaN}', "this is no JSON: NaN is no value of JSON"),
        ("[" * 100_000, "this is no JSON: it is nested too deep"),
    ],
)
def test_variables_that_are_no_object_are_refused(text: str, told: str) -> None:
    """With what is wrong."""
    with pytest.raises(click.UsageError) as caught:
        variables(text, Inputs())

    assert caught.value.message.startswith(f"--variables: {told}")


def test_fields_override_variables_object_by_object() -> None:
    """What they do not name, stays."""
    base = {"input": {"a": 1, "b": {"c": 2}}, "list": [1], "x": 1}
    over = {"input": {"b": {"c": 3, "d": 4}}, "list": [2], "x": {"y": 5}}

    assert merged(base, over) == {
        "input": {"a": 1, "b": {"c": 3, "d": 4}},
        "list": [2],
        "x": {"y": 5},
    }
    assert base["input"] == {"a": 1, "b": {"c": 2}}


def test_what_is_nested_too_deep_is_not_written() -> None:
    """It is no crash."""
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deep"):
        _json.write(deep)
