"""The cattrs converter that turns the plain data of a file into the classes that it stands for."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import (
    is_any_set,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,
)

from gqlauth._config._document import KeyPlace, Table, kind_of
from gqlauth._config._findings import Finding, Wrong, did_you_mean, findings
from gqlauth._config._interpolate import interpolate
from gqlauth._plugins import PluginGroup
from gqlauth._secret import Secret
from gqlauth.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gqlauth._config._document import Document

    Hook = Callable[[Any, Any], Any]

#: Where secrets come from: one class a source.
SECRETS: Final = PluginGroup("gqlauth.secrets", "secret source", SecretError)


def converter_for(document: Document, environ: Mapping[str, str]) -> cattrs.Converter:
    """Return the converter for the values of one file, with the variables of `environ`."""
    converter = cattrs.Converter()
    folder = document.path.absolute().parent

    def text(value: Any, _: Any = None) -> str:  # noqa: ANN401 - what a file holds
        if not isinstance(value, str):
            raise TypeError(f"expected text, got {kind_of(value)}")
        return interpolate(value, environ)

    def path(value: Any, _: Any) -> Path:  # noqa: ANN401 - what a file holds
        return folder / Path(text(value)).expanduser()

    def secret(value: Any, _: Any) -> Secret:  # noqa: ANN401 - what a file holds
        return _secret(value, converter, document)

    def text_or_secret(value: Any, _: Any) -> str | Secret:  # noqa: ANN401 - what a file holds
        return secret(value, Secret) if isinstance(value, dict) else text(value)

    converter.register_structure_hook(str, text)
    converter.register_structure_hook(bool, _true_or_false)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(Path, path)
    converter.register_structure_hook(Secret, secret)
    converter.register_structure_hook_func(_is_text_or_secret, text_or_secret)
    converter.register_structure_hook_factory(_is_literal, lambda cls: _literal(cls, text))
    converter.register_structure_hook_factory(_is_list, _list)
    converter.register_structure_hook_factory(is_mapping, _mapping)
    converter.register_structure_hook_factory(attrs.has, _attrs_class)
    return converter


def names_of(cls: type) -> tuple[str, ...]:
    """Return the keys that make up an attrs class in a configuration."""
    return tuple(_init_fields(cls))


def _init_fields(cls: type) -> dict[str, attrs.Attribute[Any]]:
    fields: Any = attrs.fields(cls)
    return {field.alias: field for field in fields if field.init}


def _true_or_false(value: Any, _: Any) -> bool:  # noqa: ANN401 - what a file holds
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {kind_of(value)}")
    return value


def _whole(value: Any, _: Any) -> int:  # noqa: ANN401 - what a file holds
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, got {kind_of(value)}")
    return value


def _number(value: Any, _: Any) -> float:  # noqa: ANN401 - what a file holds
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {kind_of(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("expected a number that is finite")
    return number


def _secret(value: object, converter: cattrs.Converter, document: Document) -> Secret:
    """Return the secret that a reference stands for: a table with the source's name as its key."""
    if not isinstance(value, Table):
        raise TypeError(_no_reference(value))
    if len(value) != 1:
        known = ", ".join(sorted({plugin.name for plugin in SECRETS.installed()}))
        raise ValueError(f"a secret reference has one key, one of: {known}")
    ((name, setting),) = value.items()
    cls = SECRETS.load(name)
    fields = names_of(cls)
    # A source with one field is written { name = VALUE }, one with several { name = { … } }.
    settings = {fields[0]: setting} if len(fields) == 1 else setting
    try:
        source = converter.structure(settings, cls)
    except Wrong as error:
        hidden = 1 if len(fields) == 1 else 0
        raise Wrong(
            Finding((name, *found.keys[hidden:]), found.message) for found in error.found
        ) from error
    return Secret.from_source(source, place=KeyPlace(document, value.keys_to))


