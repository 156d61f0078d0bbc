"""From a key path to the line that it stands on, for errors.

No parser of the three formats tells where a key stood, so the text is read a second time, and only
when there is an error to tell. What is read here has already been parsed: the scanner need not see
mistakes, it must only never be misled by strings, comments and nesting.
"""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Kind: TypeAlias = Literal["toml", "yaml", "json"]
_Path: TypeAlias = tuple[str | int, ...]
_Offsets: TypeAlias = dict[_Path, int]
#: A token's text, and its offset in the document.
_Token: TypeAlias = tuple[str, int]

_BREAK: Final = re.compile(r"\r\n?|\n")

#: TOML and JSON are made of the same tokens, where keys and strings are concerned.
_TOKEN: Final = re.compile(
    r"""
      [ \t]+ | \#[^\n]*                 # told apart by their first character, and left out
    | \r?\n
    | \"{3} (?: \\. | [^\\] )*? \"{3,5} # the last five quotes may hold two of the text's own
    | '{3} .*? '{3,5}
    | \" (?: \\. | [^"\\] )* \"
    | ' [^']* '
    | [=:.,{}\[\]]
    | [^\s=:.,{}\[\]\#"']+
    """,
    re.VERBOSE | re.DOTALL,
)


def locate(text: str, kind: Kind, path: Sequence[str | int]) -> int | None:
    """Return the line, from 1, on which the key or array item at `path` stands in `text`.

    Where the path is not there, it is the line of its deepest ancestor that is; None where there
    is none. A key that several lines name (as TOML's headers and dotted keys do) stands on the
    first of them; one that is given twice, on the one that counts. This never raises.
    """
    try:
        offset = _offset(text, kind, tuple(path))
    except Exception:  # noqa: BLE001 - no error may hide the one that is being told
        return None
    if offset is None:
        return None
    return bisect_right([found.end() for found in _BREAK.finditer(text)], offset) + 1


def _offset(text: str, kind: Kind, path: _Path) -> int | None:
    if kind == "yaml":
        from gqlauth._config._locate_yaml import offset  # noqa: PLC0415 - it imports PyYAML

        return offset(text, path)
    offsets = _toml(text) if kind == "toml" else _json(text)
    known = (path[:length] for length in range(len(path), 0, -1))
    return next((offsets[part] for part in known if part in offsets), None)


def _tokens(text: str) -> Iterator[_Token]:
    return (
        (found[0], found.start()) for found in _TOKEN.finditer(text) if found[0][0] not in " \t#"
    )


def _json(text: str) -> _Offsets:
    offsets: _Offsets = {}
    tokens = (token for token in _tokens(text) if not token[0].isspace())
    _Scan(offsets, json.loads, []).read(tokens)
    return offsets


def _toml(text: str) -> _Offsets:
    offsets: _Offsets = {}
    # The arrays of tables, by the index of their latest table.
    latest: dict[_Path, int] = {}
    table: _Path = ()
    for statement in _statements(_tokens(text)):
        if statement[0][0] == "[":
            table = _header(statement, latest, offsets)
        else:
            _Scan(offsets, _toml_key, [_Container(table)]).read(statement)
    return offsets


def _statements(tokens: Iterable[_Token]) -> Iterator[list[_Token]]:
    """Yield TOML's headers and key-value pairs: a line ends one, but for inside brackets."""
    statement: list[_Token] = []
    depth = 0
    for token in (*tokens, ("\n", 0)):
        if not token[0].isspace():
            statement.append(token)
            depth += (token[0] in {"[", "{"}) - (token[0] in {"]", "}"})
        elif statement and depth == 0:
            yield statement
            statement = []


def _header(statement: list[_Token], latest: dict[_Path, int], offsets: _Offsets) -> _Path:
    """Note what a TOML header names, and return the path of its table."""
    start = statement[0][1]
    names = [_toml_key(text) for text, _ in statement if text not in {"[", "]", "."}]
    table: _Path = ()
    for position, name in enumerate(names, 1):
        table = (*table, name)
        offsets.setdefault(table, start)
        if position == len(names) and statement[1][0] == "[":
            latest[table] = latest.get(table, -1) + 1
        if table in latest:
            table = (*table, latest[table])
            offsets.setdefault(table, start)
    return table


def _toml_key(text: str) -> str:
    return next(iter(tomllib.loads(f"{text} = 0")))


@attrs.define
class _Container:
    """A table, or an array, whose end has not been reached."""

    path: _Path
    #: In an array, the index of the item that is being read.
    index: int | None = None


@attrs.define
class _Scan:
    """A walk over the tokens of one TOML key-value pair, or of a whole JSON document."""

    offsets: _Offsets
    decode: Callable[[str], str]
    #: The containers around the next token, the innermost last.
    within: list[_Container]
    #: The path of the value that is being read.
    path: _Path = ()
    #: What has been read of a key, and where it began.
    key: list[str] = attrs.field(factory=list)
    start: int = 0

    def read(self, tokens: Iterable[_Token]) -> None:
        """Note where the keys and items begin."""
        in_key = bool(self.within)  # a JSON document begins with a value
        for text, offset in tokens:
            if not in_key or text == "}":
                in_key = self._value(text, offset)
            elif text in {"=", ":"}:
                self._name()
                in_key = False
            elif text != ".":
                self.start = self.start if self.key else offset
                self.key.append(self.decode(text))

    def _name(self) -> None:
        """Note the key that has been read."""
        above = self.within[-1].path
        self.path = (*above, *self.key)
        self.key = []
        for length in range(len(above) + 1, len(self.path)):
            self.offsets.setdefault(self.path[:length], self.start)
        if self.path in self.offsets:  # JSON may give a key twice, and the last one counts
            for old in [old for old in self.offsets if old[: len(self.path)] == self.path]:
                del self.offsets[old]
        self.offsets[self.path] = self.start

    def _value(self, text: str, offset: int) -> bool:
        """Go on in a value, note an item that begins, and tell whether a key comes next."""
        inner = self.within[-1] if self.within else None
        if inner is not None and inner.index is not None and text not in {"]", ","}:
            self.path = (*inner.path, inner.index)
            self.offsets.setdefault(self.path, offset)
        if text in {"[", "{"}:
            self.within.append(_Container(self.path, 0 if text == "[" else None))
            return text == "{"
        if text in {"]", "}"}:
            self.within.pop()
        elif text == "," and inner is not None:
            if inner.index is None:
                return True
            inner.index += 1
        return False
