"""The fields of attrs classes as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NewType

import attrs

from gqlauth import Secret
from gqlauth._config._fields import fields_of, summary


def test_types() -> None:
    """What is written in the file for a type is what the schema says of it."""

    @attrs.frozen
    class Inner:
        a: int

    kinds: dict[str, Any] = {
        "plain": str | None,
        "listed": list[int],
        "tagged": frozenset[str],
        "mapped": dict[str, bool],
        "bare": dict,
        "noted": Annotated[float, "s"],
        "either": int | str,
        "inner": Inner,
        "any": Any,
        "strange": bytes,
        "named": NewType("Named", str),
        "secret": Secret,
        "choice": Literal["a", 1],
    }
    fields = {name: attrs.field(type=kind) for name, kind in kinds.items()}
    cls = attrs.make_class("Many", fields)
    expected = {
        "plain": {"type": "string"},
        "listed": {"type": "array", "items": {"type": "integer"}},
        "tagged": {"type": "array", "items": {"type": "string"}},
        "mapped": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "bare": {"type": "object", "additionalProperties": {}},
        "noted": {"type": "number"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "inner": {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
        "any": {},
        "strange": {},
        "named": {},
        "secret": {"$ref": "#/$defs/secret"},
        "choice": {"anyOf": [{"enum": ["a", 1]}, {"$ref": "#/$defs/variable"}]},
    }
    found = fields_of(cls)
    assert expected == found.properties
    assert list(expected) == found.required


def test_names_defaults_and_comments() -> None:
    """Keys are the arguments' names; a field of a base class keeps its comment."""

    @attrs.frozen
    class Base:
        #: How long,
        #: in ``seconds``.
        _wait: float = 1.5

    @attrs.frozen
    class Derived(Base):
        names: tuple[str, ...] = ("a",)
        empty: tuple[str, ...] = ()
        made: list[str] = attrs.field(factory=list)
        inner: int = attrs.field(default=0, init=False)

    expected = {
        "wait": {"description": "How long, in `seconds`.", "type": "number", "default": 1.5},
        "names": {"type": "array", "items": {"type": "string"}, "default": ["a"]},
        "empty": {"type": "array", "items": {"type": "string"}},
        "made": {"type": "array", "items": {"type": "string"}},
    }
    found = fields_of(Derived)
    assert expected == found.properties
    assert not found.required


def test_the_summary_is_the_first_paragraph() -> None:
    """A class's own docstring is its summary, and not that of its base."""

    class Told:
        """Trade a key for a ``token``.

        At length.
        """

    class Untold(Told):
        pass

    assert [summary(Told), summary(Untold)] == ["Trade a key for a token.", ""]