def _no_reference(value: object) -> str:
    variable = re.fullmatch(r"\$\{(\w+)(:-[^}]*)?\}", value) if isinstance(value, str) else None
    if variable is not None:
        return f'a secret is a reference: write {{ env = "{variable[1]}" }}'
    return (
        'expected a reference such as { env = "NAME" }, { file = "PATH" } or '
        f'{{ command = ["PROGRAM", "ARGUMENT"] }}, got {kind_of(value)}'
        + ("; a secret is never written into the file" if isinstance(value, str) else "")
    )


def _is_text_or_secret(cls: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(cls) in {Union, UnionType} and set(get_args(cls)) == {str, Secret}


def _is_literal(cls: Any) -> bool:  # noqa: ANN401 - any type
    return get_origin(cls) is Literal


def _literal(cls: Any, text: Callable[[Any], str]) -> Hook:  # noqa: ANN401 - any type
    allowed = get_args(cls)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        value = text(value) if isinstance(value, str) else value
        for one in allowed:
            if value == one and type(value) is type(one):
                return one
        names = [str(one) for one in allowed]
        raise ValueError(f"expected one of: {', '.join(names)}{did_you_mean(str(value), names)}")

    return structure


def _is_list(cls: Any) -> bool:  # noqa: ANN401 - any type
    arguments = get_args(cls)
    is_tuple = get_origin(cls) is tuple and len(arguments) == 2 and arguments[1] is ...  # noqa: PLR2004
    return is_tuple or is_any_set(cls) or is_sequence(cls)


def _list(cls: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    item: Any = (*get_args(cls), Any)[0]
    items = list_structure_factory(list[item], converter)
    origin = get_origin(cls) or cls
    build: Callable[[list[Any]], Any] = list
    if origin is tuple:
        build = tuple
    elif is_any_set(cls):
        build = set if origin is set else frozenset

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        # A text is a sequence too, of letters.
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {kind_of(value)}")
        return build(items(value, list[item]))

    return structure


def _mapping(cls: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    items = mapping_structure_factory(cls, converter)
    return _of_table(items)


def _attrs_class(cls: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    """Return what makes a `cls` of a table.

    cattrs' own stops at a missing key before it asks the validators, and does not tell which
    field a validator is of; this tells all that is wrong, at its key.
    """
    try:
        attrs.resolve_types(cls)
    except NameError as error:
        raise TypeError(
            f"the types of {cls.__name__}'s fields are not there at run time: {error}; "
            "import them outside of TYPE_CHECKING"
        ) from error
    fields = _init_fields(cls)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        wrong = [
            Finding((key,), f"unknown key{did_you_mean(key, fields)}")
            for key in value
            if key not in fields
        ]
        arguments = {}
        for name, field in fields.items():
            if name not in value:
                if field.default is attrs.NOTHING:
                    wrong.append(Finding((name,), "missing"))
                continue
            try:
                of: Any = field.type
                arguments[name] = converter.structure(value[name], of)
                _validate(field, arguments[name])
            except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
                wrong += findings(error, (name,))
        if wrong:
            raise Wrong(wrong)
        try:
            return cls(**arguments)
        except Exception as error:
            # What looks at several fields names the one that it is about.
            raise Wrong(findings(error, fields=fields)) from error

    return _of_table(structure)


def _validate(field: attrs.Attribute[Any], value: Any) -> None:  # noqa: ANN401 - any field
    """Ask a field's validator before there is an instance; what needs one is asked by attrs."""
    convert: Any = field.converter
    kind: Any = attrs.Converter
    if isinstance(convert, kind):
        if convert.takes_self or convert.takes_field:
            return
        convert = convert.converter
    if convert is not None:
        value = convert(value)
    if field.validator is not None:
        with suppress(AttributeError):  # it asked the instance
            field.validator(None, field, value)


def _of_table(items: Hook) -> Hook:
    def structure(value: Any, cls: Any) -> Any:  # noqa: ANN401 - what a file holds
        if not isinstance(value, dict):
            raise TypeError(f"expected a table, got {kind_of(value)}")
        return items(value, cls)

    return structure
