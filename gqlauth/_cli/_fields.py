"""The variables of a request: ``-f``, ``-F`` and ``--variables``, as ``gh api`` reads them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import click

from gqlauth._cli import _json
from gqlauth._cli._declared import coerced, type_at
from gqlauth._cli._uploads import is_upload, uploaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gqlauth._cli._inputs import Inputs

# A key, what stands in brackets behind it, and the value behind the `=`.
_FIELD: Final = re.compile(
    r"(?P<key>[^\[\]=]+)(?P<brackets>(?:\[[^\[\]=]*\])*)(?P<equals>=(?P<value>.*))?", re.DOTALL
)
_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\]")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_INTEGERS: Final = range(-(2**63), 2**63)
_WORDS: Final = {"true": True, "false": False, "null": None}


def fields(
    raw: Iterable[str],
    typed: Iterable[str],
    inputs: Inputs,
    types: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the ``-f`` of `raw` and the ``-F`` of `typed` amount to.

    ``a[b]=1`` makes objects, ``a[]=1`` lists, and ``a[][b]=1`` lists of objects, of which a new
    one begins where the last has that key already. ``a[]`` alone is an empty list. What ``-F``
    gives becomes what the variable's type says, of `types`; where none is known, what it looks
    like. A file that is declared an upload becomes an `Upload`, and is not read.

    Raises:
        click.UsageError: when one cannot be read, or two contradict each other; it names the
            field, and never its value.

    """
    tree: dict[str, Any] = {}
    for text in raw:
        _add(tree, text, "-f", None)
    for text in typed:
        _add(tree, text, "-F", inputs, types)
    return tree


def variables(text: str, inputs: Inputs) -> dict[str, Any]:
    """Return what ``--variables`` says: a JSON object, or ``@FILE`` or ``-`` that holds one.

    Raises:
        click.UsageError: when it is no JSON object.

    """
    option = "--variables"
    if text == "-" or text.startswith("@"):
        text = inputs.read(text.removeprefix("@"), option)
    try:
        value = _json.read(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: this is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError(f"{option}: a JSON object belongs here, from names to values")
    return value


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over` put in, object by object."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merged(old, value) if isinstance(old, dict) and both else value
    return result


def _add(
    tree: dict[str, Any],
    text: str,
    option: str,
    inputs: Inputs | None,
    types: Mapping[str, str] | None = None,
) -> None:
    """Put one field into `tree`; with `inputs`, its value is converted."""
    match = _FIELD.fullmatch(text)
    if match is None:
        # What is not a key may be a value, so just what stands before the first `=` is told.
        told = text.partition("=")[0] if "=" in text else ""
        raise click.UsageError(f"{option} {told}: a field reads key=value".replace(" :", ":"))
    name = f"{option} {match['key']}{match['brackets']}"
    keys = [match["key"], *_BRACKETS.findall(match["brackets"])]
    if any(not one and not two for one, two in pairwise(keys)):
        raise click.UsageError(f"{name}: for a list in a list, write JSON with -F")
    if match["equals"] is None:
        if keys[-1]:
            raise click.UsageError(f"{name}: a field reads key=value")
        value: Any = None
    elif inputs is None:
        value = match["value"]
    elif (kind := type_at(types or {}, keys)) is not None and is_upload(kind):
        value = uploaded(match["value"], kind, name, inputs)
    else:
        value = _converted(match["value"], name, inputs, kind)
    _put(tree, keys, value, name, empty=match["equals"] is None)


def _put(tree: dict[str, Any], keys: list[str], value: object, name: str, *, empty: bool) -> None:
    """Walk down `keys`, an empty one of which is a list, and put `value` there."""
    place = tree
    for index, key in enumerate(keys):
        following = keys[index + 1] if index + 1 < len(keys) else None
        if not key:
            continue
        if following is None:
            if key in place:
                raise click.UsageError(f"{name}: it has a value already")
            place[key] = value
        elif following:
            place = _in_object(place, key, name)
        else:
            items = place.setdefault(key, [])
            if not isinstance(items, list):
                raise click.UsageError(f"{name}: {key} is no list: it has a value already")
            if index + 2 < len(keys):
                place = _last_without(items, keys[index + 2], is_last=index + 3 == len(keys))
            elif not empty:
                items.append(value)


def _in_object(place: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    inner = place.setdefault(key, {})
    if not isinstance(inner, dict):
        raise click.UsageError(f"{name}: {key} is no object: it has a value already")
    return inner


def _last_without(items: list[Any], key: str, *, is_last: bool) -> dict[str, Any]:
    """Return the object that takes a value under `key`: the last one, or a new one after it."""
    if items and isinstance(items[-1], dict):
        last: dict[str, Any] = items[-1]
        if key not in last or (isinstance(last[key], list) and not is_last):
            return last
    items.append({})
    new: dict[str, Any] = items[-1]
    return new


def _converted(value: str, name: str, inputs: Inputs, kind: str | None) -> object:
    is_file = value.startswith("@")
    if is_file:
        value = inputs.read(value.removeprefix("@"), name)
    if kind is not None or is_file:
        return value if kind is None else coerced(value, kind, name)
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value) and int(value) in _INTEGERS:
        return int(value)
    if value.lstrip()[:1] in {"{", "["}:
        try:
            return _json.read(value)
        except ValueError:
            return value
    return value
