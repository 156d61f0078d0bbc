"""A configuration file as text and as plain data, each value with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import attrs

from gqlauth.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind = Literal["toml", "yaml", "json"]
Key = str | int

#: Values in one file, at the most: YAML's anchors make a few lines as large as one likes.
MOST_VALUES: Final = 100_000
DEEPEST: Final = 50

_KINDS: Final[dict[str, Kind]] = {".yml": "yaml", ".yaml": "yaml", ".json": "json"}
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Table(dict[str, Any]):
    """A table of the file that knows the keys which lead to it."""

    __slots__ = ("keys_to",)

    def __init__(self, items: Any, keys_to: tuple[Key, ...]) -> None:  # noqa: ANN401 - as dict
        super().__init__(items)
        self.keys_to = keys_to


@attrs.frozen
class Document:
    """A file that parses."""

    path: Path
    text: str = attrs.field(repr=False)
    kind: Kind
    #: Our part of it; its places count from the root of the file.
    data: Table = attrs.field(repr=False)

    def problem(self, keys: Sequence[Key], message: str) -> Problem:
        """Return the problem that `message` tells of the value that `keys` lead to."""
        from gqlauth._config._locate import locate  # noqa: PLC0415 - only errors need a line

        return Problem(
            message,
            file=shown(self.path),
            line=locate(self.text, self.kind, keys),
            key=dotted(keys),
        )


@attrs.frozen
class KeyPlace:
    """The place of one value in a document."""

    document: Document
    keys: tuple[Key, ...]

    def problem(self, message: str) -> Problem:
        """Return the problem that `message` tells, at this place."""
        return self.document.problem(self.keys, message)


def dotted(keys: Sequence[Key]) -> str:
    """Return a key path as TOML would write it, with list items as ``[index]``."""
    path = ""
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        else:
            name = key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
            path += f".{name}" if path else name
    return path


def shown(path: Path) -> str:
    """Return a path as the user would name it: from the working directory, if it is in there."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def table_of(path: Path) -> tuple[str, ...]:
    """Return the keys that lead to our part of a file; what it is called decides."""
    if path.name == "pyproject.toml":
        return ("tool", "gqlauth")
    if path.name.startswith((".graphqlrc", "graphql.config.")):
        return ("extensions", "gqlauth")
    return ()


def read(path: Path) -> Document:
    """Read a file, and return our part of it.

    Raises:
        ConfigError: when it cannot be read, does not parse (with line and column), or has no
            part of ours.

    """
    text = _text(path)
    kind, data = _parsed(path, text)
    keys = table_of(path)
    found = _part(data, keys)
    if found is None and keys:
        raise ConfigError(Problem(f"has no {dotted(keys)} table", file=shown(path)))
    if found is None:  # an empty YAML file
        found = {}
    if not isinstance(found, dict):
        message = f"expected a table of settings, got {kind_of(found)}"
        raise ConfigError(Problem(message, file=shown(path), key=dotted(keys)))
    return Document(path, text, kind, _Placed(path).value(found, keys))


def has_our_part(path: Path) -> bool:
    """Tell whether a file that others use too has a table for us.

    Raises:
        ConfigError: when it seems to have one, and does not parse.

    """
    try:
        # Most have none, and that is told without parsing them.
        if b"gqlauth" not in path.read_bytes():
            return False
    except OSError:
        return False
    return _part(_parsed(path, _text(path))[1], table_of(path)) is not None


def _part(data: Any, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - what a file holds
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def kind_of(value: object) -> str:
    """Return what a value is to one who writes the file, without showing it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list"}
    if isinstance(value, dict):
        return "a table"
    return names.get(type(value), f"a {type(value).__name__}")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(Problem("there is no such file", file=shown(path))) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise ConfigError(Problem(message, file=shown(path))) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text"
        raise ConfigError(Problem(message, file=shown(path), line=line)) from None


def _parsed(path: Path, text: str) -> tuple[Kind, Any]:
    try:
        if path.name == ".graphqlrc":  # JSON or YAML, and it does not say which
            if not text.lstrip().startswith("{"):
                return "yaml", _yaml(text)
            return "json", _json(text)
        kind = _KINDS.get(path.suffix.lower(), "toml")
        return kind, {"toml": _toml, "yaml": _yaml, "json": _json}[kind](text)
    except _SyntaxTroubleError as error:
        problem = Problem(error.message, shown(path), error.line, error.column)
    except RecursionError:
        problem = Problem("is nested too deeply", file=shown(path))
    except ValueError as error:  # such as a number of a million digits
        problem = Problem(f"cannot be read: {type(error).__name__}", file=shown(path))
    raise ConfigError(problem) from None


@attrs.define
class _SyntaxTroubleError(Exception):
    message: str
    line: int | None = None
    column: int | None = None


def _toml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    import tomllib  # noqa: PLC0415 - one of three formats

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        if place is None:
            raise _SyntaxTroubleError(message) from None
        line, column = place.groups()
        last = text.count("\n") + 1
        raise _SyntaxTroubleError(
            message[: place.start()] + ("" if line else " at the end of the file"),
            int(line or last),
            None if column is None else int(column),
        ) from None


def _json(text: str) -> Any:  # noqa: ANN401 - what a file holds
    try:
        return json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _SyntaxTroubleError(error.msg, error.lineno, error.colno) from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise _SyntaxTroubleError(f"the key {json.dumps(twin)} stands twice in one table")
    return table


def _no_number(name: str) -> NoReturn:
    raise _SyntaxTroubleError(f"{name} is no number in JSON")


def _yaml(text: str) -> Any:  # noqa: ANN401 - what a file holds
    import yaml  # noqa: PLC0415 - one of three formats

    class Loader(yaml.SafeLoader):
        """Refuses what the safe loader passes over: a key that stands twice in one mapping."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as inherited
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} stands twice", key.start_mark
                    )
                if isinstance(key, yaml.ScalarNode):
                    seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _SyntaxTroubleError(
            error.problem or "is no YAML",
            None if mark is None else mark.line + 1,
            None if mark is None else mark.column + 1,
        ) from None
    except yaml.YAMLError:
        raise _SyntaxTroubleError("holds characters that YAML does not allow") from None


class _Placed:
    """Copies plain data, tables with their places, and refuses what no configuration needs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def value(self, value: Any, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401 - plain data
        self._count += 1
        if self._count > MOST_VALUES or len(keys) > DEEPEST:
            problem = Problem("holds too much, or is nested too deeply", file=shown(self._path))
            raise ConfigError(problem)
        if isinstance(value, dict):
            return Table(self._items(value, keys), keys)
        if isinstance(value, list):
            return [self.value(item, (*keys, index)) for index, item in enumerate(value)]
        return value

    def _items(self, table: dict[Any, Any], keys: tuple[Key, ...]) -> Iterator[tuple[str, Any]]:
        for key, item in table.items():
            if not isinstance(key, str):  # YAML reads `on`, `1` and `null` as what they look like
                message = f"the key {key!r} is read as {kind_of(key)}: put it in quotes"
                raise ConfigError(Problem(message, file=shown(self._path), key=dotted(keys)))
            yield key, self.value(item, (*keys, key))
