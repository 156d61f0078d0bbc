"""From the text of a file to plain data, or to what keeps it from being read.

No message holds text of the file but for keys and single characters: a secret may stand there.
"""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Any, Final, Literal, NoReturn

import attrs

from gqlauth._config._trouble import SyntaxTroubleError

Kind = Literal["toml", "yaml", "json"]

_KINDS: Final[dict[str, Kind]] = {".yml": "yaml", ".yaml": "yaml", ".json": "json"}
_TOML_ERROR: Final = re.compile(
    r"(?P<message>.*?)(?: \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\))?",
    re.DOTALL,
)
# Python refuses to read more digits than 4300 (CVE-2020-10735).
_LONG_NUMBER: Final = re.compile(r"\d[\d_]{4000}")


def parse(name: str, text: str) -> tuple[Kind, Any]:
    """Return the format of a file, which its name tells, and the data that it holds.

    Raises:
        SyntaxTroubleError: when it does not parse.

    """
    kind = _kind(name, text)
    reader = {"toml": _toml, "yaml": _yaml, "json": _json}[kind]
    try:
        return kind, reader(text)
    except RecursionError:
        raise SyntaxTroubleError("is nested too deeply") from None
    except ValueError:
        place = _LONG_NUMBER.search(text)
        line = None if place is None else text.count("\n", 0, place.start()) + 1
        raise SyntaxTroubleError("holds a number of too many digits", line) from None


def _kind(name: str, text: str) -> Kind:
    if name == ".graphqlrc":  # JSON or YAML, and it does not say which
        return "json" if text.lstrip().startswith("{") else "yaml"
    return _KINDS.get(PurePath(name).suffix.lower(), "toml")


def _toml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    import tomllib  # noqa: PLC0415 - one of three formats

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = _TOML_ERROR.fullmatch(str(error))
        assert told is not None  # it matches any text
    if told["line"] is None:
        message = f"{told['message']} at the end of the file"
        raise SyntaxTroubleError(message, text.count("\n") + 1)
    raise SyntaxTroubleError(told["message"], int(told["line"]), int(told["column"]))


def _json(text: str) -> Any:  # noqa: ANN401 - what a file holds
    try:
        return json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except _TwinError as error:
        # The parser does not tell where, but as a rule no other table has the key.
        places = [place.start() for place in re.finditer(rf"{re.escape(error.key)}\s*:", text)]
        line = text.count("\n", 0, places[1]) + 1 if len(places) == 2 else None  # noqa: PLR2004
        raise SyntaxTroubleError(f"the key {error.key} stands twice in one table", line) from None
    except json.JSONDecodeError as error:
        raise SyntaxTroubleError(error.msg, error.lineno, error.colno) from None


@attrs.define
class _TwinError(Exception):
    key: str


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise _TwinError(json.dumps(twin))
    return table


def _no_number(name: str) -> NoReturn:
    raise SyntaxTroubleError(f"{name} is no number in JSON")


def _yaml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    from gqlauth._config._yaml import load  # noqa: PLC0415 - it imports PyYAML

    return load(text)
