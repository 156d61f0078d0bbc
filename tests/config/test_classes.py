"""The classes that tables of a file stand for, be they ours or a plugin's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tests.config.making import made, told

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.config.conftest import Project


@attrs.frozen
class Inner:
    name: str
    size: int = 1


def even(_: object, __: object, value: int) -> None:
    if value % 2:
        raise ValueError("is odd")


def with_the_instance(instance: Any, _: object, value: int) -> None:
    if value > instance.most:
        raise ValueError("most: is less than size")


def with_the_class(instance: Any, _: object, value: int) -> None:
    if value > len(attrs.fields(type(instance))):
        raise ValueError("is more than there are fields")


@attrs.frozen
class Validated:
    even: int = attrs.field(default=0, validator=even)
    positive: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    size: int = attrs.field(default=0, validator=with_the_instance)
    most: int = 10
    few: int = attrs.field(default=0, validator=with_the_class)


def upper(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.upper() for word in words)


def whole(value: str) -> int:
    return int(value) if value else 0


def as_it_is(value: str, _: object) -> str:
    return value


# Made by a call, as mypy does not know all kinds of converters in a class.
Converted: Any = attrs.make_class(
    "Converted",
    {
        "words": attrs.field(
            type=tuple[str, ...], converter=upper, validator=attrs.validators.max_len(2)
        ),
        "plain": attrs.field(type=str, default="", converter=attrs.Converter(str.strip)),
        "by_itself": attrs.field(
            type=str,
            default="",
            converter=attrs.Converter(as_it_is, takes_self=True),
            validator=attrs.validators.max_len(2),
        ),
        "by_field": attrs.field(
            type=str, default="", converter=attrs.Converter(as_it_is, takes_field=True)
        ),
        "picky": attrs.field(type=str, default="", converter=whole),
    },
)
Untyped = attrs.make_class("Untyped", ["anything"])


@attrs.frozen(kw_only=True)
class Strange:
    needed: str
    _private: str = attrs.field(default="")
    derived: str = attrs.field(init=False, default="")
    inner: Inner | None = None


@attrs.frozen
class OnlyChecked:
    amount: Decimal


@attrs.frozen
class Exploding:
    size: int

    def __attrs_post_init__(self) -> None:
        raise {1: ZeroDivisionError(), 2: KeyError("a"), 3: TypeError()}[self.size]


def test_nested(project: Project) -> None:
    """Classes hold classes, and private fields go by their aliases."""
    strange = made(project, Strange, '{ needed = "$$", private = "a", inner = { name = "b" } }')

    assert strange == Strange(needed="$", private="a", inner=Inner("b"))


def test_untyped(project: Project) -> None:
    """A field without a type takes anything."""
    assert made(project, Untyped, '{ anything = ["$$", 1] }') == Untyped(["$", 1])


def test_what_is_derived_is_no_key(project: Project) -> None:
    """A field that the class fills itself is no key; all is told by keys."""
    assert told(project, Strange, '{ derived = "a", _private = "b", inner = { name = 1 } }') == [
        (("derived",), "unknown key"),
        (("_private",), 'unknown key; did you mean "private"?'),
        (("needed",), "missing"),
        (("inner", "name"), "expected text, got a number"),
    ]


def test_validators(project: Project) -> None:
    """What all validators say is told, each at its field's key."""
    assert told(project, Validated, "{ even = 1, positive = 0, mots = 1 }") == [
        (("mots",), 'unknown key; did you mean "most"?'),
        (("even",), "is odd"),
        (("positive",), "must be > 0: 0.0"),
    ]


def test_validators_that_ask_the_instance(project: Project) -> None:
    """Those that need the whole are asked once there is one, and name the field they mean."""
    assert told(project, Validated, "{ size = 11 }") == [(("most",), "is less than size")]
    assert made(project, Validated, "{ size = 11, most = 12 }").size == 11


def test_validators_that_err_about_nothing(project: Project) -> None:
    """One that cannot do without an instance condemns nothing that is sound."""
    assert made(project, Validated, "{ few = 1 }").few == 1


def test_converters(project: Project) -> None:
    """Fields are converted before they are validated; each converter is asked as it is."""
    converted = made(
        project, Converted, '{ words = ["a"], plain = " b ", by_itself = "c", by_field = "d" }'
    )

    assert attrs.astuple(converted) == (("A",), "b", "c", "d", 0)


def test_converters_that_refuse(project: Project) -> None:
    """What a converter says, and a validator after one, is told at the field's key."""
    (words, picky) = told(project, Converted, '{ words = ["a", "b", "c"], picky = "x" }')

    assert words == (("words",), "Length of 'words' must be <= 2: 3")
    assert picky[0] == ("picky",)


def test_converters_that_want_the_instance(project: Project) -> None:
    """Where a converter takes the instance, its field is validated with the whole."""
    assert told(project, Converted, '{ words = [], by_itself = "abc" }') == [
        ((), "Length of 'by_itself' must be <= 2: 3")
    ]


def test_types_that_are_not_there(project: Project) -> None:
    """A type that is imported for type checkers only is told, and what to do."""
    ((keys, message),) = told(project, OnlyChecked, '{ amount = "1" }')

    assert keys == ()
    assert message == (
        "the types of OnlyChecked's fields are not there at run time: name 'Decimal' is not "
        "defined; import them outside of TYPE_CHECKING"
    )


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (1, "cannot be used: ZeroDivisionError"),
        (2, "cannot be used: KeyError"),
        (3, "cannot be used: TypeError"),
    ],
)
def test_whatever_a_class_raises(project: Project, size: int, message: str) -> None:
    """What a class raises without a word for users is told by its name."""
    assert told(project, Exploding, f"{{ size = {size} }}") == [((), message)]
