"""The variables that an operation declares, and what ``-F`` makes of a value by its type.

graphql-core would read all of a document, but to import it takes longer than all else that ``gql
api`` does: what stands between the brackets behind an operation's name is read here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from gqlauth._cli import _json
from gqlauth._graphql import TOKEN, headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAME: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TEXTS: Final = frozenset({"String", "ID"})
_BOOLEANS: Final = {"true": True, "false": False}
_WANTED: Final = {
    "Int": (_WHOLE, "a whole number"),
    "Float": (_NUMBER, "a number"),
    "Boolean": (re.compile("true|false"), "true or false"),
}


def declared(text: str, operation: str | None) -> dict[str, str]:
    """Return the types of the variables that an operation of the document `text` declares.

    Without a name it is the only one. Where it is not clear which is meant, there are none.
    """
    found = [end for _, name, end in headers(text) if operation in {None, name}]
    return dict(_variables(_words(text, found[0]))) if len(found) == 1 else {}


def _words(text: str, begin: int) -> list[str]:
    """Return what means something of a document, from `begin` on."""
    found = (match[0] for match in TOKEN.finditer(text, begin))
    return [word for word in found if not word.isspace() and word[0] not in "#,\ufeff"]


def _variables(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and type of each variable that is declared where `words` begin."""
    if words[:1] != ["("]:
        return
    depth = 0
    for index, word in enumerate(words):
        depth += (word in {"{", "(", "["}) - (word in {"}", ")", "]"})
        if depth == 0:
            return
        if depth == 1 and word == "$" and words[index + 2 : index + 3] == [":"]:
            yield words[index + 1], "".join(_type(words[index + 3 :]))


def _type(words: Iterable[str]) -> Iterator[str]:
    ended = False
    for word in words:
        is_name = _NAME.fullmatch(word) is not None
        if word not in {"[", "]", "!"} and (ended or not is_name):
            return
        ended = ended or is_name
        yield word


def type_at(types: Mapping[str, str], keys: list[str]) -> str | None:
    """Return the type of what `keys` lead to, an empty one of which is an item of a list.

    None where the document does not tell: inside an input object, or where nothing is declared.
    """
    kind = types.get(keys[0])
    for key in keys[1:]:
        bare = (kind or "").removesuffix("!")
        if key or not bare.startswith("["):
            return None
        kind = bare[1:-1]
    return kind


def coerced(value: str, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return `value` as the declared type `kind` has it.

    `name` is what gives it, for errors.

    Raises:
        click.UsageError: when it is none; its value is not told.

    """
    bare = kind.removesuffix("!")
    if value == "null" and bare == kind:
        return None
    if bare.startswith("["):
        inner = bare[1:-1]
        is_list = value.lstrip().startswith("[")
        return _read(value, kind, name) if is_list else [coerced(value, inner, name)]
    if bare in _WANTED:
        form, wanted = _WANTED[bare]
        if form.fullmatch(value.strip()) is None:
            raise click.UsageError(f"{name}: the query declares {kind}: {wanted} belongs here")
    return value if bare in _TEXTS else _as_it_looks(value.strip(), kind, name)


def _as_it_looks(value: str, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
    # An enumeration, a scalar of the API's own, or an input object, which is JSON.
    if value.lstrip()[:1] in {"{", "["}:
        return _read(value, kind, name)
    if value in _BOOLEANS:
        return _BOOLEANS[value]
    is_number = _WANTED.get(kind.removesuffix("!"), (_WHOLE,))[0].fullmatch(value)
    return _json.Number(value) if is_number else value


def _read(value: str, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return _json.read(value)
    except ValueError as error:
        raise click.UsageError(
            f"{name}: the query declares {kind}, and this is no JSON: {error}; -f takes it as text"
        ) from error
