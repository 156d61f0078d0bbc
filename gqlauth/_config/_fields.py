"""From the fields of an attrs class to JSON Schema: types, defaults, and the ``#:`` comments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from gqlauth._config._keys import keys_of
from gqlauth._secret import Secret

Schema: TypeAlias = dict[str, Any]

_PLAIN: Final[dict[Any, str]] = {
    str: "string",
    Path: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
}
_LISTS: Final = (list, tuple, AbstractSet, frozenset)

#: The ``#:`` lines above a field, and its name.
_COMMENTED: Final = re.compile(r"((?:^[ \t]*#:.*\n)+)[ \t]*(\w+)[ \t]*:", re.MULTILINE)


@attrs.frozen
class Fields:
    """The fields of a class, as keys of a table."""

    properties: Schema
    required: list[str]
    #: Those of which one is required, and no more: as a field's metadata tells by ``or``.
    either: list[tuple[str, str]] = attrs.field(factory=list)


def fields_of(cls: type) -> Fields:
    """Return the fields of `cls` that a file may set; none for what is no attrs class.

    Raises:
        NameError: when an annotation names what is not there at run time.

    """
    if not attrs.has(cls):
        return Fields({}, [])
    types = get_type_hints(cls, include_extras=True)
    comments = _comments(cls)
    properties: Schema = {}
    required = []
    either = []
    for key, field in keys_of(cls).items():
        value = described(_of_type(types.get(field.name, Any)), comments.get(field.name, ""))
        if field.default is attrs.NOTHING:
            required.append(key)
        elif isinstance(field.default, tuple) and field.default:
            value = {**value, "default": list(field.default)}
        elif isinstance(field.default, str | int | float) and field.default != "":
            value = {**value, "default": field.default}
        properties[key] = value
        if "or" in field.metadata:
            either.append((key, field.metadata["or"]))
    return Fields(properties, required, either)


def described(value: Schema, description: str) -> Schema:
    """Return `value` with a description, if there is one."""
    return {"description": description, **value} if description else value


def summary(cls: type) -> str:
    """Return the first paragraph of a class's own docstring, as one line of plain text."""
    text = inspect.cleandoc(cls.__dict__.get("__doc__") or "").partition("\n\n")[0]
    return " ".join(text.replace("`", "").split())


def _comments(cls: type) -> dict[str, str]:
    comments: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        try:
            source = inspect.getsource(each)
        except (OSError, TypeError):  # made at run time, or written in C
            continue
        for comment, name in _COMMENTED.findall(source):
            text = re.sub(r"(?m)^[ \t]*#:", "", comment).replace("``", "`")
            comments[name] = " ".join(text.split())
    return comments


def _of_type(kind: Any) -> Schema:  # noqa: ANN401 - any annotation
    """Return the schema of what a file may hold for an annotation; one that is strange, anything.

    None stands for a key that is left out.
    """
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in _PLAIN:
        return {"type": _PLAIN[origin]}
    if origin is Secret:
        return {"$ref": "#/$defs/secret"}
    if origin is Literal:
        return {"anyOf": [{"enum": list(arguments)}, {"$ref": "#/$defs/variable"}]}
    if origin is Annotated:
        return _of_type(arguments[0])
    if origin in {Union, UnionType}:
        members = [_of_type(each) for each in arguments if each is not NoneType]
        return members[0] if len(members) == 1 else {"anyOf": members}
    return _of_container(origin, arguments)


def _of_container(origin: Any, arguments: tuple[Any, ...]) -> Schema:  # noqa: ANN401 - as above
    if attrs.has(origin):
        fields = fields_of(origin)
        return {
            "type": "object",
            "properties": fields.properties,
            "required": fields.required,
            "additionalProperties": False,
        }
    if not inspect.isclass(origin):
        return {}
    if issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of_type((*arguments, Any, Any)[1])}
    if issubclass(origin, _LISTS):
        return {"type": "array", "items": _of_type((*arguments, Any)[0])}
    return {}
