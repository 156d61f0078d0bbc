"""Values that hold others: lists, tables, and the classes that tables stand for.

All that is wrong in one is told, not only the first.
"""

from __future__ import annotations

import inspect
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs
from cattrs.cols import is_any_set
from cattrs.gen import make_dict_structure_fn

from gqlauth._config._document import kind_of
from gqlauth._config._findings import MISSING, Finding, Wrong, did_you_mean, findings
from gqlauth._config._keys import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import cattrs

    from gqlauth._config._document import Key

    Hook = Callable[[Any, Any], Any]


def _made(converter: cattrs.Converter, items: Iterable[tuple[Key, Any, Any]]) -> list[Any]:
    """Return what the values are, each given by its key, itself, and its type."""
    made = []
    wrong: list[Finding] = []
    for key, value, kind in items:
        try:
            made.append(converter.structure(value, kind))
        except Exception as error:  # noqa: BLE001 - a plugin's hook may raise anything
            wrong += findings(error, (key,))
    if wrong:
        raise Wrong(wrong)
    return made


def list_of(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    """Return what makes a list, a tuple or a set of a list."""
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    # A tuple's items may each have a type of their own.
    fixed = arguments if origin is tuple and arguments[1:] != (...,) else ()
    item = (*arguments, Any)[0]
    build: Callable[[Iterable[Any]], Any] = frozenset if is_any_set(kind) else list
    if inspect.isclass(origin) and not inspect.isabstract(origin):
        build = origin

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        # A text is a sequence too, of letters.
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {kind_of(value)}")
        if fixed and len(value) != len(fixed):
            raise ValueError(f"expected a list of {len(fixed)}, got one of {len(value)}")
        return build(_made(converter, zip(count(), value, fixed or repeat(item))))

    return structure


def mapping_of(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    """Return what makes a mapping of a table."""
    name_kind, item = (*get_args(kind), Any, Any)[:2]

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        if not isinstance(value, dict):
            raise TypeError(f"expected a table, got {kind_of(value)}")
        items = _made(converter, ((name, one, item) for name, one in value.items()))
        names: Iterable[Any] = value
        if name_kind not in {str, Any}:  # keys are names: no variables in them
            names = _made(converter, ((name, name, name_kind) for name in value))
        return dict(zip(names, items, strict=True))

    return structure


def dataclass_of(kind: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
    """Return what makes a dataclass of a table."""
    items = make_dict_structure_fn(kind, converter)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        if not isinstance(value, dict):
            raise TypeError(f"expected a table, got {kind_of(value)}")
        return items(value, kind)

    return structure


def attrs_class_of(cls: Any, converter: cattrs.Converter) -> Hook:  # noqa: ANN401 - any type
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
    fields = keys_of(cls)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
        if not isinstance(value, dict):
            raise TypeError(f"expected a table, got {kind_of(value)}")
        arguments, wrong, doubts = _arguments(value, fields, converter)
        if not wrong:
            try:
                return cls(**arguments)
            except Exception as error:  # noqa: BLE001 - what a plugin's class raises
                # What looks at several fields names the one that it is about.
                doubts = doubts or list(findings(error, fields=fields))
        raise Wrong([*wrong, *doubts])

    return structure


def _arguments(
    table: Mapping[str, Any],
    fields: Mapping[str, attrs.Attribute[Any]],
    converter: cattrs.Converter,
) -> tuple[dict[str, Any], list[Finding], list[Finding]]:
    """Return the fields' values, what is wrong with them, and what their validators doubt."""
    unknown = (key for key in table if key not in fields)
    wrong = [Finding((key,), f"unknown key{did_you_mean(key, fields)}") for key in unknown]
    doubts: list[Finding] = []
    arguments = {}
    for name, field in fields.items():
        if name not in table:
            if field.default is attrs.NOTHING:
                wrong.append(Finding((name,), MISSING))
            continue
        try:
            kind: Any = Any if field.type is None else field.type
            arguments[name] = converter.structure(table[name], kind)
        except Exception as error:  # noqa: BLE001 - a plugin's hook may raise anything
            wrong += findings(error, (name,))
        else:
            doubts += _doubts(name, field, arguments[name])
    return arguments, wrong, doubts


def _doubts(name: str, field: attrs.Attribute[Any], value: Any) -> list[Finding]:  # noqa: ANN401 - any field
    """Return what a field's validator says before there is an instance.

    The class has the last word: a validator that looks at the instance may err about none.
    """
    convert: Any = field.converter
    kind: Any = attrs.Converter
    if isinstance(convert, kind):
        if convert.takes_self or convert.takes_field:
            return []
        convert = convert.converter
    try:
        value = value if convert is None else convert(value)
        if field.validator is not None:
            field.validator(None, field, value)
    except AttributeError:  # it asked the instance
        return []
    except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
        return list(findings(error, (name,)))
    return []
