"""What shows objects: it finds each object that leaks, in the way in which it does."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from tests.leaks.canaries import PLANTED, Search
from tests.leaks.showing import leaks_of
from tests.leaks.world import Leak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXT = PLANTED.text
SEARCH = Search()


class Hidden:
    """An object that prints nothing, and tells in one way that a test gives it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Hidden()"

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError("not this one")


class Printed(Hidden):
    def __repr__(self) -> str:
        return TEXT


class Written(Hidden):
    def __str__(self) -> str:
        return TEXT


class Formatted(Hidden):
    def __format__(self, spec: str) -> str:
        return TEXT


class Kept(Hidden):
    def __init__(self) -> None:
        self._text = TEXT


class Slotted(Hidden):
    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text = TEXT


class Nested(Hidden):
    __slots__ = ("inner",)

    def __init__(self) -> None:
        self.inner = {"a": [Slotted()]}


class Told(Hidden):
    @property
    def text(self) -> str:
        return TEXT


class Quoted(Hidden):
    @property
    def text(self) -> str:
        raise LookupError(TEXT)


class Pickled(Hidden):
    def __reduce_ex__(self, protocol: object) -> Any:
        return (str, (TEXT,))


class Stated(Hidden):
    def __getstate__(self) -> Any:
        return {"text": TEXT}


class Copied(Hidden):
    def __deepcopy__(self, memo: object) -> Any:
        return Printed()


class Listed(Hidden):
    def __iter__(self) -> Iterator[str]:
        return iter([TEXT])


class Bytes(Hidden):
    def __bytes__(self) -> bytes:
        return TEXT.encode()


@attrs.frozen
class Described:
    text: str = attrs.field(default=TEXT, repr=False)


@dataclasses.dataclass(frozen=True)
class Data:
    text: str = dataclasses.field(default=TEXT, repr=False)


def caused() -> Exception:
    """Return an error whose cause tells."""
    error = LookupError("no use")
    error.__cause__ = ValueError(TEXT)
    return error


def asked() -> Exception:
    """Return an error whose cause holds what was sent."""
    error = LookupError("no use")
    request = httpx.Request("GET", "https://a", headers={"X-Key": TEXT})
    error.__cause__ = httpx.ConnectError("no use", request=request)
    return error


def noted() -> Exception:
    """Return an error with a note that tells."""
    error = LookupError("no use")
    error.add_note(TEXT)
    return error


@pytest.mark.parametrize(
    ("make", "way"),
    [
        (Printed, "repr"),
        (Written, "str"),
        (Formatted, "format"),
        (Kept, "vars"),
        (Kept, "json"),
        (Slotted, "walk"),
        (Nested, "walk"),
        (Told, "walk"),
        (Told, "members"),
        (Quoted, "walk"),
        (Pickled, "pickle"),
        (Pickled, "reduce"),
        (Pickled, "yaml"),
        (Stated, "state"),
        (Copied, "deepcopy"),
        (Listed, "list"),
        (Bytes, "bytes"),
        (Described, "attrs.asdict"),
        (Described, "attrs.astuple"),
        (Described, "cattrs"),
        (Described, "cattrs as JSON"),
        (Data, "dataclasses.asdict"),
        (Printed, "ascii"),
        (Printed, "percent"),
        (Printed, "pprint"),
        (Printed, "logging"),
        (Printed, "structlog"),
        (caused, "traceback"),
        (caused, "walk"),
        (asked, "walk"),
        (noted, "traceback"),
    ],
)
def test_an_object_that_leaks(make: Callable[[], object], way: str) -> None:
    """What an object tells in one way, is found in that way."""
    assert leaks_of(Hidden(), SEARCH) == set()

    assert Leak(PLANTED.what, way) in leaks_of(make(), SEARCH)
