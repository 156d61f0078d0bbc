"""JSON that loses nothing: numbers stay as they were written, keys in their order."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gqlauth._redact import escape_control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The pieces of a text that is known to be JSON; a number or a word is what is left between them.
# Possessive: an answer may hold one string of many megabytes.
_PIECE: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s"{}\[\]:,]++', re.DOTALL)
_UNUSUAL: Final = re.compile(r"[^\x20-\x7e]")
_INDENT: Final = "  "


class Number(str):
    """A number as it was written, of whatever size and precision."""

    __slots__ = ()


def read(text: str) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Return what `text` holds, with each number as a `Number`.

    Raises:
        ValueError: when it is no JSON.

    """
    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def refuse(word: str) -> NoReturn:
    """Refuse a word that Python reads as a number.

    Raises:
        ValueError: always.

    """
    raise ValueError(f"{word} is no value of JSON")


def write(value: object) -> str:
    """Return `value`, made of what `read` gives and of Python's own, as one line of JSON.

    Raises:
        ValueError: when it is nested too deep.

    """
    try:
        return "".join(_written(value))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _written(value: object) -> Iterator[str]:
    if isinstance(value, Number):
        yield value
    elif isinstance(value, dict):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            yield f"{', ' if index else ''}{json.dumps(key, ensure_ascii=False)}: "
            yield from _written(item)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield ", " if index else ""
            yield from _written(item)
        yield "]"
    else:
        yield json.dumps(value, ensure_ascii=False)


def pretty(text: str, paint: Callable[[str, str], str] | None = None) -> Iterator[str]:
    """Yield `text`, which must be JSON, in pieces that make it readable on a terminal.

    Nothing of it changes but white space; what could drive the terminal is escaped, as JSON
    escapes it. `paint` is called with each piece and what it is: ``key``, ``string``, ``number``,
    ``word`` or ``mark``.
    """
    paint = _plain if paint is None else paint
    depth = 0
    before = ""
    pieces = _PIECE.finditer(text)
    piece = next(pieces, None)
    while piece is not None:
        following = next(pieces, None)
        here = piece[0]
        if here in {"}", "]"}:
            depth -= 1
            if before not in {"{", "["}:
                yield "\n" + _INDENT * depth
        elif before in {"{", "[", ","}:
            yield "\n" + _INDENT * depth
        elif before == ":":
            yield " "
        if here in {"{", "["}:
            depth += 1
        is_key = following is not None and following[0] == ":"
        yield paint(_escaped(here), _kind(here, is_key=is_key))
        before = here
        piece = following


def compact(text: str, paint: Callable[[str, str], str] | None = None) -> Iterator[str]:
    """Yield `text`, which must be JSON, in pieces that make up one line; see `pretty`."""
    paint = _plain if paint is None else paint
    pieces = [piece[0] for piece in _PIECE.finditer(text)]
    for here, following in zip(pieces, [*pieces[1:], ""], strict=True):
        yield paint(_escaped(here), _kind(here, is_key=following == ":"))


def _plain(piece: str, _kind: str) -> str:
    return piece


def _kind(piece: str, *, is_key: bool) -> str:
    if piece[0] == '"':
        return "key" if is_key else "string"
    if piece in "{}[]:,":
        return "mark"
    return "word" if piece[0].isalpha() else "number"


def _escaped(piece: str) -> str:
    """Return a piece with what could drive a terminal in JSON's own escapes."""
    return piece if piece.isascii() and piece.isprintable() else _UNUSUAL.sub(_escape, piece)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    # Which characters those are is known in one place.
    return character if escape_control(character) == character else json.dumps(character)[1:-1]
