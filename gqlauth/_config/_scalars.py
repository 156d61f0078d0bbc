"""Single values: text with its variables, paths, numbers, and one of a few."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import attrs

from gqlauth._config._document import kind_of
from gqlauth._config._findings import did_you_mean
from gqlauth._config._graphql_config import TheirText
from gqlauth._config._interpolate import interpolate, interpolate_theirs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@attrs.frozen
class Texts:
    """What the text of one file means."""

    environ: Mapping[str, str]
    #: Where its relative paths begin.
    folder: Path

    def text(self, value: Any, _: Any = None) -> str:  # noqa: ANN401 - what a file holds
        """Return a text with its variables replaced."""
        if not isinstance(value, str):
            raise TypeError(f"expected text, got {kind_of(value)}")
        theirs = isinstance(value, TheirText)
        replaced = (interpolate_theirs if theirs else interpolate)(value, self.environ)
        if any("\ud800" <= character <= "\udfff" for character in replaced):
            raise ValueError("has half of a character (a lone surrogate)")
        return replaced

    def path(self, value: Any, _: Any = None) -> Path:  # noqa: ANN401 - what a file holds
        """Return a path; ``~`` is the user's home, and a relative one begins in the folder."""
        try:
            return self.folder / Path(self.text(value)).expanduser()
        except RuntimeError:
            raise ValueError("begins with the home directory (~) of nobody who is known") from None

    def anything(self, value: Any, _: Any = None) -> Any:  # noqa: ANN401 - what a file holds
        """Return plain data with the variables in its texts replaced."""
        if isinstance(value, dict):
            return {key: self.anything(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.anything(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def one_of(self, kind: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - any type
        """Return what finds a value among those of a `Literal`, or of an enumeration."""
        if get_origin(kind) is Literal:
            allowed = [(one, one) for one in get_args(kind)]
        else:
            allowed = [(member.value, member) for member in kind]
        names = [str(one) for one, _ in allowed]

        def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - what a file holds
            value = self.text(value) if isinstance(value, str) else value
            for one, meant in allowed:
                if value == one and type(value) is type(one):
                    return meant
            meant = did_you_mean(value, names) if isinstance(value, str) else ""
            raise ValueError(f"expected one of: {', '.join(names)}{meant}")

        return structure


def true_or_false(value: Any, _: Any) -> bool:  # noqa: ANN401 - what a file holds
    """Return what is true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {kind_of(value)}")
    return value


def whole(value: Any, _: Any) -> int:  # noqa: ANN401 - what a file holds
    """Return what is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, got {kind_of(value)}")
    return value


def number(value: Any, _: Any) -> float:  # noqa: ANN401 - what a file holds
    """Return what is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {kind_of(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError("expected a number that is finite")
    return number
