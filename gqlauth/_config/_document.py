"""A configuration file as text and as plain data, each value with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar

import attrs

from gqlauth._config._graphql_config import OURS, THEIRS, with_endpoints
from gqlauth._config._parse import Kind, parse
from gqlauth._config._trouble import SyntaxTroubleError
from gqlauth.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Key = str | int
T = TypeVar("T")

#: Values in one file, at the most: YAML's anchors make a few lines as large as one likes.
MOST_VALUES: Final = 100_000
#: Bytes of one file, at the most: a device may be read for ever.
LARGEST: Final = 16 * 1024 * 1024
DEEPEST: Final = 50

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


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
    #: What stands elsewhere in the file than its keys tell, and where.
    elsewhere: Mapping[tuple[Key, ...], tuple[Key, ...]] = attrs.field(factory=dict, repr=False)

    def problem(self, keys: Sequence[Key], message: str, *, verbatim: bool = False) -> Problem:
        """Return the problem that `message` tells of the value that `keys` lead to.

        One that is `verbatim` is shown without a mask.
        """
        from gqlauth._config._locate import locate  # noqa: PLC0415 - only errors need a line
        from gqlauth._redact import escape_control  # noqa: PLC0415 - the same

        keys = self._standing(tuple(keys))
        return Problem(
            # It may name what stands in the file, and whoever wrote that is not to be trusted yet.
            escape_control(message),
            file=shown(self.path),
            line=locate(self.text, self.kind, keys),
            key=dotted(keys),
            verbatim=verbatim,
        )

    def _standing(self, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        """Return the keys by which that stands in the file which `keys` lead to."""
        for length in range(len(keys), 0, -1):
            there = self.elsewhere.get(keys[:length])
            if there is not None:
                return (*there, *keys[length:])
        return keys


class KeyPlace:
    """The place of one value in a document.

    It is no attrs class, and cannot be pickled: who writes out what holds it would write out the
    file, in which a secret may stand that should not.
    """

    __slots__ = ("document", "keys")

    def __init__(self, document: Document, keys: tuple[Key, ...]) -> None:
        self.document = document
        self.keys = keys

    def __repr__(self) -> str:
        return f"{shown(self.document.path)}: {dotted(self.keys)}"

    def __deepcopy__(self, _memo: dict[int, object]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a place in a file cannot be pickled")

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
        return OURS
    return ()


def read(path: Path) -> Document:
    """Read a file, and return our part of it.

    Raises:
        ConfigError: when it cannot be read, does not parse (with line and column), or has no
            part of ours.

    """
    return _kept(lambda place: document_of(place, _text(place)), path)


def has_our_part(path: Path) -> bool:
    """Tell whether a file that others use too has a table for us.

    Raises:
        ConfigError: when it seems to have one, and does not parse.

    """
    return _kept(_has_our_part, path)


def _kept(ask: Callable[[Path], T], path: Path) -> T:
    """Return what `ask` returns; its error is raised anew, without the frames that hold the text.

    A traceback may show the variables of its frames, and the text of a file that is broken may
    hold a secret.
    """
    try:
        return ask(path)
    except ConfigError as error:
        problems = error.problems
    raise ConfigError(*problems)


def document_of(path: Path, text: str) -> Document:
    """Return our part of a file that holds `text`, as `read` does."""
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
    elsewhere: Mapping[tuple[Key, ...], tuple[Key, ...]] = {}
    placed = _Placed(path, text, kind)
    if keys == OURS:
        theirs = _part(data, THEIRS)
        placed.check(found, theirs)
        found, elsewhere = with_endpoints(found, theirs)
    return Document(path, text, kind, placed.value(found, keys), elsewhere)


def _has_our_part(path: Path) -> bool:
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
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ConfigError(Problem(f"is larger than {LARGEST} bytes", file=shown(path)))
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(Problem("there is no such file", file=shown(path))) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or type(error).__name__}"
        raise ConfigError(Problem(message, file=shown(path))) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text"
        raise ConfigError(Problem(message, file=shown(path), line=line)) from None
    except ValueError:
        raise ConfigError("the path of a configuration file has no NUL in it") from None


def _parsed(path: Path, text: str) -> tuple[Kind, Any]:
    try:
        return parse(path.name, text)
    except SyntaxTroubleError as error:
        problem = Problem(error.message, shown(path), error.line, error.column)
    raise ConfigError(problem)


class _Placed:
    """Copies plain data, tables with their places, and refuses what no configuration needs."""

    def __init__(self, path: Path, text: str, kind: Kind) -> None:
        self._path = path
        self._text = text
        self._kind = kind
        self._count = 0

    def check(self, *values: Any) -> None:  # noqa: ANN401 - plain data
        """Refuse more values than are to be copied, before something else copies them."""
        left, count = list(values), 0
        while left:
            value = left.pop()
            inner = value.values() if isinstance(value, dict) else value
            if isinstance(value, dict | list):
                count += len(inner)
                # Told before they are taken in: an anchor may stand within itself.
                if count > MOST_VALUES:
                    raise ConfigError(self._too_much())
                left += inner

    def value(self, value: Any, keys: tuple[Key, ...]) -> Any:  # noqa: ANN401 - plain data
        self._count += 1
        if self._count > MOST_VALUES or len(keys) > DEEPEST:
            raise ConfigError(self._too_much())
        if isinstance(value, dict):
            return Table(self._items(value, keys), keys)
        if isinstance(value, list):
            return [self.value(item, (*keys, index)) for index, item in enumerate(value)]
        return value

    def _items(self, table: dict[Any, Any], keys: tuple[Key, ...]) -> Iterator[tuple[str, Any]]:
        for key, item in table.items():
            if not isinstance(key, str):  # YAML reads `on`, `1` and `null` as what they look like
                raise ConfigError(self._no_text(key, keys))
            yield key, self.value(item, (*keys, key))

    def _too_much(self) -> Problem:
        return Problem("holds too much, or is nested too deeply", file=shown(self._path))

    def _no_text(self, key: Any, keys: tuple[Key, ...]) -> Problem:  # noqa: ANN401 - any YAML
        from gqlauth._config._locate import locate  # noqa: PLC0415 - only errors need a line

        message = f"a key here is read as {kind_of(key)}: put it in quotes"
        line = locate(self._text, self._kind, (*keys, key))
        return Problem(message, file=shown(self._path), line=line, key=dotted(keys))
