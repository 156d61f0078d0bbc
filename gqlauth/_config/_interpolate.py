"""``${NAME}`` and ``${NAME:-default}`` in values, from the environment; and graphql-config's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DOLLAR: Final = re.compile(
    r"\$(?:(?P<literal>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\{))"
)

# Theirs has one colon, and knows no literal `$`.
_THEIRS: Final = re.compile(r"\$\{(?:(?P<name>[A-Za-z0-9_]+)(?::(?P<default>[^}]+))?\}|(?P<bad>))")
_QUOTED: Final = re.compile(r"\"([^\"]+)\"|'([^']+)'")


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced; ``$$`` is a literal ``$``.

    As in a shell, the default stands also for a variable that is set and empty. Variables do not
    nest, and what is in one is not looked into.

    Raises:
        ValueError: for a variable that is not set and has no default, and for a ``${`` that is
            none of these forms.

    """

    def value(match: re.Match[str]) -> str:
        if match["literal"]:
            return "$"
        if match["bad"]:
            raise ValueError(
                "a ${ that is neither ${NAME} nor ${NAME:-default}; a literal $ is written $$"
            )
        name, default = match["name"], match["default"]
        found = environ.get(name)
        if default is not None and "${" in default:
            raise ValueError(f"the default of ${{{name}}} has a variable in it: they do not nest")
        if default is not None:
            return found or default.replace("$$", "$")
        if found is None:
            raise ValueError(f"environment variable {name} is not set")
        return found

    return _DOLLAR.sub(value, text)


def interpolate_theirs(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced, which are written as graphql-config has them.

    That is ``${NAME}``, ``${NAME:default}`` or ``${NAME:"default"}``. The default stands also for
    a variable that is set and empty.

    Raises:
        ValueError: for a variable that is not set and has no default, and for a ``${`` that is
            none of these forms.

    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name is None:
            raise ValueError("a ${ that is neither ${NAME} nor ${NAME:default}")
        found = environ.get(name)
        if default is not None:
            default = default.strip()
            quoted = _QUOTED.fullmatch(default)
            return found or (default if quoted is None else quoted[1] or quoted[2])
        if found is None:
            raise ValueError(f"environment variable {name} is not set")
        return found

    return _THEIRS.sub(value, text)
